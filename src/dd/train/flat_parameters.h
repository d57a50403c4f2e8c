// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

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
  /// Names and shapes in order, for checkpoints that must fit.
  const std::string& layout() const { return layout_; }

  void zero_gradient();
  /// Scales the gradient to at most this norm, without waiting for the device. Returns the norm
  /// before, as a tensor on the device.
  at::Tensor clip_gradient(double max_norm);
  /// Stops recording gradients for these parameters.
  void freeze();

 private:
  Named parameters_;
  at::Tensor data_;
  at::Tensor gradient_;
  std::string layout_;
};

}  // namespace dd::train
