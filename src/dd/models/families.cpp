// SPDX-License-Identifier: Apache-2.0
#include "dd/models/families.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/models/ldm_names.h"

namespace dd::models {
namespace {

constexpr std::int64_t kLatentChannels = 4;
constexpr const char* kRemedy =
    "only text-to-image models of Stable Diffusion 1 and 2 are supported; take one of those";

constexpr const char* kClipRemedy =
    "only CLIP with a vision transformer and CLIP's own text tower is supported; take one of those";

[[noreturn]] void refuse(const std::string& what, std::string_view family,
                         const char* remedy = kRemedy) {
  fail_input(cat(what, ": this is ", family, "; ", remedy));
}

/// What a U-Net is that takes more than the noisy latents; nothing if it takes just those.
std::optional<std::string> family_of_channels(std::int64_t in, std::int64_t out) {
  if (in == out) return std::nullopt;
  if (out == kLatentChannels) {
    if (in == 9) return "an inpainting model, which takes a picture and a mask too";
    if (in == 5) return "a depth-guided model, which takes a map of depths too";
    if (in == 7) return "an upscaler, which takes a small picture too";
    if (in == 8) return "a model that edits pictures, which takes one too";
  }
  return cat("a model that does not turn text alone into images (", out, " channels come out)");
}

std::string_view family_of_key(std::string_view key, const Json& value) {
  if (key == "addition_embed_type" && value == "text_time")
    return "Stable Diffusion XL, or its refiner";
  if (key == "time_cond_proj_dim") return "a distilled model with the guidance as input";
  if (key == "class_embed_type" || key == "num_class_embeds")
    return "a model conditioned on more than text, as unCLIP is";
  return "another family of models";
}

struct Mark {
  std::string_view beginning;
  std::string_view family;
};

constexpr std::array<Mark, 6> kPipelines{{{"StableDiffusionXL", "Stable Diffusion XL"},
                                          {"StableDiffusion3", "Stable Diffusion 3"},
                                          {"StableVideoDiffusion", "Stable Video Diffusion"},
                                          {"StableCascade", "Stable Cascade"},
                                          {"Flux", "Flux"},
                                          {"PixArt", "PixArt"}}};

// The first that is found counts: the refiner has the first of the two text towers only.
constexpr std::array<Mark, 7> kTensors{
    {{"conditioner.embedders.1.", "Stable Diffusion XL"},
     {"conditioner.embedders.", "the refiner of Stable Diffusion XL"},
     {"model.diffusion_model.joint_blocks.", "Stable Diffusion 3"},
     {"model.diffusion_model.double_blocks.", "Flux"},
     {"double_blocks.", "Flux"},
     {"model.diffusion_model.label_emb.", "a model conditioned on more than text, as unCLIP is"},
     {"cond_stage_model.roberta.", "AltDiffusion"}}};

// Behind any prefix: OpenCLIP's names, and transformers' for SigLIP.
constexpr std::array<Mark, 6> kClipTensors{
    {{"visual.layer1.0.conv1.weight", "a CLIP whose image tower is a ResNet"},
     {"visual.trunk.", "a CLIP with an image tower of timm's, as SigLIP and EVA have"},
     {"text.transformer.embeddings.", "a CLIP with another model as text tower"},
     {"text.transformer.word_embeddings.", "a CLIP with another model as text tower"},
     {"text_decoder.", "CoCa"},
     {"vision_model.head.probe", "SigLIP"}}};

}  // namespace

void refuse_other_unet(const Json& config, const std::string& where) {
  const auto in = json_value<std::int64_t>(config, "in_channels", kLatentChannels, where);
  const auto out = json_value<std::int64_t>(config, "out_channels", kLatentChannels, where);
  if (const auto family = family_of_channels(in, out))
    refuse(cat(where, ": \"in_channels\" is ", in), *family);
  for (const char* key :
       {"addition_embed_type", "class_embed_type", "num_class_embeds", "encoder_hid_dim",
        "time_cond_proj_dim", "conv_in_condition", "dual_cross_attention"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null() || *found == false) continue;
    refuse(cat(where, ": \"", key, "\" is ", found->dump()), family_of_key(key, *found));
  }
}

void refuse_other_folder(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "model_index.json";
  if (!path_exists(file)) return;
  const auto name = json_value<std::string>(read_json(file), "_class_name", "", file.string());
  for (const Mark& mark : kPipelines) {
    if (name.starts_with(mark.beginning))
      refuse(cat(file.string(), ": \"_class_name\" is \"", name, '"'), mark.family);
  }
}

void refuse_other_file(const io::Checkpoint& checkpoint) {
  const std::vector<std::string> names = checkpoint.names();
  for (const Mark& mark : kTensors) {
    for (const std::string& name : names) {
      if (name.starts_with(mark.beginning))
        refuse(cat(checkpoint.label(), ": it holds the tensor ", name), mark.family);
    }
  }
  const std::string first = cat(kLdmUNet, "input_blocks.0.0.weight");
  const std::string last = cat(kLdmUNet, "out.2.weight");
  if (!checkpoint.contains(first) || !checkpoint.contains(last)) return;
  const std::vector<std::int64_t>& in = checkpoint.info(first).shape;
  const std::vector<std::int64_t>& out = checkpoint.info(last).shape;
  if (in.size() != 4 || out.empty()) return;  // misshapen, which is said elsewhere
  if (const auto family = family_of_channels(in[1], out[0]))
    refuse(cat(checkpoint.label(), ": the tensor ", first, " takes ", in[1], " channels"), *family);
}

void refuse_other_clip(const io::Checkpoint& checkpoint) {
  for (const std::string& name : checkpoint.names()) {
    for (const Mark& mark : kClipTensors) {
      const std::size_t at = name.find(mark.beginning);
      if (at != name.npos && (at == 0 || name[at - 1] == '.'))
        refuse(cat(checkpoint.label(), ": it holds the tensor ", name), mark.family, kClipRemedy);
    }
  }
}

}  // namespace dd::models
