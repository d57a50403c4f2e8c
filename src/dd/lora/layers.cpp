// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/layers.h"

#include "dd/core/error.h"

namespace dd::lora {

LayersByName layers_by_name(std::span<const ModelPart> parts) {
  LayersByName layers;
  for (const ModelPart& part : parts) {
    for (const auto& [name, site] : part.table->linears()) {
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

std::string names_text(std::span<const std::string> names) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    text += cat(i == 0 ? "" : ", ", '"', names[i], '"');
  }
  if (names.size() > kShown) text += cat(" and ", names.size() - kShown, " more");
  return text;
}

std::string misfit(const LoraPair& pair, const nn::LinearSite& site) {
  const bool are_matrices = pair.down.dim() == 2 && pair.up.dim() == 2;
  if (are_matrices && pair.down.size(0) == pair.up.size(1) && pair.down.size(0) > 0 &&
      pair.down.size(1) == site.weight.size(1) && pair.up.size(0) == site.weight.size(0)) {
    return "";
  }
  return cat("its pair of ", shape_text(pair.down), " and ", shape_text(pair.up),
             " does not fit the layer's weight of ", shape_text(site.weight));
}

}  // namespace dd::lora
