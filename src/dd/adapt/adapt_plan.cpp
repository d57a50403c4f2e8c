// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/core/shard.h"
#include "dd/data/class_list.h"
#include "dd/data/parallel.h"
#include "dd/data/shared_lines.h"
#include "dd/data/subset.h"
#include "dd/text/prompt.h"

namespace dd::adapt {
namespace {

/// Shots as positions among the drawn ones, which make_subset numbers anew.
ShotSplit split_positions(const Dataset& shots, std::int64_t held_out, std::uint64_t seed) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(shots.size()));
  std::iota(all.begin(), all.end(), 0);
  return held_out_shots(shots, all, held_out, seed);
}

std::vector<std::int64_t> of_label(const Dataset& shots, const std::vector<std::int64_t>& chosen,
                                   std::int64_t label) {
  std::vector<std::int64_t> members;
  std::ranges::copy_if(chosen, std::back_inserter(members),
                       [&](std::int64_t shot) { return shots.label(shot) == label; });
  return members;
}

std::string hash_of(const Dataset& shots, std::int64_t threads, const Context& context) {
  const std::vector<std::string> hashes = content_hashes(shots, threads, context);
  std::string text;
  for (std::int64_t i = 0; i < shots.size(); ++i) {
    const auto label = static_cast<std::size_t>(shots.label(i));
    text += cat(shots.id(i), '\n', shots.class_names()[label], '\n',
                hashes[static_cast<std::size_t>(i)], '\n');
  }
  return sha256_of(text);
}

void add_jobs(AdaptPlan& plan, const AdaptOptions& options, const CommonOptions& common,
              const ShotSplit& split) {
  std::vector<std::int64_t> labels;
  for (std::int64_t label = 0; label < plan.shots->num_classes(); ++label) {
    if (!of_label(*plan.shots, split.train, label).empty()) labels.push_back(label);
  }
  const auto images = static_cast<std::int64_t>(split.train.size());
  const auto classes = static_cast<std::int64_t>(labels.size());
  const std::int64_t from_epochs = (options.epochs * images + options.batch - 1) / options.batch;
  const std::int64_t total = options.steps > 0 ? options.steps : from_epochs;
  const Shard shard = parse_shard(options.shard);
  if (options.mode == "dataset") {
    if (!shard.is_whole())
      fail_usage("--shard divides classes; use --mode class, or mpirun for one adapter of all");
    plan.jobs.push_back({.class_name = "",
                         .folder = common.out,
                         .classes = labels,
                         .train = split.train,
                         .validation = split.validation,
                         .steps = total});
    return;
  }
  for (std::int64_t i = shard.begin(classes); i < shard.end(classes); ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    const auto place = static_cast<std::size_t>(label);
    plan.jobs.push_back({.class_name = plan.shots->class_names()[place],
                         .folder = common.out / plan.folders[place],
                         .classes = {label},
                         .train = of_label(*plan.shots, split.train, label),
                         .validation = of_label(*plan.shots, split.validation, label),
                         .steps = steps_of_class(total, classes)});
  }
  if (plan.jobs.empty()) {
    fail_usage(cat("--shard ", options.shard, " has no class to train, of ", classes,
                   " in all; give a smaller N"));
  }
}

}  // namespace

std::int64_t steps_of_class(std::int64_t total, std::int64_t classes) {
  return std::max<std::int64_t>(1, (total + classes / 2) / classes);
}

std::string AdaptPlan::text() const {
  std::int64_t images = 0;
  std::int64_t held_out = 0;
  for (const AdapterJob& job : jobs) {
    images += std::ssize(job.train);
    held_out += std::ssize(job.validation);
  }
  return cat(jobs.size() == 1 ? std::string("one adapter") : cat(jobs.size(), " adapters"), " of ",
             jobs.front().steps, " steps", jobs.size() == 1 ? "" : " each", ", from ", images,
             " images of ", shots->num_classes(), " classes",
             held_out > 0 ? cat(", and ", held_out, " for validation") : std::string());
}

AdaptPlan make_plan(const AdaptOptions& options, const CommonOptions& common,
                    const Context& context) {
  AdaptPlan plan;
  const DataSpec spec = parse_data_spec(options.data);
  check_shot_split(options.split);
  plan.data = open_dataset(spec, options.split);
  const auto seed = static_cast<std::uint64_t>(common.seed);
  if (options.shots_file.empty()) {
    plan.record = {.data = spec.text(),
                   .split = options.split,
                   .seed = seed,
                   .shots = options.shots,
                   .indices = draw_shots(*plan.data, options.shots, seed)};
  } else {
    plan.record = read_shots(options.shots_file, *plan.data);
  }
  if (plan.record.indices.empty()) {
    fail_input(cat("there are no shots to adapt to in ",
                   options.shots_file.empty() ? options.data : options.shots_file.string(),
                   "; choose other data"));
  }
  plan.shots = make_subset(plan.data, plan.record.indices);
  plan.data_hash = hash_of(*plan.shots, thread_count(common.threads), context);
  plan.prompt_template = fill_domain(options.prompt_template, domain_word(spec));
  for (const std::string& name : plan.shots->class_names()) {
    plan.prompts.push_back(fill_template(plan.prompt_template, name));
  }
  for (const ClassEntry& entry : folders_for_classes(plan.shots->class_names())) {
    plan.folders.push_back(entry.folder);
  }
  add_jobs(plan, options, common, split_positions(*plan.shots, options.validation_shots, seed));
  return plan;
}

std::string settings_text(const AdaptOptions& options, const CommonOptions& common,
                          const std::string& dtype, std::int64_t resolution) {
  Json settings = options_to_json(options);
  // Paths belong to this machine, the images count by their hash; the others change no result
  // (but for rounding).
  for (const char* key : {"model", "data", "shots_file", "save_every", "validate_every", "shots",
                          "split", "tokenizer", "prediction_type", "accumulate",
                          "checkpoint_activations", "adapters_per_batch", "shard"}) {
    settings.erase(key);
  }
  settings.update(options.model_options.identity());
  settings["resolution"] = resolution;
  settings["seed"] = common.seed;
  settings["dtype"] = dtype;
  return settings.dump(2);
}

}  // namespace dd::adapt
