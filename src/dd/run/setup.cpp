// SPDX-License-Identifier: Apache-2.0
#include "dd/run/setup.h"

#include <cstdio>

#include "dd/classify/clip_model.h"
#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/data/class_list.h"
#include "dd/data/shots.h"
#include "dd/image/resize.h"
#include "dd/image/write.h"
#include "dd/models/stable_diffusion.h"
#include "dd/run/embedded_base.h"
#include "dd/text/prompt.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRunFile = "run.json";
constexpr const char* kShotsFile = "shots.json";

/// What the work of all stages follows from. Seeds, methods and modes may be added later, and paths
/// may change; hashes and the shots' own record stand for what they point to.
Json identity_of(const Setup& setup) {
  Json identity = options_to_json(setup.options);
  for (const char* key :
       {"model", "tokenizer", "clip", "data", "seeds", "methods", "mode", "sample_batch"}) {
    identity.erase(key);
  }
  // Null for the defaults, so that runs from before these options are still the same.
  identity["tokenizer_hash"] = identity["prediction_type"] = nullptr;
  identity.update(setup.options.model_options.identity());
  identity["model_hash"] = setup.model_hash;
  identity["clip_hash"] = setup.clip_hash;
  identity["class_names"] = setup.data->class_names();
  return identity;
}

void check_earlier_run(const Setup& setup) {
  const fs::path file = setup.common.out / kRunFile;
  if (setup.common.force || !fs::exists(file)) return;
  const Json earlier = json_value<Json>(read_json(file), "identity", Json::object(), file.string());
  const Json identity = identity_of(setup);
  for (const auto& [key, value] : identity.items()) {
    const Json before = earlier.value(key, Json());
    if (before == value) continue;
    fail_usage(cat(setup.common.out.string(), " holds a run with ", key, " ", before.dump(),
                   " instead of ", value.dump(), "; use another --out, or --force to start over"));
  }
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
    if (!fs::exists(*folder)) fail_input(cat("no model at ", folder->string(), "; check ", flag));
  }
  setup.model_hash = models::fingerprint_of(setup.model, setup.options.model_options);
  setup.clip_hash = classify::ClipSource(setup.clip).fingerprint();
}

void find_data(Setup& setup, Context& context) {
  const RunOptions& options = setup.options;
  const DataSpec spec = parse_data_spec(options.data);
  setup.data = open_dataset(spec, options.split);
  fill_template(options.prompt_template, setup.data->class_names().front());
  for (const std::int64_t seed : setup.seeds) {
    for (const std::int64_t shot :
         draw_shots(*setup.data, options.shots, static_cast<std::uint64_t>(seed))) {
      context.cancel.check();
      setup.data->image(shot);  // throws for a damaged one
    }
  }
  // Counted, not looked at: the test images belong to the evaluation alone.
  setup.test_images = open_dataset(spec, options.test_split)->size();
  if (!options.val_split.empty()) open_dataset(spec, options.val_split);
}

/// Damaged weights should be known before the first file is written, not an hour later.
void try_models(const Setup& setup) {
  const at::Device device = parse_device(setup.common.device);
  const Placement placement{device, parse_dtype(setup.common.dtype, device)};
  if (fs::exists(setup.common.out / kRunFile)) return;
  models::StableDiffusion::load(setup.model, placement, setup.options.model_options);
  classify::ClipModel::load(setup.clip, placement);
}

Image thumbnail(const Image& image) {
  constexpr int kSide = 128;
  return std::min(image.width, image.height) > kSide ? resize_short_side(image, kSide) : image;
}

}  // namespace

fs::path Setup::seed_folder(std::int64_t seed) const {
  return common.out / cat("seed-", seed);
}

CommonOptions Setup::stage_common(const fs::path& folder, std::int64_t seed) const {
  CommonOptions own = common;
  own.out = folder;
  own.seed = seed;
  return own;
}

Setup prepare(const RunOptions& options, const CommonOptions& common, Context& context) {
  options.check();
  if (common.out.empty()) fail_usage("--out is missing; name the folder that run writes to");
  Setup setup{.options = options, .common = common};
  setup.seeds = options.seeds.empty() ? std::vector{common.seed} : options.seeds;
  find_models(setup);
  find_data(setup, context);
  check_earlier_run(setup);
  try_models(setup);
  return setup;
}

void write_run_file(const Setup& setup) {
  Json classes = Json::array();
  for (const ClassEntry& entry : folders_for_classes(setup.data->class_names())) {
    classes.push_back({{"name", entry.name}, {"folder", entry.folder}});
  }
  write_json(setup.common.out / kRunFile, {{"version", DATADREAM_VERSION},
                                           {"settings", options_to_json(setup.options)},
                                           {"seeds", setup.seeds},
                                           {"model", setup.model.string()},
                                           {"model_hash", setup.model_hash},
                                           {"clip", setup.clip.string()},
                                           {"clip_hash", setup.clip_hash},
                                           {"classes", classes},
                                           {"identity", identity_of(setup)}});
}

bool write_seed_shots(const Setup& setup, std::int64_t seed) {
  const fs::path folder = setup.seed_folder(seed);
  const RunOptions& options = setup.options;
  ShotRecord record{.data = parse_data_spec(options.data).text(),
                    .split = options.split,
                    .seed = static_cast<std::uint64_t>(seed),
                    .shots = options.shots,
                    .indices = {}};
  record.indices = draw_shots(*setup.data, record.shots, record.seed);
  const fs::path file = folder / kShotsFile;
  if (fs::exists(file) && !setup.common.force) {
    if (read_shots(file, *setup.data).indices == record.indices) return false;
    fail_usage(cat(file.string(), " lists other shots than ", options.data,
                   " gives now; use another --out, or --force to start over"));
  }
  constexpr std::int64_t kShown = 8;
  const auto entries = folders_for_classes(setup.data->class_names());
  std::vector<std::int64_t> shown(entries.size(), 0);
  for (const std::int64_t index : record.indices) {
    const auto label = static_cast<std::size_t>(setup.data->label(index));
    if (shown[label] == kShown) continue;
    char name[16];
    std::snprintf(name, sizeof name, "%05lld.png", static_cast<long long>(shown[label]++));
    write_png(folder / "shots" / entries[label].folder / name, thumbnail(setup.data->image(index)));
  }
  write_shots(file, *setup.data, record);
  return true;
}

}  // namespace dd::run
