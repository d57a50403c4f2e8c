// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/layers.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/seeds.h"
#include "dd/tensor/device.h"

namespace dd::lora {
namespace {

bool is_target(const std::string& layer, const LoraTargets& targets) {
  return std::ranges::any_of(targets, [&](const std::string& target) {
    return layer == target || layer.ends_with("." + target);
  });
}

}  // namespace

LayersByName layers_by_name(std::span<const ModelPart> parts) {
  LayersByName layers;
  for (const ModelPart& part : parts) {
    for (const auto& [name, site] : part.table->sites()) {
      layers.emplace(part.prefix.empty() ? name : part.prefix + "." + name, site);
    }
  }
  return layers;
}

std::vector<std::pair<std::string, std::shared_ptr<nn::LinearSite>>> free_sites(
    std::span<const ModelPart> parts, const LoraTargets& targets) {
  std::vector<std::pair<std::string, std::shared_ptr<nn::LinearSite>>> sites;
  for (const auto& [layer, site] : layers_by_name(parts)) {
    if (!is_target(layer, targets)) continue;
    if (site->weight.dim() != 2) {
      fail_usage(
          cat("the LoRA target ", layer, " is a convolution; only linear layers are trained"));
    }
    ensure(site->adapter == nullptr, "a layer already has an adapter");
    sites.emplace_back(layer, site);
  }
  if (sites.empty()) fail_usage("no layer of the model is a LoRA target; choose other targets");
  return sites;
}

void check_options(const LoraOptions& options) {
  if (options.rank < 1) fail_usage(cat("the LoRA rank is ", options.rank, "; choose 1 or more"));
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    fail_usage(cat("the LoRA dropout is ", options.dropout, "; choose 0 or more, and less than 1"));
  }
}

void draw_start(const LoraPair& pair, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  // Drawn on the CPU, so that a start does not depend on the device.
  const double deviation = 1.0 / static_cast<double>(pair.rank());
  pair.down.copy_(at::empty(pair.down.sizes(), at::kFloat)
                      .normal_(0, deviation, make_generator(mix_seed(seed, pair.layer))));
  pair.up.zero_();
}

io::NamedTensors named_tensors(std::span<const LoraPair> pairs) {
  io::NamedTensors named;
  for (const LoraPair& pair : pairs) {
    named.emplace_back(pair.layer + ".lora_A.weight", pair.down);
    named.emplace_back(pair.layer + ".lora_B.weight", pair.up);
  }
  return named;
}

std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.sizes()) {
    text += (text.empty() ? "" : "x") + std::to_string(size);
  }
  return text;
}

std::string misfit(const at::Tensor& down, const at::Tensor& up) {
  const auto is_point = [](const at::Tensor& value) {
    return value.dim() == 2 || (value.dim() == 4 && value.size(2) == 1 && value.size(3) == 1);
  };
  if ((down.dim() == 2 || down.dim() == 4) && is_point(up) && down.size(0) == up.size(1) &&
      down.size(0) > 0) {
    return "";
  }
  return cat("of ", shape_text(down), " and its other half of ", shape_text(up), " are no pair");
}

std::string misfit(const LoraPair& pair, const nn::LinearSite& site) {
  const at::Tensor& weight = site.weight;
  if (pair.down.dim() == weight.dim() && pair.up.dim() == 2 &&
      pair.down.size(0) == pair.up.size(1) && pair.down.size(0) > 0 &&
      pair.down.sizes().slice(1) == weight.sizes().slice(1) && pair.up.size(0) == weight.size(0)) {
    return "";
  }
  return cat("its pair of ", shape_text(pair.down), " and ", shape_text(pair.up),
             " does not fit the layer's weight of ", shape_text(weight));
}

}  // namespace dd::lora
