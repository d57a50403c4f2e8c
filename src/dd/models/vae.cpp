// SPDX-License-Identifier: Apache-2.0
#include "dd/models/vae.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "dd/models/checkpoint_source.h"
#include "dd/models/resnet_block.h"
#include "dd/models/weights.h"

namespace dd::models {
namespace {

constexpr double kNormEps = 1e-6;

ResnetBlock resnet(const nn::Scope& scope, std::int64_t in, std::int64_t out,
                   const VaeConfig& config) {
  return {scope,
          {.in = in,
           .out = out,
           .time_width = 0,
           .norm_groups = config.norm_groups,
           .norm_eps = kNormEps}};
}

/// One head over all positions, with its own norm and residual.
class SpatialAttention {
 public:
  SpatialAttention(const nn::Scope& scope, std::int64_t width, const VaeConfig& config)
      : norm_(scope["group_norm"], config.norm_groups, width, kNormEps),
        q_(scope["to_q"], width, width),
        k_(scope["to_k"], width, width),
        v_(scope["to_v"], width, width),
        out_(scope["to_out"][0], width, width) {}

  at::Tensor operator()(const at::Tensor& x) const {
    const at::Tensor tokens = norm_(x).flatten(2).transpose(1, 2);
    const at::Tensor mixed = out_(nn::attention(q_(tokens), k_(tokens), v_(tokens), {.heads = 1}));
    return x + mixed.transpose(1, 2).reshape(x.sizes());
  }

 private:
  nn::GroupNorm norm_;
  nn::Linear q_, k_, v_, out_;
};

class MidBlock {
 public:
  MidBlock(const nn::Scope& scope, std::int64_t width, const VaeConfig& config)
      : first_(resnet(scope["resnets"][0], width, width, config)),
        attention_(scope["attentions"][0], width, config),
        second_(resnet(scope["resnets"][1], width, width, config)) {}

  at::Tensor operator()(const at::Tensor& x) const { return second_(attention_(first_(x))); }

 private:
  ResnetBlock first_;
  SpatialAttention attention_;
  ResnetBlock second_;
};

/// The names a parameter has in files written before diffusers 0.18.
std::vector<TensorPlace> file_names(const std::string& name) {
  std::vector<TensorPlace> names{name};
  const std::pair<const char*, const char*> renamed[] = {{".to_q.", ".query."},
                                                         {".to_k.", ".key."},
                                                         {".to_v.", ".value."},
                                                         {".to_out.0.", ".proj_attn."}};
  for (const auto& [now, before] : renamed) {
    const std::size_t place = name.find(now);
    if (place == std::string::npos) continue;
    std::string old = name;
    names.emplace_back(old.replace(place, std::string(now).size(), before));
  }
  return names;
}

}  // namespace

class VaeEncoder {
 public:
  VaeEncoder(const nn::Scope& scope, const VaeConfig& config)
      : conv_in_(scope["conv_in"],
                 {.in = config.image_channels, .out = config.widths[0], .kernel = 3, .padding = 1}),
        mid_(scope["mid_block"], config.widths.back(), config),
        norm_(scope["conv_norm_out"], config.norm_groups, config.widths.back(), kNormEps),
        conv_out_(scope["conv_out"], {.in = config.widths.back(),
                                      .out = 2 * config.latent_channels,
                                      .kernel = 3,
                                      .padding = 1}) {
    std::int64_t width = config.widths[0];
    for (std::size_t i = 0; i < config.widths.size(); ++i) {
      const nn::Scope block = scope["down_blocks"][static_cast<std::int64_t>(i)];
      Level level;
      for (std::int64_t j = 0; j < config.layers_per_block; ++j) {
        level.resnets.push_back(resnet(block["resnets"][j], width, config.widths[i], config));
        width = config.widths[i];
      }
      if (i + 1 < config.widths.size()) {
        level.downsample.emplace_back(
            block["downsamplers"][0]["conv"],
            nn::Conv2d::Shape{.in = width, .out = width, .kernel = 3, .stride = 2});
      }
      levels_.push_back(std::move(level));
    }
  }

  at::Tensor operator()(const at::Tensor& pixels) const {
    at::Tensor x = conv_in_(pixels);
    for (const Level& level : levels_) {
      for (const ResnetBlock& block : level.resnets) x = block(x);
      // The reference pads right and below only.
      for (const nn::Conv2d& downsample : level.downsample)
        x = downsample(at::constant_pad_nd(x, {0, 1, 0, 1}));
    }
    return conv_out_(nn::silu_of(norm_(mid_(x))));
  }

 private:
  struct Level {
    std::vector<ResnetBlock> resnets;
    std::vector<nn::Conv2d> downsample;  ///< none at the last level
  };
  nn::Conv2d conv_in_;
  std::vector<Level> levels_;
  MidBlock mid_;
  nn::GroupNorm norm_;
  nn::Conv2d conv_out_;
};

class VaeDecoder {
 public:
  VaeDecoder(const nn::Scope& scope, const VaeConfig& config)
      : conv_in_(
            scope["conv_in"],
            {.in = config.latent_channels, .out = config.widths.back(), .kernel = 3, .padding = 1}),
        mid_(scope["mid_block"], config.widths.back(), config),
        norm_(scope["conv_norm_out"], config.norm_groups, config.widths[0], kNormEps),
        conv_out_(
            scope["conv_out"],
            {.in = config.widths[0], .out = config.image_channels, .kernel = 3, .padding = 1}) {
    std::int64_t width = config.widths.back();
    const std::size_t count = config.widths.size();
    for (std::size_t i = 0; i < count; ++i) {
      const nn::Scope block = scope["up_blocks"][static_cast<std::int64_t>(i)];
      const std::int64_t out = config.widths[count - 1 - i];
      Level level;
      for (std::int64_t j = 0; j <= config.layers_per_block; ++j) {
        level.resnets.push_back(resnet(block["resnets"][j], width, out, config));
        width = out;
      }
      if (i + 1 < count) {
        level.upsample.emplace_back(
            block["upsamplers"][0]["conv"],
            nn::Conv2d::Shape{.in = width, .out = width, .kernel = 3, .padding = 1});
      }
      levels_.push_back(std::move(level));
    }
  }

  at::Tensor operator()(const at::Tensor& latents) const {
    at::Tensor x = mid_(conv_in_(latents));
    for (const Level& level : levels_) {
      for (const ResnetBlock& block : level.resnets) x = block(x);
      for (const nn::Conv2d& upsample : level.upsample) {
        x = upsample(at::upsample_nearest2d(x, {x.size(2) * 2, x.size(3) * 2}));
      }
    }
    return conv_out_(nn::silu_of(norm_(x)));
  }

 private:
  struct Level {
    std::vector<ResnetBlock> resnets;
    std::vector<nn::Conv2d> upsample;  ///< none at the last level
  };
  nn::Conv2d conv_in_;
  MidBlock mid_;
  std::vector<Level> levels_;
  nn::GroupNorm norm_;
  nn::Conv2d conv_out_;
};

VaeConfig VaeConfig::from_json(const Json& json, const std::string& where) {
  VaeConfig config;
  config.image_channels = json_value<std::int64_t>(json, "in_channels", 3, where);
  config.latent_channels = json_value<std::int64_t>(json, "latent_channels", 4, where);
  config.widths = json_value<std::vector<std::int64_t>>(json, "block_out_channels", {64}, where);
  config.layers_per_block = json_value<std::int64_t>(json, "layers_per_block", 1, where);
  config.norm_groups = json_value<std::int64_t>(json, "norm_num_groups", 32, where);
  config.sample_size = json_value<std::int64_t>(json, "sample_size", 512, where);
  config.scaling_factor = json_value<double>(json, "scaling_factor", 0.18215, where);
  check_positive({{"in_channels", config.image_channels},
                  {"latent_channels", config.latent_channels},
                  {"layers_per_block", config.layers_per_block},
                  {"norm_num_groups", config.norm_groups}},
                 where);
  if (config.widths.empty() || config.widths.size() > 8)
    fail_input(cat(where, ": \"block_out_channels\" is not usable"));
  for (const std::int64_t width : config.widths) {
    check_positive({{"block_out_channels", width}}, where);
    if (width % config.norm_groups != 0) {
      fail_input(cat(where, ": a width of ", width, " is not divisible by norm_num_groups ",
                     config.norm_groups));
    }
  }
  return config;
}

Json VaeConfig::to_json() const {
  const std::vector<std::string> down(widths.size(), "DownEncoderBlock2D");
  const std::vector<std::string> up(widths.size(), "UpDecoderBlock2D");
  return {{"_class_name", "AutoencoderKL"},
          {"_diffusers_version", "0.30.0"},
          {"act_fn", "silu"},
          {"block_out_channels", widths},
          {"down_block_types", down},
          {"in_channels", image_channels},
          {"latent_channels", latent_channels},
          {"layers_per_block", layers_per_block},
          {"norm_num_groups", norm_groups},
          {"out_channels", image_channels},
          {"sample_size", sample_size},
          {"scaling_factor", scaling_factor},
          {"up_block_types", up}};
}

at::Tensor Posterior::sample(const at::Tensor& noise) const {
  return mean + (log_variance * 0.5).exp() * noise;
}

Vae::Vae(nn::ParameterSource& source, const VaeConfig& config)
    : config_(config), dtype_(source.dtype()), table_(std::make_unique<nn::ParameterTable>()) {
  const nn::Scope root(source, *table_);
  const std::int64_t c = config.latent_channels;
  encoder_ = std::make_unique<VaeEncoder>(root["encoder"], config);
  decoder_ = std::make_unique<VaeDecoder>(root["decoder"], config);
  quantise_ = std::make_unique<nn::Conv2d>(
      root["quant_conv"], nn::Conv2d::Shape{.in = 2 * c, .out = 2 * c, .kernel = 1});
  unquantise_ = std::make_unique<nn::Conv2d>(root["post_quant_conv"],
                                             nn::Conv2d::Shape{.in = c, .out = c, .kernel = 1});
  release_ = source.take_release();
}

Vae::~Vae() = default;
Vae::Vae(Vae&&) noexcept = default;
Vae& Vae::operator=(Vae&&) noexcept = default;

Placement vae_placement(Placement placement) {
  if (placement.dtype == at::kHalf) placement.dtype = at::kFloat;
  return placement;
}

Vae Vae::load(const std::filesystem::path& folder, Placement placement) {
  const auto config =
      VaeConfig::from_json(read_json(folder / "config.json"), (folder / "config.json").string());
  const io::Checkpoint checkpoint = io::Checkpoint::open(folder, "diffusion_pytorch_model");
  CheckpointSource source(checkpoint, placement, file_names);
  Vae vae(source, config);
  source.finish();
  return vae;
}

void Vae::save(const std::filesystem::path& folder, at::ScalarType dtype) const {
  save_weights(folder / "diffusion_pytorch_model.safetensors", *table_, dtype);
  write_json(folder / "config.json", config_.to_json());
}

Posterior Vae::encode(const at::Tensor& pixels_nchw) const {
  const at::Tensor moments = (*quantise_)((*encoder_)(pixels_nchw.to(dtype())));
  release_();
  const std::vector<at::Tensor> halves = moments.chunk(2, 1);
  return {halves[0], at::clamp(halves[1], -30.0, 20.0)};
}

at::Tensor Vae::decode(const at::Tensor& latents_nchw) const {
  at::Tensor pixels = (*decoder_)((*unquantise_)(latents_nchw.to(dtype())));
  release_();
  return pixels;
}

}  // namespace dd::models
