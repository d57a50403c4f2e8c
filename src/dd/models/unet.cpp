// SPDX-License-Identifier: Apache-2.0
#include "dd/models/unet.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "dd/models/checkpoint_source.h"
#include "dd/models/resnet_block.h"
#include "dd/models/spatial_transformer.h"
#include "dd/models/weights.h"
#include "dd/nn/recompute.h"

namespace dd::models {
namespace {

/// One level on the way down or up: residual blocks, each followed by a transformer where the level
/// attends, and a change of resolution at its end.
struct Level {
  std::vector<ResnetBlock> resnets;
  std::vector<SpatialTransformer> transformers;  ///< one a residual block, or none
  std::optional<nn::Conv2d> resample;

  /// `skip`, where it is defined, is joined to `x`.
  at::Tensor layer(std::size_t i, const at::Tensor& x, const at::Tensor& skip,
                   const at::Tensor& time, const TextContext& context) const {
    const bool joins = skip.defined();
    nn::Tensors entering{time, x, joins ? skip : x};
    if (!transformers.empty()) add_text(transformers[i], context, entering);
    return nn::run_part(entering, [this, i, joins](const nn::Tensors& in) {
      // Joined inside, so that recomputing keeps no second copy of both.
      const at::Tensor hidden =
          joins ? resnets[i](join(in[1], in[2]), in[0]) : resnets[i].forward(in[1], in[2], in[0]);
      return transformers.empty() ? hidden : transformers[i](hidden, text_in(in));
    });
  }

  static at::Tensor join(const at::Tensor& x, const at::Tensor& skip) {
    return at::cat({x, for_texts(skip, x.size(0))}, 1);
  }

  /// The entering tensors of a part that begin with `kBeforeText` others, then keys and values.
  static constexpr std::size_t kBeforeText = 3;
  static void add_text(const SpatialTransformer& transformer, const TextContext& context,
                       nn::Tensors& entering) {
    for (const KeyValues& text : transformer.project(context)) {
      entering.insert(entering.end(), {text.keys, text.values});
    }
  }
  static std::vector<KeyValues> text_in(const nn::Tensors& entering) {
    std::vector<KeyValues> text;
    for (std::size_t i = kBeforeText; i < entering.size(); i += 2) {
      text.push_back({entering[i], entering[i + 1]});
    }
    return text;
  }
};

ResnetBlock::Shape resnet_shape(std::int64_t in, std::int64_t out, const UNetConfig& config) {
  return {.in = in,
          .out = out,
          .time_width = 4 * config.widths[0],
          .norm_groups = config.norm_groups,
          .norm_eps = config.norm_eps};
}

SpatialTransformerShape transformer_shape(std::size_t level, const UNetConfig& config) {
  return {.width = config.widths[level],
          .heads = config.heads[level],
          .context_width = config.context_width,
          .norm_groups = config.norm_groups,
          .layers = config.transformer_layers,
          .linear_projection = config.linear_projection,
          .upcast = config.upcast_attention};
}

}  // namespace

class UNetParts {
 public:
  UNetParts(const nn::Scope& scope, const UNetConfig& config);
  at::Tensor forward(const at::Tensor& latents, const at::Tensor& time, const TextContext& context,
                     DeepFeatures* deep) const;
  at::Tensor time_embedding(const at::Tensor& sinusoids) const {
    return time2_(at::silu(time1_(sinusoids)));
  }

 private:
  void add_down(const nn::Scope& scope, const UNetConfig& config, std::size_t level);
  void add_up(const nn::Scope& scope, const UNetConfig& config, std::size_t step);
  at::Tensor middle(const at::Tensor& x, const at::Tensor& time, const TextContext& context) const;
  /// One level; `skips` are what the way down left for the way up, the last one its output.
  static void go_down(const Level& level, std::vector<at::Tensor>& skips, const at::Tensor& time,
                      const TextContext& context);
  static at::Tensor go_up(const Level& level, at::Tensor x, std::vector<at::Tensor>& skips,
                          const at::Tensor& time, const TextContext& context);
  /// All levels but the one of full resolution, down and up again.
  at::Tensor below_top(std::vector<at::Tensor>& skips, const at::Tensor& time,
                       const TextContext& context) const;

  nn::Conv2d conv_in_;
  nn::Linear time1_, time2_;
  std::vector<Level> down_, up_;
  std::vector<ResnetBlock> middle_;
  std::vector<SpatialTransformer> middle_transformer_;
  nn::GroupNorm norm_out_;
  nn::Conv2d conv_out_;
};

UNetParts::UNetParts(const nn::Scope& scope, const UNetConfig& config)
    : conv_in_(scope["conv_in"],
               {.in = config.in_channels, .out = config.widths[0], .kernel = 3, .padding = 1}),
      time1_(scope["time_embedding"]["linear_1"], config.widths[0], 4 * config.widths[0]),
      time2_(scope["time_embedding"]["linear_2"], 4 * config.widths[0], 4 * config.widths[0]),
      norm_out_(scope["conv_norm_out"], config.norm_groups, config.widths[0], config.norm_eps),
      conv_out_(scope["conv_out"],
                {.in = config.widths[0], .out = config.out_channels, .kernel = 3, .padding = 1}) {
  for (std::size_t level = 0; level < config.widths.size(); ++level) add_down(scope, config, level);
  const nn::Scope mid = scope["mid_block"];
  const std::int64_t deepest = config.widths.back();
  middle_.emplace_back(mid["resnets"][0], resnet_shape(deepest, deepest, config));
  middle_transformer_.emplace_back(mid["attentions"][0],
                                   transformer_shape(config.widths.size() - 1, config));
  middle_.emplace_back(mid["resnets"][1], resnet_shape(deepest, deepest, config));
  for (std::size_t step = 0; step < config.widths.size(); ++step) add_up(scope, config, step);
}

void UNetParts::add_down(const nn::Scope& scope, const UNetConfig& config, std::size_t level) {
  const nn::Scope block = scope["down_blocks"][static_cast<std::int64_t>(level)];
  const std::int64_t out = config.widths[level];
  std::int64_t in = level == 0 ? config.widths[0] : config.widths[level - 1];
  Level parts;
  for (std::int64_t j = 0; j < config.layers_per_block; ++j, in = out) {
    parts.resnets.emplace_back(block["resnets"][j], resnet_shape(in, out, config));
    if (config.attention[level]) {
      parts.transformers.emplace_back(block["attentions"][j], transformer_shape(level, config));
    }
  }
  if (level + 1 < config.widths.size()) {
    parts.resample.emplace(
        block["downsamplers"][0]["conv"],
        nn::Conv2d::Shape{.in = out, .out = out, .kernel = 3, .stride = 2, .padding = 1});
  }
  down_.push_back(std::move(parts));
}

void UNetParts::add_up(const nn::Scope& scope, const UNetConfig& config, std::size_t step) {
  const std::size_t count = config.widths.size();
  const std::size_t level = count - 1 - step;
  const nn::Scope block = scope["up_blocks"][static_cast<std::int64_t>(step)];
  const std::int64_t out = config.widths[level];
  const std::int64_t below = step == 0 ? config.widths.back() : config.widths[level + 1];
  const std::int64_t above = config.widths[level == 0 ? 0 : level - 1];
  Level parts;
  for (std::int64_t j = 0; j <= config.layers_per_block; ++j) {
    // Each block sees what came before and the skip connection of its mirror image on the way down.
    const std::int64_t skip = j == config.layers_per_block ? above : out;
    const std::int64_t in = j == 0 ? below : out;
    parts.resnets.emplace_back(block["resnets"][j], resnet_shape(in + skip, out, config));
    if (config.attention[level]) {
      parts.transformers.emplace_back(block["attentions"][j], transformer_shape(level, config));
    }
  }
  if (step + 1 < count) {
    parts.resample.emplace(block["upsamplers"][0]["conv"],
                           nn::Conv2d::Shape{.in = out, .out = out, .kernel = 3, .padding = 1});
  }
  up_.push_back(std::move(parts));
}

at::Tensor UNetParts::middle(const at::Tensor& x, const at::Tensor& time,
                             const TextContext& context) const {
  nn::Tensors entering{time, x, x};
  Level::add_text(middle_transformer_[0], context, entering);
  return nn::run_part(entering, [this](const nn::Tensors& in) {
    const at::Tensor hidden = middle_[0].forward(in[1], in[2], in[0]);
    return middle_[1](middle_transformer_[0](hidden, Level::text_in(in)), in[0]);
  });
}

at::Tensor UNetParts::forward(const at::Tensor& latents, const at::Tensor& time,
                              const TextContext& context, DeepFeatures* deep) const {
  std::vector<at::Tensor> skips{conv_in_(latents)};
  go_down(down_.front(), skips, time, context);
  at::Tensor x;
  if (deep && deep->reuse && deep->features.defined()) {
    x = deep->features;
  } else {
    x = below_top(skips, time, context);
    if (deep) deep->features = x;
  }
  return conv_out_(nn::silu_of(norm_out_(go_up(up_.back(), x, skips, time, context))));
}

void UNetParts::go_down(const Level& level, std::vector<at::Tensor>& skips, const at::Tensor& time,
                        const TextContext& context) {
  for (std::size_t i = 0; i < level.resnets.size(); ++i)
    skips.push_back(level.layer(i, skips.back(), {}, time, context));
}

at::Tensor UNetParts::go_up(const Level& level, at::Tensor x, std::vector<at::Tensor>& skips,
                            const at::Tensor& time, const TextContext& context) {
  for (std::size_t i = 0; i < level.resnets.size(); ++i) {
    x = level.layer(i, x, skips.back(), time, context);
    skips.pop_back();
  }
  // To the size of the next skip connection, which is not always twice ours.
  if (level.resample)
    x = (*level.resample)(at::upsample_nearest2d(x, {skips.back().size(2), skips.back().size(3)}));
  return x;
}

at::Tensor UNetParts::below_top(std::vector<at::Tensor>& skips, const at::Tensor& time,
                                const TextContext& context) const {
  for (std::size_t i = 1; i < down_.size(); ++i) {
    skips.push_back((*down_[i - 1].resample)(skips.back()));
    go_down(down_[i], skips, time, context);
  }
  at::Tensor x = middle(skips.back(), time, context);
  for (std::size_t i = 0; i + 1 < up_.size(); ++i) x = go_up(up_[i], x, skips, time, context);
  return x;
}

UNet::UNet(nn::ParameterSource& source, const UNetConfig& config)
    : config_(config),
      table_(std::make_unique<nn::ParameterTable>()),
      parts_(std::make_unique<UNetParts>(nn::Scope(source, *table_), config)) {}

UNet::~UNet() = default;
UNet::UNet(UNet&&) noexcept = default;
UNet& UNet::operator=(UNet&&) noexcept = default;

Placement unet_placement(Placement placement) {
  placement.at_rest = false;
  return placement;
}

UNet UNet::load(const std::filesystem::path& folder, Placement placement) {
  const auto config =
      UNetConfig::from_json(read_json(folder / "config.json"), (folder / "config.json").string());
  const io::Checkpoint checkpoint = io::Checkpoint::open(folder, "diffusion_pytorch_model");
  CheckpointSource source(checkpoint, unet_placement(placement));
  UNet unet(source, config);
  source.finish();
  return unet;
}

void UNet::save(const std::filesystem::path& folder, at::ScalarType dtype) const {
  save_weights(folder / "diffusion_pytorch_model.safetensors", *table_, dtype);
  write_json(folder / "config.json", config_.to_json());
}

at::Tensor UNet::operator()(const at::Tensor& latents_nchw, const at::Tensor& timesteps,
                            const TextContext& context, DeepFeatures* deep) const {
  const at::Tensor sinusoids =
      nn::embed_timesteps(timesteps, {.width = config_.widths[0],
                                      .flip_sin_to_cos = config_.flip_sin_to_cos,
                                      .frequency_shift = config_.frequency_shift});
  return parts_->forward(latents_nchw,
                         parts_->time_embedding(sinusoids.to(latents_nchw.scalar_type())), context,
                         deep);
}

}  // namespace dd::models
