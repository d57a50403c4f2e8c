// SPDX-License-Identifier: Apache-2.0
#include "dd/run/run.h"

#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/report/report.h"
#include "dd/report/summary.h"
#include "dd/run/execute.h"
#include "dd/run/report_inputs.h"
#include "dd/run/setup.h"
#include "dd/run/stages.h"

namespace dd::run {
namespace {

/// Seeds, methods, modes and comparisons may be added later.
Identity run_identity() {
  return {"run.json", {"seeds", "methods", "mode", "align"}};
}

std::string plan_text(const Setup& setup, const Chain& chain) {
  std::string text =
      cat("plan for ", setup.common.out.string(), ": ", chain.stages().size(), " stages, ",
          setup.seeds.size(), " seed(s), ", chain.measurements().size(), " measurements\n");
  for (const Stage& stage : chain.stages()) text += cat("  ", stage.name, ": ", stage.what, '\n');
  return text;
}

/// Of the stages that are not done.
std::int64_t bytes_to_write(const Setup& setup, const Chain& chain) {
  const StageRecord record(setup.common.out / "stages.json");
  std::int64_t bytes = 0;
  for (const Stage& stage : chain.stages()) {
    if (setup.common.force || !record.is_complete(stage.name, stage.units)) bytes += stage.bytes;
  }
  return bytes;
}

Setup prepare(const RunOptions& options, const CommonOptions& common, Context& context) {
  options.check();
  if (common.out.empty()) fail_usage("--out is missing; name the folder that run writes to");
  Setup setup = find_inputs(options, common, context);
  check_earlier(setup, run_identity());
  find_costs(setup, run_identity());
  return setup;
}

}  // namespace

RunResult run_all(const RunOptions& options, const CommonOptions& common, Context& context) {
  const Setup setup = prepare(options, common, context);
  const Chain chain = plan_chain(setup);
  RunResult result;
  report_room(setup, bytes_to_write(setup, chain), context.report);
  if (common.dry_run) {
    result.text = plan_text(setup, chain);
    return result;
  }
  write_json(common.out / run_identity().file, describe_setup(setup, run_identity()));
  StageRecord record(common.out / "stages.json");
  for (const Stage& stage : chain.stages()) {
    if (common.force) record.clear(stage.name);
    ++(run_stage(stage, record, context) ? result.done : result.kept);
  }
  Json results = Json::array();
  for (const Measurement& measured : chain.measurements()) {
    results.push_back(result_of(setup, measured, record));
  }
  write_json(common.out / "results.json", results);
  warn_of_results(options, results, context.report);
  save_report_inputs(setup, chain);
  report::write_report(common.out);
  result.text = report::summary_table(report::summarise(results));
  return result;
}

}  // namespace dd::run
