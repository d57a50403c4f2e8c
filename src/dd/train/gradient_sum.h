// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dd/core/ranks.h"
#include "dd/train/flat_parameters.h"

namespace dd::train {

/// Adds a gradient up over the ranks while the backward pass that makes it is still under way: in
/// pieces of the flat buffer, each of which goes out once all its parameters have their gradient.
///
/// Pieces go out in one order on all ranks, from the buffer's end to its beginning: about the order
/// of a backward pass, since parameters stand in the model's. On a CUDA device they go out when the
/// pass is over. The parameters must outlive this and may not be frozen meanwhile.
class GradientSum {
 public:
  /// So many values at least make a piece, of which there are eight at most.
  static constexpr std::int64_t kLeast = 1 << 15;

  GradientSum(FlatParameters& parameters, Ranks& ranks);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// The next backward pass is the last of this step. A parameter gets its gradient once in it.
  void begin_last_pass();
  /// Together: the gradient becomes that of all ranks, whether there was a pass here or not.
  void finish();

 private:
  struct Piece {
    std::int64_t begin;
    std::int64_t end;
    std::int64_t parameters;  ///< in it
    std::int64_t waits_for;   ///< of them
  };
  class Hook;
  void cut();
  static std::span<float> values_of(const at::Tensor& on_host, const Piece& piece);
  void arrived(std::size_t piece);
  void send_ready(const at::Tensor& on_host);

  FlatParameters& parameters_;
  Ranks& ranks_;
  std::vector<Piece> pieces_;  ///< in the order in which they go out
  std::size_t sent_ = 0;
  bool is_last_pass_ = false;
};

}  // namespace dd::train
