// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <sstream>

#include "dd/adapt/adapt_plan.h"
#include "dd/adapt/adapt_size.h"
#include "dd/adapt/adapt_task.h"
#include "dd/adapt/adapter_groups.h"
#include "dd/adapt/adapter_record.h"
#include "dd/adapt/conditioner.h"
#include "dd/adapt/group_task.h"
#include "dd/adapt/shot_batches.h"
#include "dd/adapt/shot_latents.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/core/ranks.h"
#include "dd/core/room.h"
#include "dd/core/seeds.h"
#include "dd/data/image_cache.h"
#include "dd/data/parallel.h"
#include "dd/data/subset.h"
#include "dd/lora/lora_file.h"
#include "dd/lora/lora_group.h"
#include "dd/models/activations.h"
#include "dd/models/model_size.h"
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
/// Each rank decodes its share; none goes on, and changes files, before all have.
void check_images(const std::shared_ptr<const Dataset>& shots, const CommonOptions& common,
                  const Context& context) {
  std::vector<std::int64_t> own;
  for (std::int64_t i = context.ranks.rank(); i < shots->size(); i += context.ranks.count()) {
    own.push_back(i);
  }
  const std::vector<DamagedImage> damaged =
      find_damaged(*make_subset(shots, std::move(own)), thread_count(common.threads), context);
  if (!damaged.empty()) fail_input(damaged.front().problem);
  context.ranks.meet();
}

Placement placement_of(const CommonOptions& common) {
  return parse_placement(common.device, common.dtype).with_weights_at_rest();
}

/// Those that a step is computed in; ranks that train one adapter together share them.
std::int64_t parts_of_step(const AdaptOptions& options, const Ranks& ranks) {
  const std::int64_t sharers = options.mode == "dataset" ? ranks.count() : 1;
  return std::min(options.batch, options.accumulate * sharers);
}

/// The base model, loaded once; adapters take their turn in it, alone or in groups.
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
        parts_(adapted_parts(model_, options.text_encoder)),
        latents_(plan.shots, model_.vae, model_.placement, resolution_),
        conditioner_(model_.text_encoder, tokenize(model_, plan.prompts, context.report),
                     options.text_encoder) {
    if (context.ranks.first()) prepare_output(common.out, plan, run_, common.force);
    context.ranks.meet();
  }

  AdaptResult train_all() {
    AdaptResult result;
    result.steps = plan_.jobs.front().steps;
    const std::vector<AdapterGroup> groups = find_left();
    result.skipped = std::ssize(plan_.jobs);
    for (const AdapterGroup& group : groups) result.skipped -= std::ssize(group);
    if (is_together()) {
      for (const AdapterGroup& group : groups) do_group(group, result);
      return result;
    }
    share_out(context_.ranks, std::ssize(groups),
              [&](std::int64_t i) { do_group(groups[static_cast<std::size_t>(i)], result); });
    add_up(result);
    if (result.adapters > 0) result.last_loss /= static_cast<double>(result.adapters);
    return result;
  }

 private:
  static StableDiffusion load(const AdaptOptions& options, const CommonOptions& common,
                              Context& context) {
    const Placement placement = placement_of(common);
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

  /// Together: what is to be trained, in groups. Rank 0 looks, for all must see the same.
  std::vector<AdapterGroup> find_left() {
    std::string places;
    if (context_.ranks.first()) {
      for (const AdapterGroup& group : groups_on_disk()) {
        for (const AdapterJob* job : group) places += cat(job - plan_.jobs.data(), ' ');
        places += '\n';
      }
    }
    std::vector<AdapterGroup> groups;
    std::istringstream lines(context_.ranks.from_first(std::move(places)));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream in(line);
      groups.emplace_back();
      for (std::size_t place = 0; in >> place;) groups.back().push_back(&plan_.jobs.at(place));
    }
    return groups;
  }

  std::vector<AdapterGroup> groups_on_disk() const {
    AdapterGroup left;
    for (const AdapterJob& job : plan_.jobs) {
      if (is_complete(job, run_)) {
        remove_state(job);  // of a process that was killed right after its record
      } else {
        left.push_back(&job);
      }
    }
    if (options_.adapters_per_batch > 1) return adapter_groups(left, options_.adapters_per_batch);
    std::vector<AdapterGroup> groups;
    for (const AdapterJob* job : left) groups.push_back({job});
    return groups;
  }

  void do_group(const AdapterGroup& group, AdaptResult& result) {
    // Adapters of classes are each trained by one rank.
    Context context{context_.report, context_.cancel, is_together() ? context_.ranks : lone_rank()};
    if (options_.adapters_per_batch == 1) {
      add(result, train(*group.front(), context));
      return;
    }
    for (const train::TrainResult& trained : train_together(group, context)) add(result, trained);
  }

  /// Over the ranks, each of which did other jobs.
  void add_up(AdaptResult& result) const {
    std::array<double, 3> sums{static_cast<double>(result.adapters), result.last_loss,
                               result.seconds};
    context_.ranks.sum(sums);
    result.adapters = std::llround(sums[0]);
    result.last_loss = sums[1];
    result.seconds = sums[2];
  }

  static void add(AdaptResult& result, const train::TrainResult& trained) {
    ++result.adapters;
    result.seconds += trained.seconds;
    result.last_loss += trained.losses.empty() ? 0 : trained.losses.back().value;
  }

  // From the class's name, so that an adapter is the same whatever other classes there are.
  std::uint64_t seed_of(const AdapterJob& job) const {
    return mix_seed(seed_, "adapt/" + job.class_name);
  }

  lora::LoraOptions lora_options() const {
    return {.rank = options_.rank, .alpha = options_.alpha};
  }

  /// Parts of a step's batch: as many as asked for on each of the ranks that share it.
  StepOptions step_options() const {
    return {.parts = parts_of_step(options_, context_.ranks),
            .recompute = options_.checkpoint_activations};
  }

  ShotBatches batches_of(const AdapterJob& job) {
    std::vector<std::int64_t> prompt_of_label(plan_.prompts.size());
    std::iota(prompt_of_label.begin(), prompt_of_label.end(), 0);
    return {latents_,
            job.train,
            validation_shots(job),
            std::move(prompt_of_label),
            {.batch = options_.batch,
             .random_crop = options_.crop == "random",
             .flip = options_.flip,
             .timesteps = model_.schedule.num_train_timesteps,
             .seed = seed_of(job)}};
  }

  train::EngineOptions engine_options(const AdapterJob& job) const {
    return {.name = job.class_name.empty() ? "adapt" : "adapt " + job.class_name,
            .steps = job.steps,
            .save_every = options_.save_every,
            .validate_every = options_.validate_every,
            .state_file = state_file(job),
            .events = job.folder,
            .identity = run_.identity,
            .optimizer = options_.optimizer};
  }

  train::TrainResult train(const AdapterJob& job, Context& context) {
    const lora::LoraSet lora(parts_, lora::attention_targets(), lora_options(),
                             mix_seed(seed_of(job), "lora"));
    train::FlatParameters parameters(lora.parameters());
    ShotBatches batches = batches_of(job);
    AdaptTask task(model_, conditioner_, batches, step_options(), context.ranks, context.cancel);
    const train::TrainResult result = run_training(engine_options(job), parameters, task, context);
    if (context.ranks.first()) finish(job, result, lora.weights(), lora.count());
    return result;
  }

  std::vector<train::TrainResult> train_together(const AdapterGroup& group, Context& context) {
    lora::LoraGroup lora(parts_, lora::attention_targets(), lora_options(), std::ssize(group));
    train::StackedParameters parameters(lora.parameters());
    std::vector<ShotBatches> batches;
    batches.reserve(group.size());
    std::vector<BatchSource*> sources;
    std::vector<train::EngineOptions> engines;
    for (const AdapterJob* job : group) {
      lora.reset(std::ssize(engines), mix_seed(seed_of(*job), "lora"));
      batches.push_back(batches_of(*job));
      sources.push_back(&batches.back());
      engines.push_back(engine_options(*job));
    }
    GroupTask task(model_, conditioner_, sources, step_options(), context.cancel);
    const std::string name = group.size() == 1 ? engines.front().name
                                               : cat("adapt ", group.front()->class_name, " to ",
                                                     group.back()->class_name);
    std::vector<train::TrainResult> results =
        run_joint_training(name, engines, parameters, task, context);
    for (std::size_t i = 0; i < group.size(); ++i) {
      finish(*group[i], results[i], lora.weights(static_cast<std::int64_t>(i)), lora.count());
    }
    return results;
  }

  void finish(const AdapterJob& job, const train::TrainResult& result,
              const lora::LoraWeights& weights, std::int64_t count) {
    lora::write_lora(job.folder / lora::kLoraFileName, weights,
                     {.base_model = run_.fingerprint,
                      .prompt_template = plan_.prompt_template,
                      .class_name = job.class_name,
                      .data = plan_.data_hash,
                      .settings = run_.settings});
    write_record(job, plan_, run_, result, count);
    remove_state(job);
  }

  static void remove_state(const AdapterJob& job) {
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
  std::vector<lora::ModelPart> parts_;
  ShotLatents latents_;
  Conditioner conditioner_;
};

/// The activations of a step, or of a part of it, as far as the model's files tell.
std::int64_t step_bytes(const AdaptOptions& options, const CommonOptions& common,
                        const Ranks& ranks) {
  const std::optional<models::LatentShapes> shapes = models::latent_shapes(options.model);
  if (!shapes) return 0;
  const std::int64_t pixels =
      options.resolution > 0 ? options.resolution : models::default_size(shapes->unet, shapes->vae);
  const std::int64_t side = pixels / shapes->vae.factor();
  const std::int64_t parts = parts_of_step(options, ranks);
  const std::int64_t rows = (options.batch + parts - 1) / parts * options.adapters_per_batch;
  const std::size_t each = c10::elementSize(placement_of(common).dtype);
  return whole_bytes(
      static_cast<double>(rows) * static_cast<double>(each) *
      models::unet_activations(shapes->unet, {side, side}, options.checkpoint_activations));
}

/// Disk and memory, as far as the headers of the model's files tell.
void report_room(const AdaptOptions& options, const CommonOptions& common, const AdaptPlan& plan,
                 const Context& context) {
  const std::vector<io::TensorInfo> tensors = models::model_tensors(options.model);
  const std::int64_t numbers = adapter_numbers(tensors, options.rank, options.text_encoder);
  if (numbers > 0) {
    const auto adapters = static_cast<std::int64_t>(plan.jobs.size());
    const std::int64_t at_once =
        std::min(adapters, options.adapters_per_batch * context.ranks.count());
    report_space(common.out, adapter_bytes(numbers, adapters, at_once), cat(adapters, " adapters"),
                 context.report);
  }
  MemoryNeed need = models::memory_need(tensors, placement_of(common));
  need.bytes += step_bytes(options, common, context.ranks);
  report_memory(need, cat("the model's weights and a step of --batch ", options.batch),
                context.report);
}

void warn_of_idle_ranks(const AdaptOptions& options, const AdaptPlan& plan,
                        const Context& context) {
  const bool is_together = options.mode == "dataset";
  const std::int64_t each = options.adapters_per_batch;
  const std::int64_t at_once =
      is_together ? options.batch : (std::ssize(plan.jobs) + each - 1) / each;
  if (context.ranks.count() <= at_once) return;
  const char* why = "there are no more adapters";
  if (is_together) why = "a step has no more images, --batch";
  if (each > 1) why = "the adapters make no more groups, --adapters-per-batch";
  context.report.warn(
      cat("only ", at_once, " of ", context.ranks.count(), " ranks have work: ", why));
}

}  // namespace

AdaptResult run_adapt(const AdaptOptions& options, const CommonOptions& common, Context& context) {
  if (options.adapters_per_batch > 1 && options.mode != "class") {
    fail_usage(cat("--adapters-per-batch ", options.adapters_per_batch,
                   " trains adapters of classes together; use --mode class, or leave it out"));
  }
  if (options.accumulate > options.batch) {
    fail_usage(cat("--accumulate ", options.accumulate, " is more than the ", options.batch,
                   " images of a step, --batch; lower it"));
  }
  const AdaptPlan plan = make_plan(options, common, context);
  context.report.info(cat("adapt: ", plan.text()));
  report_room(options, common, plan, context);
  warn_of_idle_ranks(options, plan, context);
  if (common.dry_run) {
    AdaptResult result;
    result.adapters = static_cast<std::int64_t>(plan.jobs.size());
    result.steps = plan.jobs.front().steps;
    return result;
  }
  check_images(plan.shots, common, context);
  return Trainer(options, common, plan, context).train_all();
}

}  // namespace dd::adapt
