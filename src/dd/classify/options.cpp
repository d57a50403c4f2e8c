// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "dd/classify/batch_plan.h"
#include "dd/classify/evaluate.h"
#include "dd/classify/train.h"
#include "dd/core/error.h"

namespace dd::classify {
namespace {

void visit_images(TrainOptions& options, FieldVisitor& visitor) {
  options.clip.visit(visitor);
  visitor.field("synthetic", options.synthetic,
                {.help = "folder that `generate` wrote, or any folder of class folders"});
  visitor.field("real", options.real,
                {.help = "real images: a folder of class folders or NAME:ROOT"});
  visitor.field("split", options.split, {.help = "split of the real images"});
  visitor.field("shots", options.shots,
                {.help = "real images a class, drawn by the seed; 0 = all", .low = 0, .high = 1e9});
  visitor.field("shots-file", options.shots_file,
                {.help = "take the real images that this shots.json lists"});
  visitor.field(
      "images-per-class", options.images_per_class,
      {.help = "use the first N synthetic images of each class; 0 = all", .low = 0, .high = 1e9});
}

void visit_model(TrainOptions& options, FieldVisitor& visitor) {
  visitor.field(
      "lambda", options.lambda,
      {.help = "weight of the real images' loss where both kinds are given; the synthetic "
               "images have the rest. 1 and 0 use one kind only",
       .low = 0,
       .high = 1});
  visitor.field("rank", options.rank, {.help = "rank of the LoRA", .low = 1, .high = 4096});
  visitor.field("alpha", options.alpha,
                {.help = "the LoRA is scaled by alpha / rank (the official code takes 32)",
                 .low = 1e-6,
                 .high = 1e6});
  visitor.field("dropout", options.dropout,
                {.help = "share of a layer's inputs hidden from its LoRA (the official code: 0.1)",
                 .low = 0,
                 .high = 0.99});
  visitor.field("targets", options.targets,
                {.help = "layers with a LoRA, in both towers: projections of the attention, with "
                         "+mlp also the MLPs (the official code: qv)",
                 .choices = {"qkvo", "qv", "qkvo+mlp", "qv+mlp"}});
  visitor.field("template", options.prompt_template,
                {.help = "prompt of a class; {} stands for its name, {domain} for the known "
                         "set's word (pet, car, ...)"});
}

void visit_training(TrainOptions& options, FieldVisitor& visitor) {
  visitor.field("epochs", options.epochs,
                {.help = "training sees epochs x images pictures", .low = 1, .high = 1e6});
  visitor.field("steps", options.steps,
                {.help = "updates; 0 = as many as the epochs need", .low = 0, .high = 1e9});
  visitor.field("batch", options.batch, {.help = "images of an update", .low = 1, .high = 65536});
  visitor.field("real-batch", options.real_batch,
                {.help = "images of a batch that are real where both kinds are given; 0 = half",
                 .low = 0,
                 .high = 65536});
  visitor.field("label-smoothing", options.label_smoothing,
                {.help = "share of each target that is spread over all classes evenly",
                 .low = 0,
                 .high = 0.99});
  options.mixing.visit(visitor);
  visitor.field("augment", options.augment, {.help = "change the images at random, as below"});
  visitor.field("augment-preset", options.augment_preset,
                {.help = "own = as the options below say; paper = as the official code does, with "
                         "RandAugment, strong crops and colours",
                 .choices = {"own", "paper"}});
  options.augmentation.visit(visitor);
  options.optimizer.visit(visitor);
  visitor.field(
      "warmup-epochs", options.warmup_epochs,
      {.help = "warm-up in epochs instead of steps; 0 = as --warmup says", .low = 0, .high = 1e6});
}

void visit_choices(TrainOptions& options, FieldVisitor& visitor) {
  visitor.field("val", options.val,
                {.help = "labelled images for curves and choices: a folder or NAME:ROOT"});
  visitor.field("val-split", options.val_split, {.help = "split of those images; never test"});
  visitor.field("lambdas", options.lambdas,
                {.help = "train once with each of these and keep the best on --val"});
  visitor.field(
      "choose", options.choose,
      {.help = "weights to keep: of the last step, or of the validated step that was best",
       .choices = {"last", "best"}});
  visitor.field("validate-every", options.validate_every,
                {.help = "updates between looks at --val", .low = 1, .high = 1e9});
  visitor.field(
      "save-every", options.save_every,
      {.help = "updates between resumable states; 0 = only when stopped", .low = 0, .high = 1e9});
}

void check_validation(const TrainOptions& options) {
  if (options.val.empty()) {
    if (!options.lambdas.empty()) fail_usage("--lambdas needs --val to choose by; give both");
    if (options.choose == "best") fail_usage("--choose best needs --val to choose by; give both");
    return;
  }
  if (options.may_choose_on_test) return;
  if (options.val_split == "test" || options.val_split == "all") {
    fail_usage(cat("--val-split is ", options.val_split,
                   ", but nothing may be chosen on test images; hold out others"));
  }
  if (options.val == options.real && options.val_split == options.split) {
    fail_usage(cat("--val and --real are the same images (", options.real, ", ", options.split,
                   "); choose on images that are not trained on"));
  }
}

/// A preset settles all of the augmentation, so a part that was given too would be lost.
void check_preset(const TrainOptions& options) {
  if (options.augment_preset == "own") return;
  if (!options.augment) {
    fail_usage(cat("--augment-preset ", options.augment_preset,
                   " chooses an augmentation, but it is switched off; leave out one of the two"));
  }
  const Json given = options_to_json(options.augmentation);
  const Json usual = options_to_json(AugmentOptions());
  for (const auto& [key, value] : given.items()) {
    if (value == usual.at(key)) continue;
    std::string flag = key;
    std::ranges::replace(flag, '_', '-');
    fail_usage(cat("--augment-preset ", options.augment_preset, " settles --", flag,
                   " too; leave out one of the two"));
  }
}

}  // namespace

TrainOptions::TrainOptions() {
  optimizer.weight_decay = 1e-4;
}

TrainOptions TrainOptions::resolved() const {
  TrainOptions result = *this;
  if (augment_preset == "paper") result.augmentation = paper_augmentation();
  return result;
}

void TrainOptions::visit(FieldVisitor& visitor) {
  visit_images(*this, visitor);
  visit_model(*this, visitor);
  visit_training(*this, visitor);
  visit_choices(*this, visitor);
}

void TrainOptions::check() const {
  check_options(*this);
  if (synthetic.empty() && real.empty()) {
    fail_usage("there is nothing to train on; give --synthetic, --real or both");
  }
  if (real.empty() && (shots > 0 || !shots_file.empty())) {
    fail_usage("--shots and --shots-file choose real images; give --real too");
  }
  if (synthetic.empty() && images_per_class > 0) {
    fail_usage("--images-per-class counts synthetic images; give --synthetic too");
  }
  const bool both = !synthetic.empty() && !real.empty();
  if (!lambdas.empty() && !both) {
    fail_usage("--lambdas weighs real against synthetic images; give --real and --synthetic");
  }
  parse_lambdas(lambdas);
  if (both && batch < 2) fail_usage("--batch is 1, but a batch holds images of both kinds; take 2");
  if (both && real_batch >= batch) {
    fail_usage(cat("--real-batch ", real_batch, " leaves no room for synthetic images in --batch ",
                   batch, "; choose a smaller one"));
  }
  mixing.check();
  check_preset(*this);
  check_validation(*this);
}

void EvaluateOptions::visit(FieldVisitor& visitor) {
  clip.visit(visitor);
  visitor.field("classifier", classifier,
                {.help = "folder that `train` wrote; without it, zero-shot CLIP is scored"});
  visitor.field(
      "data", data,
      {.help = "labelled images: a folder of class folders or NAME:ROOT", .required = true});
  visitor.field("split", split, {.help = "split to score on"});
  visitor.field("template", prompt_template,
                {.help = "prompt of a class; empty = the classifier's, or \"a photo of a {}\""});
  visitor.field(
      "reading", reading,
      {.help = "how images are read: as a person sees them; or for comparisons as "
               "transformers (4, or after PIL's convert(\"RGB\")) does: no EXIF rotation, "
               "no colour profile, alpha dropped; or as transformers-5 does where it "
               "converts them itself: alpha over white",
       .choices = {"seen", "transformers", "transformers-5"}});
  visitor.field("batch", batch, {.help = "images at a time", .low = 1, .high = 65536});
  visitor.field("predictions", predictions, {.help = "write predictions.csv too"});
}

}  // namespace dd::classify
