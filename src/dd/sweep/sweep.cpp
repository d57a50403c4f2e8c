// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/sweep.h"

#include <algorithm>
#include <optional>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/report/sweep_report.h"
#include "dd/run/execute.h"
#include "dd/run/setup.h"
#include "dd/sweep/alignment.h"
#include "dd/sweep/cell_file.h"
#include "dd/sweep/cost.h"
#include "dd/sweep/grid.h"
#include "dd/sweep/shard.h"
#include "dd/sweep/table.h"

namespace dd::sweep {
namespace {

namespace fs = std::filesystem;
using run::Measurement;

run::Identity sweep_identity() {
  return {"sweep.json", SweepOptions::free_settings()};
}

run::Setup prepare(const SweepOptions& options, const CommonOptions& common, Context& context) {
  run::RunOptions base = options.base;
  // Fewer shots are the first of more.
  base.shots = std::ranges::max(options.shots);
  run::Setup setup = run::find_inputs(base, common, context);
  run::check_earlier(setup, sweep_identity());
  run::find_costs(setup, sweep_identity());
  return setup;
}

/// The times that all parts noted: each process writes a file of its own.
run::StageRecord open_record(const fs::path& out, const Shard& shard) {
  const std::string name =
      shard.of == 1 ? "stages.json" : cat("stages-", shard.number, "-of-", shard.of, ".json");
  run::StageRecord record(out / name);
  if (!path_is_folder(out)) return record;
  for (const auto& entry : fs::directory_iterator(out)) {
    const std::string file = entry.path().filename().string();
    if (file.starts_with("stages") && file.ends_with(".json")) record.know(entry.path());
  }
  return record;
}

/// One call of run_sweep, with its input found.
class Sweeper {
 public:
  Sweeper(const run::Setup& setup, const SweepOptions& options, Context& context)
      : setup_(setup),
        options_(options),
        context_(context),
        description_(run::describe_setup(setup, sweep_identity())),
        cells_(setup, run::models_and_settings(setup, sweep_identity()).dump()),
        chain_(setup, run::StageNames::Style::kFull),
        shard_(parse_shard(options.shard)),
        record_(open_record(setup.common.out, shard_)) {
    description_["settings"] = options_to_json(options);
    SweepOptions found = options;
    found.base = setup.options;  // a template's {domain} is filled in
    for (const run::Cell& cell : cells_of(found, setup.seeds)) chain_.add(cell);
    if (options.base.align) plan_comparisons();
    mine_ = measurements_of(chain_, shard_);
  }

  std::vector<const Measurement*> missing() const {
    std::vector<const Measurement*> todo;
    for (const Measurement* measured : mine_) {
      if (setup_.common.force || !cells_.find(*measured)) todo.push_back(measured);
    }
    return todo;
  }

  void report_room() const {
    run::report_room(setup_, bytes_to_write(chain_, missing(), record_), context_.report);
  }

  std::string plan() const {
    const std::vector<const Measurement*> todo = missing();
    std::string text =
        cat("plan for ", setup_.common.out.string(), ": ", chain_.measurements().size(),
            " cells of ", setup_.seeds.size(), " seed(s)");
    if (shard_.of > 1) text += cat(", ", mine_.size(), " in part ", shard_.text());
    text += cat(", ", mine_.size() - todo.size(), " measured already");
    if (!chain_.comparisons().empty()) {
      text += cat("; ", chain_.comparisons().size(), " sets compared with real images");
    }
    return text + "\n" + cost_text(chain_, todo, record_);
  }

  /// `lock` is that of --out.
  SweepResult work(const OutLock& lock) {
    write_tables(lock);
    SweepResult result;
    for (const Measurement* measured : mine_) {
      if (!setup_.common.force && cells_.find(*measured)) {
        ++result.kept;
        continue;
      }
      ++result.done;
      context_.report.info(
          cat("cell ", result.done + result.kept, "/", mine_.size(), ": ", measured->evaluation));
      for (const std::string& stage : measured->stages) finish(stage);
      cells_.write(*measured, run::result_of(setup_, *measured, record_));
      write_tables(lock);
    }
    compare_images();
    const Json cells = write_tables(lock);
    result.missing = std::ssize(chain_.measurements()) - std::ssize(cells);
    result.text = sweep_table(group_cells(cells));
    if (const Json rows = group_alignments(alignments()); !rows.empty()) {
      result.text += "\n" + alignment_table(rows);
    }
    run::warn_of_results(setup_.options, cells, context_.report);
    if (!cells.empty()) report::write_sweep_report(setup_.common.out);
    return result;
  }

 private:
  /// Returns the cells that are there.
  Json write_tables(const OutLock& lock) const {
    Json cells;
    // Else a part could put a table in place that it made before another's last cell was there.
    lock.in_turn([&] { cells = write_tables_alone(); });
    return cells;
  }

  Json write_tables_alone() const {
    Json cells = Json::array();
    for (const Measurement& measured : chain_.measurements()) {
      auto entry = cells_.find(measured);
      if (!entry) continue;
      // An earlier program may have said less of a cell, or have counted its work otherwise.
      entry->update(run::description_of(setup_, measured));
      cells.push_back(std::move(*entry));
    }
    Json json = description_;
    json["planned_cells"] = chain_.measurements().size();
    json["cells"] = cells;
    json["rows"] = group_cells(cells);
    if (const Json compared = alignments(); !compared.empty()) {
      json["alignments"] = compared;
      json["alignment_rows"] = group_alignments(compared);
    }
    write_json(setup_.common.out / sweep_identity().file, json);
    write_file_atomically(setup_.common.out / "sweep.csv", cells_csv(cells));
    return cells;
  }

  void plan_comparisons() {
    if (run::can_compare(setup_)) {
      add_comparisons(chain_, setup_);
    } else {
      context_.report.warn(cat("--align is left out: a class of ", setup_.options.data,
                               " has no real images besides its ", setup_.options.shots, " shots"));
    }
  }

  /// Of the sets that this part drew or found.
  void compare_images() {
    std::set<std::string> drawn;
    for (const Measurement* measured : mine_) {
      drawn.insert(measured->stages.begin(), measured->stages.end());
    }
    const run::StageNames names(run::StageNames::Style::kFull);
    for (const run::Comparison& comparison : chain_.comparisons()) {
      if (!drawn.contains(comparison.drawing)) continue;
      finish(names.shots(comparison.cell));
      // Its cell may have been kept while its images were removed to save space.
      finish(comparison.drawing);
      finish(comparison.stage);
    }
  }

  Json alignments() const {
    Json entries = Json::array();
    for (const run::Comparison& comparison : chain_.comparisons()) {
      if (Json entry = alignment_of(comparison); !entry.is_null()) {
        entries.push_back(std::move(entry));
      }
    }
    return entries;
  }

  void finish(const std::string& name) {
    // What was done or checked in this call stays so.
    if (!finished_.insert(name).second) return;
    if (setup_.common.force) record_.clear(name);
    run::run_stage(chain_.stage(name), record_, context_);
  }

  const run::Setup& setup_;
  const SweepOptions& options_;
  Context& context_;
  Json description_;
  CellFiles cells_;
  run::Chain chain_;
  Shard shard_;
  run::StageRecord record_;
  std::vector<const Measurement*> mine_;
  std::set<std::string> finished_;
};

}  // namespace

SweepResult run_sweep(const SweepOptions& options, const CommonOptions& common, Context& context) {
  options.check();
  if (common.out.empty()) fail_usage("--out is missing; name the folder that sweep writes to");
  std::optional<OutLock> lock;
  if (!common.dry_run) lock.emplace(common.out, parse_shard(options.shard));
  if (const std::string text = lock ? lock->warning() : ""; !text.empty())
    context.report.warn(text);
  const run::Setup setup = prepare(options, common, context);
  Sweeper sweeper(setup, options, context);
  sweeper.report_room();
  if (!lock) return {.text = sweeper.plan()};
  return sweeper.work(*lock);
}

}  // namespace dd::sweep
