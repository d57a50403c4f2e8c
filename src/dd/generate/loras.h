// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/core/ranks.h"
#include "dd/generate/plan.h"
#include "dd/lora/merged_lora.h"
#include "dd/models/stable_diffusion.h"

namespace dd::generate {

/// A LoRA file and how strongly it is applied.
struct LoraUse {
  std::filesystem::path file;
  double scale = 1;
  std::string hash;  ///< see io/fingerprint.h

  friend bool operator==(const LoraUse&, const LoraUse&) = default;
};

/// Reads FILE or FILE:SCALE; a colon that no number follows belongs to the name. A folder stands
/// for the LoRA in it. Error(kInput) when there is no such file.
LoraUse parse_lora_use(const std::string& text);

/// What --lora and --adapters mean for each subject of the plan, in that order. Error(kInput) names
/// a file or the adapter of a class that is missing, Error(kUsage) adapters of classes for a
/// prompt. Together with the other ranks.
std::vector<std::vector<LoraUse>> choose_loras(const GenerateOptions& options, const Plan& plan,
                                               Ranks& ranks = lone_rank());

/// Reads the files and merges them into the model until the result is destroyed. Warns of LoRAs
/// that say they belong to another model.
lora::MergedLora apply_loras(const models::StableDiffusion& model, const std::vector<LoraUse>& uses,
                             Reporter& report);

}  // namespace dd::generate
