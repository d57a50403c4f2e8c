// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "dd/core/error.h"
#include "dd/diffusion/samplers.h"
#include "dd/diffusion/time_grid.h"

namespace dd {
namespace {

bool wants_bh1(const ScheduleConfig& config) {
  const std::string type = config.solver_type.value_or("bh2");
  if (type == "bh1") return true;
  // Names of other solvers' types mean bh2 here, so that their configurations can be taken over.
  if (type == "bh2" || type == "midpoint" || type == "heun" || type == "logrho") return false;
  fail_input(cat("\"solver_type\" of the scheduler is ", type,
                 ", which unipc does not know; use bh1 or bh2"));
}

/// Solves the small system matrix · x = right by elimination with row exchange.
std::vector<double> solve(std::vector<std::vector<double>> matrix, std::vector<double> right) {
  const std::size_t n = right.size();
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
    }
    std::swap(matrix[column], matrix[pivot]);
    std::swap(right[column], right[pivot]);
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row][column] / matrix[column][column];
      for (std::size_t k = column; k < n; ++k) matrix[row][k] -= factor * matrix[column][k];
      right[row] -= factor * right[column];
    }
  }
  for (std::size_t row = n; row-- > 0;) {
    for (std::size_t k = row + 1; k < n; ++k) right[row] -= matrix[row][k] * right[k];
    right[row] /= matrix[row][row];
  }
  return right;
}

class UniPcSampler final : public Sampler {
 public:
  explicit UniPcSampler(const ScheduleConfig& config)
      : Sampler(config, ZeroSnr::kFinite), bh1_(wants_bh1(config)) {}

 protected:
  void plan(std::int64_t count) override {
    std::vector<double> sigmas;
    double smallest = levels_.front();
    if (config_.use_karras_sigmas) {
      sigmas = karras_sigmas(config_.sigma_min.value_or(levels_.front()),
                             config_.sigma_max.value_or(levels_.back()), count);
      smallest = sigmas.back();
      timesteps_.clear();
      for (const double sigma : sigmas) {
        timesteps_.push_back(std::nearbyint(timestep_of_sigma(levels_, sigma)));
      }
    } else {
      timesteps_ = solver_grid(spacing_or(TimestepSpacing::kLinspace), count,
                               config_.num_train_timesteps, config_);
      for (const double timestep : timesteps_) sigmas.push_back(interpolate(levels_, timestep));
    }
    sigmas.push_back(final_sigma(config_, smallest));
    sigmas_.assign(sigmas.size(), 0);
    std::transform(sigmas.begin(), sigmas.end(), sigmas_.begin(),
                   [](double sigma) { return static_cast<float>(sigma); });
  }

  void reset() override {
    clean_.clear();
    last_sample_ = at::Tensor();
    order_ = 0;
  }

  Mixture mixture(std::int64_t step) const override {
    const SignalNoise level = signal_noise(sigmas_.at(static_cast<std::size_t>(step)));
    return {level.alpha, level.sigma};
  }

  at::Tensor advance(const at::Tensor& output, std::int64_t step,
                     const at::Tensor& sample) override {
    const auto index = static_cast<std::size_t>(step);
    const at::Tensor now =
        predicted_clean(config_.prediction_type, output, sample, signal_noise(sigmas_.at(index)));
    const auto& skipped = config_.disable_corrector;
    const bool correct =
        step > first() && std::find(skipped.begin(), skipped.end(), step - 1) == skipped.end();
    // The corrector goes over the last step again, now that the prediction at its end is known.
    const at::Tensor start = correct ? corrected(index, now) : sample;

    clean_.push_back(now);
    const auto solver_order = static_cast<std::size_t>(config_.solver_order);
    if (clean_.size() > solver_order) clean_.pop_front();
    order_ = std::min(solver_order, clean_.size());
    if (config_.lower_order_final) order_ = std::min(order_, timesteps_.size() - index);
    last_sample_ = start;
    return predicted(index, start);
  }

 private:
  /// Where a step from one noise level to another stands; h is in units of log-SNR.
  struct Span {
    SignalNoise from;
    SignalNoise to;
    double h;
    double growth;                ///< e^−h − 1
    double scale;                 ///< B(h)
    std::vector<double> ratios;   ///< (lambda_i − lambda_from) / h of the earlier points, then 1
    std::vector<double> moments;  ///< right-hand side of the order conditions
  };

  Span span(std::size_t from, std::size_t order) const {
    Span s{signal_noise(sigmas_.at(from)), signal_noise(sigmas_.at(from + 1)), 0, 0, 0, {}, {}};
    s.h = static_cast<double>(s.to.lambda - s.from.lambda);
    s.growth = std::expm1(-s.h);
    s.scale = bh1_ ? -s.h : s.growth;
    for (std::size_t i = 1; i < order; ++i) {
      const double lambda = signal_noise(sigmas_.at(from - i)).lambda;
      s.ratios.push_back((lambda - s.from.lambda) / s.h);
    }
    s.ratios.push_back(1.0);
    double phi = s.growth / -s.h - 1;
    double factorial = 1;
    for (std::size_t i = 1; i <= order; ++i) {
      s.moments.push_back(phi * factorial / s.scale);
      factorial *= static_cast<double>(i + 1);
      phi = phi / -s.h - 1 / factorial;
    }
    return s;
  }

  /// Weights of the first `count` points from the order conditions sum_k w_k · ratio_k^(i−1) =
  /// moment_i.
  static std::vector<double> weights(const Span& s, std::size_t count) {
    std::vector<std::vector<double>> matrix;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<double> row;
      for (std::size_t k = 0; k < count; ++k)
        row.push_back(std::pow(s.ratios[k], static_cast<double>(i)));
      matrix.push_back(std::move(row));
    }
    return solve(std::move(matrix),
                 {s.moments.begin(), s.moments.begin() + static_cast<std::ptrdiff_t>(count)});
  }

  const at::Tensor& clean(std::size_t back) const { return clean_[clean_.size() - 1 - back]; }

  at::Tensor base(const Span& s, const at::Tensor& sample) const {
    return sample * (s.to.sigma / s.from.sigma) - clean(0) * (s.to.alpha * s.growth);
  }

  /// Sum of weighted differences to the earlier predictions; undefined when there are none.
  at::Tensor history(const Span& s, const std::vector<double>& rho, std::size_t order) const {
    at::Tensor sum;
    for (std::size_t i = 1; i < order; ++i) {
      const at::Tensor term = (clean(i) - clean(0)) / s.ratios[i - 1] * rho[i - 1];
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }

  at::Tensor predicted(std::size_t index, const at::Tensor& sample) const {
    const Span s = span(index, order_);
    at::Tensor next = base(s, sample);
    if (order_ == 1) return next;
    // The paper's shortcut for two points; the exact weight differs in higher orders of h only.
    const std::vector<double> rho = order_ == 2 ? std::vector<double>{0.5} : weights(s, order_ - 1);
    return next - history(s, rho, order_) * (s.to.alpha * s.scale);
  }

  at::Tensor corrected(std::size_t index, const at::Tensor& now) const {
    const Span s = span(index - 1, order_);
    const std::vector<double> rho = order_ == 1 ? std::vector<double>{0.5} : weights(s, order_);
    at::Tensor change = (now - clean(0)) * rho.back();
    const at::Tensor earlier = history(s, rho, order_);
    if (earlier.defined()) change = earlier + change;
    return base(s, last_sample_) - change * (s.to.alpha * s.scale);
  }

  bool bh1_;
  std::vector<float> sigmas_;     ///< one more than timesteps
  std::deque<at::Tensor> clean_;  ///< predictions of the clean latents, latest last
  at::Tensor last_sample_;        ///< (corrected) sample that the last step started from
  std::size_t order_ = 0;         ///< of the last step
};

}  // namespace

std::unique_ptr<Sampler> make_unipc(const ScheduleConfig& config) {
  return std::make_unique<UniPcSampler>(config);
}

}  // namespace dd
