// SPDX-License-Identifier: Apache-2.0
#include "dd/models/weights.h"

#include "dd/core/error.h"
#include "dd/io/safetensors.h"

namespace dd::models {

void save_weights(const std::filesystem::path& file, const nn::ParameterTable& parameters,
                  at::ScalarType dtype) {
  io::NamedTensors tensors;
  for (const auto& [name, value] : parameters.entries())
    tensors.emplace_back(name, value.detach().to(dtype));
  // transformers and diffusers refuse files that do not say which framework wrote them.
  io::write_safetensors(file, tensors, {{"format", "pt"}});
}

void check_positive(std::initializer_list<std::pair<const char*, std::int64_t>> values,
                    const std::string& where) {
  constexpr std::int64_t kAbsurd = 1 << 24;
  for (const auto& [key, value] : values) {
    if (value <= 0 || value > kAbsurd) {
      fail_input(cat(where, ": \"", key, "\" is ", value, "; is this the right configuration?"));
    }
  }
}

void read_encoder(nn::ClipEncoderConfig& encoder, const Json& json, const std::string& where) {
  encoder.width = json_value(json, "hidden_size", encoder.width, where);
  encoder.mlp_width = json_value(json, "intermediate_size", encoder.mlp_width, where);
  encoder.layers = json_value(json, "num_hidden_layers", encoder.layers, where);
  encoder.heads = json_value(json, "num_attention_heads", encoder.heads, where);
  encoder.activation =
      nn::parse_activation(json_value<std::string>(json, "hidden_act", "quick_gelu", where), where);
  encoder.norm_eps = json_value(json, "layer_norm_eps", encoder.norm_eps, where);
}

void check_encoder(const nn::ClipEncoderConfig& config, const std::string& where) {
  check_positive({{"hidden_size", config.width},
                  {"intermediate_size", config.mlp_width},
                  {"num_hidden_layers", config.layers},
                  {"num_attention_heads", config.heads}},
                 where);
  if (config.width % config.heads != 0) {
    fail_input(cat(where, ": hidden_size ", config.width, " is not divisible by ", config.heads,
                   " heads; is this the right configuration?"));
  }
}

}  // namespace dd::models
