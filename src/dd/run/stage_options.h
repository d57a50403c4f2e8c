// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/adapt/adapt.h"
#include "dd/align/align.h"
#include "dd/classify/evaluate.h"
#include "dd/classify/train.h"
#include "dd/generate/generate.h"
#include "dd/run/cell.h"
#include "dd/run/setup.h"

namespace dd::run {

// What a cell's settings mean to each stage. What is not set stays as the stage has it.

adapt::AdaptOptions adapt_options(const Setup& setup, const Cell& cell,
                                  const std::filesystem::path& shots_file);

/// What images are drawn with; empty paths stand for what is not used.
struct DrawnFrom {
  std::filesystem::path adapters{};
  std::filesystem::path shots_file{};  ///< whose pictures are noised
};
generate::GenerateOptions generate_options(const Setup& setup, const Cell& cell,
                                           const DrawnFrom& drawn_from, std::int64_t per_class);

/// Empty paths stand for kinds of images that are not used.
classify::TrainOptions train_options(const Setup& setup, const Cell& cell,
                                     const std::filesystem::path& synthetic,
                                     const std::filesystem::path& shots_file);

/// An empty `classifier` means zero-shot.
classify::EvaluateOptions evaluate_options(const Setup& setup, const Cell& cell,
                                           const std::filesystem::path& classifier);

/// Of `images` with real images of the split that the shots are from, without the shots.
align::AlignOptions align_options(const Setup& setup, const Cell& cell,
                                  const std::filesystem::path& images,
                                  const std::filesystem::path& shots_file);

}  // namespace dd::run
