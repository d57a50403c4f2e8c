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

at::Tensor part_of_weighted_loss(const at::Tensor& logits, const at::Tensor& targets,
                                 const BatchPlan& plan, Rows rows, double label_smoothing) {
  at::Tensor loss = (logits * 0).sum();  // for parts without rows of any weight
  const auto add = [&](std::int64_t first, std::int64_t count, double weight) {
    const std::int64_t begin = std::max(first, rows.begin);
    const std::int64_t end = std::min(first + count, rows.end);
    if (begin >= end) return;
    const at::Tensor sum =
        at::cross_entropy_loss(logits.slice(0, begin - rows.begin, end - rows.begin),
                               targets.slice(0, begin - rows.begin, end - rows.begin), {},
                               at::Reduction::Sum, -100, label_smoothing);
    loss = loss + sum * (weight / static_cast<double>(count));
  };
  add(0, plan.real, plan.real_weight);
  add(plan.real, plan.synthetic, plan.synthetic_weight);
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

TrainingTask::Drawn TrainingTask::take(std::int64_t step, std::int64_t part) {
  const bool there = ahead_.valid() && ahead_of_ == std::pair(step, part);
  if (!there) ahead_ = {};  // waits: the orders are used by one at a time
  Drawn drawn = there ? ahead_.get() : draw(step, rows_drawn(step, part));
  if (step + 1 < plan_.steps) {
    ahead_of_ = {step + 1, part};
    const Rows rows = rows_drawn(step + 1, part);
    ahead_ = std::async(std::launch::async, [this, step, rows] { return draw(step + 1, rows); });
  }
  return drawn;
}

TrainingTask::Drawn TrainingTask::draw(std::int64_t step, Rows rows) {
  Drawn drawn;
  std::vector<Slot> batch;
  add_slots(real_order_, step, setup_.data.real, batch);
  add_slots(synthetic_order_, step, setup_.data.synthetic, batch);
  const std::vector<Slot> slots(batch.begin() + rows.begin, batch.begin() + rows.end);
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
    Random random(
        mix_seed(setup_.seed, "classifier/augment",
                 {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(rows.begin + i)}));
    out = augment(image, preprocess.size, setup_.options.augmentation, random);
  };
  if (setup_.threads > 1 && preprocess.size >= kThreadsPayFrom) {
    NullReporter silent;
    for_each_parallel(std::ssize(slots), setup_.threads, {silent, never_stopped()}, "", prepare);
  } else {
    for (std::int64_t i = 0; i < std::ssize(slots); ++i) prepare(i);
  }
  return drawn;
}

bool TrainingTask::is_mixed(std::int64_t step) const {
  const MixOptions& options = setup_.options.mixing;
  Random random(mix_seed(setup_.seed, "classifier/mix", {static_cast<std::uint64_t>(step)}));
  return options.share > 0 && random.chance(options.share);
}

Rows TrainingTask::rows_of(std::int64_t part) const {
  const std::int64_t size = plan_.real + plan_.synthetic;
  return {size * part / parts(), size * (part + 1) / parts()};
}

Rows TrainingTask::rows_drawn(std::int64_t step, std::int64_t part) const {
  // Mixing takes an image's neighbour, which may be another rank's.
  return is_mixed(step) ? Rows{0, plan_.real + plan_.synthetic} : rows_of(part);
}

void TrainingTask::mix(std::int64_t step, std::int64_t classes, at::Tensor& pixels,
                       at::Tensor& targets) const {
  const MixOptions& options = setup_.options.mixing;
  Random random(mix_seed(setup_.seed, "classifier/mix", {static_cast<std::uint64_t>(step)}));
  if (options.share == 0 || !random.chance(options.share)) return;  // as is_mixed says
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

std::int64_t TrainingTask::parts() const {
  return std::min(plan_.real + plan_.synthetic, setup_.ranks.count());
}

at::Tensor TrainingTask::part_of_loss(std::int64_t step, std::int64_t part) {
  const ClipModel& model = setup_.model;
  const Rows own = rows_of(part);
  const Drawn drawn = take(step, part);
  if (setup_.options.dropout > 0) {
    const auto number = static_cast<std::uint64_t>(step);
    const char* purpose = "classifier/dropout";
    lora_.seed_dropout(
        parts() == 1 ? mix_seed(setup_.seed, purpose, {number})
                     : mix_seed(setup_.seed, purpose, {number, static_cast<std::uint64_t>(part)}));
  }
  const at::Tensor text = setup_.options.dropout > 0
                              ? model.clip.encode_texts(setup_.prompts.tokens)
                              : model.clip.encode_texts(setup_.prompts);
  at::Tensor pixels = model.preprocess.pixels(drawn.images, model.placement);
  at::Tensor targets = as_tensor(drawn.labels, model.placement.device);
  if (is_mixed(step)) {
    mix(step, text.size(0), pixels, targets);
    pixels = pixels.slice(0, own.begin, own.end);
    targets = targets.slice(0, own.begin, own.end);
  }
  const at::Tensor logits = cosine_logits(model, model.clip.encode_images(pixels), text);
  const double smoothing = setup_.options.label_smoothing;
  if (parts() == 1) return weighted_loss(logits, targets, plan_, smoothing);
  return part_of_weighted_loss(logits, targets, plan_, own, smoothing);
}

std::optional<double> TrainingTask::validation_loss(std::int64_t step) {
  const LabelledImages& images = setup_.data.validation;
  if (images.empty()) return std::nullopt;
  lora_.stop_dropout();
  NullReporter silent;
  const at::Tensor logits = classify_images(setup_.model, setup_.prompts, *images.images,
                                            {.batch = 256, .threads = setup_.threads, .name = ""},
                                            {silent, setup_.cancel, setup_.ranks});
  const std::span<const float> scores(logits.const_data_ptr<float>(),
                                      static_cast<std::size_t>(logits.numel()));
  const AccuracyReport report = measure_accuracy(scores, images.labels, logits.size(1));
  top1_ = report.top1;
  record_.add(step, report.top1, parameters_.data());
  return at::cross_entropy_loss(logits, as_tensor(images.labels, at::kCPU)).item<double>();
}

std::vector<std::pair<std::string, double>> TrainingTask::validation_figures() const {
  return {{"top1", top1_}};
}

}  // namespace dd::classify
