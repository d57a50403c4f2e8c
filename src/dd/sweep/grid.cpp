// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/grid.h"

#include <set>
#include <string>

#include "dd/core/error.h"
#include "dd/core/number_text.h"
#include "dd/run/guidance_interval.h"

namespace dd::sweep {
namespace {

using run::Cell;
using run::ImageSource;
using run::RunOptions;

constexpr std::size_t kMaxCells = 100000;

/// Replaces every list of settings by one with an entry for each value of an axis.
template <class T>
void expand(std::vector<RunOptions>& list, T RunOptions::*field, const std::vector<T>& values) {
  std::vector<RunOptions> result;
  for (const RunOptions& settings : list) {
    for (const T& value : values) {
      result.push_back(settings);
      result.back().*field = value;
    }
  }
  if (result.size() > kMaxCells) {
    fail_usage(cat("the grid has more than ", kMaxCells, " cells; give shorter lists"));
  }
  list = std::move(result);
}

/// Every combination; the last axis changes fastest.
std::vector<RunOptions> combinations(const SweepOptions& options) {
  std::vector<RunOptions> list{options.base};
  expand(list, &RunOptions::shots, options.shots);
  expand(list, &RunOptions::adapt_steps, options.adapt_steps);
  expand(list, &RunOptions::sampler, options.samplers);
  expand(list, &RunOptions::sample_steps, options.sample_steps);
  expand(list, &RunOptions::guidance, parse_numbers("guidance", options.guidance));
  expand(list, &RunOptions::guidance_interval, run::interval_texts(options.guidance_intervals));
  expand(list, &RunOptions::cache_every, options.cache_every);
  expand(list, &RunOptions::decode_shrink, options.decode_shrink);
  expand(list, &RunOptions::per_class, options.per_class);
  expand(list, &RunOptions::lambda, parse_numbers("lambda", options.lambda));
  return list;
}

void drop_meaningless(Cell& cell) {
  if (cell.method.images != ImageSource::kNone && cell.settings.per_class == 0) {
    cell.method = run::method_named(cell.method.real ? "real" : "zero-shot");
  }
  static const RunOptions usual;
  RunOptions& settings = cell.settings;
  if (!cell.adapted()) {
    cell.mode = "none";
    settings.adapt_steps = usual.adapt_steps;
  }
  if (!cell.needs_shots()) settings.shots = usual.shots;
  if (settings.guidance <= 1) settings.guidance_interval = usual.guidance_interval;
  if (!cell.method.mixes()) settings.lambda = usual.lambda;
  if (cell.method.images != ImageSource::kNone) return;
  settings.per_class = usual.per_class;
  settings.sampler = usual.sampler;
  settings.sample_steps = usual.sample_steps;
  settings.guidance = usual.guidance;
  settings.guidance_interval = usual.guidance_interval;
  settings.cache_every = usual.cache_every;
  settings.decode_shrink = usual.decode_shrink;
}

}  // namespace

std::vector<Cell> cells_of(const SweepOptions& options, const std::vector<std::int64_t>& seeds) {
  const std::vector<RunOptions> list = combinations(options);
  const run::StageNames names(run::StageNames::Style::kFull);
  std::set<std::string> known;
  std::vector<Cell> cells;
  const auto add = [&](Cell cell) {
    drop_meaningless(cell);
    if (known.insert(names.evaluate(cell)).second) cells.push_back(std::move(cell));
  };
  for (const std::int64_t seed : seeds) {
    for (const RunOptions& settings : list) {
      for (const run::Method& method : run::all_methods()) {
        if (!options.base.wants(method.name)) continue;
        Cell cell{.settings = settings, .method = method, .mode = "none", .seed = seed};
        if (!cell.adapted()) {
          add(cell);
          continue;
        }
        for (const std::string& mode : options.base.modes()) {
          cell.mode = mode;
          add(cell);
        }
      }
    }
  }
  return cells;
}

}  // namespace dd::sweep
