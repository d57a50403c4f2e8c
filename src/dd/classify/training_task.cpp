// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/training_task.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/one_hot.h>

#include <algorithm>

#include "dd/core/seeds.h"
#include "dd/data/parallel.h"
#include "dd/metrics/accuracy.h"

namespace dd::classify {
namespace {

// Below this many pixels a side, starting threads costs more than they save.
constexpr int kThreadsPayFrom = 96;

struct Slot {
  const LabelledImages* images;
  std::int64_t index;
};

void add_slots(std::optional<train::BatchOrder>& order, std::int64_t step,
               const LabelledImages& images, std::vector<Slot>& slots) {
  if (!order) return;
  for (const train::BatchOrder::Pick& pick : order->batch(step)) {
    slots.push_back({&images, pick.index});
  }
}

at::Tensor as_tensor(const std::vector<std::int64_t>& values, at::Device device) {
  at::Tensor tensor = at::empty({std::ssize(values)}, at::kLong);
  std::ranges::copy(values, tensor.mutable_data_ptr<std::int64_t>());
  return tensor.to(device);
}

}  // namespace

at::Tensor weighted_loss(const at::Tensor& logits, const at::Tensor& targets, const BatchPlan& plan,
                         double label_smoothing) {
  const auto mean_over = [&](std::int64_t first, std::int64_t count) {
    return at::cross_entropy_loss(logits.narrow(0, first, count), targets.narrow(0, first, count),
                                  {}, at::Reduction::Mean, -100, label_smoothing);
  };
  at::Tensor loss;
  if (plan.real > 0) loss = mean_over(0, plan.real) * plan.real_weight;
  if (plan.synthetic > 0) {
    const at::Tensor synthetic = mean_over(plan.real, plan.synthetic) * plan.synthetic_weight;
    loss = loss.defined() ? loss + synthetic : synthetic;
  }
  return loss;
}

TrainingTask::TrainingTask(const TrainingSetup& setup, const BatchPlan& plan, lora::LoraSet& lora,
                           const train::FlatParameters& parameters, ValidationRecord& record)
    : setup_(setup), plan_(plan), lora_(lora), parameters_(parameters), record_(record) {
  if (plan.real > 0) {
    real_order_.emplace(setup.data.real.size(), plan.real, mix_seed(setup.seed, "classifier/real"));
  }
  if (plan.synthetic > 0) {
    synthetic_order_.emplace(setup.data.synthetic.size(), plan.synthetic,
                             mix_seed(setup.seed, "classifier/synthetic"));
  }
}

TrainingTask::Drawn TrainingTask::take(std::int64_t step) {
  const bool there = ahead_.valid() && ahead_of_ == step;
  if (!there) ahead_ = {};  // waits: the orders are used by one at a time
  Drawn drawn = there ? ahead_.get() : draw(step);
  if (step + 1 < plan_.steps) {
    ahead_of_ = step + 1;
    ahead_ = std::async(std::launch::async, [this, step] { return draw(step + 1); });
  }
  return drawn;
}

TrainingTask::Drawn TrainingTask::draw(std::int64_t step) {
  Drawn drawn;
  std::vector<Slot> slots;
  add_slots(real_order_, step, setup_.data.real, slots);
  add_slots(synthetic_order_, step, setup_.data.synthetic, slots);
  for (const Slot& slot : slots) {
    drawn.labels.push_back(slot.images->labels[static_cast<std::size_t>(slot.index)]);
  }
  const Preprocess& preprocess = setup_.model.preprocess;
  drawn.images.resize(slots.size());
  const auto prepare = [&](std::int64_t i) {
    const Slot& slot = slots[static_cast<std::size_t>(i)];
    const Image image = slot.images->images->image(slot.index);
    Image& out = drawn.images[static_cast<std::size_t>(i)];
    if (!setup_.options.augment) {
      out = preprocess.fit(image);
      return;
    }
    Random random(mix_seed(setup_.seed, "classifier/augment",
                           {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(i)}));
    out = augment(image, preprocess.size, setup_.options.augmentation, random);
  };
  if (setup_.threads > 1 && preprocess.size >= kThreadsPayFrom) {
    NullReporter silent;
    for_each_parallel(std::ssize(slots), setup_.threads, {silent, never_}, "", prepare);
  } else {
    for (std::int64_t i = 0; i < std::ssize(slots); ++i) prepare(i);
  }
  return drawn;
}

void TrainingTask::mix(std::int64_t step, std::int64_t classes, at::Tensor& pixels,
                       at::Tensor& targets) const {
  const MixOptions& options = setup_.options.mixing;
  Random random(mix_seed(setup_.seed, "classifier/mix", {static_cast<std::uint64_t>(step)}));
  if (options.share == 0 || !random.chance(options.share)) return;
  targets = at::one_hot(targets, classes).to(at::kFloat);
  std::vector<at::Tensor> mixed_pixels;
  std::vector<at::Tensor> mixed_targets;
  for (const auto& [first, count] :
       {std::pair{std::int64_t{0}, plan_.real}, std::pair{plan_.real, plan_.synthetic}}) {
    if (count == 0) continue;
    const Mix how = draw_mix(options, pixels.size(3), pixels.size(2), random);
    mixed_pixels.push_back(mix_images(pixels.narrow(0, first, count), how));
    mixed_targets.push_back(mix_targets(targets.narrow(0, first, count), how));
  }
  pixels = at::cat(mixed_pixels);
  targets = at::cat(mixed_targets);
}

at::Tensor TrainingTask::loss(std::int64_t step) {
  const ClipModel& model = setup_.model;
  const Drawn drawn = take(step);
  if (setup_.options.dropout > 0) {
    lora_.seed_dropout(
        mix_seed(setup_.seed, "classifier/dropout", {static_cast<std::uint64_t>(step)}));
  }
  const at::Tensor text = model.clip.encode_texts(setup_.tokens);
  at::Tensor pixels = model.preprocess.pixels(drawn.images, model.placement);
  at::Tensor targets = as_tensor(drawn.labels, model.placement.device);
  mix(step, text.size(0), pixels, targets);
  const at::Tensor features = model.clip.encode_images(pixels);
  done_ = step + 1;
  return weighted_loss(cosine_logits(model, features, text), targets, plan_,
                       setup_.options.label_smoothing);
}

std::optional<double> TrainingTask::validation_loss() {
  const LabelledImages& images = setup_.data.validation;
  if (images.empty()) return std::nullopt;
  lora_.stop_dropout();
  NullReporter silent;
  const at::Tensor logits =
      classify_images(setup_.model, setup_.tokens, *images.images,
                      {.batch = 256, .threads = setup_.threads, .name = ""}, {silent, never_});
  const std::span<const float> scores(logits.const_data_ptr<float>(),
                                      static_cast<std::size_t>(logits.numel()));
  const AccuracyReport report = measure_accuracy(scores, images.labels, logits.size(1));
  top1_ = report.top1;
  record_.add(done_, report.top1, parameters_.data());
  return at::cross_entropy_loss(logits, as_tensor(images.labels, at::kCPU)).item<double>();
}

std::vector<std::pair<std::string, double>> TrainingTask::validation_figures() const {
  return {{"top1", top1_}};
}

}  // namespace dd::classify
