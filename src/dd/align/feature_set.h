// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/align/feature_model.h"
#include "dd/align/image_sets.h"
#include "dd/align/options.h"
#include "dd/core/context.h"
#include "dd/metrics/alignment.h"

namespace dd::align {

/// Features of images, and which images these are.
struct FeatureSet {
  LabelledFeatures features;     ///< float32 or float64 [n, d]
  std::vector<std::string> ids;  ///< of the images; numbers of rows where there are none

  std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
};

struct FeatureSets {
  std::vector<std::string> class_names;  ///< empty where nothing tells classes apart
  FeatureSet real;
  FeatureSet synthetic;
  FeatureSet shots;  ///< may be empty
};

/// Runs the images of all sets through the model in batches, which the ranks of `context` share;
/// together.
FeatureSets compute_features(const ImageSets& sets, const FeatureModel& model, std::int64_t batch,
                             std::int64_t threads, const Context& context);

/// Takes the sets' rows from one file: a row for each image of the whole real split, then for each
/// synthetic image; none for shots. Error(kInput) when the file has another number of rows.
FeatureSets features_of_file(const ImageSets& sets, const AlignOptions& options);

/// Takes everything from files: `real_features` and the rest. Error(kInput) names the file.
FeatureSets features_of_files(const AlignOptions& options);

/// Features [n, d] from a .npy file. Error(kInput) unless they are rows of finite numbers.
at::Tensor read_features(const std::filesystem::path& file);

}  // namespace dd::align
