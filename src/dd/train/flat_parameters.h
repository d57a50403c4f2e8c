// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dd::train {

/// The trained parameters of a model in one buffer, their gradients in another: the optimizer,
/// clipping and checkpoints touch two tensors however many parameters there are.
///
/// The given tensors become views of the buffer (whoever holds them sees every update), require
/// gradients, and accumulate them into views of the gradient buffer. Float32.
class FlatParameters {
 public:
  using Named = std::vector<std::pair<std::string, at::Tensor>>;

  explicit FlatParameters(const Named& parameters);

  const at::Tensor& data() const { return data_; }          ///< [count]
  const at::Tensor& gradient() const { return gradient_; }  ///< [count]
  std::int64_t count() const { return data_.numel(); }
  /// The tensors, in the order of their places in the buffer; none for a row of StackedParameters.
  const Named& parameters() const { return parameters_; }
  /// Names and shapes in order, for checkpoints that must fit.
  const std::string& layout() const { return layout_; }

  void zero_gradient();
  /// Scales the gradient to at most this norm, without waiting for the device. Returns the norm
  /// before, as a tensor on the device.
  at::Tensor clip_gradient(double max_norm);
  /// Stops recording gradients for these parameters.
  void freeze();

 private:
  friend class StackedParameters;
  FlatParameters(at::Tensor data, at::Tensor gradient, std::string layout);

  Named parameters_;
  at::Tensor data_;
  at::Tensor gradient_;
  std::string layout_;
};

/// The parameters of several trainings of one shape, so that a model can compute with all at once
/// while each is clipped, updated and saved by itself: FlatParameters of N rows.
class StackedParameters {
 public:
  /// Each tensor is [N, …], row i being what training i has. The tensors become views of the
  /// buffer, not contiguous ones, and require gradients.
  explicit StackedParameters(const FlatParameters::Named& parameters);

  /// Of training i, under the names and shapes that it would have alone. Its gradient is what
  /// gather_gradient() brought.
  FlatParameters& row(std::int64_t i) { return rows_.at(static_cast<std::size_t>(i)); }
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }

  void zero_gradient();
  /// Moves the gradients of all backward passes since the last zero_gradient() to the rows.
  /// Autograd cannot put them there: it wants those of such views to be contiguous.
  void gather_gradient();

 private:
  FlatParameters::Named parameters_;
  at::Tensor gradient_;  ///< [N, count]
  std::vector<FlatParameters> rows_;
};

}  // namespace dd::train
