// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/merged_lora.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>

#include <ranges>

#include "dd/core/error.h"
#include "dd/lora/layers.h"

namespace dd::lora {
namespace {

/// What is added to a layer's weight.
struct Change {
  const LoraPair* pair;
  double scale;
};
using Changes = std::map<std::string, std::vector<Change>>;

Changes changes_by_layer(const LayersByName& layers, std::span<const ScaledLora> loras) {
  Changes changes;
  for (const ScaledLora& lora : loras) {
    for (const LoraPair& pair : lora.weights->pairs) {
      const auto layer = layers.find(pair.layer);
      if (layer == layers.end()) {
        fail_input(cat("the LoRA adapts ", pair.layer,
                       ", which the model does not have; use a LoRA of this kind of model"));
      }
      const std::string problem = misfit(pair, *layer->second);
      if (!problem.empty()) {
        fail_input(cat("the LoRA cannot adapt ", pair.layer, ": ", problem,
                       "; use a LoRA of this kind of model"));
      }
      ensure(layer->second->adapter == nullptr, "a layer to merge into still has an adapter");
      changes[pair.layer].push_back({&pair, lora.scale * pair.scale});
    }
  }
  return changes;
}

at::Tensor merged(const at::Tensor& weight, const std::vector<Change>& changes,
                  at::ScalarType dtype) {
  at::Tensor sum = weight.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  for (const Change& change : changes) {
    const auto ready = [&](const at::Tensor& value) {
      return value.detach().to(weight.device(), at::kFloat);
    };
    const at::Tensor product =
        at::matmul(ready(change.pair->up), ready(change.pair->down).flatten(1));
    sum.add_(product.view_as(sum), change.scale);
  }
  return sum.to(dtype);
}

}  // namespace

MergedLora::MergedLora(std::span<const ModelPart> parts, std::span<const ScaledLora> loras,
                       std::optional<at::ScalarType> dtype) {
  const at::NoGradGuard no_grad;
  const LayersByName layers = layers_by_name(parts);
  const Changes changes = changes_by_layer(layers, loras);
  // All that can fail happens before the first weight is exchanged.
  std::vector<at::Tensor> results;
  for (const auto& [layer, list] : changes) {
    const auto& site = layers.at(layer);
    results.push_back(merged(site->weight, list, dtype.value_or(site->weight.scalar_type())));
    originals_.push_back({site, site->weight});
  }
  for (std::size_t i = 0; i < results.size(); ++i) originals_[i].site->weight = results[i];
}

MergedLora::~MergedLora() {
  restore();
}

void MergedLora::restore() {
  for (const Original& original : std::views::reverse(originals_)) {
    original.site->weight = original.weight;
  }
  originals_.clear();
}

void MergedLora::make_permanent() {
  const at::NoGradGuard no_grad;
  for (const Original& original : originals_) {
    original.weight.copy_(original.site->weight);
    original.site->weight = original.weight;
  }
  originals_.clear();
}

}  // namespace dd::lora
