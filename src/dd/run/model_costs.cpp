// SPDX-License-Identifier: Apache-2.0
#include "dd/run/model_costs.h"

#include "dd/adapt/adapt_size.h"
#include "dd/classify/clip_model.h"
#include "dd/core/error.h"
#include "dd/diffusion/sampler.h"
#include "dd/generate/generate.h"
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

/// Empty where the model's scheduler has no counterpart: then "auto" fails where it is asked for.
std::string own_sampler(const models::StableDiffusion& model) {
  try {
    return default_sampler_name(model.schedule);
  } catch (const Error&) {
    return {};
  }
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
      classify::class_tokens(clip, class_names, options.prompt_template, silent).size(1);
  const auto classes = static_cast<double>(class_names.size());
  const models::UNetConfig& unet = model.unet.config();
  ModelCosts costs;
  costs.adapt_picture = models::unet_flops(unet, {cells, cells}, tokens, lora).training;
  costs.adapt_prompt = models::text_flops(model.text_encoder.config(), tokens, lora).training;
  costs.evaluation = models::unet_flops(unet, {cells, cells}, tokens, {}).forward;
  costs.encode_picture = models::vae_encoder_flops(model.vae.config(), {side, side}).forward;
  costs.decode_picture = models::vae_decoder_flops(model.vae.config(), {side, side}).forward;
  costs.train_picture = models::clip_image_flops(clip.clip.config(), classifier).training;
  costs.train_prompts =
      classes * models::clip_text_flops(clip.clip.config(), prompt, classifier).training;
  costs.score_picture = models::clip_image_flops(clip.clip.config(), {}).forward;
  costs.picture_bytes = generate::picture_bytes(side, side);
  costs.adapter_numbers =
      adapt::adapter_numbers(models::model_tensors(model.source), 1, /*text_encoder=*/true);
  costs.auto_sampler = own_sampler(model);
  return costs;
}

ModelCosts ModelCosts::from_json(const Json& json, const std::string& where) {
  const auto number = [&](const char* key) { return json_required<double>(json, key, where); };
  return {.adapt_picture = number("adapt_picture"),
          .adapt_prompt = number("adapt_prompt"),
          .evaluation = number("evaluation"),
          .encode_picture = number("encode_picture"),
          .decode_picture = number("decode_picture"),
          .train_picture = number("train_picture"),
          .train_prompts = number("train_prompts"),
          .score_picture = number("score_picture"),
          // Runs of earlier versions did not record these.
          .picture_bytes = json_value<std::int64_t>(json, "picture_bytes", 0, where),
          .adapter_numbers = json_value<std::int64_t>(json, "adapter_numbers", 0, where),
          .auto_sampler = json_required<std::string>(json, "auto_sampler", where)};
}

Json ModelCosts::to_json() const {
  return {{"adapt_picture", adapt_picture},   {"adapt_prompt", adapt_prompt},
          {"evaluation", evaluation},         {"encode_picture", encode_picture},
          {"decode_picture", decode_picture}, {"train_picture", train_picture},
          {"train_prompts", train_prompts},   {"score_picture", score_picture},
          {"picture_bytes", picture_bytes},   {"adapter_numbers", adapter_numbers},
          {"auto_sampler", auto_sampler}};
}

}  // namespace dd::run
