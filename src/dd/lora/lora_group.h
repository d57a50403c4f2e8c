// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dd/lora/lora_set.h"

namespace dd::lora {

/// Several LoRAs of one shape in the slots of one model, each for rows of its own: of the rows of a
/// batch, the first N-th goes through the first LoRA, and so on. Every input of an adapted layer
/// must have a number of rows that N divides. The destructor empties the slots.
class LoraGroup {
 public:
  /// As LoraSet; all LoRAs are zero until reset. Error(kUsage) as there; no dropout.
  LoraGroup(std::span<const ModelPart> parts, const LoraTargets& targets,
            const LoraOptions& options, std::int64_t members);
  ~LoraGroup();
  LoraGroup(const LoraGroup&) = delete;
  LoraGroup& operator=(const LoraGroup&) = delete;

  /// As LoraSet::parameters, each with the members in front, [N, rank, in] and [N, out, rank]: what
  /// StackedParameters takes.
  io::NamedTensors parameters() const;
  /// A member's pairs, views of what parameters() holds at this moment.
  LoraWeights weights(std::int64_t member) const;
  std::int64_t count() const;  ///< numbers in all pairs of one member

  /// A member's start, as a LoraSet with this seed has it.
  void reset(std::int64_t member, std::uint64_t seed);

 private:
  std::int64_t members_;
  std::vector<LoraPair> stacks_;  ///< as LoraPair, the members in front
  std::vector<std::shared_ptr<nn::LinearSite>> sites_;
};

}  // namespace dd::lora
