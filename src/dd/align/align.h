// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/align/options.h"
#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/json.h"

namespace dd::align {

struct AlignResult {
  bool skipped = false;  ///< complete metrics of these settings were there
  Json metrics;          ///< what metrics.json holds; null with --dry-run
  std::string text;      ///< the table, or with --dry-run the plan
};

/// Compares two sets of images, or of features, and writes to OUT:
/// - metrics.json, last: `fid`, `fid_infinity`, `kid`, `kid_std`, `cmmd`, `precision`, `recall`,
///   `density`, `coverage`, `n_real`, `n_synthetic`, `intervals`, `cautions`, the same for each
///   class in `per_class`, `copies` and how all this was measured; null where a set is too small
///   for a figure. docs/alignment.md defines them.
/// - nearest.csv: see copies.h.
/// - real_features.npy and synthetic_features.npy, unless they came from such files, with
///   real_labels.npy, synthetic_labels.npy and images.csv (set, row, file, class).
/// Results depend on the seed, and on batch size and threads only up to the rounding of float32.
///
/// Error(kInput): nothing to compare, damaged images, models or feature files. Error(kUsage):
/// options that do not fit together, or OUT holds metrics of other settings or data and --force was
/// not given.
AlignResult run_align(const AlignOptions& options, const CommonOptions& common, Context& context);

}  // namespace dd::align
