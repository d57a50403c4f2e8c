// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/cell_file.h"

#include "dd/core/complete_record.h"
#include "dd/core/files.h"

namespace dd::sweep {

std::filesystem::path CellFiles::file(const run::Measurement& measured) const {
  return out_ / measured.evaluation / "cell.json";
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

std::optional<Json> CellFiles::find(const run::Measurement& measured) const {
  const std::filesystem::path path = file(measured);
  if (!std::filesystem::exists(path)) return std::nullopt;
  const Json saved = read_json(path);
  const std::string where = path.string();
  if (json_required<std::string>(saved, "key", where) != key(measured)) return std::nullopt;
  // What is not a description of the cell, which the sweep makes anew.
  return from_record(path, [&] {
    const Json& result = saved.at("result");
    for (const char* figure : {"top1", "n", "seconds"}) json_as<double>(result.at(figure));
    return result;
  });
}

void CellFiles::write(const run::Measurement& measured, const Json& entry) const {
  write_json(file(measured), {{"key", key(measured)}, {"result", entry}});
}

}  // namespace dd::sweep
