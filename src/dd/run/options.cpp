// SPDX-License-Identifier: Apache-2.0
#include "dd/run/options.h"

#include <algorithm>
#include <set>

#include "dd/core/error.h"
#include "dd/diffusion/sampler.h"
#include "dd/generate/options.h"
#include "dd/run/cell.h"
#include "dd/run/guidance_interval.h"

namespace dd::run {
namespace {

constexpr double kMany = 1e9;

void visit_input(RunOptions& options, FieldVisitor& visitor) {
  visitor.field("model", options.model,
                {.help = "diffusers folder or single-file checkpoint; empty = the embedded base"});
  options.model_options.visit(visitor);
  visitor.field("clip", options.clip,
                {.help = "CLIP as --clip of `train` takes it, its tokenizer beside it; empty = the "
                         "embedded base"});
  visitor.field("data", options.data,
                {.help = "labelled images: a folder of class folders or NAME:ROOT"});
  visitor.field("split", options.split, {.help = "split that the shots are drawn from"});
  visitor.field("test-split", options.test_split, {.help = "split that accuracy is measured on"});
  visitor.field("shots", options.shots, {.help = "real images a class", .low = 1, .high = kMany});
  visitor.field("per-class", options.per_class,
                {.help = "synthetic images a class", .low = 1, .high = 1e7});
  visitor.field("mode", options.mode,
                {.help = "an adapter for each class, one for the data set, or both ways",
                 .choices = {"class", "dataset", "both"}});
  visitor.field("seeds", options.seeds,
                {.help = "repeat everything with each of these, such as 0,1,2; none = --seed"});
  visitor.field(
      "methods", options.methods,
      {.help = "what to compare; frozen stands for images of the model as it is, disef for images "
               "drawn from noised shots",
       .choices = method_names()});
  visitor.field(
      "template", options.prompt_template,
      {.help = "prompt of a class; {} stands for its name, {domain} for the known set's word "
               "(pet, car, ...)"});
  visitor.field(
      "align", options.align,
      {.help = "compare synthetic images with real ones, where the data hold more of every class "
               "than the shots"});
}

void visit_adaptation(RunOptions& options, FieldVisitor& visitor) {
  visitor.field("adapt-steps", options.adapt_steps,
                {.help = "updates of the adaptation, shared among the classes in class mode",
                 .low = 1,
                 .high = kMany});
  visitor.field("adapt-batch", options.adapt_batch,
                {.help = "images of an update", .low = 1, .high = 65536});
  visitor.field("adapt-lr", options.adapt_lr, {.help = "peak learning rate", .low = 0, .high = 1});
  visitor.field("adapt-warmup", options.adapt_warmup,
                {.help = "steps until the peak rate", .low = 0, .high = kMany});
  visitor.field("adapt-rank", options.adapt_rank, {.help = "LoRA rank", .low = 1, .high = 1024});
  visitor.field("adapt-alpha", options.adapt_alpha,
                {.help = "the LoRA is scaled by alpha / rank", .low = 1e-6, .high = 1e6});
  visitor.field("adapt-validation-shots", options.adapt_validation_shots,
                {.help = "shots a class that the adaptation holds out for its validation loss",
                 .low = 0,
                 .high = kMany});
}

void visit_generation(RunOptions& options, FieldVisitor& visitor) {
  visitor.field("sampler", options.sampler,
                {.help = "way from noise to image; auto takes the model's own",
                 .choices = sampler_choices()});
  visitor.field("sample-steps", options.sample_steps,
                {.help = "sampling steps", .low = 1, .high = 1e6});
  visitor.field("guidance", options.guidance,
                {.help = "strength of classifier-free guidance; 1 or less switches it off",
                 .low = 0,
                 .high = 1000});
  visitor.field("guidance-interval", options.guidance_interval,
                {.help = "noise levels that are guided: all, or LOW:HIGH (2: is 2 and above)"});
  visitor.field("cache-every", options.cache_every,
                {.help = "sampling steps that share the U-Net's deeper levels, see `generate`",
                 .low = 1,
                 .high = 1e6});
  visitor.field("decode-shrink", options.decode_shrink,
                {.help = "decode latents that are so many times narrower and lower",
                 .low = 1,
                 .high = generate::kMaxDecodeShrink});
  visitor.field("sample-batch", options.sample_batch,
                {.help = "images drawn at a time; 0 chooses by size and free memory",
                 .low = 0,
                 .high = 4096});
  visitor.field(
      "strength", options.strength,
      {.help = "share of the way to noise that the shots go in disef", .low = 0, .high = 1});
  visitor.field("captions", options.captions,
                {.help = "prompts of the shots in disef, as --captions of `generate` takes them"});
}

void visit_classifier(RunOptions& options, FieldVisitor& visitor) {
  visitor.field("classifier-steps", options.classifier_steps,
                {.help = "updates of each classifier", .low = 1, .high = kMany});
  visitor.field("classifier-batch", options.classifier_batch,
                {.help = "images of an update", .low = 2, .high = 65536});
  visitor.field("classifier-lr", options.classifier_lr,
                {.help = "peak learning rate", .low = 0, .high = 1});
  visitor.field("classifier-warmup", options.classifier_warmup,
                {.help = "steps until the peak rate", .low = 0, .high = kMany});
  visitor.field("classifier-rank", options.classifier_rank,
                {.help = "rank of the LoRA in CLIP", .low = 1, .high = 4096});
  visitor.field("classifier-alpha", options.classifier_alpha,
                {.help = "the LoRA is scaled by alpha / rank", .low = 1e-6, .high = 1e6});
  visitor.field("classifier-targets", options.classifier_targets,
                {.help = "layers with a LoRA: projections of the attention, with +mlp the MLPs too",
                 .choices = {"qkvo", "qv", "qkvo+mlp", "qv+mlp"}});
  visitor.field("classifier-augment", options.classifier_augment,
                {.help = "crop, mirror and colour the training images at random"});
  visitor.field(
      "lambda", options.lambda,
      {.help = "weight of the real images where both kinds are used", .low = 0, .high = 1});
  visitor.field("lambdas", options.lambdas,
                {.help = "train once with each of these and keep the best on --val-split"});
  visitor.field("val-split", options.val_split,
                {.help = "split of the data for curves and choices; never the test split"});
  visitor.field(
      "protocol", options.protocol,
      {.help = "held-out: test images are for measuring alone; paper-code: as the "
               "official code of DataDream does it, best epoch on the test split included",
       .choices = {RunOptions::kHeldOut, RunOptions::kPaperCode}});
}

constexpr const char* kPaperTargets = "qv";
constexpr double kPaperAlpha = 32;

/// What a protocol settles may not be given otherwise: the name would say the wrong thing.
void check_paper_code(const RunOptions& options) {
  const RunOptions usual;
  const auto settled = [](const char* flag) {
    fail_usage(cat("--protocol paper-code settles ", flag, " too; leave out one of the two"));
  };
  if (options.classifier_targets != usual.classifier_targets &&
      options.classifier_targets != kPaperTargets) {
    settled("--classifier-targets");
  }
  if (options.classifier_alpha != usual.classifier_alpha &&
      options.classifier_alpha != kPaperAlpha) {
    settled("--classifier-alpha");
  }
  if (!options.classifier_augment) settled("--classifier-augment");
  if (!options.val_split.empty()) settled("--val-split");
}

}  // namespace

RunOptions RunOptions::resolved() const {
  RunOptions result = *this;
  if (paper_code()) {
    result.classifier_targets = kPaperTargets;
    result.classifier_alpha = kPaperAlpha;
    result.val_split = test_split;
  }
  return result;
}

void RunOptions::visit(FieldVisitor& visitor) {
  visit_input(*this, visitor);
  visit_adaptation(*this, visitor);
  visit_generation(*this, visitor);
  visit_classifier(*this, visitor);
}

void RunOptions::check() const {
  check_options(*this);
  if (data.empty()) fail_usage("--data is empty; name a folder of class folders or NAME:ROOT");
  if (methods.empty()) fail_usage("--methods is empty; name at least one, such as zero-shot");
  GuidanceInterval::parse(guidance_interval);
  if (std::set(seeds.begin(), seeds.end()).size() != seeds.size()) {
    fail_usage("--seeds names a seed twice; name each once");
  }
  if (std::ranges::any_of(seeds, [](std::int64_t seed) { return seed < 0; })) {
    fail_usage("--seeds holds a negative number; choose 0 or more");
  }
  if (test_split == split || test_split == val_split) {
    fail_usage(cat("--test-split is ", test_split,
                   ", which is used for training or choices too; measure on other images"));
  }
  if (adapt_validation_shots >= shots) {
    fail_usage(cat("--adapt-validation-shots ", adapt_validation_shots, " leaves none of the ",
                   shots, " shots to train on; hold out fewer"));
  }
  if (paper_code()) {
    check_paper_code(*this);
    return;
  }
  if (!lambdas.empty() && val_split.empty()) {
    fail_usage("--lambdas needs --val-split to choose by; give both");
  }
}

bool RunOptions::wants(const std::string& method) const {
  return std::ranges::find(methods, method) != methods.end();
}

std::vector<std::string> RunOptions::modes() const {
  if (!wants("synthetic") && !wants("synthetic+real")) return {};
  if (mode == "both") return {"class", "dataset"};
  return {mode};
}

}  // namespace dd::run
