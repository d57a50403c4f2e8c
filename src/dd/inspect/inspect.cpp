// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/inspect.h"

#include "dd/inspect/data_facts.h"
#include "dd/inspect/detect.h"
#include "dd/inspect/lora_facts.h"
#include "dd/inspect/model_facts.h"

namespace dd::inspect {

void InspectOptions::visit(FieldVisitor& visitor) {
  visitor.field("path", path,
                {.help = "file or folder, or NAME:ROOT of a known data set", .required = true});
  model.visit(visitor);
  visitor.field("json", json, {.help = "print one JSON object"});
  visitor.field("hash", hash,
                {.help = "read everything: SHA-256 of the files, numbers that are not finite, "
                         "pictures that are cut off"});
}

Report inspect_path(const InspectOptions& options) {
  check_options(options);
  const Kind kind = detect(options.path);
  Report report;
  report.facts["path"] = options.path;
  report.facts["kind"] = kind_name(kind);
  switch (kind) {
    case Kind::kStableDiffusion:
      examine_stable_diffusion(options.path, options.model, options.hash, report);
      break;
    case Kind::kUNet:
    case Kind::kVae:
    case Kind::kTextEncoder:
      examine_part(options.path, kind, options.hash, report);
      break;
    case Kind::kClip:
      examine_clip(options.path, options.hash, report);
      break;
    case Kind::kLora:
      examine_lora(options.path, options.hash, report);
      break;
    case Kind::kAdapters:
      examine_adapters(options.path, options.hash, report);
      break;
    case Kind::kClassifier:
      examine_classifier(options.path, options.hash, report);
      break;
    case Kind::kDataset:
      examine_dataset(options.path, options.hash, report);
      break;
    case Kind::kImage:
      examine_image(options.path, report);
      break;
    case Kind::kTensors:
      examine_tensors(options.path, options.hash, report);
      break;
  }
  return report;
}

}  // namespace dd::inspect
