// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/clip_folder.h"

#include <array>
#include <optional>

#include "dd/classify/classifier_file.h"
#include "dd/classify/clip_model.h"
#include "dd/convert/source_model.h"
#include "dd/convert/whole_folder.h"
#include "dd/core/files.h"
#include "dd/inspect/weight_facts.h"
#include "dd/lora/merged_lora.h"

namespace dd::convert {
namespace fs = std::filesystem;
namespace {

at::ScalarType own_dtype(const fs::path& clip) {
  const io::Checkpoint checkpoint =
      path_is_folder(clip) ? io::Checkpoint::open(clip, "model") : io::Checkpoint::open_file(clip);
  inspect::WeightFacts facts;
  facts.add(checkpoint);
  return facts.main_dtype();
}

void merge(const classify::ClipModel& model, const classify::SavedClassifier& classifier) {
  const lora::ModelPart part{"", &model.clip.parameters()};
  const lora::ScaledLora lora{&classifier.weights};
  lora::MergedLora(std::span(&part, 1), std::span(&lora, 1)).make_permanent();
}

}  // namespace

std::string write_clip_folder(const ClipSource& source, const fs::path& folder, Reporter& report) {
  const at::ScalarType own = own_dtype(source.clip);
  const at::ScalarType target = source.dtype == "auto" ? own : parse_dtype(source.dtype, at::kCPU);
  const at::ScalarType while_merging = target == own ? own : at::kFloat;
  const classify::ClipModel model =
      classify::ClipModel::load(source.clip, {at::kCPU, while_merging});
  std::optional<classify::SavedClassifier> classifier;
  if (!source.classifier.empty()) {
    classifier = classify::SavedClassifier::load(source.classifier);
    if (classifier->clip_fingerprint != model.fingerprint) {
      report.warn(cat("the classifier ", source.classifier.string(),
                      " was trained on another CLIP than ", source.clip.string()));
    }
    merge(model, *classifier);
    write_json(folder / "class_names.json", {{"class_names", classifier->class_names},
                                             {"template", classifier->prompt_template}});
  }
  model.clip.save(folder, target);
  if (path_is_folder(source.clip)) {
    copy_small_files(source.clip, folder);
    copy_small_files(source.clip / "tokenizer", folder / "tokenizer");
    copy_config(source.clip / "config.json", folder / "config.json", python_name(target));
  }
  return cat("CLIP, ", dtype_name(target),
             classifier ? cat(", a classifier of ", classifier->class_names.size(),
                              " classes merged, template \"", classifier->prompt_template, "\"")
                        : std::string());
}

}  // namespace dd::convert
