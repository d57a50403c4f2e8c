// SPDX-License-Identifier: Apache-2.0
#include "dd/train/engine.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "dd/core/event_file.h"
#include "dd/core/json.h"
#include "dd/core/ranks.h"
#include "dd/io/safetensors.h"

namespace dd::train {
namespace {

using Clock = std::chrono::steady_clock;

// Losses are averaged over stretches, so that the curve is readable and the device is rarely waited
// for.
constexpr std::int64_t kStretch = 10;

Json curve_to_json(const std::vector<CurvePoint>& curve) {
  Json json = Json::array();
  for (const CurvePoint& point : curve) json.push_back({point.step, point.value});
  return json;
}

std::vector<CurvePoint> curve_from_json(const Json& json) {
  std::vector<CurvePoint> curve;
  for (const Json& point : json)
    curve.push_back({point.at(0).get<std::int64_t>(), point.at(1).get<double>()});
  return curve;
}

std::string loss_text(const TrainResult& result) {
  char text[96];
  int length = 0;
  if (!result.losses.empty())
    length = std::snprintf(text, sizeof text, "loss %.4f", result.losses.back().value);
  if (!result.validation.empty()) {
    std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length),
                  "%svalidation %.4f", length ? ", " : "", result.validation.back().value);
  } else if (length == 0) {
    return "";
  }
  return text;
}

class Run {
 public:
  Run(const EngineOptions& options, FlatParameters& parameters, Task& task, Context& context)
      : options_(options),
        parameters_(parameters),
        task_(task),
        context_(context),
        optimizer_(parameters, options.optimizer) {
    if (options_.ema_decay > 0) average_ = parameters_.data().clone();
  }

  TrainResult run() {
    if (!options_.state_file.empty() && std::filesystem::exists(options_.state_file)) resume();
    check_same_step();
    if (!options_.events.empty() && context_.ranks.first()) {
      events_.emplace(options_.events, resumed_ ? std::optional(step_) : std::nullopt);
    }
    started_ = Clock::now();
    if (step_ == 0) validate();
    while (step_ < options_.steps) {
      if (must_stop()) {
        save();
        CancelToken::stop();
      }
      train_step();
      if (options_.preview_every > 0 && step_ % options_.preview_every == 0 &&
          step_ < options_.steps && context_.ranks.first())
        preview();
      context_.report.progress(options_.name, step_, options_.steps, loss_text(result_));
      // At the end too: what the caller writes next may be interrupted, and the steps need not be
      // taken again for it.
      if (step_ == options_.steps || (options_.save_every > 0 && step_ % options_.save_every == 0))
        save();
    }
    return finish();
  }

 private:
  void train_step() {
    parameters_.zero_gradient();
    const at::Tensor value = accumulate_gradient();
    if (options_.optimizer.clip > 0) parameters_.clip_gradient(options_.optimizer.clip);
    optimizer_.step(learning_rate(options_.optimizer, step_, options_.steps));
    ++step_;
    update_average();
    if (options_.keep_step_losses) new_losses_.push_back(value);
    stretch_sum_ = stretch_ == 0 ? value.clone() : stretch_sum_.add_(value);
    ++stretch_;
    if (stretch_ == kStretch || step_ == options_.steps) end_stretch();
    const bool due = options_.validate_every > 0 && step_ % options_.validate_every == 0;
    if (due || step_ == options_.steps) validate();
  }

  /// Returns the step's loss, float64 on its device. Ranks take turns with the parts.
  at::Tensor accumulate_gradient() {
    const Ranks& ranks = context_.ranks;
    at::Tensor sum = at::zeros({}, parameters_.data().options().dtype(at::kDouble));
    for (std::int64_t part = ranks.rank(); part < task_.parts(); part += ranks.count()) {
      const at::Tensor loss = task_.part_of_loss(step_, part);
      loss.backward();
      sum += loss.detach().to(at::kDouble);
    }
    return add_up_over_ranks(sum);
  }

  /// Makes the gradient that of all ranks and returns the loss of all. It does not run beside the
  /// step: that would pay only where a rank has a row or two (docs/scaling.md).
  at::Tensor add_up_over_ranks(const at::Tensor& loss) {
    Ranks& ranks = context_.ranks;
    if (ranks.alone()) return loss;
    // Stops are agreed on too: all ranks must stop after the same step.
    std::array<double, 2> sums{loss.item<double>(), context_.cancel.requested() ? 1.0 : 0.0};
    ranks.sum(sums);
    is_stop_agreed_ = sums[1] > 0;
    const at::Tensor gradient = parameters_.gradient();
    const at::Tensor on_host = gradient.to(at::kCPU);
    ranks.sum_many({on_host.mutable_data_ptr<float>(), static_cast<std::size_t>(on_host.numel())});
    if (!gradient.is_cpu()) parameters_.gradient().copy_(on_host);
    return at::full_like(loss, sums[0]);
  }

  bool must_stop() const {
    return context_.ranks.alone() ? context_.cancel.requested() : is_stop_agreed_;
  }

  /// Ranks that do not see the same state file would wait for each other's steps for ever.
  void check_same_step() const {
    if (context_.ranks.alone()) return;
    const std::string own = std::to_string(step_);
    for (const std::string& other : context_.ranks.gather(own)) {
      if (other == own) continue;
      fail_resource(cat("ranks do not see the same state in ", options_.state_file.string(),
                        "; choose an --out on a disk that all share"));
    }
  }

  void update_average() {
    if (!average_.defined()) return;
    const at::NoGradGuard no_grad;
    // The first steps count more, or the random start would linger (as diffusers' EMAModel).
    const double ramp = (1.0 + static_cast<double>(step_)) / (10.0 + static_cast<double>(step_));
    average_.lerp_(parameters_.data(), 1.0 - std::min(options_.ema_decay, ramp));
  }

  void end_stretch() {
    const double mean = stretch_sum_.item<double>() / static_cast<double>(stretch_);
    stretch_ = 0;
    if (!std::isfinite(mean)) {
      throw Error(ErrorKind::kInternal,
                  cat("the loss of ", options_.name, " is not finite at step ", step_,
                      "; try a lower --lr or a longer --warmup"));
    }
    result_.losses.push_back({step_, mean});
    note("loss", mean);
    note("learning_rate", learning_rate(options_.optimizer, step_ - 1, options_.steps));
    fetch_losses();
  }

  /// Losses stay on the device until a stretch ends, so that no step waits for it.
  void fetch_losses() {
    if (new_losses_.empty()) return;
    const at::Tensor values = at::stack(new_losses_).to(at::kCPU);
    std::int64_t step = step_ - values.numel();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      result_.step_losses.push_back({++step, values[i].item<double>()});
    }
    new_losses_.clear();
  }

  void validate() {
    if (options_.validate_every == 0) return;
    const at::NoGradGuard no_grad;
    const std::optional<double> loss = task_.validation_loss();
    if (!loss) return;
    result_.validation.push_back({step_, *loss});
    note("validation/loss", *loss);
    for (const auto& [name, value] : task_.validation_figures()) note("validation/" + name, value);
  }

  void note(const std::string& tag, double value) {
    if (events_) events_->add(tag, step_, value);
  }

  void preview() {
    const at::NoGradGuard no_grad;
    if (!average_.defined()) return task_.preview(step_);
    const at::Tensor current = parameters_.data().clone();
    parameters_.data().copy_(average_);
    task_.preview(step_);
    parameters_.data().copy_(current);
  }

  double seconds() const {
    return result_.seconds + std::chrono::duration<double>(Clock::now() - started_).count();
  }

  void save() {
    if (options_.state_file.empty() || !context_.ranks.first()) return;
    fetch_losses();
    io::NamedTensors tensors{{"parameters", parameters_.data()},
                             {"first_moment", optimizer_.first_moment()},
                             {"second_moment", optimizer_.second_moment()}};
    if (average_.defined()) tensors.emplace_back("average", average_);
    if (stretch_ > 0) tensors.emplace_back("stretch_sum", stretch_sum_);
    Json progress{{"step", step_},
                  {"stretch", stretch_},
                  {"seconds", seconds()},
                  {"losses", curve_to_json(result_.losses)},
                  {"validation", curve_to_json(result_.validation)}};
    if (options_.keep_step_losses) progress["step_losses"] = curve_to_json(result_.step_losses);
    io::write_safetensors(options_.state_file, tensors,
                          {{"identity", options_.identity},
                           {"layout", parameters_.layout()},
                           {"progress", progress.dump()}});
  }

  void resume() {
    const io::SafetensorsFile file(options_.state_file);
    const std::string where = options_.state_file.string();
    const io::Metadata& metadata = file.metadata();
    if (!metadata.contains("progress") || !metadata.contains("identity") ||
        !metadata.contains("layout")) {
      fail_input(cat(where, " is not a training state; remove it or use --force"));
    }
    if (metadata.at("identity") != options_.identity ||
        metadata.at("layout") != parameters_.layout()) {
      fail_usage(cat("the training state ", where,
                     " belongs to other settings or data; use --force to start over, "
                     "or another --out"));
    }
    const at::NoGradGuard no_grad;
    parameters_.data().copy_(file.tensor("parameters"));
    const Json progress = Json::parse(metadata.at("progress"));
    step_ = progress.at("step").get<std::int64_t>();
    stretch_ = progress.at("stretch").get<std::int64_t>();
    optimizer_.restore(file.tensor("first_moment"), file.tensor("second_moment"), step_);
    if (average_.defined()) average_.copy_(file.tensor("average"));
    if (stretch_ > 0) stretch_sum_ = file.tensor("stretch_sum").clone();
    result_.seconds = progress.at("seconds").get<double>();
    result_.losses = curve_from_json(progress.at("losses"));
    result_.validation = curve_from_json(progress.at("validation"));
    result_.step_losses = curve_from_json(progress.value("step_losses", Json::array()));
    resumed_ = true;
    context_.report.info(cat(options_.name, ": resumed at step ", step_, " of ", options_.steps));
  }

  TrainResult finish() {
    if (average_.defined()) {
      const at::NoGradGuard no_grad;
      parameters_.data().copy_(average_);
    }
    result_.seconds = seconds();
    result_.steps = step_;
    return std::move(result_);
  }

  const EngineOptions& options_;
  FlatParameters& parameters_;
  Task& task_;
  Context& context_;
  AdamW optimizer_;
  at::Tensor average_;
  TrainResult result_;
  std::int64_t step_ = 0;
  std::vector<at::Tensor> new_losses_;  ///< since the last fetch_losses
  std::int64_t stretch_ = 0;            ///< steps since the last point of the loss curve
  at::Tensor stretch_sum_;
  Clock::time_point started_;
  bool resumed_ = false;
  bool is_stop_agreed_ = false;  ///< by the ranks, in the last step
  std::optional<EventFile> events_;
};

}  // namespace

TrainResult run_training(const EngineOptions& options, FlatParameters& parameters, Task& task,
                         Context& context) {
  return Run(options, parameters, task, context).run();
}

}  // namespace dd::train
