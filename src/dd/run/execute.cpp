// SPDX-License-Identifier: Apache-2.0
#include "dd/run/execute.h"

#include <chrono>

#include "dd/core/error.h"
#include "dd/core/memory.h"

namespace dd::run {
namespace {

template <class T>
Json where(bool has_meaning, const T& value) {
  return has_meaning ? Json(value) : Json();
}

}  // namespace

bool run_stage(const Stage& stage, StageRecord& record, Context& context) {
  using Clock = std::chrono::steady_clock;
  context.cancel.check();
  context.report.info(cat(stage.name, ": ", stage.what));
  const PeakMemory peak;
  const auto start = Clock::now();
  const auto cost = [&] {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return StageRecord::Cost{seconds, peak.bytes().value_or(0)};
  };
  try {
    const bool worked = stage.run(context);
    if (worked) {
      record.add(stage.name, cost());
    } else {
      context.report.info(cat(stage.name, ": kept"));
    }
    record.complete(stage.name, {.work = work_name(stage.work), .units = stage.units});
    return worked;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) record.add(stage.name, cost());
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
