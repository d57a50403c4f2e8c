// SPDX-License-Identifier: Apache-2.0
#include "dd/models/clip.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include "dd/models/clip_file.h"
#include "dd/models/weights.h"

namespace dd::models {
namespace {

at::Tensor unit_length(const at::Tensor& features) {
  return features / features.norm(2, {-1}, true);
}

/// The configuration of a tower. Files written before transformers 4.27 may hold a second one under
/// KEY_dict, which then counts alone.
const Json& section(const Json& json, const std::string& key, const std::string& where) {
  for (const std::string& name : {key + "_dict", key}) {
    const auto found = json.find(name);
    if (found != json.end() && found->is_object()) return *found;
  }
  fail_input(cat(where, ": \"", key, "\" is missing; is this the configuration of a CLIP model?"));
}

}  // namespace

ClipVisionConfig ClipVisionConfig::from_json(const Json& json, const std::string& where) {
  ClipVisionConfig config;
  config.image_size = json_value<std::int64_t>(json, "image_size", 224, where);
  config.patch_size = json_value<std::int64_t>(json, "patch_size", 32, where);
  read_encoder(config.encoder, json, where);
  check_positive({{"image_size", config.image_size}, {"patch_size", config.patch_size}}, where);
  check_encoder(config.encoder, where);
  if (config.image_size % config.patch_size != 0) {
    fail_input(cat(where, ": image_size ", config.image_size, " is not a multiple of patch_size ",
                   config.patch_size, "; is this the right configuration?"));
  }
  return config;
}

Json ClipVisionConfig::to_json() const {
  return {{"model_type", "clip_vision_model"},
          {"image_size", image_size},
          {"patch_size", patch_size},
          {"hidden_size", encoder.width},
          {"intermediate_size", encoder.mlp_width},
          {"num_hidden_layers", encoder.layers},
          {"num_attention_heads", encoder.heads},
          {"hidden_act", nn::activation_name(encoder.activation)},
          {"layer_norm_eps", encoder.norm_eps}};
}

ClipConfig ClipConfig::from_json(const Json& json, const std::string& where) {
  ClipConfig config;
  const auto kind = json_value<std::string>(json, "model_type", "clip", where);
  if (kind != "clip") {
    fail_input(cat(where, ": the model is a \"", kind, "\"; a CLIP with both towers is needed"));
  }
  config.text =
      ClipTextConfig::from_json(section(json, "text_config", where), cat(where, ", text_config"));
  config.vision = ClipVisionConfig::from_json(section(json, "vision_config", where),
                                              cat(where, ", vision_config"));
  config.projection = json_value<std::int64_t>(json, "projection_dim", 512, where);
  config.initial_logit_scale = json_value<double>(json, "logit_scale_init_value", 2.6592, where);
  check_positive({{"projection_dim", config.projection}}, where);
  return config;
}

Json ClipConfig::to_json() const {
  Json text_json = text.to_json();
  Json vision_json = vision.to_json();
  text_json.erase("architectures");
  text_json["projection_dim"] = projection;
  vision_json["projection_dim"] = projection;
  return {{"architectures", {"CLIPModel"}}, {"model_type", "clip"},
          {"projection_dim", projection},   {"logit_scale_init_value", initial_logit_scale},
          {"text_config", text_json},       {"vision_config", vision_json}};
}

ClipVision::ClipVision(const nn::Scope& scope, const ClipVisionConfig& config)
    : class_embedding_(scope["embeddings"].parameter("class_embedding", {config.encoder.width},
                                                     nn::normal_init(0.02))),
      patches_(scope["embeddings"]["patch_embedding"], {.in = 3,
                                                        .out = config.encoder.width,
                                                        .kernel = config.patch_size,
                                                        .stride = config.patch_size,
                                                        .bias = false}),
      position_embedding_(scope["embeddings"]["position_embedding"].parameter(
          "weight",
          {config.image_size / config.patch_size * (config.image_size / config.patch_size) + 1,
           config.encoder.width},
          nn::normal_init(0.02))),
      // The misspelling is the published name.
      pre_norm_(scope["pre_layrnorm"], config.encoder.width, config.encoder.norm_eps),
      encoder_(scope["encoder"], config.encoder),
      post_norm_(scope["post_layernorm"], config.encoder.width, config.encoder.norm_eps) {}

at::Tensor ClipVision::operator()(const at::Tensor& pixels_nchw) const {
  const at::Tensor patches = patches_(pixels_nchw).flatten(2).transpose(1, 2);
  const at::Tensor head = class_embedding_.expand({patches.size(0), 1, -1});
  const nn::TokenFlow all = encoder_.all_tokens();
  const nn::TokenFlow class_token{all.attend,
                                  [](const at::Tensor& x) { return x.narrow(1, 0, 1); }};
  const at::Tensor entering = pre_norm_(at::cat({head, patches}, 1) + position_embedding_);
  return post_norm_(encoder_(entering, all, class_token).select(1, 0));
}

Clip::Clip(nn::ParameterSource& source, const ClipConfig& config)
    : config_(config),
      table_(std::make_unique<nn::ParameterTable>()),
      text_(root(source)["text_model"], config.text),
      vision_(root(source)["vision_model"], config.vision),
      visual_projection_(root(source)["visual_projection"], config.vision.encoder.width,
                         config.projection, false),
      text_projection_(root(source)["text_projection"], config.text.encoder.width,
                       config.projection, false),
      logit_scale_(root(source).parameter("logit_scale", {},
                                          nn::constant_init(config.initial_logit_scale))) {}

Clip Clip::load(const std::filesystem::path& folder, Placement placement) {
  return load_clip(folder, placement).clip;
}

void Clip::save(const std::filesystem::path& folder, at::ScalarType dtype) const {
  save_weights(folder / "model.safetensors", *table_, dtype);
  write_json(folder / "config.json", config_.to_json());
}

at::Tensor Clip::project_images(const at::Tensor& pixels_nchw) const {
  return visual_projection_(vision_(pixels_nchw));
}

at::Tensor Clip::encode_images(const at::Tensor& pixels_nchw) const {
  return unit_length(project_images(pixels_nchw));
}

at::Tensor Clip::encode_texts(const at::Tensor& tokens) const {
  return unit_length(text_projection_(text_.pool(text_(tokens), tokens)));
}

at::Tensor Clip::encode_texts(const ClipPrompts& prompts) const {
  return unit_length(text_projection_(text_.pooled(prompts)));
}

}  // namespace dd::models
