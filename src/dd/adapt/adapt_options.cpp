// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt.h"

namespace dd::adapt {
namespace {

constexpr double kMany = 1e9;

void visit_steps(AdaptOptions& options, FieldVisitor& visitor) {
  visitor.field("rank", options.rank, {.help = "LoRA rank", .low = 1, .high = 1024});
  visitor.field("alpha", options.alpha,
                {.help = "LoRA alpha; the scale is alpha / rank", .low = 0});
  visitor.field("text-encoder", options.text_encoder, {.help = "adapt the text encoder too"});
  visitor.field(
      "epochs", options.epochs,
      {.help = "passes over the shots, unless --steps is given", .low = 1, .high = kMany});
  visitor.field("steps", options.steps,
                {.help = "steps for the whole data set, shared among the classes in class mode; "
                         "0 = from --epochs",
                 .low = 0,
                 .high = kMany});
  visitor.field("batch", options.batch, {.help = "images a step", .low = 1, .high = 65536});
  visitor.field("accumulate", options.accumulate,
                {.help = "parts that the images of a step go through the model in, their gradients "
                         "added up: less memory, the same result but for rounding",
                 .low = 1,
                 .high = 65536});
  visitor.field("checkpoint-activations", options.checkpoint_activations,
                {.help = "keep little of the forward pass and compute it again for the gradients: "
                         "less memory, more time, the same result"});
  visitor.field("adapters-per-batch", options.adapters_per_batch,
                {.help = "classes whose adapters go through the model in one batch, of --batch "
                         "images each: the same adapters but for rounding, often sooner",
                 .low = 1,
                 .high = 65536});
}

}  // namespace

void AdaptOptions::visit(FieldVisitor& visitor) {
  visitor.field("model", model,
                {.help = "Stable Diffusion to adapt: a diffusers folder, or a single-file "
                         "checkpoint (.safetensors, .ckpt)",
                 .required = true});
  model_options.visit(visitor);
  visitor.field("data", data,
                {.help = "images to draw the shots from: DIR or NAME:ROOT", .required = true});
  visitor.field("split", split,
                {.help = "part of the data that the shots are drawn from",
                 .choices = {"train", "val", "test", "all"}});
  visitor.field("shots", shots, {.help = "images a class", .low = 1, .high = kMany});
  visitor.field("shots-file", shots_file,
                {.help = "take the images that this shots.json names, in place of drawing them"});
  visitor.field(
      "validation-shots", validation_shots,
      {.help = "shots a class held out for the validation loss", .low = 0, .high = kMany});
  visitor.field("mode", mode,
                {.help = "an adapter for each class, or one for the data set",
                 .choices = {"class", "dataset"}});
  visitor.field("template", prompt_template,
                {.help = "prompt; {} stands for the class, {domain} for the "
                         "known set's word (pet, car, ...)"});
  visit_steps(*this, visitor);
  visitor.field(
      "resolution", resolution,
      {.help = "pixels a side; 0 = what the model was trained on", .low = 0, .high = 4096});
  visitor.field("crop", crop,
                {.help = "square cut from the image, its short side at the resolution",
                 .choices = {"random", "center"}});
  visitor.field("flip", flip, {.help = "show each image mirrored half of the time"});
  visitor.field(
      "save-every", save_every,
      {.help = "steps between resumable states; 0 = only when stopped", .low = 0, .high = kMany});
  visitor.field("validate-every", validate_every,
                {.help = "steps between validation losses; 0 = none", .low = 0, .high = kMany});
  visitor.field("shard", shard,
                {.help = "I/N: train the I-th of N parts of the classes (--mode class), each in an "
                         "--out of its own; copied into one folder, they are all adapters"});
  optimizer.visit(visitor);
}

}  // namespace dd::adapt
