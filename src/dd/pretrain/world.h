// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/seeds.h"
#include "dd/data/idx.h"
#include "dd/image/image.h"

namespace dd::pretrain {

/// The looks of the small world that the embedded base knows. None is the target's grey item on
/// black.
enum class Style { kTinted, kNegative, kColouredGround, kGradient };

/// One captioned picture, as the web would have it: the caption usually names the item rightly,
/// sometimes coarsely ("footwear") and now and then wrongly.
struct WorldSample {
  Image image;
  std::string caption;
  std::int64_t label;
  Style style;
};

/// Renders the first 50,000 training images of Fashion-MNIST in other styles than their own. A
/// sample follows from (seed, index, variant). Thread-safe.
class World {
 public:
  /// `root` holds the IDX files. `size`: pixels a side.
  World(const std::filesystem::path& root, std::int64_t size, std::uint64_t seed);

  std::int64_t count() const { return kCount; }
  std::int64_t label(std::int64_t index) const { return labels_[static_cast<std::size_t>(index)]; }
  WorldSample sample(std::int64_t index, std::int64_t variant) const;
  /// The caption of sample(index, variant), without rendering the picture.
  std::string caption(std::int64_t index, std::int64_t variant) const;
  /// For the autoencoder alone, which is to be a general codec and sees no caption: the item in any
  /// colour on any ground. On a dark ground the item is vividly coloured, so that the target's grey
  /// on black does not occur here either.
  Image any_colours(std::int64_t index, std::int64_t variant) const;
  /// For the autoencoder alone: soft-edged shapes and stripes in any colours, grey and black among
  /// them, without any item. From here it knows how black and grey look.
  Image shapes(std::int64_t index, std::int64_t variant) const;
  /// The item in its own look, slightly moved: for the judge that measures label fidelity, which is
  /// no part of the base.
  Image original(std::int64_t index, std::int64_t variant) const;

  /// Every caption form that occurs, for learning the tokenizer.
  static std::vector<std::string> corpus();

 private:
  static constexpr std::int64_t kCount = 50000;
  struct Look;
  Look draw_look(std::int64_t index, std::int64_t variant) const;
  std::vector<float> moved(std::int64_t index, Random& random) const;

  IdxImages images_;
  std::vector<std::uint8_t> labels_;
  std::int64_t size_;
  std::uint64_t seed_;
};

}  // namespace dd::pretrain
