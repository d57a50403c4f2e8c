// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_size.h"

#include <algorithm>

#include "dd/lora/lora_set.h"

namespace dd::adapt {
namespace {

/// OpenCLIP keeps query, key and value in one matrix, as single files of Stable Diffusion 2 do.
constexpr std::string_view kJoined = ".attn.in_proj_weight";
constexpr std::string_view kJoinedOut = ".attn.out_proj.weight";

}  // namespace

std::int64_t adapter_numbers(const std::vector<io::TensorInfo>& tensors, std::int64_t rank,
                             bool text_encoder) {
  const lora::LoraTargets targets = lora::attention_targets();
  std::int64_t numbers = 0;
  for (const io::TensorInfo& tensor : tensors) {
    if (tensor.shape.size() < 2) continue;
    const std::string& name = tensor.name;
    const bool joined = name.ends_with(kJoined);
    const bool is_target = std::ranges::any_of(targets, [&](const std::string& target) {
      return name.ends_with("." + target + ".weight");
    });
    const bool of_text =
        joined || name.ends_with(kJoinedOut) || name.find(".self_attn.") != std::string::npos;
    if (!(is_target || joined || name.ends_with(kJoinedOut)) || (of_text && !text_encoder))
      continue;
    const std::int64_t in = tensor.shape[1];
    numbers += rank * (joined ? 3 * (in + in) : tensor.shape[0] + in);
  }
  return numbers;
}

std::int64_t adapter_bytes(std::int64_t numbers, std::int64_t adapters, std::int64_t at_once) {
  constexpr std::int64_t kNumber = 4;                          // float32
  constexpr std::int64_t kRecords = std::int64_t{256} * 1024;  // names, adapter.json, events
  constexpr std::int64_t kState = kNumber * 3;                 // a number and two moments
  return adapters * (kNumber * numbers + kRecords) + (at_once + 1) * kState * numbers;
}

}  // namespace dd::adapt
