// SPDX-License-Identifier: Apache-2.0
#include "dd/models/families.h"
#include "dd/models/unet.h"
#include "dd/models/weights.h"

namespace dd::models {
namespace {

/// A number, or one number a level.
std::vector<std::int64_t> per_level(const Json& json, const std::string& key, std::int64_t fallback,
                                    std::size_t levels, const std::string& where) {
  const auto found = json.find(key);
  if (found != json.end() && found->is_array()) {
    auto values = json_value<std::vector<std::int64_t>>(json, key, {}, where);
    if (values.size() != levels)
      fail_input(cat(where, ": \"", key, "\" needs one number a level (", levels, ")"));
    return values;
  }
  return std::vector<std::int64_t>(levels, json_value<std::int64_t>(json, key, fallback, where));
}

std::int64_t one_for_all(const Json& json, const std::string& key, std::int64_t fallback,
                         std::size_t levels, const std::string& where) {
  const std::vector<std::int64_t> values = per_level(json, key, fallback, levels, where);
  for (const std::int64_t value : values) {
    if (value != values[0])
      fail_input(cat(where, ": \"", key, "\" that differs from level to level is not supported"));
  }
  return values[0];
}

std::vector<bool> attending_levels(const Json& json, std::size_t levels, const std::string& where) {
  const std::vector<std::string> fallback{"CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                                          "CrossAttnDownBlock2D", "DownBlock2D"};
  const auto down = json_value<std::vector<std::string>>(json, "down_block_types", fallback, where);
  const auto up = json_value<std::vector<std::string>>(
      json, "up_block_types",
      {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}, where);
  if (down.size() != levels || up.size() != levels) {
    fail_input(cat(where, ": block_out_channels and the block types differ in length"));
  }
  std::vector<bool> attending;
  for (std::size_t i = 0; i < levels; ++i) {
    const bool cross = down[i] == "CrossAttnDownBlock2D";
    const std::string& mirror = up[levels - 1 - i];
    if ((!cross && down[i] != "DownBlock2D") ||
        mirror != (cross ? "CrossAttnUpBlock2D" : "UpBlock2D")) {
      fail_input(
          cat(where, ": the block types ", down[i], " and ", mirror,
              " are not those of Stable Diffusion 1 or 2; other families are not supported"));
    }
    attending.push_back(cross);
  }
  return attending;
}

void check(const UNetConfig& config, const std::string& where) {
  check_positive({{"in_channels", config.in_channels},
                  {"out_channels", config.out_channels},
                  {"layers_per_block", config.layers_per_block},
                  {"cross_attention_dim", config.context_width},
                  {"norm_num_groups", config.norm_groups},
                  {"sample_size", config.sample_size},
                  {"transformer_layers_per_block", config.transformer_layers}},
                 where);
  for (std::size_t i = 0; i < config.widths.size(); ++i) {
    check_positive(
        {{"block_out_channels", config.widths[i]}, {"attention_head_dim", config.heads[i]}}, where);
    if (config.widths[i] % config.norm_groups != 0 || config.widths[i] % config.heads[i] != 0) {
      fail_input(cat(where, ": a width of ", config.widths[i], " is not divisible by ",
                     config.norm_groups, " norm groups and ", config.heads[i], " heads"));
    }
  }
}

}  // namespace

UNetConfig UNetConfig::from_json(const Json& json, const std::string& where) {
  refuse_other_unet(json, where);
  UNetConfig config;
  config.in_channels = json_value<std::int64_t>(json, "in_channels", 4, where);
  config.out_channels = json_value<std::int64_t>(json, "out_channels", 4, where);
  config.widths = json_value<std::vector<std::int64_t>>(json, "block_out_channels",
                                                        {320, 640, 1280, 1280}, where);
  const std::size_t levels = config.widths.size();
  if (levels == 0 || levels > 8) fail_input(cat(where, ": \"block_out_channels\" is not usable"));
  config.sample_size = json_value<std::int64_t>(json, "sample_size", 64, where);
  config.attention = attending_levels(json, levels, where);
  // diffusers' name is a mistake of its early days: the number is that of the heads, unless the
  // right name is there as well.
  const bool named_right =
      json.contains("num_attention_heads") && !json["num_attention_heads"].is_null();
  config.heads =
      per_level(json, named_right ? "num_attention_heads" : "attention_head_dim", 8, levels, where);
  config.layers_per_block = one_for_all(json, "layers_per_block", 2, levels, where);
  config.transformer_layers = one_for_all(json, "transformer_layers_per_block", 1, levels, where);
  config.context_width = one_for_all(json, "cross_attention_dim", 1280, levels, where);
  config.norm_groups = json_value<std::int64_t>(json, "norm_num_groups", 32, where);
  config.norm_eps = json_value<double>(json, "norm_eps", 1e-5, where);
  config.linear_projection = json_value<bool>(json, "use_linear_projection", false, where);
  config.upcast_attention = json_value<bool>(json, "upcast_attention", false, where);
  config.flip_sin_to_cos = json_value<bool>(json, "flip_sin_to_cos", true, where);
  config.frequency_shift = json_value<double>(json, "freq_shift", 0, where);
  config.written_by = json_value<std::string>(json, "_diffusers_version", "", where);
  check(config, where);
  return config;
}

Json UNetConfig::to_json() const {
  std::vector<std::string> down;
  std::vector<std::string> up;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    down.push_back(attention[i] ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up.insert(up.begin(), attention[i] ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  return {{"_class_name", "UNet2DConditionModel"},
          {"_diffusers_version", written_by.empty() ? "0.30.0" : written_by},
          {"act_fn", "silu"},
          {"attention_head_dim", heads},
          {"block_out_channels", widths},
          {"center_input_sample", false},
          {"cross_attention_dim", context_width},
          {"down_block_types", down},
          {"downsample_padding", 1},
          {"flip_sin_to_cos", flip_sin_to_cos},
          {"freq_shift", frequency_shift == static_cast<double>(static_cast<int>(frequency_shift))
                             ? Json(static_cast<int>(frequency_shift))
                             : Json(frequency_shift)},
          {"in_channels", in_channels},
          {"layers_per_block", layers_per_block},
          {"mid_block_scale_factor", 1},
          {"norm_eps", norm_eps},
          {"norm_num_groups", norm_groups},
          {"out_channels", out_channels},
          {"sample_size", sample_size},
          {"transformer_layers_per_block", transformer_layers},
          {"up_block_types", up},
          {"upcast_attention", upcast_attention},
          {"use_linear_projection", linear_projection}};
}

}  // namespace dd::models
