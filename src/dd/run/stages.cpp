// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stages.h"

#include "dd/adapt/adapt.h"
#include "dd/classify/evaluate.h"
#include "dd/classify/train.h"
#include "dd/core/error.h"
#include "dd/generate/generate.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

/// Images a class of the model as it is, which the report shows beside the adapted ones.
constexpr std::int64_t kFrozenShown = 8;

adapt::AdaptOptions adapt_options(const Setup& setup, const std::string& mode,
                                  const fs::path& shots) {
  const RunOptions& from = setup.options;
  adapt::AdaptOptions to;
  to.model = setup.model;
  to.model_options = from.model_options;
  to.data = from.data;
  to.split = from.split;
  to.shots = from.shots;
  to.shots_file = shots;
  to.validation_shots = from.adapt_validation_shots;
  to.mode = mode;
  to.prompt_template = from.prompt_template;
  to.rank = from.adapt_rank;
  to.alpha = from.adapt_alpha;
  to.steps = from.adapt_steps;
  to.batch = from.adapt_batch;
  to.optimizer.learning_rate = from.adapt_lr;
  to.optimizer.warmup = from.adapt_warmup;
  return to;
}

generate::GenerateOptions generate_options(const Setup& setup, const fs::path& adapters,
                                           std::int64_t per_class) {
  const RunOptions& from = setup.options;
  generate::GenerateOptions to;
  to.model = setup.model;
  to.model_options = from.model_options;
  to.adapters = adapters;
  to.classes = from.data;
  to.per_class = per_class;
  to.prompt_template = from.prompt_template;
  to.sampler = from.sampler;
  to.steps = from.sample_steps;
  to.guidance = from.guidance;
  to.batch = from.sample_batch;
  return to;
}

classify::TrainOptions train_options(const Setup& setup, const fs::path& synthetic,
                                     const fs::path& shots) {
  const RunOptions& from = setup.options;
  classify::TrainOptions to;
  to.clip = setup.clip;
  to.synthetic = synthetic;
  if (!synthetic.empty()) to.images_per_class = from.per_class;
  if (!shots.empty()) {
    to.real = from.data;
    to.split = from.split;
    to.shots_file = shots;
  }
  to.lambda = from.lambda;
  if (!synthetic.empty() && !shots.empty()) to.lambdas = from.lambdas;
  if (!from.val_split.empty()) {
    to.val = from.data;
    to.val_split = from.val_split;
  }
  to.rank = from.classifier_rank;
  to.alpha = from.classifier_alpha;
  to.targets = from.classifier_targets;
  to.prompt_template = from.prompt_template;
  to.steps = from.classifier_steps;
  to.batch = from.classifier_batch;
  to.augment = from.classifier_augment;
  to.optimizer.learning_rate = from.classifier_lr;
  to.optimizer.warmup = from.classifier_warmup;
  return to;
}

/// Collects the stages of one seed.
class SeedPlanner {
 public:
  SeedPlanner(const Setup& setup, std::int64_t seed, Chain& chain)
      : setup_(setup), options_(setup.options), seed_(seed), chain_(chain) {}

  void plan() {
    const std::int64_t classes = setup_.data->num_classes();
    chain_.stages.push_back(
        {name("shots"), cat(options_.shots, " real images of each of ", classes, " classes"),
         [&setup = setup_, seed = seed_](Context&) { return write_seed_shots(setup, seed); }});
    if (options_.wants("real")) measure("real", "none", "", true);
    const bool frozen = options_.wants("frozen") || options_.wants("frozen+real");
    const std::string images = generate("frozen", "", frozen ? options_.per_class : kFrozenShown);
    if (options_.wants("frozen")) measure("frozen", "none", images, false);
    if (options_.wants("frozen+real")) measure("frozen+real", "none", images, true);
    for (const std::string& mode : options_.modes()) plan_mode(mode);
  }

 private:
  std::string name(const std::string& stage) const { return cat("seed-", seed_, "/", stage); }
  fs::path folder(const std::string& stage) const { return setup_.common.out / stage; }
  fs::path shots_file() const { return folder(name("shots.json")); }
  CommonOptions common(const std::string& stage) const {
    return setup_.stage_common(folder(stage), seed_);
  }

  void plan_mode(const std::string& mode) {
    const std::string adapters = name("adapt-" + mode);
    const std::int64_t classes = setup_.data->num_classes();
    const std::string what =
        mode == "class" ? cat(classes, " adapters, ", options_.adapt_steps, " updates in all")
                        : cat("one adapter, ", options_.adapt_steps, " updates");
    chain_.stages.push_back(
        {adapters, cat(what, " of ", options_.adapt_batch, " images"),
         [options = adapt_options(setup_, mode, shots_file()), own = common(adapters)](
             Context& context) { return adapt::run_adapt(options, own, context).adapters > 0; }});
    const std::string images = generate(mode, adapters, options_.per_class);
    if (options_.wants("synthetic")) measure("synthetic", mode, images, false);
    if (options_.wants("synthetic+real")) measure("synthetic+real", mode, images, true);
  }

  /// Returns the stage's name.
  std::string generate(const std::string& kind, const std::string& adapters, std::int64_t each) {
    const std::string stage = name("generate-" + kind);
    chain_.stages.push_back({stage,
                             cat(each * setup_.data->num_classes(), " images, ",
                                 options_.sample_steps, " steps of ", options_.sampler),
                             [options = generate_options(
                                  setup_, adapters.empty() ? fs::path() : folder(adapters), each),
                              own = common(stage)](Context& context) {
                               return generate::run_generate(options, own, context).written > 0;
                             }});
    return stage;
  }

  /// Trains a classifier on the images of a stage and/or the shots, and scores it.
  void measure(const std::string& method, const std::string& mode, const std::string& images,
               bool real) {
    const std::string suffix = mode == "none" ? method : method + "-" + mode;
    const std::string classifier = name("train-" + suffix);
    const fs::path synthetic = images.empty() ? fs::path() : folder(images);
    const std::size_t trainings =
        real && !images.empty() ? std::max<std::size_t>(1, options_.lambdas.size()) : 1;
    chain_.stages.push_back(
        {classifier,
         cat(trainings > 1 ? cat(trainings, " x ") : "", options_.classifier_steps, " updates of ",
             options_.classifier_batch, " images"),
         [options = train_options(setup_, synthetic, real ? shots_file() : fs::path()),
          own = common(classifier)](Context& context) {
           return !classify::run_train(options, own, context).skipped;
         }});
    const std::string evaluation = name("evaluate-" + suffix);
    add_evaluation(setup_, evaluation, classifier, seed_, chain_);
    std::vector<std::string> work;
    if (mode != "none") work.push_back(name("adapt-" + mode));
    if (!images.empty()) work.push_back(images);
    work.push_back(classifier);
    chain_.measurements.push_back({.method = method,
                                   .mode = mode,
                                   .seed = seed_,
                                   .shots = real || mode != "none" ? options_.shots : 0,
                                   .images_per_class = images.empty() ? 0 : options_.per_class,
                                   .evaluation = evaluation,
                                   .classifier = classifier,
                                   .work = std::move(work)});
  }

 public:
  /// An empty `classifier` means zero-shot.
  static void add_evaluation(const Setup& setup, const std::string& stage,
                             const std::string& classifier, std::int64_t seed, Chain& chain) {
    classify::EvaluateOptions options;
    options.clip = setup.clip;
    options.data = setup.options.data;
    options.split = setup.options.test_split;
    if (classifier.empty()) {
      options.prompt_template = setup.options.prompt_template;
    } else {
      options.classifier = setup.common.out / classifier;
    }
    chain.stages.push_back(
        {stage, cat("accuracy on ", setup.test_images, " images (", options.split, ")"),
         [options, own = setup.stage_common(setup.common.out / stage, seed)](Context& context) {
           return !classify::run_evaluate(options, own, context).skipped;
         }});
  }

 private:
  const Setup& setup_;
  const RunOptions& options_;
  std::int64_t seed_;
  Chain& chain_;
};

}  // namespace

Chain plan_chain(const Setup& setup) {
  Chain chain;
  if (setup.options.wants("zero-shot")) {
    const std::string stage = "evaluate-zero-shot";
    SeedPlanner::add_evaluation(setup, stage, "", setup.seeds.front(), chain);
    chain.measurements.push_back({.method = "zero-shot",
                                  .mode = "none",
                                  .seed = setup.seeds.front(),
                                  .evaluation = stage,
                                  .classifier = "",
                                  .work = {}});
  }
  for (const std::int64_t seed : setup.seeds) SeedPlanner(setup, seed, chain).plan();
  return chain;
}

}  // namespace dd::run
