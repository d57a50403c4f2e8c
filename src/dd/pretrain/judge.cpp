// SPDX-License-Identifier: Apache-2.0
#include "dd/pretrain/judge.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>

#include "dd/io/checkpoint.h"
#include "dd/models/checkpoint_source.h"
#include "dd/models/weights.h"
#include "dd/pretrain/parts.h"
#include "dd/train/batches.h"

namespace dd::pretrain {
namespace {

constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kBatch = 96;

class JudgeTask final : public train::Task {
 public:
  JudgeTask(const Workshop& shop, const Judge& judge)
      : shop_(shop), judge_(judge), order_(shop.world.count(), kBatch, shop.seed("judge")) {}

  at::Tensor loss(std::int64_t step) override {
    std::vector<Image> images;
    std::vector<std::int64_t> labels;
    for (const auto& [index, epoch] : order_.batch(step)) {
      // Half of the images in the target's look, half in the base's.
      const bool own_look = images.size() % 2 == 0;
      images.push_back(own_look ? shop_.world.original(index, epoch)
                                : shop_.world.sample(index, epoch).image);
      labels.push_back(shop_.world.label(index));
    }
    return at::cross_entropy_loss(judge_(to_pixels(images)), at::tensor(labels));
  }

 private:
  const Workshop& shop_;
  const Judge& judge_;
  train::BatchOrder order_;
};

}  // namespace

Judge::Judge(nn::ParameterSource& source) : table_(std::make_unique<nn::ParameterTable>()) {
  const nn::Scope root(source, *table_);
  const std::int64_t widths[] = {3, 32, 64, 96, 128};
  for (std::int64_t i = 0; i < 4; ++i) {
    convolutions_.emplace_back(root["conv"][i], nn::Conv2d::Shape{.in = widths[i],
                                                                  .out = widths[i + 1],
                                                                  .kernel = 3,
                                                                  .stride = i == 0 ? 1 : 2,
                                                                  .padding = 1});
    norms_.emplace_back(root["norm"][i], 8, widths[i + 1], 1e-5);
  }
  head_ = std::make_unique<nn::Linear>(root["head"], 128 * 16, kClasses);
}

Judge Judge::load(const std::filesystem::path& file) {
  const io::Checkpoint checkpoint = io::Checkpoint::open_file(file);
  models::CheckpointSource source(checkpoint, {});
  Judge judge(source);
  source.finish();
  return judge;
}

at::Tensor Judge::operator()(const at::Tensor& pixels_nchw) const {
  at::Tensor x = pixels_nchw;
  for (std::size_t i = 0; i < convolutions_.size(); ++i)
    x = at::relu(norms_[i](convolutions_[i](x)));
  return (*head_)(x.flatten(1));
}

std::vector<double> label_fidelity(const Judge& judge, const at::Tensor& pixels_nchw,
                                   const at::Tensor& labels) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : pixels_nchw.split(256)) parts.push_back(at::argmax(judge(part), 1));
  const at::Tensor right = at::cat(parts).eq(labels).to(at::kDouble);
  std::vector<double> shares;
  for (std::int64_t label = 0; label < kClasses; ++label) {
    const at::Tensor of_class = right.masked_select(labels.eq(label));
    shares.push_back(of_class.numel() ? of_class.mean().item<double>() : -1.0);
  }
  shares.push_back(right.mean().item<double>());
  return shares;
}

void train_judge(const Workshop& shop) {
  if (shop.is_complete("judge", shop.options.judge_steps, shop.judge_file())) return;
  nn::RandomSource source(shop.seed("judge weights"));
  const Judge judge(source);
  train::FlatParameters parameters(judge.parameters().entries());
  JudgeTask task(shop, judge);
  train::EngineOptions engine = shop.engine("judge", shop.options.judge_steps, "cosine");
  engine.optimizer.learning_rate = 2e-3;
  engine.ema_decay = 0.995;
  const train::TrainResult result = train::run_training(engine, parameters, task, shop.context);
  parameters.freeze();
  shop.write_record("judge", result);
  models::save_weights(shop.judge_file(), judge.parameters(), at::kFloat);
}

}  // namespace dd::pretrain
