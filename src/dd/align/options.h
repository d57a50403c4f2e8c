// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "dd/core/fields.h"

namespace dd::align {

/// How alike two sets of images are, class by class and in all.
struct AlignOptions final : Options {
  std::string real;                  ///< see data/dataset.h
  std::string real_split = "train";  ///< of the real images
  std::filesystem::path shots_file;  ///< shots.json: these are left out of the real images
  std::filesystem::path synthetic;   ///< folder that `generate` wrote, or any folder of folders
  std::int64_t per_class = 500;      ///< at most so many images a class of either set; 0 = all

  std::string features = "clip";    ///< "clip", "dinov2", "inception", or a file of theirs (.npy)
  std::filesystem::path clip;       ///< see models/clip_file.h
  std::string activation = "auto";  ///< of the CLIP
  std::filesystem::path dinov2;     ///< see models/dinov2.h
  std::filesystem::path inception;  ///< see models/inception.h
  std::int64_t batch = 64;

  std::filesystem::path real_features;       ///< instead of images: [n, d]
  std::filesystem::path synthetic_features;  ///< [m, d]
  std::filesystem::path real_labels;         ///< numbers of classes [n]
  std::filesystem::path synthetic_labels;    ///< [m]

  bool unit_length = false;  ///< CMMD takes given features at unit length, as it does images'
  std::int64_t kid_subsets = 100;
  std::int64_t kid_subset_size = 0;  ///< 0 = half of the smaller set, at most 1000
  std::int64_t bootstrap = 100;      ///< half-samples for the intervals
  double copy_quantile = 0.99;       ///< see copies.h

  void visit(FieldVisitor& visitor) override;
  /// Ranges, and that the choices fit together; Error(kUsage) names the flag.
  void check() const;

  /// Features come from files alone, without images.
  bool from_files() const { return !real_features.empty(); }
  /// `features` names a .npy file.
  bool features_in_file() const;
};

}  // namespace dd::align
