// SPDX-License-Identifier: Apache-2.0
#include "dd/models/clip_text.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/embedding.h>

#include "dd/models/checkpoint_source.h"
#include "dd/models/weights.h"

namespace dd::models {
namespace {

constexpr const char* kPrefix = "text_model.";

// The end token that early conversions wrote by mistake.
constexpr std::int64_t kWrongEndToken = 2;

std::vector<TensorPlace> file_names(const std::string& name) {
  // transformers 5 drops the prefix.
  return {name, name.substr(std::string(kPrefix).size())};
}

}  // namespace

ClipTextConfig ClipTextConfig::from_json(const Json& json, const std::string& where) {
  ClipTextConfig config;
  config.vocab_size = json_value<std::int64_t>(json, "vocab_size", 49408, where);
  config.positions = json_value<std::int64_t>(json, "max_position_embeddings", 77, where);
  config.projection = json_value<std::int64_t>(json, "projection_dim", 512, where);
  config.end_token = json_value<std::int64_t>(json, "eos_token_id", 49407, where);
  read_encoder(config.encoder, json, where);
  check_positive({{"vocab_size", config.vocab_size}, {"max_position_embeddings", config.positions}},
                 where);
  check_encoder(config.encoder, where);
  return config;
}

Json ClipTextConfig::to_json() const {
  return {{"architectures", {"CLIPTextModel"}},
          {"model_type", "clip_text_model"},
          {"vocab_size", vocab_size},
          {"max_position_embeddings", positions},
          {"hidden_size", encoder.width},
          {"intermediate_size", encoder.mlp_width},
          {"num_hidden_layers", encoder.layers},
          {"num_attention_heads", encoder.heads},
          {"hidden_act", nn::activation_name(encoder.activation)},
          {"layer_norm_eps", encoder.norm_eps},
          {"projection_dim", projection},
          {"bos_token_id", end_token - 1},
          {"eos_token_id", end_token},
          {"pad_token_id", end_token}};
}

ClipText::ClipText(const nn::Scope& scope, const ClipTextConfig& config)
    : config_(config),
      dtype_(scope.dtype()),
      token_embedding_(scope["embeddings"]["token_embedding"].parameter(
          "weight", {config.vocab_size, config.encoder.width}, nn::normal_init(0.02))),
      position_embedding_(scope["embeddings"]["position_embedding"].parameter(
          "weight", {config.positions, config.encoder.width}, nn::normal_init(0.02))),
      encoder_(scope["encoder"], config.encoder),
      final_norm_(scope["final_layer_norm"], config.encoder.width, config.encoder.norm_eps) {}

at::Tensor ClipText::operator()(const at::Tensor& tokens) const {
  const at::Tensor words = at::embedding(token_embedding_, tokens).to(dtype_);
  const at::Tensor places = position_embedding_.narrow(0, 0, tokens.size(1)).to(dtype_);
  return final_norm_(encoder_(words + places));
}

at::Tensor end_positions(const at::Tensor& tokens, std::int64_t end_token) {
  if (end_token == kWrongEndToken) return at::argmax(tokens, 1);
  return at::argmax(tokens.eq(end_token).to(at::kInt), 1);
}

at::Tensor ClipText::pool(const at::Tensor& hidden, const at::Tensor& tokens) const {
  const at::Tensor at_end = end_positions(tokens, config_.end_token);
  const at::Tensor index = at_end.view({-1, 1, 1}).expand({-1, 1, hidden.size(2)});
  return hidden.gather(1, index).squeeze(1);
}

TextEncoder::TextEncoder(nn::ParameterSource& source, const ClipTextConfig& config)
    : table_(std::make_unique<nn::ParameterTable>()),
      text_(std::make_unique<ClipText>(nn::Scope(source, *table_)["text_model"], config)),
      release_(source.take_release()) {}

TextEncoder TextEncoder::load(const std::filesystem::path& folder, Placement placement) {
  const auto config = ClipTextConfig::from_json(read_json(folder / "config.json"),
                                                (folder / "config.json").string());
  const io::Checkpoint checkpoint = io::Checkpoint::open(folder, "model");
  CheckpointSource source(checkpoint, placement, file_names);
  for (const char* buffer : {"text_model.embeddings.position_ids", "embeddings.position_ids"})
    source.ignore(buffer);
  TextEncoder encoder(source, config);
  source.finish();
  return encoder;
}

void TextEncoder::save(const std::filesystem::path& folder, at::ScalarType dtype) const {
  save_weights(folder / "model.safetensors", *table_, dtype);
  write_json(folder / "config.json", text_->config().to_json());
}

}  // namespace dd::models
