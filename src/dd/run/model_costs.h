// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/core/json.h"
#include "dd/diffusion/schedule_config.h"
#include "dd/run/options.h"

namespace dd::models {
struct StableDiffusion;
}
namespace dd::classify {
struct ClipModel;
}

namespace dd::run {

/// What the models' parts cost, in floating-point operations (models/flops.h), of one picture or
/// prompt each, and on disk; ranks and targets are those of the options.
struct ModelCosts {
  double adapt_picture = 0;  ///< through the U-Net and back
  double adapt_prompt = 0;   ///< through the text encoder and back
  double evaluation = 0;   ///< of the U-Net, without a LoRA: it is merged for drawing; without …
  double prompt_keys = 0;  ///< … keys and values of the prompt, made once for all of them
  double shallow_evaluation = 0;         ///< the same with deep features taken again
  double encode_picture = 0;             ///< pixels to latents
  std::vector<double> decode_picture{};  ///< [s − 1] for latents shrunk s times; 0 = does not fit
  double train_picture = 0;              ///< through CLIP and back
  double train_prompts = 0;              ///< of all classes, through CLIP and back
  double score_picture = 0;              ///< through CLIP
  std::int64_t picture_bytes = 0;        ///< the most that a drawn picture takes on disk
  std::int64_t adapter_numbers = 0;      ///< of a LoRA of rank 1
  ScheduleConfig schedule{};             ///< of the model: samplers lay out their steps by it

  /// Error(kUsage) where the model's latents cannot be shrunk so.
  double decode(std::int64_t shrink) const;

  static ModelCosts of(const models::StableDiffusion& model, const classify::ClipModel& clip,
                       const RunOptions& options, const std::vector<std::string>& class_names);
  static ModelCosts from_json(const Json& json, const std::string& where);
  /// Whether to_json() of this program made it: earlier ones wrote less.
  static bool is_complete(const Json& json);
  Json to_json() const;
};

}  // namespace dd::run
