// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"
#include "dd/models/model_options.h"
#include "dd/train/optimizer.h"

namespace dd::adapt {

/// Few-shot LoRA adaptation of a text-to-image model (DataDream, arXiv 2407.10910, section 3).
struct AdaptOptions final : Options {
  std::filesystem::path model;  ///< diffusers folder or single-file checkpoint
  models::ModelOptions model_options{};
  std::string data;                   ///< see data/dataset.h
  std::string split = "train";        ///< that the shots are drawn from
  std::int64_t shots = 16;            ///< images a class
  std::filesystem::path shots_file;   ///< shots.json of an earlier draw; empty = draw by the seed
  std::int64_t validation_shots = 0;  ///< of the shots, held out for the validation loss
  std::string mode = "dataset";       ///< class: an adapter a class; dataset: one for all
  std::string prompt_template = "a photo of a {}";
  std::int64_t rank = 16;
  double alpha = 16;
  bool text_encoder = true;   ///< adapt the text encoder too
  std::int64_t epochs = 200;  ///< passes over the shots, where `steps` is 0
  std::int64_t steps = 0;     ///< for the whole data set; a class gets steps / classes
  std::int64_t batch = 8;
  std::int64_t accumulate = 1;          ///< parts that a step's batch goes through the model in
  bool checkpoint_activations = false;  ///< compute most of the forward pass twice, to save memory
  std::int64_t adapters_per_batch = 1;  ///< classes whose adapters are trained together
  std::int64_t resolution = 0;          ///< pixels a side; 0 = what the model was trained on
  std::string crop = "random";          ///< random or center, after the short side was resized
  bool flip = false;                    ///< show images mirrored, half of the time
  std::int64_t save_every = 500;
  std::int64_t validate_every = 50;
  std::string shard = "1/1";  ///< I/N: the I-th of N parts of the classes
  train::OptimizerOptions optimizer{};

  void visit(FieldVisitor& visitor) override;
};

struct AdaptResult {
  std::int64_t adapters = 0;  ///< trained in this call, or to be trained with --dry-run
  std::int64_t skipped = 0;   ///< found complete
  std::int64_t steps = 0;     ///< of one adapter
  double last_loss = 0;       ///< mean over the adapters trained in this call
  double seconds = 0;         ///< training time of those, together
};

/// Writes OUT/shots.json and, for the data set or in a folder a class (folders_for_classes of
/// data/class_list.h), pytorch_lora_weights.safetensors and adapter.json; OUT/classes.txt in class
/// mode. Complete adapters are skipped, an interrupted one goes on where it stopped. Several ranks
/// take adapters of classes in turn, and the rows of each batch for one adapter of all.
/// Error(kUsage) when OUT holds adapters of other settings and --force was not given.
AdaptResult run_adapt(const AdaptOptions& options, const CommonOptions& common, Context& context);

}  // namespace dd::adapt
