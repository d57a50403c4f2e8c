// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "dd/lora/lora_set.h"

namespace dd::lora {

using LayersByName = std::map<std::string, std::shared_ptr<nn::LinearSite>>;

/// All linear layers and convolutions of the parts under the names that LoRA files give them.
LayersByName layers_by_name(std::span<const ModelPart> parts);

/// "32x4"
std::string shape_text(const at::Tensor& tensor);

/// Why two tensors are no pair at all, or nothing.
std::string misfit(const at::Tensor& down, const at::Tensor& up);

/// Why the pair cannot change this layer, or nothing.
std::string misfit(const LoraPair& pair, const nn::LinearSite& site);

}  // namespace dd::lora
