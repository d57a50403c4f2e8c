// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace dd::classify {

/// Accuracies on held-out images during training, and the parameters of the best. Kept in a file,
/// so that a resumed training chooses as an uninterrupted one would: steps that are done again give
/// the same accuracies.
class ValidationRecord {
 public:
  /// Takes over what the file holds where it is of this identity. Of several ranks one `writes`.
  ValidationRecord(std::filesystem::path file, std::string identity, bool writes = true);

  /// Notes the accuracy after `step` updates; of equal ones the first is the best.
  void add(std::int64_t step, double top1, const at::Tensor& parameters);

  const std::map<std::int64_t, double>& curve() const { return curve_; }
  /// The step whose parameters best() holds; nothing before the first add.
  std::optional<std::int64_t> best_step() const { return best_step_; }
  const at::Tensor& best() const { return best_; }

 private:
  void save() const;

  std::filesystem::path file_;
  std::string identity_;
  bool writes_;
  std::map<std::int64_t, double> curve_;
  std::optional<std::int64_t> best_step_;
  at::Tensor best_;
};

}  // namespace dd::classify
