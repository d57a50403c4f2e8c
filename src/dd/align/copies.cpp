// SPDX-License-Identifier: Apache-2.0
#include "dd/align/copies.h"

#include <ATen/ops/quantile.h>

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "dd/core/csv.h"

namespace dd::align {

std::int64_t CopyCheck::count() const {
  return std::ranges::count(flagged, true);
}

CopyCheck check_copies(const FeatureSets& sets, double quantile, const CancelToken& cancel) {
  CopyCheck check;
  const at::Tensor& synthetic = sets.synthetic.features.rows;
  check.nearest = nearest_by_cosine(synthetic, sets.real.features.rows, cancel);
  check.against_shots = sets.shots.features.rows.defined();
  if (check.against_shots) {
    check.shots = nearest_by_cosine(synthetic, sets.shots.features.rows, cancel);
  }
  check.quantile = quantile;
  check.threshold =
      at::quantile(nearest_others(sets.real.features.rows, cancel).cosine, quantile).item<double>();
  const at::Tensor& cosines = check.shots ? check.shots->cosine : check.nearest.cosine;
  const auto* values = cosines.const_data_ptr<double>();
  for (std::int64_t i = 0; i < cosines.size(0); ++i) {
    check.flagged.push_back(values[i] > check.threshold);
  }
  return check;
}

std::string nearest_csv(const FeatureSets& sets, const CopyCheck& check) {
  const auto class_of = [&](const FeatureSet& set, std::size_t row) {
    const auto label = static_cast<std::size_t>(set.features.labels[row]);
    return sets.class_names.empty() ? std::string() : csv_field(sets.class_names[label]);
  };
  std::ostringstream csv;
  csv << std::fixed << std::setprecision(6)
      << "file,class,nearest_real,nearest_class,cosine,nearest_shot,shot_cosine,near_copy\n";
  const auto* real = check.nearest.index.const_data_ptr<std::int64_t>();
  const auto* cosine = check.nearest.cosine.const_data_ptr<double>();
  for (std::size_t i = 0; i < sets.synthetic.ids.size(); ++i) {
    const auto row = static_cast<std::size_t>(real[i]);
    csv << csv_field(sets.synthetic.ids[i]) << ',' << class_of(sets.synthetic, i) << ','
        << csv_field(sets.real.ids[row]) << ',' << class_of(sets.real, row) << ',' << cosine[i]
        << ',';
    if (check.shots) {
      const auto shot =
          static_cast<std::size_t>(check.shots->index.const_data_ptr<std::int64_t>()[i]);
      csv << csv_field(sets.shots.ids[shot]) << ','
          << check.shots->cosine.const_data_ptr<double>()[i];
    } else {
      csv << ',';
    }
    csv << ',' << (check.flagged[i] ? 1 : 0) << '\n';
  }
  return csv.str();
}

}  // namespace dd::align
