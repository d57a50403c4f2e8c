// SPDX-License-Identifier: Apache-2.0
#include "dd/models/model_options.h"

#include "dd/io/fingerprint.h"

namespace dd::models {
namespace fs = std::filesystem;
namespace {

std::string hash_of_tokenizer(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* name : {"merges.txt", "special_tokens_map.json", "tokenizer.json",
                           "tokenizer_config.json", "vocab.json"}) {
    if (fs::exists(folder / name)) files.push_back(folder / name);
  }
  return io::fingerprint(files);
}

}  // namespace

void ModelOptions::visit(FieldVisitor& visitor) {
  visitor.field("tokenizer", tokenizer,
                {.help = "folder of the tokenizer (vocab.json and merges.txt, or tokenizer.json); "
                         "empty takes the model's own"});
  visitor.field(
      "prediction-type", prediction_type,
      {.help = "what the model predicts; auto takes what its files say, and says what was "
               "assumed where they do not",
       .choices = {"auto", "epsilon", "v_prediction"}});
}

Json ModelOptions::identity() const {
  Json json = Json::object();
  if (!tokenizer.empty()) json["tokenizer_hash"] = hash_of_tokenizer(tokenizer);
  if (prediction_type != "auto") json["prediction_type"] = prediction_type;
  return json;
}

}  // namespace dd::models
