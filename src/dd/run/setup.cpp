// SPDX-License-Identifier: Apache-2.0
#include "dd/run/setup.h"

#include <cstdio>

#include "dd/classify/clip_model.h"
#include "dd/core/complete_record.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/core/room.h"
#include "dd/data/class_list.h"
#include "dd/data/shots.h"
#include "dd/image/write.h"
#include "dd/models/model_size.h"
#include "dd/models/stable_diffusion.h"
#include "dd/run/embedded_base.h"
#include "dd/run/leak_check.h"
#include "dd/text/prompt.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

/// The key of what the measurements are made on.
constexpr const char* kHeldOut = "held_out";

/// What the work of all stages follows from. Paths may change: hashes and the shots' own record
/// stand for what they point to.
Json settings_of(const RunOptions& options, const Identity& identity) {
  Json settings = options_to_json(options);
  for (const char* key : {"model", "tokenizer", "clip", "data", "sample_batch"})
    settings.erase(key);
  // Null for the defaults; the tokenizer's hash stands for its path.
  settings["tokenizer_hash"] = settings["prediction_type"] = nullptr;
  settings.update(options.model_options.identity());
  settings["captions"] = options.captions.empty() ? "" : sha256_of_file(options.captions);
  for (const std::string& key : identity.free) settings.erase(key);
  return settings;
}

void find_models(Setup& setup) {
  setup.model = setup.options.model;
  setup.clip = setup.options.clip;
  if (setup.model.empty() || setup.clip.empty()) {
    const EmbeddedBase base = embedded_base();
    if (setup.model.empty()) setup.model = base.model;
    if (setup.clip.empty()) setup.clip = base.clip;
  }
  for (const auto& [folder, flag] : {std::pair(&setup.model, "--model"), {&setup.clip, "--clip"}}) {
    if (!path_exists(*folder)) fail_input(cat("no model at ", folder->string(), "; check ", flag));
  }
  setup.model_hash = models::fingerprint_of(setup.model, setup.options.model_options);
  setup.clip_hash = classify::ClipSource(setup.clip).fingerprint();
}

void find_data(Setup& setup, Context& context) {
  const RunOptions& options = setup.options;
  const DataSpec spec = parse_data_spec(options.data);
  check_shot_split(options.split);
  setup.data = open_dataset(spec, options.split);
  setup.options.prompt_template = fill_domain(options.prompt_template, domain_word(spec));
  fill_template(options.prompt_template, setup.data->class_names().front());
  for (const std::int64_t seed : setup.seeds) {
    for (const std::int64_t shot :
         draw_shots(*setup.data, options.shots, static_cast<std::uint64_t>(seed))) {
      context.cancel.check();
      setup.data->image(shot);  // throws for a damaged one
    }
  }
  // Counted and compared with the others, but nothing is learned from them: the test images belong
  // to the evaluation alone.
  setup.test_images = open_dataset(spec, options.test_split)->size();
  if (!options.val_split.empty()) open_dataset(spec, options.val_split);
  setup.images = check_run_leaks(setup, context);
}

}  // namespace

Json models_and_settings(const Setup& setup, const Identity& identity) {
  Json json = settings_of(setup.options, identity);
  json["model_hash"] = setup.model_hash;
  json["clip_hash"] = setup.clip_hash;
  json["class_names"] = setup.data->class_names();
  return json;
}

CommonOptions Setup::stage_common(const fs::path& folder, std::int64_t seed) const {
  CommonOptions own = common;
  own.out = folder;
  own.seed = seed;
  return own;
}

Setup find_inputs(const RunOptions& options, const CommonOptions& common, Context& context) {
  Setup setup{.options = options, .common = common};
  setup.seeds = options.seeds.empty() ? std::vector{common.seed} : options.seeds;
  find_models(setup);
  find_data(setup, context);
  return setup;
}

void check_earlier(const Setup& setup, const Identity& identity) {
  const fs::path file = setup.common.out / identity.file;
  if (setup.common.force || !path_exists(file)) return;
  // A setting that the earlier program did not know had what is the default now.
  Json earlier = settings_of(RunOptions(), identity);
  from_record(file, [&] { earlier.update(read_json(file).at("identity")); });
  if (earlier.value(kHeldOut, Json(setup.images.held_out)) != Json(setup.images.held_out)) {
    fail_usage(cat(setup.common.out.string(),
                   " holds work on other test or validation images than ", setup.options.data,
                   " has now; use another --out, or --force to start over"));
  }
  const Json now = models_and_settings(setup, identity);
  for (const auto& [key, value] : now.items()) {
    const Json before = earlier.value(key, Json());
    if (before == value) continue;
    fail_usage(cat(setup.common.out.string(), " holds work with ", key, " ", before.dump(),
                   " instead of ", value.dump(), "; use another --out, or --force to start over"));
  }
}

void report_room(const Setup& setup, std::int64_t bytes, Reporter& report) {
  if (bytes > 0) report_space(setup.common.out, bytes, "the missing images and adapters", report);
  const Placement placement = parse_placement(setup.common.device, setup.common.dtype);
  report_memory(
      models::memory_need(models::model_tensors(setup.model), placement.with_weights_at_rest()),
      "the diffusion model's weights", report);
  report_memory(models::memory_need(models::weights_in(setup.clip), placement), "CLIP's weights",
                report);
}

void find_costs(Setup& setup, const Identity& identity) {
  const fs::path file = setup.common.out / identity.file;
  if (!setup.common.force && path_exists(file)) {
    const Json costs = json_value<Json>(read_json(file), "costs", Json(), file.string());
    // What an earlier program counted may lack what this one wants to know.
    if (ModelCosts::is_complete(costs)) {
      setup.costs = ModelCosts::from_json(costs, file.string());
      return;
    }
  }
  const Placement placement = parse_placement(setup.common.device, setup.common.dtype);
  const auto model =
      models::StableDiffusion::load(setup.model, placement, setup.options.model_options);
  const auto clip = classify::ClipModel::load(setup.clip, placement);
  setup.costs = ModelCosts::of(model, clip, setup.options.resolved(), setup.data->class_names());
}

Json describe_setup(const Setup& setup, const Identity& identity) {
  Json follows_from = models_and_settings(setup, identity);
  follows_from[kHeldOut] = setup.images.held_out;
  Json classes = Json::array();
  for (const ClassEntry& entry : folders_for_classes(setup.data->class_names())) {
    classes.push_back({{"name", entry.name}, {"folder", entry.folder}});
  }
  return {{"version", DATADREAM_VERSION},   {"settings", options_to_json(setup.options)},
          {"seeds", setup.seeds},           {"model", setup.model.string()},
          {"model_hash", setup.model_hash}, {"clip", setup.clip.string()},
          {"clip_hash", setup.clip_hash},   {"classes", classes},
          {"costs", setup.costs.to_json()}, {"identity", follows_from}};
}

bool write_shots_stage(const Setup& setup, const ShotDraw& draw) {
  const RunOptions& options = setup.options;
  ShotRecord record{.data = parse_data_spec(options.data).text(),
                    .split = options.split,
                    .seed = static_cast<std::uint64_t>(draw.seed),
                    .shots = draw.shots,
                    .indices = {}};
  record.indices = draw_shots(*setup.data, record.shots, record.seed);
  fs::path file = draw.folder;
  file += ".json";
  if (path_exists(file) && !setup.common.force) {
    if (read_shots(file, *setup.data).indices == record.indices) return false;
    fail_usage(cat(file.string(), " lists other shots than ", options.data,
                   " gives now; use another --out, or --force to start over"));
  }
  constexpr std::int64_t kShown = 8;
  constexpr int kSide = 128;
  const auto entries = folders_for_classes(setup.data->class_names());
  std::vector<std::int64_t> shown(entries.size(), 0);
  for (const std::int64_t index : record.indices) {
    const auto label = static_cast<std::size_t>(setup.data->label(index));
    if (shown[label] == kShown) continue;
    char name[16];
    std::snprintf(name, sizeof name, "%05lld.png", static_cast<long long>(shown[label]++));
    write_png(draw.folder / entries[label].folder / name,
              thumbnail(setup.data->image(index), kSide));
  }
  write_shots(file, *setup.data, record);
  return true;
}

}  // namespace dd::run
