// SPDX-License-Identifier: Apache-2.0
#include "dd/align/feature_set.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <set>

#include "dd/core/error.h"
#include "dd/data/parallel.h"
#include "dd/io/npy.h"
#include "dd/tensor/shared_rows.h"

namespace dd::align {
namespace {

namespace fs = std::filesystem;

std::vector<Image> read_images(const Dataset& images, std::int64_t first, std::int64_t count,
                               std::int64_t threads, const CancelToken& cancel) {
  std::vector<Image> batch(static_cast<std::size_t>(count));
  NullReporter silent;
  for_each_parallel(count, threads, {silent, cancel}, "", [&](std::int64_t i) {
    batch[static_cast<std::size_t>(i)] = images.image(first + i);
  });
  return batch;
}

/// Names and labels, features still missing.
FeatureSet described(const ImageSet& set) {
  FeatureSet result;
  result.features.labels = set.labels;
  for (std::int64_t i = 0; i < set.size(); ++i) result.ids.push_back(set.images->id(i));
  return result;
}

/// Class numbers [n] of `rows` features.
std::vector<std::int64_t> read_labels(const fs::path& file, std::int64_t rows) {
  const at::Tensor values = io::read_npy(file);
  if (values.dim() != 1 || values.size(0) != rows || values.is_floating_point()) {
    fail_input(cat(file.string(), " does not hold a whole number for each of the ", rows,
                   " rows of features; give the labels of these features"));
  }
  const at::Tensor plain = values.to(at::kLong).contiguous();
  const auto* numbers = plain.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> labels(numbers, numbers + rows);
  constexpr std::int64_t kMost = 1'000'000;
  if (std::ranges::any_of(labels, [](auto label) { return label < 0 || label > kMost; })) {
    fail_input(
        cat(file.string(), " holds a label outside 0 … ", kMost, "; number the classes from 0 on"));
  }
  return labels;
}

FeatureSet numbered_rows(const fs::path& features, const fs::path& labels) {
  FeatureSet set;
  set.features.rows = read_features(features);
  const std::int64_t rows = set.features.rows.size(0);
  if (rows < 2) {
    fail_input(cat(features.string(), " has ", rows, " rows, but two are needed to compare"));
  }
  set.features.labels = labels.empty()
                            ? std::vector<std::int64_t>(static_cast<std::size_t>(rows), 0)
                            : read_labels(labels, rows);
  for (std::int64_t i = 0; i < rows; ++i) set.ids.push_back(std::to_string(i));
  return set;
}

}  // namespace

FeatureSets compute_features(const ImageSets& sets, const FeatureModel& model, std::int64_t batch,
                             std::int64_t threads, const Context& context) {
  const at::NoGradGuard no_grad;
  FeatureSets result{sets.class_names, described(sets.real), described(sets.synthetic),
                     described(sets.shots)};
  const std::int64_t total = sets.real.size() + sets.synthetic.size() + sets.shots.size();
  std::int64_t done = 0;
  const auto run = [&](const ImageSet& from, FeatureSet& to) {
    if (from.size() == 0) return;
    const auto features = [&](std::int64_t first, std::int64_t count) {
      context.cancel.check();
      at::Tensor rows =
          model.features(read_images(*from.images, first, count, threads, context.cancel), threads);
      context.report.progress("compute features", done + first + count, total, "");
      return rows;
    };
    to.features.rows = share_rows(context.ranks, from.size(), batch, features);
    done += from.size();
  };
  run(sets.real, result.real);
  run(sets.synthetic, result.synthetic);
  run(sets.shots, result.shots);
  return result;
}

FeatureSets features_of_file(const ImageSets& sets, const AlignOptions& options) {
  const at::Tensor rows = read_features(options.features);
  const std::int64_t whole = sets.real.whole + sets.synthetic.whole;
  if (rows.size(0) != whole) {
    fail_input(cat(options.features, " has ", rows.size(0), " rows, but there are ",
                   sets.real.whole, " real and ", sets.synthetic.whole,
                   " synthetic images; give a row for each, the real ones first"));
  }
  FeatureSets result{sets.class_names, described(sets.real), described(sets.synthetic), {}};
  result.real.features.rows = rows_at(rows, sets.real.places);
  result.synthetic.features.rows =
      rows_at(rows.narrow(0, sets.real.whole, sets.synthetic.whole), sets.synthetic.places);
  return result;
}

FeatureSets features_of_files(const AlignOptions& options) {
  FeatureSets result{{},
                     numbered_rows(options.real_features, options.real_labels),
                     numbered_rows(options.synthetic_features, options.synthetic_labels),
                     {}};
  const std::int64_t real = result.real.features.rows.size(1);
  const std::int64_t synthetic = result.synthetic.features.rows.size(1);
  if (real != synthetic) {
    fail_input(cat(options.real_features.string(), " has ", real, " columns, but ",
                   options.synthetic_features.string(), " has ", synthetic,
                   "; compare features of one model"));
  }
  if (options.real_labels.empty()) return result;
  const auto& labels = result.synthetic.features.labels;
  const std::int64_t classes =
      1 + std::max(std::ranges::max(labels), std::ranges::max(result.real.features.labels));
  for (std::int64_t i = 0; i < classes; ++i) result.class_names.push_back(std::to_string(i));
  return result;
}

at::Tensor read_features(const fs::path& file) {
  const at::Tensor values = io::read_npy(file);
  if (values.dim() != 2 || values.size(0) == 0 || values.size(1) == 0 ||
      !values.is_floating_point()) {
    fail_input(cat(file.string(),
                   " does not hold rows of floating point features; save an array "
                   "of shape (images, features)"));
  }
  const at::Tensor rows =
      values.to(values.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).contiguous();
  if (!at::isfinite(rows).all().item<bool>()) {
    fail_input(cat(file.string(), " holds infinite values or NaN; compute the features anew"));
  }
  return rows;
}

}  // namespace dd::align
