// SPDX-License-Identifier: Apache-2.0
#include "dd/models/model_options.h"

#include "dd/io/fingerprint.h"
#include "dd/text/tokenizer_files.h"

namespace dd::models {

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
  if (!tokenizer.empty()) json["tokenizer_hash"] = io::fingerprint(tokenizer_file_paths(tokenizer));
  if (prediction_type != "auto") json["prediction_type"] = prediction_type;
  return json;
}

}  // namespace dd::models
