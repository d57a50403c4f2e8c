// SPDX-License-Identifier: Apache-2.0
#include "dd/models/clip_text.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
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

/// The tokens of B prompts of T tokens in a row: the P that all begin with, then each prompt's
/// other S = T − P.
class SharedBeginning {
 public:
  /// `ends` [B] are the positions of the end tokens, none below `shared`.
  SharedBeginning(std::int64_t prompts, std::int64_t length, std::int64_t shared,
                  const at::Tensor& ends, const nn::AttentionOptions& options)
      : prompts_(prompts), shared_(shared), options_(options) {
    const std::int64_t own = length - shared;
    const at::Tensor keys = at::arange(length, ends.options());
    seen_ = keys <= keys.narrow(0, shared, own).unsqueeze(1);
    seen_at_end_ = (keys <= ends.unsqueeze(1)).view({prompts, 1, 1, length});
    const at::Tensor before = at::arange(prompts, ends.options()) * own;
    places_of_ends_ = before + ends;  // shared + row · own + (end − shared)
  }

  /// Of [1, P, width] and [B, S, width].
  at::Tensor in_a_row(const at::Tensor& beginning, const at::Tensor& rest) const {
    return at::cat({beginning.flatten(0, 1), rest.flatten(0, 1)});
  }

  nn::TokenFlow flow() const {
    return {[this_ = *this](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
      const at::Tensor beginning =
          nn::attention(this_.beginning(q), this_.beginning(k), this_.beginning(v), this_.options_);
      const at::Tensor rest =
          nn::attention(this_.rest(q), this_.whole(k), this_.whole(v), this_.options_, this_.seen_);
      return this_.in_a_row(beginning, rest);
    }};
  }

  /// For the layer of which only the end tokens are wanted, in a row [B, width].
  nn::TokenFlow at_ends() const {
    return {.attend =
                [this_ = *this](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
                  return nn::attention(q.unsqueeze(1), this_.whole(k), this_.whole(v),
                                       this_.options_, this_.seen_at_end_)
                      .squeeze(1);
                },
            .choose = [places = places_of_ends_](
                          const at::Tensor& x) { return x.index_select(0, places); }};
  }

 private:
  at::Tensor beginning(const at::Tensor& x) const { return x.narrow(0, 0, shared_).unsqueeze(0); }
  at::Tensor rest(const at::Tensor& x) const {
    return x.narrow(0, shared_, x.size(0) - shared_).view({prompts_, -1, x.size(1)});
  }
  at::Tensor whole(const at::Tensor& x) const {
    return at::cat({beginning(x).expand({prompts_, -1, -1}), rest(x)}, 1);
  }

  std::int64_t prompts_;
  std::int64_t shared_;
  nn::AttentionOptions options_;
  at::Tensor seen_;            ///< [S, T]
  at::Tensor seen_at_end_;     ///< [B, 1, 1, T]
  at::Tensor places_of_ends_;  ///< [B], in the row
};

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

/// Of tokens [B, T] that stand at the positions from `first` on.
at::Tensor ClipText::embed(const at::Tensor& tokens, std::int64_t first) const {
  const at::Tensor words = at::embedding(token_embedding_, tokens).to(dtype_);
  return words + position_embedding_.narrow(0, first, tokens.size(1)).to(dtype_);
}

at::Tensor ClipText::operator()(const at::Tensor& tokens) const {
  return final_norm_(encoder_(embed(tokens, 0)));
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

ClipPrompts clip_prompts(const at::Tensor& tokens, std::int64_t end_token) {
  const at::Tensor ends = end_positions(tokens, end_token);
  const std::int64_t length = ends.max().item<std::int64_t>() + 1;
  const std::int64_t first_end = ends.min().item<std::int64_t>();
  std::int64_t shared = 0;
  while (shared < first_end && tokens.select(1, shared).eq(tokens[0][shared]).all().item<bool>())
    ++shared;
  return {tokens.narrow(1, 0, length).contiguous(), shared};
}

at::Tensor ClipText::pooled(const ClipPrompts& prompts) const {
  const at::Tensor& tokens = prompts.tokens;
  if (prompts.shared == 0) return pool((*this)(tokens), tokens);
  const SharedBeginning layout(tokens.size(0), tokens.size(1), prompts.shared,
                               end_positions(tokens, config_.end_token),
                               encoder_.attention_options());
  const at::Tensor beginning = embed(tokens.narrow(0, 0, 1).narrow(1, 0, prompts.shared), 0);
  const at::Tensor rest =
      embed(tokens.narrow(1, prompts.shared, tokens.size(1) - prompts.shared), prompts.shared);
  return final_norm_(encoder_(layout.in_a_row(beginning, rest), layout.flow(), layout.at_ends()));
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
