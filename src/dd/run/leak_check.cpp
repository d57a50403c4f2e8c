// SPDX-License-Identifier: Apache-2.0
#include "dd/run/leak_check.h"

#include <set>

#include "dd/classify/clip_model.h"
#include "dd/data/leak_guard.h"
#include "dd/data/parallel.h"
#include "dd/data/shots.h"
#include "dd/data/subset.h"

namespace dd::run {

void check_run_leaks(const Setup& setup, const Context& context) {
  const RunOptions& options = setup.options;
  const DataSpec spec = parse_data_spec(options.data);
  const std::int64_t threads = thread_count(setup.common.threads);
  std::set<std::int64_t> shots;
  for (const std::int64_t seed : setup.seeds) {
    const auto drawn = draw_shots(*setup.data, options.shots, static_cast<std::uint64_t>(seed));
    shots.insert(drawn.begin(), drawn.end());
  }
  std::vector<PrintSet> sets;
  const auto add = [&](const char* role, const Dataset& images) {
    sets.push_back({role, print_images(images, threads, context)});
  };
  add("few-shot", *make_subset(setup.data, {shots.begin(), shots.end()}));
  // Equal splits are a protocol's own choice, and its results say so.
  if (!options.val_split.empty() && options.val_split != options.test_split) {
    add("validation", *open_dataset(spec, options.val_split));
  }
  add("test", *open_dataset(spec, options.test_split));
  check_leaks(sets, context);
}

}  // namespace dd::run
