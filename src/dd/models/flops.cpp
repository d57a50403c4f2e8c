// SPDX-License-Identifier: Apache-2.0
#include "dd/models/flops.h"

#include <optional>
#include <vector>

namespace dd::models {
namespace {

/// `width` is that of all heads together.
struct AttentionShape {
  std::int64_t width;
  std::int64_t queries;
  std::int64_t context_width;
  std::int64_t keys;
  std::optional<bool> context_live;  ///< none: keys and values come from the queries' own input
};

/// Adds up what a walk through a model meets. A value is live where a gradient is wanted: behind
/// the first LoRA.
class Counter {
 public:
  explicit Counter(LoraShape lora) : lora_(lora) {}

  /// `rows` vectors through a linear layer.
  void linear(std::int64_t in, std::int64_t out, std::int64_t rows) {
    add(product(in, out, rows), live_ ? 1 : 0);
  }
  /// The same for what no LoRA lies before.
  void still_linear(std::int64_t in, std::int64_t out, std::int64_t rows) {
    add(product(in, out, rows), 0);
  }
  void conv(std::int64_t in, std::int64_t out, std::int64_t kernel, GridSize to) {
    linear(in * kernel * kernel, out, to.height * to.width);
  }
  void mlp(std::int64_t in, std::int64_t out, std::int64_t rows) {
    linear(in, out, rows);
    if (lora_.mlp) live_ = pair(in, out, rows, live_);
  }
  void attention_block(const AttentionShape& shape) {
    const bool q = projection(shape.width, shape.width, shape.queries, {true, live_});
    const bool k = projection(shape.context_width, shape.width, shape.keys,
                              {lora_.projections == 4, shape.context_live.value_or(live_)});
    const bool v = projection(shape.context_width, shape.width, shape.keys,
                              {true, shape.context_live.value_or(live_)});
    if (shape.context_live) keys_ += 2 * product(shape.context_width, shape.width, shape.keys);
    mix(shape, q, k, v);
    live_ = projection(shape.width, shape.width, shape.queries, {lora_.projections == 4, live_});
  }
  /// The autoencoder's, which has no LoRA.
  void plain_attention(std::int64_t width, std::int64_t rows) {
    for (int which = 0; which < 4; ++which) linear(width, width, rows);
    mix({width, rows, width, rows, {}}, live_, live_, live_);
  }
  bool has_lora() const { return lora_.rank > 0; }
  const Flops& sum() const { return sum_; }
  /// Of the forward pass, what makes keys and values of a context; a LoRA's share is left out.
  double keys() const { return keys_; }

 private:
  struct Input {
    bool adapted;  ///< the layer has a LoRA
    bool live;
  };

  static double product(std::int64_t a, std::int64_t b, std::int64_t c) {
    return 2.0 * static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
  }
  void add(double flops, int gradients) {
    sum_.forward += flops;
    sum_.training += flops * (1 + gradients);
  }
  bool pair(std::int64_t in, std::int64_t out, std::int64_t rows, bool live) {
    if (!has_lora()) return live;
    add(product(in, lora_.rank, rows), live ? 2 : 1);
    add(product(lora_.rank, out, rows), 2);
    return true;
  }
  bool projection(std::int64_t in, std::int64_t out, std::int64_t rows, Input input) {
    add(product(in, out, rows), input.live ? 1 : 0);
    return input.adapted ? pair(in, out, rows, input.live) : input.live;
  }
  /// Scores of all heads, and what they weigh.
  void mix(const AttentionShape& shape, bool q, bool k, bool v) {
    const double flops = product(shape.queries, shape.keys, shape.width);
    const bool scores = q || k;
    add(flops, (q ? 1 : 0) + (k ? 1 : 0));
    add(flops, (scores ? 1 : 0) + (v ? 1 : 0));
    live_ = scores || v;
  }

  LoraShape lora_;
  Flops sum_;
  double keys_ = 0;
  bool live_ = false;
};

std::int64_t area(GridSize size) {
  return size.height * size.width;
}

void resnet(Counter& counter, std::int64_t in, std::int64_t out, std::int64_t time_width,
            GridSize size) {
  counter.conv(in, out, 3, size);
  counter.conv(out, out, 3, size);
  if (time_width > 0) counter.still_linear(time_width, out, 1);
  if (in != out) counter.conv(in, out, 1, size);
}

void spatial_transformer(Counter& counter, const UNetConfig& config, std::size_t level,
                         GridSize size, std::int64_t tokens) {
  const std::int64_t width = config.widths[level];
  const std::int64_t cells = area(size);
  counter.linear(width, width, cells);
  for (std::int64_t i = 0; i < config.transformer_layers; ++i) {
    counter.attention_block({width, cells, width, cells, {}});
    counter.attention_block({width, cells, config.context_width, tokens, counter.has_lora()});
    // The gated MLP: twice four times the width, of which one half gates the other.
    counter.mlp(width, 8 * width, cells);
    counter.mlp(4 * width, width, cells);
  }
  counter.linear(width, width, cells);
}

GridSize halved(GridSize size) {
  return {(size.height + 1) / 2, (size.width + 1) / 2};
}

/// Residual blocks and transformers of a level on the way down.
void unet_down(Counter& counter, const UNetConfig& config, std::size_t level, GridSize size,
               std::int64_t tokens) {
  const std::int64_t out = config.widths[level];
  std::int64_t in = config.widths[level == 0 ? 0 : level - 1];
  for (std::int64_t j = 0; j < config.layers_per_block; ++j, in = out) {
    resnet(counter, in, out, 4 * config.widths[0], size);
    if (config.attention[level]) spatial_transformer(counter, config, level, size, tokens);
  }
}

/// The same on the way up.
void unet_up(Counter& counter, const UNetConfig& config, std::size_t level, GridSize size,
             std::int64_t tokens) {
  const std::int64_t out = config.widths[level];
  const std::int64_t above = config.widths[level == 0 ? 0 : level - 1];
  std::int64_t before = level + 1 == config.widths.size() ? out : config.widths[level + 1];
  for (std::int64_t j = 0; j <= config.layers_per_block; ++j, before = out) {
    const std::int64_t skip = j == config.layers_per_block ? above : out;
    resnet(counter, before + skip, out, 4 * config.widths[0], size);
    if (config.attention[level]) spatial_transformer(counter, config, level, size, tokens);
  }
}

/// All that lies below the level of full resolution.
void unet_deep(Counter& counter, const UNetConfig& config, GridSize cells, std::int64_t tokens) {
  std::vector<GridSize> sizes{cells};
  for (std::size_t level = 1; level < config.widths.size(); ++level) {
    sizes.push_back(halved(sizes.back()));
    counter.conv(config.widths[level - 1], config.widths[level - 1], 3, sizes.back());
    unet_down(counter, config, level, sizes.back(), tokens);
  }
  const std::int64_t deepest = config.widths.back();
  resnet(counter, deepest, deepest, 4 * config.widths[0], sizes.back());
  spatial_transformer(counter, config, config.widths.size() - 1, sizes.back(), tokens);
  resnet(counter, deepest, deepest, 4 * config.widths[0], sizes.back());
  for (std::size_t level = config.widths.size(); --level > 0;) {
    unet_up(counter, config, level, sizes[level], tokens);
    counter.conv(config.widths[level], config.widths[level], 3, sizes[level - 1]);
  }
}

Counter count_unet(const UNetConfig& config, GridSize cells, std::int64_t tokens, LoraShape lora,
                   bool with_deep) {
  Counter counter(lora);
  const std::int64_t first = config.widths.front();
  counter.still_linear(first, 4 * first, 1);
  counter.still_linear(4 * first, 4 * first, 1);
  counter.conv(config.in_channels, first, 3, cells);
  unet_down(counter, config, 0, cells, tokens);
  if (with_deep) unet_deep(counter, config, cells, tokens);
  unet_up(counter, config, 0, cells, tokens);
  counter.conv(first, config.out_channels, 3, cells);
  return counter;
}

void vae_middle(Counter& counter, std::int64_t width, GridSize size) {
  resnet(counter, width, width, 0, size);
  counter.plain_attention(width, area(size));
  resnet(counter, width, width, 0, size);
}

void clip_encoder(Counter& counter, const nn::ClipEncoderConfig& config, std::int64_t tokens) {
  for (std::int64_t i = 0; i < config.layers; ++i) {
    counter.attention_block({config.width, tokens, config.width, tokens, {}});
    counter.mlp(config.width, config.mlp_width, tokens);
    counter.mlp(config.mlp_width, config.width, tokens);
  }
}

}  // namespace

Flops& Flops::operator+=(const Flops& other) {
  forward += other.forward;
  training += other.training;
  return *this;
}

Flops unet_flops(const UNetConfig& config, GridSize cells, std::int64_t tokens, LoraShape lora) {
  return count_unet(config, cells, tokens, lora, true).sum();
}

DrawingFlops drawing_flops(const UNetConfig& config, GridSize cells, std::int64_t tokens) {
  const Counter all = count_unet(config, cells, tokens, {}, true);
  const Counter top = count_unet(config, cells, tokens, {}, false);
  return {.keys = all.keys(),
          .whole = all.sum().forward - all.keys(),
          .shallow = top.sum().forward - top.keys()};
}

Flops vae_encoder_flops(const VaeConfig& config, GridSize pixels) {
  Counter counter({});
  const std::int64_t channels = 2 * config.latent_channels;
  std::int64_t in = config.widths.front();
  GridSize size = pixels;
  counter.conv(config.image_channels, in, 3, size);
  for (std::size_t level = 0; level < config.widths.size(); ++level) {
    const std::int64_t out = config.widths[level];
    for (std::int64_t j = 0; j < config.layers_per_block; ++j, in = out) {
      resnet(counter, in, out, 0, size);
    }
    if (level + 1 == config.widths.size()) continue;
    size = {size.height / 2, size.width / 2};
    counter.conv(out, out, 3, size);
  }
  vae_middle(counter, in, size);
  counter.conv(in, channels, 3, size);
  counter.conv(channels, channels, 1, size);
  return counter.sum();
}

Flops vae_decoder_flops(const VaeConfig& config, GridSize pixels) {
  Counter counter({});
  std::int64_t in = config.widths.back();
  GridSize size{pixels.height / config.factor(), pixels.width / config.factor()};
  counter.conv(config.latent_channels, config.latent_channels, 1, size);
  counter.conv(config.latent_channels, in, 3, size);
  vae_middle(counter, in, size);
  for (std::size_t level = config.widths.size(); level-- > 0;) {
    const std::int64_t out = config.widths[level];
    for (std::int64_t j = 0; j <= config.layers_per_block; ++j, in = out) {
      resnet(counter, in, out, 0, size);
    }
    if (level == 0) continue;
    size = {size.height * 2, size.width * 2};
    counter.conv(out, out, 3, size);
  }
  counter.conv(in, config.image_channels, 3, size);
  return counter.sum();
}

Flops text_flops(const ClipTextConfig& config, std::int64_t tokens, LoraShape lora) {
  Counter counter(lora);
  clip_encoder(counter, config.encoder, tokens);
  return counter.sum();
}

Flops clip_text_flops(const ClipConfig& config, std::int64_t tokens, LoraShape lora) {
  Counter counter(lora);
  clip_encoder(counter, config.text.encoder, tokens);
  counter.linear(config.text.encoder.width, config.projection, 1);
  return counter.sum();
}

Flops clip_image_flops(const ClipConfig& config, LoraShape lora) {
  Counter counter(lora);
  const ClipVisionConfig& vision = config.vision;
  const std::int64_t side = vision.image_size / vision.patch_size;
  counter.conv(3, vision.encoder.width, vision.patch_size, {side, side});
  clip_encoder(counter, vision.encoder, side * side + 1);
  counter.linear(vision.encoder.width, config.projection, 1);
  return counter.sum();
}

}  // namespace dd::models
