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

/// LoRAs in memory, to be merged into the parts of a model: each only while it is needed, for a
/// part that is merged into takes more memory.
class LoadedLoras {
 public:
  /// Warns of LoRAs that say they belong to another model. Error(kInput) as lora::read_lora.
  LoadedLoras(const models::StableDiffusion& model, const std::vector<LoraUse>& uses,
              Reporter& report);
  /// Until the result is destroyed.
  lora::MergedLora merge_into_text_encoder() const { return merge(text_encoder_); }
  lora::MergedLora merge_into_unet() const { return merge(unet_); }

 private:
  struct Part {
    lora::ModelPart of_model;
    std::vector<lora::LoraWeights> weights{};  ///< by use
  };
  void take(Part& part, const lora::LoraWeights& whole);
  lora::MergedLora merge(const Part& part) const;

  at::ScalarType dtype_;  ///< that the model computes in
  Part unet_;
  Part text_encoder_;
  std::vector<double> scales_;
};

}  // namespace dd::generate
