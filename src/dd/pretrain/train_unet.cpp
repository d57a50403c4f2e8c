// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <map>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/data/fashion_mnist.h"
#include "dd/diffusion/noise_schedule.h"
#include "dd/diffusion/sampler.h"
#include "dd/io/fingerprint.h"
#include "dd/models/pipeline_index.h"
#include "dd/models/stable_diffusion.h"
#include "dd/pretrain/judge.h"
#include "dd/pretrain/parts.h"
#include "dd/text/prompt.h"
#include "dd/train/batches.h"

namespace dd::pretrain {
namespace {

constexpr std::int64_t kBatch = 48;
// Each picture is rendered in this many ways, whose latents are kept after their first encoding.
constexpr std::int64_t kVariants = 6;
// Captions left out, so that guidance has an unconditional model to lean on.
constexpr double kDropCaption = 0.1;

ScheduleConfig world_schedule() {
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  // Velocity weighs the noisy end, where the kind of item is decided, more than epsilon does.
  config.prediction_type = PredictionType::kVelocity;
  return config;
}

/// Posterior moments of rendered pictures, encoded when they are first asked for.
class LatentCache {
 public:
  LatentCache(const Workshop& shop, const models::Vae& vae)
      : shop_(shop), vae_(vae), known_(static_cast<std::size_t>(shop.world.count() * kVariants)) {
    const std::int64_t side = kPixels / vae.config().factor();
    moments_ = at::empty(
        {shop.world.count() * kVariants, 2 * vae.config().latent_channels, side, side}, at::kHalf);
  }

  /// Moments [N, 2C, h, w] (mean, log-variance) of (index, variant) pairs.
  at::Tensor moments(const std::vector<train::BatchOrder::Pick>& picks) {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> missing;
    std::vector<Image> images;
    for (const auto& [index, epoch] : picks) {
      const std::int64_t variant = epoch % kVariants;
      rows.push_back(index * kVariants + variant);
      if (known_[static_cast<std::size_t>(rows.back())]) continue;
      known_[static_cast<std::size_t>(rows.back())] = true;
      missing.push_back(rows.back());
      images.push_back(shop_.world.sample(index, variant).image);
    }
    if (!missing.empty()) {
      const at::NoGradGuard no_grad;
      const models::Posterior posterior = vae_.encode(to_pixels(images));
      moments_.index_copy_(0, at::tensor(missing),
                           at::cat({posterior.mean, posterior.log_variance}, 1).to(at::kHalf));
    }
    return moments_.index_select(0, at::tensor(rows)).to(at::kFloat);
  }

 private:
  const Workshop& shop_;
  const models::Vae& vae_;
  std::vector<bool> known_;
  at::Tensor moments_;
};

class UNetTask final : public train::Task {
 public:
  UNetTask(const Workshop& shop, const models::Vae& vae, const models::UNet& unet,
           const models::TextEncoder& text, const ClipTokenizer& tokenizer)
      : shop_(shop),
        vae_(vae),
        unet_(unet),
        text_(text),
        tokenizer_(tokenizer),
        schedule_(world_schedule()),
        cache_(shop, vae),
        order_(shop.world.count(), kBatch, shop.seed("unet")) {
    if (path_exists(shop.judge_file()))
      judge_ = std::make_unique<Judge>(Judge::load(shop.judge_file()));
  }

  at::Tensor loss(std::int64_t step) override {
    const std::vector<train::BatchOrder::Pick> picks = order_.batch(step);
    const std::uint64_t seed =
        mix_seed(shop_.seed("unet noise"), "step", {static_cast<std::uint64_t>(step)});
    at::Generator generator = make_generator(seed);
    const std::vector<at::Tensor> halves = cache_.moments(picks).chunk(2, 1);
    const models::Posterior posterior{halves[0], halves[1]};
    const at::Tensor sampled =
        posterior.sample(at::empty_like(posterior.mean).normal_(0, 1, generator));
    const at::Tensor latents = sampled * vae_.config().scaling_factor;
    const at::Tensor noise = at::empty_like(latents).normal_(0, 1, generator);
    const at::Tensor timesteps =
        at::randint(0, schedule_.num_timesteps(), {kBatch}, generator, at::kLong);
    const at::Tensor output =
        unet_(schedule_.add_noise(latents, noise, timesteps), timesteps, conditioning(picks, seed));
    return at::mse_loss(output, schedule_.target(latents, noise, timesteps));
  }

  void preview(std::int64_t step) override {
    constexpr std::int64_t kEach = 12;
    std::vector<at::Tensor> sheets;
    for (const double guidance : {1.0, 3.0}) sheets.push_back(generate(kEach, guidance));
    write_sheet(shop_.progress_folder() / cat("unet-", step, ".png"), sheets[1], kEach);
    if (judge_) report_fidelity(step, sheets, kEach);
    save();
  }

  void save() const {
    const std::filesystem::path folder = shop_.model_folder();
    unet_.save(folder / "unet", at::kHalf);
    text_.save(folder / "text_encoder", at::kHalf);
    ScheduleConfig config = world_schedule();
    config.write(folder / "scheduler");
    write_json(folder / "model_index.json", models::pipeline_index(config.class_name));
  }

 private:
  at::Tensor conditioning(const std::vector<train::BatchOrder::Pick>& picks, std::uint64_t seed) {
    Random random(seed);
    std::vector<at::Tensor> rows;
    for (const auto& [index, epoch] : picks) {
      const bool dropped = random.chance(kDropCaption);
      rows.push_back(
          tokens_of(dropped ? std::string() : shop_.world.caption(index, epoch % kVariants)));
    }
    return text_(at::stack(rows));
  }

  /// Captions repeat, so their tokens are kept.
  const at::Tensor& tokens_of(const std::string& caption) {
    const auto found = tokens_.find(caption);
    if (found != tokens_.end()) return found->second;
    return tokens_
        .emplace(caption, models::tokenize(tokenizer_, std::vector<std::string>{caption})[0])
        .first->second;
  }

  at::Tensor generate(std::int64_t each, double guidance) {
    std::vector<at::Tensor> rows;
    for (const std::string& name : fashion_mnist_classes()) {
      for (std::int64_t i = 0; i < each; ++i)
        rows.push_back(tokens_of(fill_template("a photo of a {}", name)));
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    const at::Tensor context = text_(at::stack(rows));
    const at::Tensor empty = text_(tokens_of("").unsqueeze(0)).expand_as(context);
    const auto sampler = make_sampler("dpm++2m", world_schedule());
    sampler->set_steps(15);
    const std::int64_t side = unet_.config().sample_size;
    at::Tensor x =
        seeded_randn({count, unet_.config().in_channels, side, side}, shop_.seed("preview")) *
        sampler->initial_scale();
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(sampler->timesteps().size()); ++i) {
      const at::Tensor input = sampler->scale_input(x, i);
      const at::Tensor time =
          at::full({count}, sampler->timesteps()[static_cast<std::size_t>(i)], at::kFloat);
      at::Tensor output = unet_(input, time, context);
      if (guidance > 1) {
        const at::Tensor without = unet_(input, time, empty);
        output = without + (output - without) * guidance;
      }
      x = sampler->step(output, i, x);
    }
    return vae_.decode(x / vae_.config().scaling_factor);
  }

  void report_fidelity(std::int64_t step, const std::vector<at::Tensor>& sheets,
                       std::int64_t each) {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 10 * each; ++i) labels.push_back(i / each);
    const std::vector<double> plain = label_fidelity(*judge_, sheets[0], at::tensor(labels));
    const std::vector<double> guided = label_fidelity(*judge_, sheets[1], at::tensor(labels));
    shop_.context.report.info(cat("unet step ", step, ": label fidelity ", plain.back(),
                                  " without guidance, ", guided.back(), " at guidance 3"));
    write_json(shop_.progress_folder() / cat("unet-", step, ".json"),
               {{"step", step},
                {"images", 10 * each},
                {"fidelity_guidance_1", plain},
                {"fidelity_guidance_3", guided}});
  }

  const Workshop& shop_;
  const models::Vae& vae_;
  const models::UNet& unet_;
  const models::TextEncoder& text_;
  const ClipTokenizer& tokenizer_;
  NoiseSchedule schedule_;
  LatentCache cache_;
  train::BatchOrder order_;
  std::map<std::string, at::Tensor> tokens_;
  std::unique_ptr<Judge> judge_;
};

}  // namespace

void train_unet(const Workshop& shop) {
  if (shop.is_complete("unet", shop.options.unet_steps, shop.record_file("unet"))) return;
  const models::Vae vae = models::Vae::load(shop.model_folder() / "vae", {});
  const ClipTokenizer tokenizer = world_tokenizer(shop.model_folder() / "tokenizer");
  nn::RandomSource source(shop.seed("unet weights"));
  const models::UNet unet(source, unet_config());
  const models::TextEncoder text(source, text_config(tokenizer.vocab_size(), tokenizer.end_id()));
  train::FlatParameters::Named trained = unet.parameters().entries();
  for (const auto& entry : text.parameters().entries()) trained.push_back(entry);
  train::FlatParameters parameters(trained);
  UNetTask task(shop, vae, unet, text, tokenizer);
  train::EngineOptions engine = shop.engine("unet", shop.options.unet_steps, "trapezoid");
  // Latents of another autoencoder are another data set.
  engine.identity += " vae " + io::fingerprint_of_model(shop.model_folder() / "vae");
  engine.optimizer.learning_rate = 1.5e-3;
  engine.optimizer.final_rate = 2e-5;
  engine.ema_decay = 0.999;
  const train::TrainResult result = train::run_training(engine, parameters, task, shop.context);
  parameters.freeze();
  const at::NoGradGuard no_grad;
  task.preview(result.steps);
  shop.write_record("unet", result);
}

}  // namespace dd::pretrain
