// SPDX-License-Identifier: Apache-2.0
#include "dd/run/model_costs.h"

#include "dd/adapt/adapt_size.h"
#include "dd/classify/clip_model.h"
#include "dd/core/error.h"
#include "dd/generate/generate.h"
#include "dd/generate/options.h"
#include "dd/models/flops.h"
#include "dd/models/model_size.h"
#include "dd/models/stable_diffusion.h"

namespace dd::run {
namespace {

models::LoraShape classifier_shape(const RunOptions& options) {
  const std::size_t plus = options.classifier_targets.find('+');
  return {.rank = options.classifier_rank,
          .projections = options.classifier_targets.substr(0, plus) == "qv" ? 2 : 4,
          .mlp = plus != std::string::npos};
}

std::vector<double> decoding(const models::VaeConfig& vae, std::int64_t side) {
  std::vector<double> flops;
  for (std::int64_t shrink = 1; shrink <= generate::kMaxDecodeShrink; ++shrink) {
    const bool fits = side % (vae.factor() * shrink) == 0;
    const models::GridSize pixels{side / shrink, side / shrink};
    flops.push_back(fits ? models::vae_decoder_flops(vae, pixels).forward : 0);
  }
  return flops;
}

}  // namespace

ModelCosts ModelCosts::of(const models::StableDiffusion& model, const classify::ClipModel& clip,
                          const RunOptions& options, const std::vector<std::string>& class_names) {
  const std::int64_t side = model.default_size();
  const std::int64_t cells = side / model.vae.config().factor();
  const std::int64_t tokens = model.tokenizer.context_length();
  const models::LoraShape lora{.rank = options.adapt_rank};
  const models::LoraShape classifier = classifier_shape(options);
  NullReporter silent;
  const std::int64_t prompt =
      classify::class_prompts(clip, class_names, options.prompt_template, silent).tokens.size(1);
  const auto classes = static_cast<double>(class_names.size());
  const models::UNetConfig& unet = model.unet.config();
  ModelCosts costs;
  costs.adapt_picture = models::unet_flops(unet, {cells, cells}, tokens, lora).training;
  costs.adapt_prompt = models::text_flops(model.text_encoder.config(), tokens, lora).training;
  const models::DrawingFlops drawing = models::drawing_flops(unet, {cells, cells}, tokens);
  costs.evaluation = drawing.whole;
  costs.prompt_keys = drawing.keys;
  costs.shallow_evaluation = drawing.shallow;
  costs.encode_picture = models::vae_encoder_flops(model.vae.config(), {side, side}).forward;
  costs.decode_picture = decoding(model.vae.config(), side);
  costs.train_picture = models::clip_image_flops(clip.clip.config(), classifier).training;
  costs.train_prompts =
      classes * models::clip_text_flops(clip.clip.config(), prompt, classifier).training;
  costs.score_picture = models::clip_image_flops(clip.clip.config(), {}).forward;
  costs.picture_bytes = generate::picture_bytes(side, side);
  costs.adapter_numbers =
      adapt::adapter_numbers(models::model_tensors(model.source), 1, /*text_encoder=*/true);
  costs.schedule = model.schedule;
  return costs;
}

double ModelCosts::decode(std::int64_t shrink) const {
  const auto place = static_cast<std::size_t>(shrink - 1);
  if (place < decode_picture.size() && decode_picture[place] > 0) return decode_picture[place];
  fail_usage(cat("--decode-shrink ", shrink, " does not divide the latents of this model; choose ",
                 "another"));
}

bool ModelCosts::is_complete(const Json& json) {
  const Json now = ModelCosts().to_json();
  return std::ranges::all_of(now.items(),
                             [&](const auto& item) { return json.contains(item.key()); });
}

ModelCosts ModelCosts::from_json(const Json& json, const std::string& where) {
  const auto number = [&](const char* key) { return json_required<double>(json, key, where); };
  return {
      .adapt_picture = number("adapt_picture"),
      .adapt_prompt = number("adapt_prompt"),
      .evaluation = number("evaluation"),
      .prompt_keys = number("prompt_keys"),
      .shallow_evaluation = number("shallow_evaluation"),
      .encode_picture = number("encode_picture"),
      .decode_picture = json_required<std::vector<double>>(json, "decode_picture", where),
      .train_picture = number("train_picture"),
      .train_prompts = number("train_prompts"),
      .score_picture = number("score_picture"),
      .picture_bytes = json_required<std::int64_t>(json, "picture_bytes", where),
      .adapter_numbers = json_required<std::int64_t>(json, "adapter_numbers", where),
      .schedule = ScheduleConfig::from_json(json_required<Json>(json, "schedule", where), where)};
}

Json ModelCosts::to_json() const {
  return {{"adapt_picture", adapt_picture},
          {"adapt_prompt", adapt_prompt},
          {"evaluation", evaluation},
          {"prompt_keys", prompt_keys},
          {"shallow_evaluation", shallow_evaluation},
          {"encode_picture", encode_picture},
          {"decode_picture", decode_picture},
          {"train_picture", train_picture},
          {"train_prompts", train_prompts},
          {"score_picture", score_picture},
          {"picture_bytes", picture_bytes},
          {"adapter_numbers", adapter_numbers},
          {"schedule", schedule.to_json()}};
}

}  // namespace dd::run
