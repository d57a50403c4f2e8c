// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/pipeline.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include "dd/core/error.h"
#include "dd/generate/batch_size.h"
#include "dd/tensor/free_memory.h"

namespace dd::generate {
namespace {

BatchLimits limits_of(const models::StableDiffusion& model) {
  return {model.placement, free_memory(model.placement.device)};
}

void resolve_size(const models::StableDiffusion& model, SamplingOptions& options) {
  if (options.width == 0) options.width = options.height = model.default_size();
  const std::int64_t factor = model.vae.config().factor();
  if (options.width % factor != 0 || options.height % factor != 0) {
    fail_usage(cat("cannot draw ", options.width, "x", options.height,
                   " pixels, --size; take multiples of ", factor));
  }
  const std::int64_t cells = factor * options.decode_shrink;
  if (options.width % cells != 0 || options.height % cells != 0) {
    fail_usage(cat("--decode-shrink ", options.decode_shrink, " does not fit ", options.width, "x",
                   options.height, " pixels; take sizes that are multiples of ", cells));
  }
}

}  // namespace

TextToImage::TextToImage(const models::StableDiffusion& model, const SamplingOptions& options)
    : model_(model), options_(options) {
  resolve_size(model, options_);
  sampler_ = make_sampler(options_, model.schedule);
  evaluations_ = plan_evaluations(*sampler_, options_);
}

std::int64_t TextToImage::automatic_batch() const {
  return drawing_batch(model_.unet.config(), model_.vae.config(), options_, limits_of(model_));
}

at::Tensor TextToImage::encode(const std::string& prompt) const {
  const c10::NoGradGuard no_grad;
  return model_.encode(std::span(&prompt, 1));
}

std::vector<std::int64_t> TextToImage::latent_shape() const {
  const std::int64_t factor = model_.vae.config().factor();
  return {1, model_.vae.config().latent_channels, options_.height / factor,
          options_.width / factor};
}

at::Tensor TextToImage::noise(std::span<const std::uint64_t> seeds) const {
  std::vector<at::Tensor> rows;
  for (const std::uint64_t seed : seeds) rows.push_back(seeded_randn(latent_shape(), seed));
  return at::cat(rows);
}

at::Tensor TextToImage::predict(const at::Tensor& latents, std::int64_t number,
                                Batch& batch) const {
  const Evaluation& plan = evaluations_.at(static_cast<std::size_t>(number));
  const std::int64_t step = sampler_->first() + number;
  const at::Tensor seen = sampler_->scale_input(latents, step).to(model_.placement.dtype);
  const double timestep = sampler_->timesteps()[static_cast<std::size_t>(step)];
  const at::Tensor times =
      at::full({1}, timestep, at::TensorOptions(at::kFloat).device(seen.device()));
  const models::TextContext text = plan.guided
                                       ? models::TextContext(batch.both, &batch.both_cache)
                                       : models::TextContext(batch.context, &batch.context_cache);
  models::DeepFeatures* deep = options_.cache_every > 1 ? &batch.deep : nullptr;
  batch.deep.reuse = plan.reuse;
  const at::Tensor output = model_.unet(seen, times, text, deep).to(at::kFloat);
  return plan.guided ? guide_stacked(output, options_.guidance.scale) : output;
}

at::Tensor TextToImage::decode(const at::Tensor& latents) const {
  const std::int64_t each = decoding_batch(model_.vae.config(), options_, limits_of(model_));
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : latents.split(each)) {
    const std::int64_t shrink = options_.decode_shrink;
    const at::Tensor small = shrink > 1 ? at::avg_pool2d(part, shrink) : part;
    const at::Tensor unscaled = small / model_.vae.config().scaling_factor;
    const at::Tensor pixels = model_.vae.decode(unscaled);
    parts.push_back((pixels.to(at::kFloat) / 2 + 0.5).clamp(0, 1).cpu());
  }
  return at::cat(parts);
}

at::Tensor TextToImage::images(const at::Tensor& context, const at::Tensor& unconditional,
                               std::span<const std::uint64_t> seeds, const OnStep& on_step) {
  const c10::NoGradGuard no_grad;
  ensure(!seeds.empty() && context.size(0) == std::ssize(seeds),
         "one row of conditioning is needed for each seed");
  ensure(sampler_->first() == 0, "without pictures the way begins with noise");
  return draw(noise(seeds) * sampler_->initial_scale(), context, unconditional, on_step);
}

models::Posterior TextToImage::encode_picture(const at::Tensor& pixels) const {
  const c10::NoGradGuard no_grad;
  const models::Posterior encoded = model_.vae.encode((pixels * 2 - 1).to(model_.placement.device));
  return {encoded.mean.to(at::kCPU, at::kFloat), encoded.log_variance.to(at::kCPU, at::kFloat)};
}

at::Tensor TextToImage::images_from(std::span<const models::Posterior> starts,
                                    const at::Tensor& context, const at::Tensor& unconditional,
                                    std::span<const std::uint64_t> seeds, const OnStep& on_step) {
  const c10::NoGradGuard no_grad;
  ensure(!seeds.empty() && starts.size() == seeds.size() && context.size(0) == std::ssize(seeds),
         "one picture and one row of conditioning are needed for each seed");
  ensure(options_.strength > 0, "pictures need a strength");
  const at::TensorOptions number(at::kFloat);
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const at::Generator generator = make_generator(seeds[i]);
    const at::Tensor spread = at::randn(latent_shape(), generator, number);
    const at::Tensor noise = at::randn(latent_shape(), generator, number);
    const at::Tensor latents = starts[i].sample(spread) * model_.vae.config().scaling_factor;
    rows.push_back(sampler_->add_noise(latents, noise, sampler_->first()));
  }
  return draw(at::cat(rows), context, unconditional, on_step);
}

at::Tensor TextToImage::draw(at::Tensor latents, const at::Tensor& context,
                             const at::Tensor& unconditional, const OnStep& on_step) {
  Batch batch;
  batch.context = context;
  if (options_.guidance.enabled()) {
    batch.both = at::cat({unconditional.expand({context.size(0), -1, -1}), context});
  }
  latents = latents.to(model_.placement.device);
  for (std::int64_t i = 0; i < evaluations(); ++i) {
    if (on_step) on_step(i);
    latents = sampler_->step(predict(latents, i, batch), sampler_->first() + i, latents);
  }
  const at::Tensor pixels = decode(latents);
  // Clamping keeps NaN, so nothing that overflowed on the way gets past this.
  if (!at::isfinite(pixels).all().item<bool>()) {
    fail_resource(cat("drawing with ", options_.sampler, " gave numbers beyond the range of ",
                      dtype_name(model_.placement.dtype), "; use --dtype bf16 or f32"));
  }
  return pixels;
}

}  // namespace dd::generate
