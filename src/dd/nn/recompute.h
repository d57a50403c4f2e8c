// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace dd::nn {

using Tensors = std::vector<at::Tensor>;

/// A part of a model as a function of the tensors that enter it. It may hold parameters besides,
/// which must live until the backward pass, and must draw no random numbers.
using Part = std::function<at::Tensor(const Tensors&)>;

/// While one lives, parts of models that this thread runs keep what enters them and nothing else;
/// the backward pass computes the rest again (Chen et al., arXiv 1604.06174): less memory, a second
/// forward pass in time, the same numbers bit for bit. Off by default, like at::NoGradGuard.
class RecomputeGuard {
 public:
  explicit RecomputeGuard(bool on);
  ~RecomputeGuard();
  RecomputeGuard(const RecomputeGuard&) = delete;
  RecomputeGuard& operator=(const RecomputeGuard&) = delete;

 private:
  bool before_;
};

/// `part(inputs)`. The inputs are defined; the result is a tensor of its own, no view of them.
/// Gradients of the part's parameters are added to what they hold, as ever.
///
/// A part that uses an input several times gives the gradients' sum. Where that input is used
/// outside too, recomputing could therefore add up in another order, which changes the last bits:
/// there, hand it over once for each use, the last use first.
at::Tensor run_part(const Tensors& inputs, const Part& part);

}  // namespace dd::nn
