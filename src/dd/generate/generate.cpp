// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/generate.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <optional>
#include <span>
#include <sstream>

#include "dd/core/error.h"
#include "dd/core/ranks.h"
#include "dd/core/room.h"
#include "dd/core/shard.h"
#include "dd/generate/batch_size.h"
#include "dd/generate/loras.h"
#include "dd/generate/pipeline.h"
#include "dd/generate/writer.h"
#include "dd/models/activations.h"
#include "dd/models/model_size.h"
#include "dd/tensor/image_tensor.h"

namespace dd::generate {
namespace {

using Clock = std::chrono::steady_clock;

SamplingOptions sampling_options(const GenerateOptions& options) {
  const ImageSize size = parse_size(options.size);
  return {
      .sampler = options.sampler,
      .karras = options.karras,
      .steps = options.steps,
      .guidance = guidance_between(options.guidance, options.guidance_low, options.guidance_high),
      .width = size.width,
      .height = size.height,
      .strength = options.from_shots.empty() ? 0 : options.strength,
      .cache_every = options.cache_every,
      .decode_shrink = options.decode_shrink};
}

Json lora_list(const std::vector<LoraUse>& uses, bool with_file) {
  Json list = Json::array();
  for (const LoraUse& use : uses) {
    Json entry = Json::object();
    if (with_file) entry["file"] = use.file.string();
    entry["scale"] = use.scale;
    entry["hash"] = use.hash;
    list.push_back(std::move(entry));
  }
  return list;
}

/// Paths and names of this machine stay out of the settings: a set may be completed elsewhere.
SetDescription describe(const models::StableDiffusion& model, const GenerateOptions& options,
                        const SamplingOptions& sampling, const Plan& plan,
                        const std::vector<std::vector<LoraUse>>& loras) {
  SetDescription description;
  Json common{{"sampler", sampling.sampler},
              {"steps", sampling.steps},
              {"guidance", options.guidance},
              {"guidance_low", options.guidance_low},
              {"guidance_high", options.guidance_high},
              {"negative", options.negative},
              {"width", sampling.width},
              {"height", sampling.height},
              {"dtype", dtype_name(model.placement.dtype)},
              {"model_hash", model.fingerprint}};
  common.update(options.model_options.identity());
  // Only where they differ from what sets without this field were made with.
  if (sampling.karras) common["karras"] = true;
  if (sampling.cache_every > 1) common["cache_every"] = sampling.cache_every;
  if (sampling.decode_shrink > 1) common["decode_shrink"] = sampling.decode_shrink;
  if (plan.shared_noise) common["shared_noise"] = true;
  if (plan.starts) common["strength"] = sampling.strength;
  description.settings = common;
  if (plan.starts) description.settings["starts"] = plan.starts->hash();
  description.settings["seed"] = plan.seed;
  Json subjects = Json::array();
  for (std::size_t i = 0; i < plan.subjects.size(); ++i) {
    const Subject& subject = plan.subjects[i];
    subjects.push_back({{"class", subject.name},
                        {"folder", subject.folder},
                        {"prompt", subject.prompt},
                        {"lora", lora_list(loras[i], false)}});
    description.loras.push_back(lora_list(loras[i], true));
  }
  description.settings["subjects"] = std::move(subjects);
  description.common_line = std::move(common);
  description.common_line["model"] = model.source;
  description.common_line["version"] = DATADREAM_VERSION;
  return description;
}

/// Places of the plan that are drawn together, and which of them are missing.
struct Batch {
  std::int64_t begin;
  std::int64_t end;
  std::span<const PlannedImage> missing;
};

/// One call's work: the batches that lack an image, LoRAs exchanged between subjects that need
/// others.
class Run {
 public:
  Run(const models::StableDiffusion& model, TextToImage& drawer, const GenerateOptions& options,
      const Plan& plan, Context& context)
      : model_(model), drawer_(drawer), options_(options), plan_(plan), context_(context) {}

  /// Together with the other ranks, who see the same `todo`: the missing images of the shard. A
  /// batch is the same whoever draws it, and whatever is there already.
  void draw(const std::vector<PlannedImage>& todo, const Shard& shard,
            const std::vector<std::vector<LoraUse>>& loras, const ImageSetWriter& writer) {
    std::vector<std::int64_t> group_ends;
    const std::vector<Batch> batches = cut_into_batches(todo, shard, loras, group_ends);
    const std::vector<std::int64_t> runs = cut_into_runs(group_ends, context_.ranks.count());
    total_ = std::ssize(todo);
    share_out(context_.ranks, std::ssize(runs), [&](std::int64_t i) {
      const std::int64_t begin = i == 0 ? 0 : runs[static_cast<std::size_t>(i - 1)];
      const std::int64_t count = runs[static_cast<std::size_t>(i)] - begin;
      const auto run = std::span(batches).subspan(static_cast<std::size_t>(begin),
                                                  static_cast<std::size_t>(count));
      change_loras(loras[run.front().missing.front().subject]);
      for (const Batch& batch : run) {
        // Whatever stands before it in the list is drawn, or another rank is at it.
        done_ = batch.missing.data() - todo.data();
        draw_batch(batch, writer);
      }
    });
    finish_writing();
    context_.ranks.meet();
    context_.report.progress("generate", total_, total_, "");
  }

 private:
  /// Behind the last of the following subjects that are drawn with the LoRAs of the image there.
  std::int64_t end_of_loras(std::int64_t place,
                            const std::vector<std::vector<LoraUse>>& loras) const {
    const std::size_t first = plan_.subject_at(place);
    std::size_t end = first + 1;
    while (end < loras.size() && loras[end] == loras[first]) ++end;
    return static_cast<std::int64_t>(end) * plan_.each;
  }

  /// Cuts the whole shard, not what is missing of it: images drawn together share their rounding,
  /// so a call that goes on after a stop gets the bytes that it would have got without one.
  std::vector<Batch> cut_into_batches(const std::vector<PlannedImage>& todo, const Shard& shard,
                                      const std::vector<std::vector<LoraUse>>& loras,
                                      std::vector<std::int64_t>& group_ends) {
    const std::int64_t size = batch_size();
    const std::int64_t shard_end = shard.end(plan_.total());
    std::vector<Batch> batches;
    std::span<const PlannedImage> rest = todo;
    for (std::int64_t begin = shard.begin(plan_.total()); begin < shard_end && !rest.empty();) {
      const std::int64_t group_end = std::min(shard_end, end_of_loras(begin, loras));
      while (begin < group_end) {
        const std::int64_t end = std::min(begin + size, group_end);
        std::size_t missing = 0;
        while (missing < rest.size() && plan_.place_of(rest[missing]) < end) ++missing;
        if (missing > 0) batches.push_back({begin, end, rest.first(missing)});
        rest = rest.subspan(missing);
        begin = end;
      }
      group_ends.push_back(std::ssize(batches));
    }
    return batches;
  }

  /// Together: ranks that find other amounts of free memory must still make the same batches.
  std::int64_t batch_size() {
    if (options_.batch > 0) return options_.batch;
    std::int64_t smallest = drawer_.automatic_batch();
    if (context_.ranks.alone()) return smallest;
    for (const std::string& other : context_.ranks.gather(std::to_string(smallest))) {
      smallest = std::min<std::int64_t>(smallest, std::stoll(other));
    }
    return smallest;
  }

  void change_loras(const std::vector<LoraUse>& uses) {
    if (uses_ != nullptr && *uses_ == uses) return;
    merged_.reset();
    loras_.emplace(model_, uses, context_.report);
    uses_ = &uses;
    prompts_.clear();
    unconditional_ = at::Tensor();
  }

  void draw_batch(const Batch& places, const ImageSetWriter& writer) {
    std::vector<PlannedImage> batch;
    std::vector<std::uint64_t> seeds;
    for (std::int64_t place = places.begin; place < places.end; ++place) {
      batch.push_back(plan_.at(place));
      seeds.push_back(batch.back().seed);
    }
    const auto on_step = [&](std::int64_t step) {
      context_.cancel.check();
      context_.report.progress("generate", done_, total_,
                               cat("step ", step, "/", drawer_.evaluations()));
    };
    const at::Tensor context = conditioning(batch);
    if (!merged_) merged_.emplace(loras_->merge_into_unet());
    const at::Tensor pixels =
        plan_.starts ? drawer_.images_from(starts(batch), context, unconditional_, seeds, on_step)
                     : drawer_.images(context, unconditional_, seeds, on_step);
    finish_writing();
    // PNG files are packed and written while the next batch is drawn.
    writing_ =
        std::async(std::launch::async, [this, &writer, places, images = tensor_to_images(pixels)] {
          for (const PlannedImage& planned : places.missing) {
            writer.write(planned,
                         images[static_cast<std::size_t>(plan_.place_of(planned) - places.begin)]);
          }
        });
    done_ += std::ssize(places.missing);
    context_.report.progress("generate", done_, total_, "");
  }

  /// [B, T, width]; each prompt is encoded once, and kept while batches still need it.
  at::Tensor conditioning(std::span<const PlannedImage> batch) {
    std::map<std::string, at::Tensor> needed;
    for (const PlannedImage& planned : batch) {
      const auto known = prompts_.find(planned.prompt);
      needed[planned.prompt] = known != prompts_.end() ? known->second : at::Tensor();
    }
    prompts_ = std::move(needed);
    encode_new_prompts();
    std::vector<at::Tensor> rows;
    for (const PlannedImage& planned : batch) rows.push_back(prompts_.at(planned.prompt));
    return at::cat(rows);
  }

  /// The text encoder is merged into, and takes memory, meanwhile alone.
  void encode_new_prompts() {
    const bool guided = drawer_.options().guidance.enabled() && !unconditional_.defined();
    const auto is_new = [](const auto& prompt) { return !prompt.second.defined(); };
    if (!guided && std::ranges::none_of(prompts_, is_new)) return;
    {
      const lora::MergedLora merged = loras_->merge_into_text_encoder();
      if (guided) unconditional_ = drawer_.encode(options_.negative);
      for (auto& [prompt, states] : prompts_) {
        if (!states.defined()) states = drawer_.encode(prompt);
      }
    }
    model_.text_encoder.release();
  }

  /// Each picture is encoded once: alone, so that its numbers depend on nothing else.
  std::vector<models::Posterior> starts(std::span<const PlannedImage> batch) {
    std::vector<models::Posterior> result;
    const SamplingOptions& sampling = drawer_.options();
    for (const PlannedImage& planned : batch) {
      auto known = encoded_.find(planned.start);
      if (known == encoded_.end()) {
        const Image picture =
            plan_.starts->picture(*planned.start, sampling.width, sampling.height);
        known = encoded_
                    .emplace(planned.start,
                             drawer_.encode_picture(images_to_tensor(std::span(&picture, 1))))
                    .first;
      }
      result.push_back(known->second);
    }
    return result;
  }

  void finish_writing() {
    if (writing_.valid()) writing_.get();
  }

  const models::StableDiffusion& model_;
  TextToImage& drawer_;
  const GenerateOptions& options_;
  const Plan& plan_;
  Context& context_;
  std::optional<LoadedLoras> loras_;
  std::optional<lora::MergedLora> merged_;      ///< into the U-Net; none before the first batch
  const std::vector<LoraUse>* uses_ = nullptr;  ///< what is loaded; null before the first
  std::map<std::string, at::Tensor> prompts_;   ///< conditioning by prompt
  std::map<const StartImage*, models::Posterior> encoded_;
  at::Tensor unconditional_;
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
  std::future<void> writing_;  ///< last, so that it ends before anything it uses goes
};

template <class Visit>
void for_each_caption(const Plan& plan, const Visit& visit) {
  for (std::size_t subject = 0; subject < plan.subjects.size(); ++subject) {
    for (const StartImage& start : plan.starts->of_class(subject)) {
      for (const std::string& caption : start.captions) visit(caption);
    }
  }
}

void warn_of_cut_prompts(const models::StableDiffusion& model, const GenerateOptions& options,
                         const Plan& plan, Reporter& report) {
  const auto check = [&](const std::string& prompt) {
    if (!model.tokenizer.encode(prompt).truncated) return;
    report.warn(cat("the prompt \"", prompt, "\" is longer than ", model.tokenizer.context_length(),
                    " tokens; its end is not seen by the model"));
  };
  for (const Subject& subject : plan.subjects) check(subject.prompt);
  if (plan.starts && !options.captions.empty()) {
    for_each_caption(plan, check);
    if (const std::int64_t without = plan.starts->without_caption(); without > 0) {
      report.warn(cat(without, " pictures of --from-shots have no line in ",
                      options.captions.string(), " and take the prompt of their class"));
    }
  }
  check(options.negative);
  if (!options.negative.empty() && options.guidance <= 1) {
    report.warn("--negative has no effect without guidance; give --guidance above 1");
  }
}

struct Request {
  const GenerateOptions& options;
  const CommonOptions& common;
  Plan plan;
  std::vector<std::vector<LoraUse>> loras;  ///< by subject
};

/// What can be checked without a model goes first: a mistyped class file should not wait for one.
Request make_request(const GenerateOptions& options, const CommonOptions& common,
                     const Context& context) {
  options.check();
  if (common.out.empty()) fail_usage("--out is missing; name the folder for the images");
  Plan plan = make_plan(options, static_cast<std::uint64_t>(common.seed), context.cancel);
  auto loras = choose_loras(options, plan, context.ranks);
  return {options, common, std::move(plan), std::move(loras)};
}

/// The missing images of this shard, in the plan's order. Which part of the plan an image is in
/// does not depend on what is there already; ranks look for other files, which may be a million.
std::vector<PlannedImage> find_todo(const ImageSetWriter& writer, const Request& request,
                                    Ranks& ranks) {
  const Plan& plan = request.plan;
  const Shard shard = parse_shard(request.options.shard);
  const Shard of_rank{ranks.rank() + 1, ranks.count()};
  std::vector<PlannedImage> found = writer.missing([&](std::int64_t place) {
    return shard.holds(place, plan.total()) && of_rank.holds(place, plan.total());
  });
  if (ranks.alone()) return found;
  std::string places;
  for (const PlannedImage& planned : found)
    places += cat(planned.subject, ' ', planned.number, '\n');
  std::vector<PlannedImage> todo;
  for (const std::string& part : ranks.gather(std::move(places))) {
    std::istringstream in(part);
    std::size_t subject = 0;
    for (std::int64_t number = 0; in >> subject >> number;)
      todo.push_back(plan.image(subject, number));
  }
  return todo;
}

std::string summary(const Plan& plan, const TextToImage& drawer, const GenerateResult& result,
                    std::size_t todo) {
  const SamplingOptions& sampling = drawer.options();
  return cat(todo, " images to draw, ", result.present, " there already: ", plan.subjects.size(),
             plan.labelled ? " classes" : " prompt", ", ", drawer.image_width(), "x",
             drawer.image_height(), " pixels, ", sampling.sampler, ", ", drawer.evaluations(),
             " evaluations each", sampling.guidance.enabled() ? ", twice for guidance" : "");
}

GenerateResult run_request(const models::StableDiffusion& model, const Request& request,
                           Context& context) {
  TextToImage drawer(model, sampling_options(request.options));
  ImageSetWriter writer(
      request.common.out, request.plan,
      describe(model, request.options, drawer.options(), request.plan, request.loras),
      request.common.force);
  const Shard shard = parse_shard(request.options.shard);
  const std::vector<PlannedImage> todo = find_todo(writer, request, context.ranks);
  GenerateResult result;
  const std::int64_t total = request.plan.total();
  result.present = shard.end(total) - shard.begin(total) - std::ssize(todo);
  context.report.info(summary(request.plan, drawer, result, todo.size()));
  report_space(request.common.out,
               std::ssize(todo) * picture_bytes(drawer.options().width, drawer.options().height),
               cat(todo.size(), " images"), context.report);
  if (request.common.dry_run) return result;
  warn_of_cut_prompts(model, request.options, request.plan, context.report);
  if (context.ranks.first()) writer.begin();
  context.ranks.meet();
  writer.check_begun(context);
  const auto start = Clock::now();
  try {
    Run(model, drawer, request.options, request.plan, context)
        .draw(todo, shard, request.loras, writer);
  } catch (...) {
    if (context.ranks.first()) writer.write_metadata();
    throw;
  }
  if (context.ranks.first()) writer.write_metadata(shard.is_whole());
  result.written = static_cast<std::int64_t>(todo.size());
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

/// The activations of a batch that is asked for, as far as the model's files tell.
std::int64_t batch_bytes(const GenerateOptions& options, Placement placement) {
  const std::optional<models::LatentShapes> shapes = models::latent_shapes(options.model);
  if (!shapes) return 0;
  SamplingOptions sampling = sampling_options(options);
  if (sampling.width == 0) {
    sampling.width = sampling.height = models::default_size(shapes->unet, shapes->vae);
  }
  return whole_bytes(static_cast<double>(options.batch) *
                     drawing_bytes(shapes->unet, shapes->vae, sampling, placement.dtype));
}

}  // namespace

std::int64_t picture_bytes(std::int64_t width, std::int64_t height) {
  // A row of a PNG that cannot be packed is longer by its filter; the rest is the file's frame and
  // the line of metadata.jsonl.
  constexpr std::int64_t kBeside = 2048;
  return height * (3 * width + 1) + kBeside;
}

GenerateResult run_generate(const models::StableDiffusion& model, const GenerateOptions& options,
                            const CommonOptions& common, Context& context) {
  return run_request(model, make_request(options, common, context), context);
}

GenerateResult run_generate(const GenerateOptions& options, const CommonOptions& common,
                            Context& context) {
  const Request request = make_request(options, common, context);
  const Placement placement = parse_placement(common.device, common.dtype).with_weights_at_rest();
  MemoryNeed need = models::memory_need(models::model_tensors(options.model), placement);
  std::string what = "the model's weights";
  if (options.batch > 0) {
    need.bytes += batch_bytes(options, placement);
    what += cat(" and a --batch of ", options.batch);
  }
  const auto model = models::load_saying_memory(need, what, context.report, [&] {
    return models::StableDiffusion::load(options.model, placement, options.model_options);
  });
  for (const std::string& note : model.notes) context.report.info(note);
  return run_request(model, request, context);
}

}  // namespace dd::generate
