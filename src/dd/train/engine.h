// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dd/core/context.h"
#include "dd/train/optimizer.h"

namespace dd::train {

/// What is trained. Everything random in it follows from the step number, so that a run that was
/// interrupted goes on exactly as if it had not been.
class Task {
 public:
  virtual ~Task() = default;
  /// The scalar loss of this step, with its graph.
  virtual at::Tensor loss(std::int64_t step) = 0;
  /// A step may compute its loss in parts, whose gradients are added up: less memory, one result;
  /// or several ranks at work on one step, each asking for parts of its own.
  virtual std::int64_t parts() const { return 1; }
  /// Parts of a step are asked for in order; their sum is loss(step).
  virtual at::Tensor part_of_loss(std::int64_t step, std::int64_t) { return loss(step); }
  /// A loss that means the same at every step (fixed images, noise and timesteps), or nothing.
  /// Called after `step` steps, also of a training that goes on from there; without gradient
  /// recording. May be stopped.
  virtual std::optional<double> validation_loss(std::int64_t) { return std::nullopt; }
  /// What validation_loss() found besides, by name ("top1"), for the event file.
  virtual std::vector<std::pair<std::string, double>> validation_figures() const { return {}; }
  /// Called every `preview_every` steps with the averaged parameters in place: samples, contact
  /// sheets, intermediate weights. Without gradient recording.
  virtual void preview(std::int64_t) {}
};

/// Several trainings whose steps go through the model together. None sees another's parameters, so
/// that the sum of their losses has the gradient of each.
class JointTask {
 public:
  virtual ~JointTask() = default;
  /// As Task::parts.
  virtual std::int64_t parts() const { return 1; }
  /// As Task::part_of_loss, of each training: [N] with its graph.
  virtual at::Tensor part_of_losses(std::int64_t step, std::int64_t part) = 0;
  /// As Task::validation_loss, of each training, or nothing.
  virtual std::vector<double> validation_losses() { return {}; }
};

struct EngineOptions {
  std::string name = "training";  ///< for progress
  std::int64_t steps = 0;
  std::int64_t save_every = 500;  ///< steps between resumable states; 0 = only at the end or a stop
  std::int64_t validate_every = 50;  ///< steps between validation losses; 0 = never
  std::int64_t preview_every = 0;    ///< steps between previews; 0 = none
  double ema_decay = 0;  ///< of an exponential moving average of the parameters; 0 = none
  std::filesystem::path state_file;  ///< resumable state; empty = none is kept
  bool keep_step_losses = false;     ///< fills TrainResult::step_losses
  std::filesystem::path events;      ///< folder of the EventFile for TensorBoard; empty = none
  /// Identifies what a state belongs to (options, data). A state with another identity is an error.
  std::string identity;
  OptimizerOptions optimizer{};
};

/// A point of a curve.
struct CurvePoint {
  std::int64_t step;
  double value;
};

struct TrainResult {
  std::vector<CurvePoint> losses;       ///< mean loss of each stretch of steps, at its end
  std::vector<CurvePoint> step_losses;  ///< of each step (from 1), where they are kept
  std::vector<CurvePoint> validation;   ///< at step 0, every `validate_every` steps, and the end
  double seconds = 0;                   ///< of all runs together when it was resumed
  std::int64_t steps = 0;
};

/// The one training loop: forward, backward, clipping, update, curves, moving average, state files,
/// resuming and stopping. Several ranks (Context::ranks) share the parts of each step, add up their
/// gradients and hold the same parameters; rank 0 alone writes. A state may be resumed by another
/// number of them. At the end the parameters are the averaged ones where an average is kept.
/// Throws Error(kCancelled) after saving when a stop is asked for; Error(kInternal) when the loss
/// is not finite.
TrainResult run_training(const EngineOptions& options, FlatParameters& parameters, Task& task,
                         Context& context);

/// The same for several trainings at once, each with its own clipping, update, curves and state
/// file, as if it were alone; but without previews. Steps and intervals must be the same for all,
/// and their states at one step (see resumable_step). Time is shared out evenly. `name` is for
/// progress. Of several ranks each has its own: `context` is of one alone.
std::vector<TrainResult> run_joint_training(const std::string& name,
                                            std::span<const EngineOptions> options,
                                            StackedParameters& parameters, JointTask& task,
                                            Context& context);

/// The step that a training with this state file would go on from; 0 where there is none.
std::int64_t resumable_step(const std::filesystem::path& state_file);

}  // namespace dd::train
