// SPDX-License-Identifier: Apache-2.0
#include "dd/run/run.h"

#include <chrono>

#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/core/memory.h"
#include "dd/report/mistakes.h"
#include "dd/report/report.h"
#include "dd/report/summary.h"
#include "dd/run/setup.h"
#include "dd/run/stage_record.h"
#include "dd/run/stages.h"

namespace dd::run {
namespace {

std::string plan_text(const Setup& setup, const Chain& chain) {
  std::string text =
      cat("plan for ", setup.common.out.string(), ": ", chain.stages.size(), " stages, ",
          setup.seeds.size(), " seed(s), ", chain.measurements.size(), " measurements\n");
  for (const Stage& stage : chain.stages) text += cat("  ", stage.name, ": ", stage.what, '\n');
  return text;
}

/// Runs one stage and notes its time and memory, also when it was stopped on the way.
bool run_stage(const Stage& stage, StageRecord& record, Context& context) {
  using Clock = std::chrono::steady_clock;
  const PeakMemory peak;
  const auto start = Clock::now();
  const auto cost = [&] {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return StageRecord::Cost{seconds, peak.bytes().value_or(0)};
  };
  try {
    const bool worked = stage.run(context);
    if (worked) record.add(stage.name, cost());
    return worked;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) record.add(stage.name, cost());
    throw;
  }
}

Json result_of(const Setup& setup, const Measurement& measured, const StageRecord& record) {
  const std::filesystem::path file = setup.common.out / measured.evaluation / "metrics.json";
  const Json metrics = read_json(file);
  double seconds = 0;
  for (const std::string& stage : measured.work) seconds += record.seconds(stage);
  return {{"method", measured.method},
          {"mode", measured.mode},
          {"shots", measured.shots},
          {"images_per_class", measured.images_per_class},
          {"seed", measured.seed},
          {"split", setup.options.test_split},
          {"top1", json_required<double>(metrics, "top1", file.string())},
          {"n", json_required<std::int64_t>(metrics, "n", file.string())},
          {"seconds", seconds},
          {"protocol", "held-out"},
          {"evaluation", measured.evaluation},
          {"classifier", measured.classifier}};
}

/// The report shows pictures of what went wrong, for the first seed.
void keep_mistakes(const Setup& setup, const Chain& chain) {
  const std::unique_ptr<Dataset> data =
      open_dataset(parse_data_spec(setup.options.data), setup.options.test_split);
  const report::ScoredImages images{[&](std::int64_t i) { return data->id(i); },
                                    [&](std::int64_t i) { return data->image(i); }, data->size()};
  for (const Measurement& measured : chain.measurements) {
    if (measured.seed == setup.seeds.front()) {
      report::save_mistakes(setup.common.out / measured.evaluation, images);
    }
  }
}

}  // namespace

RunResult run_all(const RunOptions& options, const CommonOptions& common, Context& context) {
  const Setup setup = prepare(options, common, context);
  const Chain chain = plan_chain(setup);
  RunResult result;
  if (common.dry_run) {
    result.text = plan_text(setup, chain);
    return result;
  }
  write_run_file(setup);
  StageRecord record(common.out / "stages.json");
  for (const Stage& stage : chain.stages) {
    context.cancel.check();
    context.report.info(cat(stage.name, ": ", stage.what));
    if (common.force) record.clear(stage.name);
    const bool worked = run_stage(stage, record, context);
    ++(worked ? result.done : result.kept);
    if (!worked) context.report.info(cat(stage.name, ": kept"));
  }
  Json results = Json::array();
  for (const Measurement& measured : chain.measurements) {
    results.push_back(result_of(setup, measured, record));
  }
  write_json(common.out / "results.json", results);
  keep_mistakes(setup, chain);
  report::write_report(common.out);
  result.text = report::summary_table(report::summarise(results));
  return result;
}

}  // namespace dd::run
