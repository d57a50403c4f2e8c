// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "dd/adapt/adapt_plan.h"
#include "dd/adapt/adapt_task.h"
#include "dd/adapt/adapter_record.h"
#include "dd/adapt/conditioner.h"
#include "dd/adapt/shot_batches.h"
#include "dd/adapt/shot_latents.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/core/ranks.h"
#include "dd/core/seeds.h"
#include "dd/data/image_cache.h"
#include "dd/lora/lora_file.h"
#include "dd/models/stable_diffusion.h"

namespace dd::adapt {
namespace {

using models::StableDiffusion;

std::int64_t resolution_of(const AdaptOptions& options, const StableDiffusion& model) {
  const std::int64_t factor = model.vae.config().factor();
  const std::int64_t resolution =
      options.resolution > 0 ? options.resolution : model.default_size();
  if (resolution % factor != 0) {
    fail_usage(cat("--resolution is ", resolution, ", but must be a multiple of ", factor,
                   ", the pixels that a latent cell spans"));
  }
  return resolution;
}

std::vector<lora::ModelPart> adapted_parts(const StableDiffusion& model, bool text_encoder) {
  std::vector<lora::ModelPart> parts{{"unet", &model.unet.parameters()}};
  if (text_encoder) parts.push_back({"text_encoder", &model.text_encoder.parameters()});
  return parts;
}

at::Tensor tokenize(const StableDiffusion& model, const std::vector<std::string>& prompts,
                    Reporter& report) {
  std::int64_t truncated = 0;
  const at::Tensor tokens = models::tokenize(model.tokenizer, prompts, &truncated);
  if (truncated > 0) {
    report.warn(cat(truncated, " of ", prompts.size(), " prompts are longer than the ",
                    tokens.size(1), " tokens of the model and were cut; shorten --template"));
  }
  return tokens.to(model.placement.device);
}

AdaptRun describe_run(const AdaptOptions& options, const CommonOptions& common,
                      const StableDiffusion& model, const AdaptPlan& plan,
                      std::int64_t resolution) {
  AdaptRun run;
  run.settings = settings_text(options, common, dtype_name(model.placement.dtype), resolution);
  run.model = model.source;
  run.fingerprint = model.fingerprint;
  run.identity = sha256_of(cat(run.settings, '\n', run.fingerprint, '\n', plan.data_hash));
  return run;
}

/// A damaged picture should stop the run now, not when its turn comes.
void check_images(const Dataset& shots, const CommonOptions& common, const Context& context) {
  const std::vector<DamagedImage> damaged =
      find_damaged(shots, std::max<std::int64_t>(1, common.threads), context);
  if (!damaged.empty()) fail_input(damaged.front().problem);
}

/// The base model with LoRA in it, loaded once; each adapter's values take their turn in place.
class Trainer {
 public:
  Trainer(const AdaptOptions& options, const CommonOptions& common, const AdaptPlan& plan,
          Context& context)
      : options_(options),
        seed_(static_cast<std::uint64_t>(common.seed)),
        plan_(plan),
        context_(context),
        model_(load(options, common, context)),
        resolution_(resolution_of(options, model_)),
        run_(describe_run(options, common, model_, plan, resolution_)),
        lora_(adapted_parts(model_, options.text_encoder), lora::attention_targets(),
              {.rank = options.rank, .alpha = options.alpha}, seed_),
        parameters_(lora_.parameters()),
        latents_(plan.shots, model_.vae, model_.placement, resolution_),
        conditioner_(model_.text_encoder, tokenize(model_, plan.prompts, context.report),
                     options.text_encoder) {
    if (context.ranks.first()) prepare_output(common.out, plan, run_, common.force);
    context.ranks.meet();
  }

  AdaptResult train_all() {
    AdaptResult result;
    result.steps = plan_.jobs.front().steps;
    if (is_together()) {
      do_job(plan_.jobs.front(), result);
      return result;
    }
    share_out(context_.ranks, std::ssize(plan_.jobs),
              [&](std::int64_t i) { do_job(plan_.jobs[static_cast<std::size_t>(i)], result); });
    add_up(result);
    if (result.adapters > 0) result.last_loss /= static_cast<double>(result.adapters);
    return result;
  }

 private:
  static StableDiffusion load(const AdaptOptions& options, const CommonOptions& common,
                              Context& context) {
    const at::Device device = parse_device(common.device);
    const Placement placement{device, parse_dtype(common.dtype, device)};
    if (placement.dtype == at::kHalf) {
      context.report.warn(
          "training in f16 can lose small gradients; prefer --dtype bf16, or f32 on a CPU");
    }
    StableDiffusion model = StableDiffusion::load(options.model, placement, options.model_options);
    for (const std::string& note : model.notes) context.report.info(note);
    return model;
  }

  /// One adapter of all classes is trained by all ranks together.
  bool is_together() const { return options_.mode == "dataset"; }

  void do_job(const AdapterJob& job, AdaptResult& result) {
    if (is_complete(job, run_)) {
      ++result.skipped;
      return;
    }
    const train::TrainResult trained = train(job);
    if (!is_together() || context_.ranks.first()) finish(job, trained);
    ++result.adapters;
    result.seconds += trained.seconds;
    result.last_loss += trained.losses.empty() ? 0 : trained.losses.back().value;
  }

  /// Over the ranks, each of which did other jobs.
  void add_up(AdaptResult& result) const {
    std::array<double, 4> sums{static_cast<double>(result.adapters),
                               static_cast<double>(result.skipped), result.last_loss,
                               result.seconds};
    context_.ranks.sum(sums);
    result.adapters = std::llround(sums[0]);
    result.skipped = std::llround(sums[1]);
    result.last_loss = sums[2];
    result.seconds = sums[3];
  }

  /// Parts of a step's batch: as many as asked for on each of the ranks that share it.
  std::int64_t parts() const {
    if (!is_together()) return options_.accumulate;
    return std::min(options_.batch, options_.accumulate * context_.ranks.count());
  }

  train::TrainResult train(const AdapterJob& job) {
    // From the class's name, so that an adapter is the same whatever other classes there are.
    const std::uint64_t seed = mix_seed(seed_, "adapt/" + job.class_name);
    lora_.reset(mix_seed(seed, "lora"));
    std::vector<std::int64_t> prompt_of_label(plan_.prompts.size());
    std::iota(prompt_of_label.begin(), prompt_of_label.end(), 0);
    ShotBatches batches(latents_, job.train, job.validation.empty() ? job.train : job.validation,
                        std::move(prompt_of_label),
                        {.batch = options_.batch,
                         .random_crop = options_.crop == "random",
                         .flip = options_.flip,
                         .timesteps = model_.schedule.num_train_timesteps,
                         .seed = seed});
    Context context{context_.report, context_.cancel, is_together() ? context_.ranks : lone_rank()};
    AdaptTask task(model_, conditioner_, batches, parts(), context.ranks);
    const train::EngineOptions engine{
        .name = job.class_name.empty() ? "adapt" : "adapt " + job.class_name,
        .steps = job.steps,
        .save_every = options_.save_every,
        .validate_every = options_.validate_every,
        .state_file = state_file(job),
        .events = job.folder,
        .identity = run_.identity,
        .optimizer = options_.optimizer};
    return run_training(engine, parameters_, task, context);
  }

  void finish(const AdapterJob& job, const train::TrainResult& result) {
    lora::write_lora(job.folder / lora::kLoraFileName, lora_.weights(),
                     {.base_model = run_.fingerprint,
                      .prompt_template = plan_.prompt_template,
                      .class_name = job.class_name,
                      .data = plan_.data_hash,
                      .settings = run_.settings});
    write_record(job, plan_, run_, result, lora_.count());
    std::error_code error;
    std::filesystem::remove(state_file(job), error);  // a left-over state does no harm
  }

  const AdaptOptions& options_;
  std::uint64_t seed_;
  const AdaptPlan& plan_;
  Context& context_;
  StableDiffusion model_;
  std::int64_t resolution_;
  AdaptRun run_;
  lora::LoraSet lora_;
  train::FlatParameters parameters_;
  ShotLatents latents_;
  Conditioner conditioner_;
};

}  // namespace

AdaptResult run_adapt(const AdaptOptions& options, const CommonOptions& common, Context& context) {
  if (options.accumulate > options.batch) {
    fail_usage(cat("--accumulate ", options.accumulate, " is more than the ", options.batch,
                   " images of a step, --batch; lower it"));
  }
  const AdaptPlan plan = make_plan(options, common);
  context.report.info(cat("adapt: ", plan.text()));
  const std::int64_t at_once =
      options.mode == "dataset" ? options.batch : static_cast<std::int64_t>(plan.jobs.size());
  if (context.ranks.count() > at_once) {
    context.report.warn(cat("only ", at_once, " of ", context.ranks.count(), " ranks have work: ",
                            options.mode == "dataset" ? "a step has no more images, --batch"
                                                      : "there are no more adapters"));
  }
  if (common.dry_run) {
    AdaptResult result;
    result.adapters = static_cast<std::int64_t>(plan.jobs.size());
    result.steps = plan.jobs.front().steps;
    return result;
  }
  check_images(*plan.shots, common, context);
  return Trainer(options, common, plan, context).train_all();
}

}  // namespace dd::adapt
