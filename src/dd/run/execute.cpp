// SPDX-License-Identifier: Apache-2.0
#include "dd/run/execute.h"

#include <chrono>

#include "dd/core/error.h"
#include "dd/core/memory.h"

namespace dd::run {
namespace {

/// Passes on what a stage reports and, as it goes, notes what the stage has cost so far: a process
/// that is killed says nothing at its end.
class StageClock final : public Reporter {
 public:
  StageClock(const Stage& stage, StageRecord& record, Reporter& next, std::chrono::seconds every)
      : stage_(stage.name),
        record_(record),
        next_(next),
        every_(every),
        is_complete_(record.is_complete(stage.name, stage.units)) {}

  void info(const std::string& text) override { next_.info(text); }
  void warn(const std::string& text) override { next_.warn(text); }
  void progress(const std::string& task, std::int64_t done, std::int64_t total,
                const std::string& detail) override {
    next_.progress(task, done, total, detail);
    // To find that it is complete takes time as well, which is not the stage's.
    if (is_complete_ || Clock::now() - last_ < every_) return;
    try {
      note();
    } catch (const Error&) {
      every_ *= 2;  // the stage itself will say what is the matter with the disk
    }
  }

  /// Adds what was not noted yet.
  void note() {
    const double seconds = since_last();
    record_.add(stage_, {seconds, peak_.bytes().value_or(0)});
    last_ = Clock::now();
    noted_ += seconds;
  }
  /// Of a stage that found nothing to do.
  void forget() {
    if (noted_ > 0) record_.add(stage_, {-noted_, 0});
  }

 private:
  using Clock = std::chrono::steady_clock;
  double since_last() const { return std::chrono::duration<double>(Clock::now() - last_).count(); }

  std::string stage_;
  StageRecord& record_;
  Reporter& next_;
  std::chrono::seconds every_;
  bool is_complete_;  ///< by the record, here or of another process
  PeakMemory peak_;
  Clock::time_point last_ = Clock::now();
  double noted_ = 0;
};

template <class T>
Json where(bool has_meaning, const T& value) {
  return has_meaning ? Json(value) : Json();
}

}  // namespace

bool run_stage(const Stage& stage, StageRecord& record, Context& context,
               std::chrono::seconds note_every) {
  context.cancel.check();
  context.report.info(cat(stage.name, ": ", stage.what));
  StageClock clock(stage, record, context.report, note_every);
  Context timed{clock, context.cancel, context.ranks};
  try {
    const bool worked = stage.run(timed);
    if (worked) {
      clock.note();
    } else {
      clock.forget();
      context.report.info(cat(stage.name, ": kept"));
    }
    record.complete(stage.name, {.work = work_name(stage.work), .units = stage.units});
    return worked;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) clock.note();
    throw;
  }
}

Json description_of(const Setup& setup, const Measurement& measured) {
  const Cell& cell = measured.cell;
  const RunOptions& settings = cell.settings;
  const bool draws = cell.method.images != ImageSource::kNone;
  return {{"method", cell.method.name},
          {"mode", cell.mode},
          {"shots", measured.shots()},
          {"images_per_class", measured.images_per_class()},
          {"seed", cell.seed},
          {"adapt_steps", where(cell.adapted(), settings.adapt_steps)},
          {"sampler", where(draws, settings.sampler)},
          {"sample_steps", where(draws, settings.sample_steps)},
          {"guidance", where(draws, settings.guidance)},
          {"guidance_interval", where(draws, settings.guidance_interval)},
          {"cache_every", where(draws, settings.cache_every)},
          {"decode_shrink", where(draws, settings.decode_shrink)},
          {"lambda", where(cell.method.mixes() && settings.lambdas.empty(), settings.lambda)},
          {"split", settings.test_split},
          {"protocol", settings.protocol},
          {"effort", effort_of(cell, setup.costs, setup.data->num_classes()).to_json()},
          {"evaluation", measured.evaluation},
          {"classifier", measured.classifier}};
}

Json result_of(const Setup& setup, const Measurement& measured, const StageRecord& record) {
  const std::filesystem::path file = setup.common.out / measured.evaluation / "metrics.json";
  const Json metrics = read_json(file);
  double seconds = 0;
  for (const Share& share : measured.work) seconds += record.seconds(share.stage, share.units);
  Json result = description_of(setup, measured);
  result["top1"] = json_required<double>(metrics, "top1", file.string());
  result["n"] = json_required<std::int64_t>(metrics, "n", file.string());
  result["seconds"] = seconds;
  return result;
}

void warn_of_results(const RunOptions& options, const Json& results, Reporter& report) {
  if (options.paper_code()) {
    report.warn(cat("--protocol paper-code chose the best epoch on the split ", options.test_split,
                    " that it measures on, as the official code does; do not compare these "
                    "accuracies with held-out ones"));
  }
  if (const std::string unequal = unequal_training(results); !unequal.empty()) {
    report.warn(unequal);
  }
}

}  // namespace dd::run
