// SPDX-License-Identifier: Apache-2.0
#include "dd/run/leak_check.h"

#include <memory>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/leak_guard.h"
#include "dd/data/parallel.h"
#include "dd/data/shots.h"
#include "dd/data/subset.h"
#include "dd/run/setup.h"

namespace dd::run {

namespace {

/// Of an image as it counts in a measurement.
std::string line_of(const Dataset& data, std::int64_t index, const std::string& content) {
  return cat(data.label(index), ' ', data.id(index), ' ', content, '\n');
}

}  // namespace

std::string RunImages::shots_hash(const Dataset& data, std::int64_t seed,
                                  std::int64_t count) const {
  std::string text;
  for (const std::int64_t shot : draw_shots(data, count, static_cast<std::uint64_t>(seed))) {
    text += line_of(data, shot, shots.at(shot));
  }
  return sha256_of(text);
}

RunImages check_run_leaks(const Setup& setup, const Context& context) {
  const RunOptions& options = setup.options;
  const DataSpec spec = parse_data_spec(options.data);
  const std::int64_t threads = thread_count(setup.common.threads);
  std::set<std::int64_t> drawn;
  for (const std::int64_t seed : setup.seeds) {
    const auto own = draw_shots(*setup.data, options.shots, static_cast<std::uint64_t>(seed));
    drawn.insert(own.begin(), own.end());
  }
  std::vector<PrintSet> sets;
  const auto add = [&](const char* role, const Dataset& images) {
    sets.push_back({role, print_images(images, threads, context)});
  };
  RunImages images;
  const std::vector<std::int64_t> shots(drawn.begin(), drawn.end());
  add("few-shot", *make_subset(setup.data, shots));
  for (std::size_t i = 0; i < shots.size(); ++i) {
    images.shots[shots[i]] = sets.front().prints[i].sha256;
  }
  std::string text;
  const auto add_held_out = [&](const char* role, const std::string& split) {
    const std::shared_ptr<const Dataset> data = open_dataset(spec, split);
    add(role, *data);
    for (std::int64_t i = 0; i < data->size(); ++i) {
      text += line_of(*data, i, sets.back().prints[static_cast<std::size_t>(i)].sha256);
    }
  };
  // Equal splits are a protocol's own choice, and its results say so.
  if (!options.val_split.empty() && options.val_split != options.test_split) {
    add_held_out("validation", options.val_split);
  }
  add_held_out("test", options.test_split);
  images.held_out = sha256_of(text);
  check_leaks(sets, context);
  return images;
}

}  // namespace dd::run
