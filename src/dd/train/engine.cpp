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
#include <memory>

#include "dd/core/event_file.h"
#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/core/ranks.h"
#include "dd/io/safetensors.h"
#include "dd/train/gradient_sum.h"

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

constexpr std::string_view kNoState = " is not a training state; remove it or use --force";

std::vector<CurvePoint> curve_from_json(const Json& json) {
  std::vector<CurvePoint> curve;
  for (const Json& point : json)
    curve.push_back({point.at(0).get<std::int64_t>(), point.at(1).get<double>()});
  return curve;
}

std::string loss_text(std::optional<double> loss, std::optional<double> validation) {
  char text[96] = "";
  int length = 0;
  if (loss) length = std::snprintf(text, sizeof text, "loss %.4f", *loss);
  if (validation) {
    std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length),
                  "%svalidation %.4f", length ? ", " : "", *validation);
  }
  return text;
}

std::optional<double> last_of(const std::vector<CurvePoint>& curve) {
  return curve.empty() ? std::nullopt : std::optional(curve.back().value);
}

/// What `work` returns, which changes no parameter. Where it is stopped, or given up because
/// another rank has failed, the last step is saved.
template <class Work, class Save>
auto unless_stopped(const Work& work, const Save& save) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) save();
    throw;
  }
}

/// One training: its parameters, optimizer, curves and state. Where it takes its steps together
/// with others, it has no task of its own, and JointRun does what one has to do for all.
class Run {
 public:
  /// `share` is its part of the time that passes.
  Run(const EngineOptions& options, FlatParameters& parameters, Task* task, Context& context,
      double share = 1)
      : options_(options),
        parameters_(parameters),
        task_(task),
        context_(context),
        share_(share),
        optimizer_(parameters, options.optimizer) {
    if (options_.ema_decay > 0) average_ = parameters_.data().clone();
    if (!context_.ranks.alone()) gradient_sum_.emplace(parameters_, context_.ranks);
  }

  TrainResult run() {
    prepare();
    if ((step_ == 0 && !resumed_) || owes_validation()) validate();
    while (step_ < options_.steps) {
      if (must_stop()) {
        save();
        CancelToken::stop();
      }
      train_step();
      if (options_.preview_every > 0 && step_ % options_.preview_every == 0 &&
          step_ < options_.steps && context_.ranks.first())
        preview();
      context_.report.progress(options_.name, step_, options_.steps,
                               loss_text(last_of(result_.losses), last_of(result_.validation)));
      if (is_save_due()) save();
    }
    return finish();
  }

 private:
  friend class JointRun;

  /// To where the state file says, or the start.
  void prepare() {
    if (!options_.state_file.empty() && path_exists(options_.state_file)) resume();
    check_same_step();
    if (!options_.events.empty() && context_.ranks.first()) {
      events_.emplace(options_.events, resumed_ ? std::optional(step_) : std::nullopt);
    }
    started_ = Clock::now();
  }

  void train_step() {
    parameters_.zero_gradient();
    take_step(unless_stopped([&] { return accumulate_gradient(); }, [&] { save(); }));
    if (is_validation_due()) validate();
  }

  /// Takes the step whose gradient is there and whose loss is `value`, float64 on its device.
  void take_step(const at::Tensor& value) {
    if (options_.optimizer.clip > 0) parameters_.clip_gradient(options_.optimizer.clip);
    optimizer_.step(learning_rate(options_.optimizer, step_, options_.steps));
    ++step_;
    update_average();
    if (options_.keep_step_losses) new_losses_.push_back(value);
    stretch_sum_ = stretch_ == 0 ? value.clone() : stretch_sum_.add_(value);
    ++stretch_;
    if (stretch_ == kStretch || step_ == options_.steps) end_stretch();
  }

  bool is_validation_due() const {
    if (options_.validate_every == 0) return false;
    return step_ % options_.validate_every == 0 || step_ == options_.steps;
  }

  /// Whether the state was saved when a validation was stopped.
  bool owes_validation() const {
    const bool is_due = step_ == 0 || is_validation_due();
    if (!resumed_ || options_.validate_every == 0 || !is_due) return false;
    return result_.validation.empty() || result_.validation.back().step != step_;
  }

  /// At the end too: what the caller writes next may be interrupted, and the steps need not be
  /// taken again for it.
  bool is_save_due() const {
    return step_ == options_.steps || (options_.save_every > 0 && step_ % options_.save_every == 0);
  }

  /// Returns the step's loss, float64 on its device. Ranks take turns with the parts.
  at::Tensor accumulate_gradient() {
    const Ranks& ranks = context_.ranks;
    at::Tensor sum = at::zeros({}, parameters_.data().options().dtype(at::kDouble));
    for (std::int64_t part = ranks.rank(); part < task_->parts(); part += ranks.count()) {
      // Ranks agree on a stop after the step: others wait for this one's part.
      if (ranks.alone()) context_.cancel.check();
      const at::Tensor loss = task_->part_of_loss(step_, part);
      if (gradient_sum_ && part + ranks.count() >= task_->parts()) gradient_sum_->begin_last_pass();
      loss.backward();
      sum += loss.detach().to(at::kDouble);
    }
    return add_up_over_ranks(sum);
  }

  /// Makes the gradient that of all ranks and returns the loss of all.
  at::Tensor add_up_over_ranks(const at::Tensor& loss) {
    Ranks& ranks = context_.ranks;
    if (ranks.alone()) return loss;
    // Stops are agreed on too: all ranks must stop after the same step.
    std::array<double, 2> sums{loss.item<double>(), context_.cancel.requested() ? 1.0 : 0.0};
    gradient_sum_->finish();
    ranks.sum(sums);
    is_stop_agreed_ = sums[1] > 0;
    return at::full_like(loss, sums[0]);
  }

  bool must_stop() const {
    return context_.ranks.alone() ? context_.cancel.requested() : is_stop_agreed_;
  }

  /// Ranks that do not see the same state file would wait for each other's steps for ever.
  void check_same_step() const {
    if (context_.ranks.alone()) return;
    const std::string own = resumed_ ? std::to_string(step_) : "";
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
    // It may take long, so it may be stopped; who resumes then makes up for it.
    const std::optional<double> loss =
        unless_stopped([&] { return task_->validation_loss(step_); }, [&] { save(); });
    if (!loss) return;
    add_validation(*loss);
    for (const auto& [name, value] : task_->validation_figures()) note("validation/" + name, value);
  }

  void add_validation(double loss) {
    result_.validation.push_back({step_, loss});
    note("validation/loss", loss);
  }

  void note(const std::string& tag, double value) {
    if (events_) events_->add(tag, step_, value);
  }

  void preview() {
    const at::NoGradGuard no_grad;
    if (!average_.defined()) return task_->preview(step_);
    const at::Tensor current = parameters_.data().clone();
    parameters_.data().copy_(average_);
    task_->preview(step_);
    parameters_.data().copy_(current);
  }

  double seconds() const {
    const double passed = std::chrono::duration<double>(Clock::now() - started_).count();
    return result_.seconds + share_ * passed;
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
      fail_input(cat(where, kNoState));
    }
    if (metadata.at("identity") != options_.identity ||
        metadata.at("layout") != parameters_.layout()) {
      fail_usage(cat("the training state ", where,
                     " belongs to other settings or data; use --force to start over, "
                     "or another --out"));
    }
    const at::NoGradGuard no_grad;
    parameters_.data().copy_(file.tensor("parameters"));
    try {
      restore_progress(Json::parse(metadata.at("progress")));
    } catch (const nlohmann::json::exception&) {
      fail_input(cat(where, kNoState));
    }
    if (step_ > options_.steps) {
      fail_usage(cat("the training state ", where, " is of step ", step_, ", after the ",
                     options_.steps,
                     " that are asked for; use --force to start over, or another "
                     "--out"));
    }
    optimizer_.restore(file.tensor("first_moment"), file.tensor("second_moment"), step_);
    if (average_.defined()) average_.copy_(file.tensor("average"));
    if (stretch_ > 0) stretch_sum_ = file.tensor("stretch_sum").clone();
    resumed_ = true;
    context_.report.info(cat(options_.name, ": resumed at step ", step_, " of ", options_.steps));
  }

  void restore_progress(const Json& progress) {
    step_ = progress.at("step").get<std::int64_t>();
    stretch_ = progress.at("stretch").get<std::int64_t>();
    result_.seconds = progress.at("seconds").get<double>();
    result_.losses = curve_from_json(progress.at("losses"));
    result_.validation = curve_from_json(progress.at("validation"));
    result_.step_losses = curve_from_json(progress.value("step_losses", Json::array()));
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
  Task* task_;
  Context& context_;
  double share_;
  AdamW optimizer_;
  std::optional<GradientSum> gradient_sum_;  ///< none alone
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

/// Trainings that share their passes through the model, step by step.
class JointRun {
 public:
  JointRun(std::string name, std::span<const EngineOptions> options, StackedParameters& parameters,
           JointTask& task, Context& context)
      : name_(std::move(name)),
        options_(options.front()),
        parameters_(parameters),
        task_(task),
        context_(context) {
    ensure(parameters.size() == std::ssize(options), "each of the joint trainings has options");
    const double share = 1.0 / static_cast<double>(options.size());
    for (const EngineOptions& each : options) {
      ensure(each.steps == options_.steps, "joint trainings must have the same steps");
      runs_.push_back(
          std::make_unique<Run>(each, parameters.row(std::ssize(runs_)), nullptr, context, share));
    }
  }

  std::vector<TrainResult> run() {
    for (const auto& run : runs_) {
      run->prepare();
      ensure(run->step_ == step(), "joint trainings must go on from the same step");
    }
    const bool is_new = step() == 0 && !runs_.front()->resumed_;
    if (is_new || runs_.front()->owes_validation()) validate();
    while (step() < options_.steps) {
      unless_stopped([&] { context_.cancel.check(); }, [&] { save(); });
      train_step();
      report();
      if (runs_.front()->is_save_due()) save();
    }
    std::vector<TrainResult> results;
    for (const auto& run : runs_) results.push_back(run->finish());
    return results;
  }

 private:
  std::int64_t step() const { return runs_.front()->step_; }

  void save() {
    for (const auto& run : runs_) run->save();
  }

  void train_step() {
    parameters_.zero_gradient();
    const at::Tensor values =
        unless_stopped([&] { return accumulate_gradient(); }, [&] { save(); });
    parameters_.gather_gradient();
    ensure(values.numel() == std::ssize(runs_), "each of the joint trainings has a loss");
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      runs_[i]->take_step(values[static_cast<std::int64_t>(i)]);
    }
    if (runs_.front()->is_validation_due()) validate();
  }

  /// Returns the step's losses, float64 on their device.
  at::Tensor accumulate_gradient() {
    at::Tensor values;
    for (std::int64_t part = 0; part < task_.parts(); ++part) {
      context_.cancel.check();
      const at::Tensor losses = task_.part_of_losses(step(), part);
      losses.sum().backward();
      const at::Tensor value = losses.detach().to(at::kDouble);
      values = part == 0 ? value : values + value;
    }
    return values;
  }

  void validate() {
    if (options_.validate_every == 0) return;
    const at::NoGradGuard no_grad;
    const std::vector<double> losses =
        unless_stopped([&] { return task_.validation_losses(); }, [&] { save(); });
    for (std::size_t i = 0; i < losses.size(); ++i) runs_[i]->add_validation(losses[i]);
  }

  /// Means over the trainings.
  void report() const {
    const auto mean = [&](std::vector<CurvePoint> TrainResult::*curve) {
      double sum = 0;
      for (const auto& run : runs_) {
        const std::optional<double> last = last_of(run->result_.*curve);
        if (!last) return std::optional<double>();
        sum += *last;
      }
      return std::optional(sum / static_cast<double>(runs_.size()));
    };
    context_.report.progress(name_, step(), options_.steps,
                             loss_text(mean(&TrainResult::losses), mean(&TrainResult::validation)));
  }

  std::string name_;
  const EngineOptions& options_;  ///< of the first: what all have in common
  StackedParameters& parameters_;
  JointTask& task_;
  Context& context_;
  std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace

TrainResult run_training(const EngineOptions& options, FlatParameters& parameters, Task& task,
                         Context& context) {
  return Run(options, parameters, &task, context).run();
}

std::vector<TrainResult> run_joint_training(const std::string& name,
                                            std::span<const EngineOptions> options,
                                            StackedParameters& parameters, JointTask& task,
                                            Context& context) {
  ensure(!options.empty(), "nothing to train");
  ensure(context.ranks.alone(), "ranks do not share joint trainings; each takes its own");
  return JointRun(name, options, parameters, task, context).run();
}

std::int64_t resumable_step(const std::filesystem::path& state_file) {
  if (!path_exists(state_file)) return 0;
  const io::SafetensorsFile file(state_file);
  const auto progress = file.metadata().find("progress");
  // Resuming says what is wrong with such a file.
  if (progress == file.metadata().end()) return 0;
  return json_value<std::int64_t>(parse_json(progress->second), "step", 0, state_file.string());
}

}  // namespace dd::train
