// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/conditioner.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

namespace dd::adapt {

Conditioner::Conditioner(const models::TextEncoder& encoder, at::Tensor tokens, bool is_trained)
    : encoder_(encoder), tokens_(std::move(tokens)) {
  if (is_trained) return;
  const at::NoGradGuard no_grad;
  // A prompt at a time: a thousand at once would need gigabytes.
  std::vector<at::Tensor> states;
  for (std::int64_t i = 0; i < tokens_.size(0); ++i) {
    states.push_back(encoder_(tokens_.narrow(0, i, 1)));
  }
  states_ = at::cat(states);
  encoder_.release();
}

at::Tensor Conditioner::operator()(std::span<const std::int64_t> prompts) const {
  std::vector<std::int64_t> different(prompts.begin(), prompts.end());
  std::ranges::sort(different);
  different.erase(std::ranges::unique(different).begin(), different.end());
  const at::Tensor states =
      states_.defined() ? rows(states_, different) : encoder_(rows(tokens_, different));
  if (different.size() == 1) {
    return states.expand({static_cast<std::int64_t>(prompts.size()), -1, -1});
  }
  std::vector<std::int64_t> places;
  for (const std::int64_t prompt : prompts) {
    places.push_back(std::ranges::lower_bound(different, prompt) - different.begin());
  }
  return rows(states, places);
}

at::Tensor Conditioner::rows(const at::Tensor& table,
                             const std::vector<std::int64_t>& indices) const {
  if (indices.size() == 1) return table.narrow(0, indices[0], 1);
  return at::index_select(table, 0, at::tensor(indices).to(table.device()));
}

}  // namespace dd::adapt
