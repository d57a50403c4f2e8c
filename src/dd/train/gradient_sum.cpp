// SPDX-License-Identifier: Apache-2.0
#include "dd/train/gradient_sum.h"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <memory>
#include <ranges>

#include "dd/core/error.h"

namespace dd::train {
namespace {

constexpr std::int64_t kMostPieces = 8;

}  // namespace

/// Tells when a parameter has its gradient.
class GradientSum::Hook final : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientSum& sum, std::size_t piece) : sum_(sum), piece_(piece) {}
  void operator()(const torch::autograd::Variable&) override { sum_.arrived(piece_); }

 private:
  GradientSum& sum_;
  std::size_t piece_;
};

std::span<float> GradientSum::values_of(const at::Tensor& on_host, const Piece& piece) {
  return std::span(on_host.mutable_data_ptr<float>(), static_cast<std::size_t>(on_host.numel()))
      .subspan(static_cast<std::size_t>(piece.begin),
               static_cast<std::size_t>(piece.end - piece.begin));
}

GradientSum::GradientSum(FlatParameters& parameters, Ranks& ranks)
    : parameters_(parameters), ranks_(ranks) {
  cut();
}

void GradientSum::cut() {
  const std::int64_t least = std::max(kLeast, parameters_.count() / kMostPieces);
  std::int64_t begin = parameters_.count();
  for (const auto& [name, value] : std::views::reverse(parameters_.parameters())) {
    if (pieces_.empty() || pieces_.back().end - begin >= least) pieces_.push_back({0, begin, 0, 0});
    begin -= value.numel();
    pieces_.back().begin = begin;
    ++pieces_.back().parameters;
    if (!parameters_.gradient().is_cpu()) continue;
    torch::autograd::impl::set_post_acc_grad_hooks(
        value, std::make_unique<Hook>(*this, pieces_.size() - 1));
  }
  ensure(begin == 0, "the pieces of the gradient must cover it");
}

GradientSum::~GradientSum() {
  for (const auto& [name, value] : parameters_.parameters()) {
    torch::autograd::impl::set_post_acc_grad_hooks(value, nullptr);
  }
}

void GradientSum::begin_last_pass() {
  is_last_pass_ = true;
  for (Piece& piece : pieces_) piece.waits_for = piece.parameters;
}

void GradientSum::arrived(std::size_t piece) {
  if (!is_last_pass_) return;
  ensure(pieces_[piece].waits_for > 0, "a parameter got its gradient twice in a pass");
  --pieces_[piece].waits_for;
  ranks_.advance_sums();
  send_ready(parameters_.gradient());
}

void GradientSum::send_ready(const at::Tensor& on_host) {
  for (; sent_ < pieces_.size() && pieces_[sent_].waits_for == 0; ++sent_)
    ranks_.begin_sum(values_of(on_host, pieces_[sent_]));
}

void GradientSum::finish() {
  is_last_pass_ = false;
  const at::Tensor gradient = parameters_.gradient();
  const at::Tensor on_host = gradient.to(at::kCPU);
  // What no pass gave a gradient here is 0 and goes out with the rest.
  for (Piece& piece : pieces_) piece.waits_for = 0;
  send_ready(on_host);
  sent_ = 0;
  for (const Piece& piece : pieces_) ranks_.finish_sum(values_of(on_host, piece));
  if (!gradient.is_cpu()) gradient.copy_(on_host);
}

}  // namespace dd::train
