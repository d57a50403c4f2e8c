// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/classifier_file.h"

#include "dd/classify/adapter_file.h"
#include "dd/core/files.h"
#include "dd/io/fingerprint.h"

namespace dd::classify {

namespace fs = std::filesystem;

SavedClassifier SavedClassifier::load(const fs::path& folder) {
  const fs::path file = folder / kClassifierFile;
  if (!path_exists(file)) {
    fail_input(cat("there is no complete classifier in ", folder.string(), " (no ", kClassifierFile,
                   "); run train to its end first"));
  }
  const Json json = read_json(file);
  const std::string where = file.string();
  SavedClassifier saved;
  saved.class_names = json_required<std::vector<std::string>>(json, "class_names", where);
  saved.prompt_template = json_required<std::string>(json, "template", where);
  saved.clip_fingerprint = json_required<std::string>(json, "clip_fingerprint", where);
  saved.weights = read_adapter(folder);
  saved.hash =
      io::fingerprint(std::vector<fs::path>{folder / kAdapterConfig, folder / kAdapterFile});
  return saved;
}

}  // namespace dd::classify
