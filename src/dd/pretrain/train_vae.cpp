// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/mse_loss.h>

#include <cmath>

#include "dd/core/json.h"
#include "dd/pretrain/parts.h"
#include "dd/train/batches.h"

namespace dd::pretrain {
namespace {

constexpr std::int64_t kBatch = 16;
// Weight of the divergence from a standard normal, both sides taken as means over their elements.
constexpr double kDivergenceWeight = 1e-4;
// Latents start almost without noise, which would hide what they carry until it is strong.
constexpr double kFirstLogVariance = -5;
// Squared errors learn colour several times sooner than absolute ones; edges, which tell the items
// apart, are blurred by them alone.
constexpr double kSquaredWeight = 2.0;
constexpr double kSharpWeight = 0.3;

at::Tensor along_x(const at::Tensor& x) {
  return x.narrow(3, 1, x.size(3) - 1) - x.narrow(3, 0, x.size(3) - 1);
}
at::Tensor along_y(const at::Tensor& x) {
  return x.narrow(2, 1, x.size(2) - 1) - x.narrow(2, 0, x.size(2) - 1);
}

at::Tensor reconstruction_loss(const at::Tensor& output, const at::Tensor& pixels) {
  const at::Tensor sharp = at::l1_loss(output, pixels) +
                           at::l1_loss(along_x(output), along_x(pixels)) +
                           at::l1_loss(along_y(output), along_y(pixels));
  return at::mse_loss(output, pixels) * kSquaredWeight + sharp * kSharpWeight;
}

class VaeTask final : public train::Task {
 public:
  VaeTask(const Workshop& shop, const models::Vae& vae)
      : shop_(shop), vae_(vae), order_(shop.world.count(), kBatch, shop.seed("vae")) {}

  at::Tensor loss(std::int64_t step) override {
    std::vector<Image> images;
    for (const auto& [index, epoch] : order_.batch(step))
      images.push_back(picture(index, epoch, images.size() % 4));
    const at::Tensor pixels = to_pixels(images);
    const models::Posterior posterior = vae_.encode(pixels);
    const std::uint64_t seed =
        mix_seed(shop_.seed("vae noise"), "step", {static_cast<std::uint64_t>(step)});
    const at::Tensor output =
        vae_.decode(posterior.sample(seeded_randn(posterior.mean.sizes(), seed)));
    const at::Tensor& log_variance = posterior.log_variance;
    const at::Tensor divergence =
        (posterior.mean.square() + log_variance.exp() - log_variance - 1.0).mean() * 0.5;
    return reconstruction_loss(output, pixels) + divergence * kDivergenceWeight;
  }

  void preview(std::int64_t step) override {
    std::vector<Image> images;
    for (std::int64_t i = 0; i < 16; ++i)
      images.push_back(picture(i, 1000, static_cast<std::size_t>(i % 4)));
    const at::Tensor pixels = to_pixels(images);
    const at::Tensor output = vae_.decode(vae_.encode(pixels).mean);
    write_sheet(shop_.progress_folder() / cat("vae-", step, ".png"), at::cat({pixels, output}), 16);
  }

 private:
  /// Half of a batch is the world, the rest what a general codec meets besides.
  Image picture(std::int64_t index, std::int64_t variant, std::size_t kind) const {
    if (kind == 1) return shop_.world.any_colours(index, variant);
    if (kind == 3) return shop_.world.shapes(index, variant);
    return shop_.world.sample(index, variant).image;
  }

  const Workshop& shop_;
  const models::Vae& vae_;
  train::BatchOrder order_;
};

/// Mends the random start: torch's default makes a signal three times smaller in variance at each
/// convolution, of which an autoencoder has thirty in a row, most without a way around.
void start_lively(const models::Vae& vae) {
  const at::NoGradGuard no_grad;
  const std::int64_t channels = vae.config().latent_channels;
  for (const auto& [name, value] : vae.parameters().entries()) {
    if (name == "quant_conv.bias") value.narrow(0, channels, channels).fill_(kFirstLogVariance);
    if (value.dim() == 4) value.mul_(std::sqrt(3.0));
  }
}

/// Latents times this factor have a deviation of one.
double measured_scaling_factor(const Workshop& shop, const models::Vae& vae) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> latents;
  for (std::int64_t start = 0; start < 2048; start += 128) {
    std::vector<Image> images;
    for (std::int64_t i = start; i < start + 128; ++i)
      images.push_back(shop.world.sample(i, 0).image);
    latents.push_back(vae.encode(to_pixels(images)).mean);
  }
  return 1.0 / at::cat(latents).std().item<double>();
}

}  // namespace

void train_vae(const Workshop& shop) {
  const std::filesystem::path folder = shop.model_folder() / "vae";
  if (shop.is_complete("vae", shop.options.vae_steps, folder / "config.json")) return;
  nn::RandomSource source(shop.seed("vae weights"));
  models::Vae vae(source, vae_config());
  start_lively(vae);
  train::FlatParameters parameters(vae.parameters().entries());
  VaeTask task(shop, vae);
  train::EngineOptions engine = shop.engine("vae", shop.options.vae_steps, "cosine");
  engine.optimizer.learning_rate = 1e-3;
  engine.optimizer.weight_decay = 0;
  engine.ema_decay = 0.998;
  const train::TrainResult result = train::run_training(engine, parameters, task, shop.context);
  parameters.freeze();
  task.preview(result.steps);
  vae.set_scaling_factor(measured_scaling_factor(shop, vae));
  shop.write_record("vae", result);
  vae.save(folder, at::kHalf);
}

}  // namespace dd::pretrain
