// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <map>

#include "dd/core/json.h"
#include "dd/data/fashion_mnist.h"
#include "dd/models/stable_diffusion.h"
#include "dd/pretrain/parts.h"
#include "dd/text/prompt.h"
#include "dd/train/batches.h"

namespace dd::pretrain {
namespace {

constexpr std::int64_t kBatch = 128;
constexpr std::array<double, 3> kMean{0.48145466, 0.4578275, 0.40821073};
constexpr std::array<double, 3> kDeviation{0.26862954, 0.26130258, 0.27577711};

at::Tensor normalised(const std::vector<Image>& images) {
  const at::Tensor mean = at::tensor(at::ArrayRef<double>(kMean)).to(at::kFloat).view({1, 3, 1, 1});
  const at::Tensor deviation =
      at::tensor(at::ArrayRef<double>(kDeviation)).to(at::kFloat).view({1, 3, 1, 1});
  return (to_pixels(images) * 0.5 + 0.5 - mean) / deviation;
}

/// Contrastive learning of pictures and captions. Captions repeat within a batch, so each different
/// one is a column once, and a caption's pictures share its probability.
class ClipTask final : public train::Task {
 public:
  ClipTask(const Workshop& shop, const models::Clip& clip, const ClipTokenizer& tokenizer)
      : shop_(shop),
        clip_(clip),
        tokenizer_(tokenizer),
        order_(shop.world.count(), kBatch, shop.seed("clip")) {}

  at::Tensor loss(std::int64_t step) override {
    std::vector<Image> images;
    std::vector<std::string> captions;
    std::vector<std::int64_t> targets;
    std::map<std::string, std::int64_t> columns;
    for (const auto& [index, epoch] : order_.batch(step)) {
      WorldSample sample = shop_.world.sample(index, epoch);
      const auto [column, fresh] =
          columns.emplace(sample.caption, static_cast<std::int64_t>(captions.size()));
      if (fresh) captions.push_back(sample.caption);
      targets.push_back(column->second);
      images.push_back(std::move(sample.image));
    }
    const at::Tensor logits = similarity(images, captions);
    const at::Tensor target = at::tensor(targets);
    const at::Tensor to_text = at::cross_entropy_loss(logits, target);
    const at::Tensor shares = at::log_softmax(logits, 0).gather(1, target.unsqueeze(1));
    return (to_text - shares.mean()) * 0.5;
  }

  void preview(std::int64_t step) override {
    std::vector<Image> images;
    std::vector<std::int64_t> labels;
    // Pictures that this run sees in other renderings only.
    for (std::int64_t i = 0; i < 1000; ++i) {
      images.push_back(shop_.world.sample(i, 100000).image);
      labels.push_back(shop_.world.label(i));
    }
    std::vector<std::string> prompts;
    for (const std::string& name : fashion_mnist_classes())
      prompts.push_back(fill_template("a photo of a {}", name));
    const at::Tensor predicted = at::argmax(similarity(images, prompts), 1);
    const double share = predicted.eq(at::tensor(labels)).to(at::kDouble).mean().item<double>();
    shop_.context.report.info(
        cat("clip step ", step, ": zero-shot accuracy on the base's own world ", share));
    write_json(shop_.progress_folder() / cat("clip-", step, ".json"),
               {{"step", step}, {"zero_shot_in_world", share}});
    save();
  }

  void save() const {
    clip_.save(shop_.clip_folder(), at::kHalf);
    write_json(shop_.clip_folder() / "preprocessor_config.json",
               {{"crop_size", {{"height", kPixels}, {"width", kPixels}}},
                {"do_center_crop", true},
                {"do_convert_rgb", true},
                {"do_normalize", true},
                {"do_rescale", true},
                {"do_resize", true},
                {"image_mean", kMean},
                {"image_processor_type", "CLIPImageProcessor"},
                {"image_std", kDeviation},
                {"resample", 3},
                {"rescale_factor", 1.0 / 255},
                {"size", {{"shortest_edge", kPixels}}}});
  }

 private:
  at::Tensor similarity(const std::vector<Image>& images,
                        const std::vector<std::string>& captions) const {
    const at::Tensor tokens = models::tokenize(tokenizer_, captions);
    const models::ClipPrompts used = models::clip_prompts(tokens, tokenizer_.end_id());
    const at::Tensor scale = clip_.logit_scale().clamp_max(4.6052).exp();
    return scale * clip_.encode_images(normalised(images)).matmul(clip_.encode_texts(used).t());
  }

  const Workshop& shop_;
  const models::Clip& clip_;
  const ClipTokenizer& tokenizer_;
  train::BatchOrder order_;
};

}  // namespace

void train_clip(const Workshop& shop) {
  if (shop.is_complete("clip", shop.options.clip_steps, shop.record_file("clip"))) return;
  const ClipTokenizer tokenizer = world_tokenizer(shop.clip_folder());
  nn::RandomSource source(shop.seed("clip weights"));
  const models::Clip clip(source, clip_config(tokenizer.vocab_size(), tokenizer.end_id()));
  train::FlatParameters parameters(clip.parameters().entries());
  ClipTask task(shop, clip, tokenizer);
  train::EngineOptions engine = shop.engine("clip", shop.options.clip_steps, "trapezoid");
  engine.optimizer.learning_rate = 1e-3;
  engine.optimizer.weight_decay = 0.05;
  engine.optimizer.warmup = 500;
  engine.ema_decay = 0.999;
  const train::TrainResult result = train::run_training(engine, parameters, task, shop.context);
  parameters.freeze();
  const at::NoGradGuard no_grad;
  task.preview(result.steps);
  shop.write_record("clip", result);
}

}  // namespace dd::pretrain
