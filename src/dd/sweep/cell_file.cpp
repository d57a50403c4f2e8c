// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/cell_file.h"

#include "dd/core/complete_record.h"
#include "dd/core/files.h"

namespace dd::sweep {

std::filesystem::path CellFiles::file(const run::Measurement& measured) const {
  return setup_.common.out / measured.evaluation / "cell.json";
}

std::string CellFiles::key(const run::Measurement& measured) const {
  Json settings = options_to_json(measured.cell.settings);
  // Paths may change, and the lists of the whole grid are no setting of one cell.
  for (const char* key : {"model", "tokenizer", "clip", "data", "seeds", "methods", "mode",
                          "sample_batch", "captions"}) {
    settings.erase(key);
  }
  // Settings that came later leave no trace where they are as before: older work stays known.
  const Json usual = options_to_json(run::RunOptions());
  for (const char* key : {"guidance_interval", "cache_every", "decode_shrink"}) {
    if (settings.at(key) == usual.at(key)) settings.erase(key);
  }
  settings["method"] = measured.cell.method.name;
  settings["mode"] = measured.cell.mode;
  settings["seed"] = measured.cell.seed;
  return sha256_of(identity_ + settings.dump());
}

Json CellFiles::images(const run::Measurement& measured) const {
  const std::int64_t seed = measured.cell.seed;
  std::string& hash = shots_hashes_[{seed, measured.shots()}];
  if (hash.empty() && measured.shots() > 0) {
    hash = setup_.images.shots_hash(*setup_.data, seed, measured.shots());
  }
  return {{"shots", hash}, {"held_out", setup_.images.held_out}};
}

std::optional<Json> CellFiles::find(const run::Measurement& measured) const {
  const std::filesystem::path path = file(measured);
  if (!path_exists(path)) return std::nullopt;
  const Json saved = read_json(path);
  const std::string where = path.string();
  if (json_required<std::string>(saved, "key", where) != key(measured)) return std::nullopt;
  // Earlier programs did not say what they measured on; check_earlier does what it can.
  const Json now = images(measured);
  if (json_value<Json>(saved, "images", now, where) != now) return std::nullopt;
  // What is not a description of the cell, which the sweep makes anew.
  return from_record(path, [&] {
    const Json& result = saved.at("result");
    for (const char* figure : {"top1", "n", "seconds"}) json_as<double>(result.at(figure));
    return result;
  });
}

void CellFiles::write(const run::Measurement& measured, const Json& entry) const {
  write_json(file(measured),
             {{"key", key(measured)}, {"images", images(measured)}, {"result", entry}});
}

}  // namespace dd::sweep
