// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "dd/nn/layers.h"
#include "dd/nn/parameters.h"

namespace dd::pretrain {

/// A small supervised convolutional network that tells the ten items apart in every look. It
/// measures label fidelity (the share of generated images that it calls by their label) and is no
/// part of the base.
class Judge {
 public:
  explicit Judge(nn::ParameterSource& source);
  /// Error(kInput) when the file is missing.
  static Judge load(const std::filesystem::path& file);

  /// Pixels [N, 3, 32, 32] in −1 … 1 → logits [N, 10].
  at::Tensor operator()(const at::Tensor& pixels_nchw) const;
  const nn::ParameterTable& parameters() const { return *table_; }

 private:
  std::unique_ptr<nn::ParameterTable> table_;
  std::vector<nn::Conv2d> convolutions_;
  std::vector<nn::GroupNorm> norms_;
  std::unique_ptr<nn::Linear> head_;
};

/// The share of images that the judge calls by their label, a class (labels 0 … 9) and in all
/// (index 10). Classes without images have −1.
std::vector<double> label_fidelity(const Judge& judge, const at::Tensor& pixels_nchw,
                                   const at::Tensor& labels);

}  // namespace dd::pretrain
