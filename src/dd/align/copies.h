// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dd/align/feature_set.h"
#include "dd/metrics/neighbours.h"

namespace dd::align {

/// Whether synthetic images stand too near to single real ones, by the cosine of their features.
///
/// The threshold is the `quantile` of what real images are to each other: of each one's cosine to
/// its nearest other real image. A synthetic image nearer than that to a shot (where the shots are
/// known) or to a real image is flagged. Of images that are new draws of the real distribution a
/// share of 1 − quantile at most is flagged by chance; with shots fewer still, since an image finds
/// a near one among many more easily than among few.
struct CopyCheck {
  NearestRows nearest;               ///< real image of each synthetic one
  std::optional<NearestRows> shots;  ///< nearest shot
  bool against_shots = false;
  double quantile = 0;
  double threshold = 0;       ///< cosine
  std::vector<bool> flagged;  ///< synthetic images

  std::int64_t count() const;
};
CopyCheck check_copies(const FeatureSets& sets, double quantile, const CancelToken& cancel);

/// nearest.csv: file, class, nearest_real, nearest_class, cosine, then nearest_shot and shot_cosine
/// (empty without shots) and near_copy (0 or 1), a line for each synthetic image.
std::string nearest_csv(const FeatureSets& sets, const CopyCheck& check);

}  // namespace dd::align
