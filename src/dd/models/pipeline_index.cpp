// SPDX-License-Identifier: Apache-2.0
#include "dd/models/pipeline_index.h"

namespace dd::models {

Json pipeline_index(const std::string& scheduler) {
  return {{"_class_name", "StableDiffusionPipeline"},
          {"_diffusers_version", "0.30.0"},
          {"feature_extractor", {nullptr, nullptr}},
          {"requires_safety_checker", false},
          {"safety_checker", {nullptr, nullptr}},
          {"scheduler", {"diffusers", scheduler}},
          {"text_encoder", {"transformers", "CLIPTextModel"}},
          {"tokenizer", {"transformers", "CLIPTokenizer"}},
          {"unet", {"diffusers", "UNet2DConditionModel"}},
          {"vae", {"diffusers", "AutoencoderKL"}}};
}

}  // namespace dd::models
