// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dd/lora/lora_set.h"

namespace dd::lora {

using LayersByName = std::map<std::string, std::shared_ptr<nn::LinearSite>>;

/// All linear layers and convolutions of the parts under the names that LoRA files give them.
LayersByName layers_by_name(std::span<const ModelPart> parts);

/// The linear layers that `targets` name and whose slots are to be filled, ascending. Error(kUsage)
/// when nothing matches or a match is a convolution; Error(kInternal) when a slot is taken.
std::vector<std::pair<std::string, std::shared_ptr<nn::LinearSite>>> free_sites(
    std::span<const ModelPart> parts, const LoraTargets& targets);

/// Error(kUsage) when rank or dropout are out of range.
void check_options(const LoraOptions& options);

/// Values to start training from, in place: A is drawn as peft's `gaussian`, N(0, 1/r²), from
/// (seed, layer name); B is 0.
void draw_start(const LoraPair& pair, std::uint64_t seed);

/// `layer.lora_A.weight` and `layer.lora_B.weight` of each pair.
io::NamedTensors named_tensors(std::span<const LoraPair> pairs);

/// "32x4"
std::string shape_text(const at::Tensor& tensor);

/// Why two tensors are no pair at all, or nothing.
std::string misfit(const at::Tensor& down, const at::Tensor& up);

/// Why the pair cannot change this layer, or nothing.
std::string misfit(const LoraPair& pair, const nn::LinearSite& site);

}  // namespace dd::lora
