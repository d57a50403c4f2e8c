// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "dd/models/clip_text.h"

namespace dd::adapt {

/// Turns prompt numbers into conditioning. A text encoder that is trained runs once a step for each
/// different prompt of the batch, in ascending order; one that is not, once in all.
class Conditioner {
 public:
  /// `tokens` [P, T], a row a prompt, on the encoder's device. The encoder must outlive this.
  Conditioner(const models::TextEncoder& encoder, at::Tensor tokens, bool is_trained);

  /// Conditioning [B, T, width] of a batch, given as rows of `tokens`.
  at::Tensor operator()(std::span<const std::int64_t> prompts) const;

 private:
  at::Tensor rows(const at::Tensor& table, const std::vector<std::int64_t>& indices) const;

  const models::TextEncoder& encoder_;
  at::Tensor tokens_;
  at::Tensor states_;  ///< [P, T, width] where the encoder is not trained
};

}  // namespace dd::adapt
