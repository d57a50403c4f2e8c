// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/layers.h"

#include "dd/core/error.h"

namespace dd::lora {

LayersByName layers_by_name(std::span<const ModelPart> parts) {
  LayersByName layers;
  for (const ModelPart& part : parts) {
    for (const auto& [name, site] : part.table->sites()) {
      layers.emplace(part.prefix.empty() ? name : part.prefix + "." + name, site);
    }
  }
  return layers;
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
