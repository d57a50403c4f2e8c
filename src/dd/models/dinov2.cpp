// SPDX-License-Identifier: Apache-2.0
#include "dd/models/dinov2.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <string_view>
#include <utility>

#include "dd/models/checkpoint_source.h"
#include "dd/models/weights.h"

namespace dd::models {
namespace {

/// transformers 5's name of a part → where published files have it.
constexpr std::pair<std::string_view, std::string_view> kPublished[] = {
    {".attention.q_proj.", ".attention.attention.query."},
    {".attention.k_proj.", ".attention.attention.key."},
    {".attention.v_proj.", ".attention.attention.value."},
    {".attention.o_proj.", ".attention.output.dense."},
    {".mlp.down_proj.", ".mlp.weights_out."}};

std::string replaced(std::string name, std::string_view from, std::string_view to) {
  const std::size_t at = name.find(from);
  return at == std::string::npos ? name : name.replace(at, from.size(), to);
}

std::vector<TensorPlace> places_of(const std::string& name) {
  std::string published = name;
  for (const auto& [ours, theirs] : kPublished) published = replaced(published, ours, theirs);
  std::vector<TensorPlace> places{published, name};
  // Gate and value stand in one tensor, the gate first.
  std::int64_t part = 0;
  for (const std::string_view half : {".mlp.gate_proj.", ".mlp.up_proj."}) {
    if (name.find(half) != std::string::npos) {
      places.emplace_back(replaced(name, half, ".mlp.weights_in."), part, 2);
    }
    ++part;
  }
  return places;
}

/// A number, or two equal ones.
std::int64_t read_side(const Json& json, const std::string& key, std::int64_t fallback,
                       const std::string& where) {
  const Json value = json_value<Json>(json, key, fallback, where);
  if (!value.is_array()) return json_value<std::int64_t>(json, key, fallback, where);
  if (value.size() != 2 || value[0] != value[1] || !holds_number<std::int64_t>(value[0])) {
    fail_input(cat(where, ": \"", key, "\" is not square (", value.dump(), "); use another model"));
  }
  return value[0].get<std::int64_t>();
}

std::int64_t swiglu_width(const Dinov2Config& config) {
  // Two thirds, up to a multiple of 8, so that three products cost as much as an MLP's two.
  return (config.width * config.mlp_ratio * 2 / 3 + 7) / 8 * 8;
}

}  // namespace

Dinov2Config Dinov2Config::from_json(const Json& json, const std::string& where) {
  Dinov2Config config;
  const auto kind = json_value<std::string>(json, "model_type", "", where);
  config.has_registers = kind == "dinov2_with_registers";
  if (kind != "dinov2" && !config.has_registers) {
    fail_input(cat(where, ": the model is a \"", kind,
                   "\"; \"dinov2\" or \"dinov2_with_registers\" is needed"));
  }
  config.image_size = read_side(json, "image_size", 224, where);
  config.patch_size = read_side(json, "patch_size", config.has_registers ? 16 : 14, where);
  config.width = json_value<std::int64_t>(json, "hidden_size", 768, where);
  config.layers = json_value<std::int64_t>(json, "num_hidden_layers", 12, where);
  config.heads = json_value<std::int64_t>(json, "num_attention_heads", 12, where);
  config.mlp_ratio = json_value<std::int64_t>(json, "mlp_ratio", 4, where);
  config.swiglu = json_value(json, "use_swiglu_ffn", false, where);
  config.qkv_bias = json_value(json, "qkv_bias", true, where);
  config.norm_eps = json_value(json, "layer_norm_eps", 1e-6, where);
  config.activation =
      nn::parse_activation(json_value<std::string>(json, "hidden_act", "gelu", where), where);
  if (config.has_registers) {
    config.registers = json_value<std::int64_t>(json, "num_register_tokens", 4, where);
  }
  check_positive({{"image_size", config.image_size},
                  {"patch_size", config.patch_size},
                  {"hidden_size", config.width},
                  {"num_hidden_layers", config.layers},
                  {"num_attention_heads", config.heads},
                  {"mlp_ratio", config.mlp_ratio},
                  {"num_register_tokens", config.registers + 1}},
                 where);
  if (config.width % config.heads != 0 || config.image_size % config.patch_size != 0) {
    fail_input(cat(where, ": hidden_size ", config.width, " is not divisible by ", config.heads,
                   " heads, or image_size ", config.image_size, " not by patch_size ",
                   config.patch_size, "; is this the right configuration?"));
  }
  return config;
}

Dinov2Layer::Dinov2Layer(const nn::Scope& scope, const Dinov2Config& config)
    : attention_{.heads = config.heads},
      activation_(config.activation),
      norm1_(scope["norm1"], config.width, config.norm_eps),
      q_(scope["attention"]["q_proj"], config.width, config.width, config.qkv_bias),
      k_(scope["attention"]["k_proj"], config.width, config.width, config.qkv_bias),
      v_(scope["attention"]["v_proj"], config.width, config.width, config.qkv_bias),
      out_(scope["attention"]["o_proj"], config.width, config.width),
      scale1_(scope["layer_scale1"].parameter("lambda1", {config.width}, nn::constant_init(1))),
      norm2_(scope["norm2"], config.width, config.norm_eps),
      scale2_(scope["layer_scale2"].parameter("lambda1", {config.width}, nn::constant_init(1))) {
  const nn::Scope mlp = scope["mlp"];
  if (config.swiglu) {
    const std::int64_t inner = swiglu_width(config);
    mlp_ = {nn::Linear(mlp["gate_proj"], config.width, inner),
            nn::Linear(mlp["up_proj"], config.width, inner),
            nn::Linear(mlp["down_proj"], inner, config.width)};
  } else {
    const std::int64_t inner = config.width * config.mlp_ratio;
    mlp_ = {nn::Linear(mlp["fc1"], config.width, inner),
            nn::Linear(mlp["fc2"], inner, config.width)};
  }
}

at::Tensor Dinov2Layer::mlp(const at::Tensor& x) const {
  if (mlp_.size() == 2) return mlp_[1](nn::activate(activation_, mlp_[0](x)));
  return mlp_[2](at::silu(mlp_[0](x)) * mlp_[1](x));
}

at::Tensor Dinov2Layer::operator()(const at::Tensor& x) const {
  const at::Tensor normed = norm1_(x);
  const at::Tensor mixed = nn::attention(q_(normed), k_(normed), v_(normed), attention_);
  const at::Tensor middle = x + out_(mixed) * scale1_;
  return middle + mlp(norm2_(middle)) * scale2_;
}

Dinov2::Dinov2(nn::ParameterSource& source, const Dinov2Config& config)
    : config_(config),
      table_(std::make_unique<nn::ParameterTable>()),
      class_token_(root(source)["embeddings"].parameter("cls_token", {1, 1, config.width},
                                                        nn::normal_init(0.02))),
      position_embeddings_(root(source)["embeddings"].parameter(
          "position_embeddings",
          {1, config.image_size / config.patch_size * (config.image_size / config.patch_size) + 1,
           config.width},
          nn::normal_init(0.02))),
      patches_(
          root(source)["embeddings"]["patch_embeddings"]["projection"],
          {.in = 3, .out = config.width, .kernel = config.patch_size, .stride = config.patch_size}),
      norm_(root(source)["layernorm"], config.width, config.norm_eps) {
  const nn::Scope top = root(source);
  if (config.registers > 0) {
    registers_ = top["embeddings"].parameter("register_tokens", {1, config.registers, config.width},
                                             nn::normal_init(0.02));
  }
  const nn::Scope layers = top["encoder"]["layer"];
  for (std::int64_t i = 0; i < config.layers; ++i) layers_.emplace_back(layers[i], config);
}

Dinov2 Dinov2::load(const std::filesystem::path& folder, Placement placement) {
  const std::filesystem::path file = folder / "config.json";
  const Dinov2Config config = Dinov2Config::from_json(read_json(file), file.string());
  const io::Checkpoint checkpoint = io::Checkpoint::open(folder, "model");
  CheckpointSource source(checkpoint, placement, places_of);
  source.ignore("embeddings.mask_token");
  if (config.has_registers && config.registers == 0) source.ignore("embeddings.register_tokens");
  Dinov2 model(source, config);
  source.finish();
  return model;
}

at::Tensor Dinov2::positions(std::int64_t rows, std::int64_t columns) const {
  const std::int64_t side = config_.image_size / config_.patch_size;
  if (rows == side && columns == side) return position_embeddings_;
  const at::Tensor square = position_embeddings_.slice(1, 1)
                                .reshape({1, side, side, config_.width})
                                .permute({0, 3, 1, 2})
                                .to(at::kFloat);
  // As the models' own programs do it: with registers antialiased, without them not.
  const at::Tensor resized = config_.has_registers
                                 ? at::_upsample_bicubic2d_aa(square, {rows, columns}, false)
                                 : at::upsample_bicubic2d(square, {rows, columns}, false);
  return at::cat({position_embeddings_.slice(1, 0, 1),
                  resized.flatten(2).transpose(1, 2).to(position_embeddings_.scalar_type())},
                 1);
}

at::Tensor Dinov2::operator()(const at::Tensor& pixels_nchw) const {
  const at::Tensor squares = patches_(pixels_nchw);
  const std::int64_t count = squares.size(0);
  at::Tensor hidden =
      at::cat({class_token_.expand({count, -1, -1}), squares.flatten(2).transpose(1, 2)}, 1) +
      positions(squares.size(2), squares.size(3));
  if (registers_.defined()) {
    hidden =
        at::cat({hidden.slice(1, 0, 1), registers_.expand({count, -1, -1}), hidden.slice(1, 1)}, 1);
  }
  for (const Dinov2Layer& layer : layers_) hidden = layer(hidden);
  return norm_(hidden.select(1, 0));
}

}  // namespace dd::models
