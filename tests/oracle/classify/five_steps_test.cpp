// SPDX-License-Identifier: Apache-2.0
// The classifier's loss and the training engine against a trainer written with transformers and
// peft: five steps on recorded batches, from a recorded start (tools/oracle/classify_reference.py).
#include <ATen/ops/cat.h>
#include <ATen/ops/one_hot.h>
#include <gtest/gtest.h>

#include <map>

#include "dd/classify/mixing.h"
#include "dd/classify/training_run.h"
#include "support/oracle.h"

namespace dd::classify {
namespace {

using test::expect_close;
using test::oracle_path;

std::vector<Image> images_of(const at::Tensor& levels) {
  std::vector<Image> images;
  for (std::int64_t i = 0; i < levels.size(0); ++i) {
    const at::Tensor rows = levels[i].permute({1, 2, 0}).contiguous();
    const auto* bytes = rows.const_data_ptr<std::uint8_t>();
    images.push_back({static_cast<int>(rows.size(1)),
                      static_cast<int>(rows.size(0)),
                      {bytes, bytes + rows.numel()}});
  }
  return images;
}

/// What the reference trainer drew for both kinds of a step.
Mix recorded_mix(const Json& note) {
  Mix mix{.kept = note.at("kept").get<double>()};
  const auto box = note.at("box").get<std::vector<std::int64_t>>();
  if (!box.empty()) {
    mix = {.kept = mix.kept,
           .cut = true,
           .left = box[0],
           .top = box[1],
           .right = box[2],
           .bottom = box[3]};
  }
  return mix;
}

struct Reference {
  const Json note = read_json(oracle_path("classify/README.json"));
  const Json mixes = read_json(oracle_path("classify/index.json")).at("mixes");
  const io::SafetensorsFile batches{oracle_path("classify/batches.safetensors")};
  const ClipModel model = ClipModel::load(oracle_path("models/clip"), {});
  const at::Tensor prompts =
      io::SafetensorsFile(oracle_path("models/clip/expected.safetensors")).tensor("input_ids");
  const BatchPlan plan{.real = note.at("real").get<std::int64_t>(),
                       .synthetic = note.at("synthetic").get<std::int64_t>(),
                       .real_weight = note.at("real_weight").get<double>(),
                       .synthetic_weight = 1 - note.at("real_weight").get<double>()};

  at::Tensor labels(std::int64_t step) const { return batches.tensor("labels")[step]; }
  at::Tensor pixels(std::int64_t step) const {
    return model.preprocess.pixels(images_of(batches.tensor("levels")[step]), {});
  }
  /// Pixels and targets of a step as the reference mixed them, mixed here.
  std::pair<at::Tensor, at::Tensor> mixed(std::int64_t step) const {
    const at::Tensor images = pixels(step);
    const at::Tensor targets = at::one_hot(labels(step), prompts.size(0)).to(at::kFloat);
    const auto at_step = static_cast<std::size_t>(2 * step);
    const Mix real = recorded_mix(mixes.at(at_step));
    const Mix synthetic = recorded_mix(mixes.at(at_step + 1));
    const auto join = [&](const at::Tensor& rows, const auto& change) {
      return at::cat({change(rows.narrow(0, 0, plan.real), real),
                      change(rows.narrow(0, plan.real, plan.synthetic), synthetic)});
    };
    return {join(images, mix_images), join(targets, mix_targets)};
  }
};

/// Feeds the engine what the reference trainer drew.
class RecordedTask final : public train::Task {
 public:
  RecordedTask(const Reference& reference, bool soft) : reference_(reference), soft_(soft) {}

  at::Tensor loss(std::int64_t step) override {
    const auto [pixels, targets] =
        soft_ ? reference_.mixed(step)
              : std::pair{reference_.pixels(step), reference_.labels(step)};
    const ClipModel& model = reference_.model;
    const at::Tensor text = model.clip.encode_texts(reference_.prompts);
    const at::Tensor logits = cosine_logits(model, model.clip.encode_images(pixels), text);
    const double smoothing = soft_ ? reference_.note.at("label_smoothing").get<double>() : 0.0;
    return weighted_loss(logits, targets, reference_.plan, smoothing);
  }

 private:
  const Reference& reference_;
  bool soft_;
};

train::EngineOptions engine_options(const Json& note) {
  train::EngineOptions options;
  options.steps = note.at("steps").get<std::int64_t>();
  options.validate_every = 0;
  options.keep_step_losses = true;
  options.optimizer.learning_rate = note.at("learning_rate").get<double>();
  options.optimizer.final_rate = note.at("final_rate").get<double>();
  options.optimizer.weight_decay = note.at("weight_decay").get<double>();
  options.optimizer.warmup = note.at("warm_up_steps").get<std::int64_t>();
  options.optimizer.clip = note.at("clip_norm").get<double>();
  return options;
}

lora::LoraWeights weights_at(const io::SafetensorsFile& file, const std::string& prefix) {
  const std::string ending = ".lora_A.weight";
  lora::LoraWeights weights;
  for (const io::TensorEntry& entry : file.entries()) {
    if (!entry.name.starts_with(prefix) || !entry.name.ends_with(ending)) continue;
    const std::string stem = entry.name.substr(0, entry.name.size() - ending.size());
    weights.pairs.push_back({stem.substr(prefix.size()), file.tensor(entry.name),
                             file.tensor(stem + ".lora_B.weight"), 2.0});
  }
  std::ranges::sort(weights.pairs, {}, &lora::LoraPair::layer);
  return weights;
}

class ClassifierFiveSteps : public testing::TestWithParam<const char*> {};

TEST_P(ClassifierFiveSteps, EqualTheReferenceTrainer) {
  const bool soft = std::string(GetParam()) == "soft";
  const Reference reference;
  const io::SafetensorsFile recorded(oracle_path("classify") /
                                     (std::string(GetParam()) + ".safetensors"));
  const std::vector<lora::ModelPart> parts{{"", &reference.model.clip.parameters()}};
  lora::LoraSet set(parts, lora_targets({}), {.rank = 4, .alpha = 8}, 1);
  set.assign(weights_at(recorded, "start."));
  RecordedTask task(reference, soft);
  train::FlatParameters parameters(set.parameters());
  NullReporter reporter;
  const CancelToken cancel;
  Context context{reporter, cancel};
  const train::EngineOptions options = engine_options(reference.note);
  const train::TrainResult result = train::run_training(options, parameters, task, context);

  ASSERT_EQ(result.step_losses.size(), 5);
  for (std::int64_t step = 0; step < 5; ++step) {
    const double loss = recorded.tensor("loss")[step].item<double>();
    EXPECT_NEAR(result.step_losses[static_cast<std::size_t>(step)].value, loss, 1e-4 * loss);
    EXPECT_NEAR(train::learning_rate(options.optimizer, step, 5),
                recorded.tensor("rate")[step].item<double>(), 1e-12);
  }
  for (const auto& [name, value] : set.parameters()) {
    const at::Tensor start = recorded.tensor("start." + name);
    const at::Tensor final = recorded.tensor("final." + name);
    expect_close(value, final, name);
    // Rounding grows in what AdamW adds: it divides small gradients by themselves.
    expect_close(value.detach() - start, final - start, name + ", movement", 2e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, ClassifierFiveSteps, testing::Values("plain", "soft"),
                         [](const auto& test) { return std::string(test.param); });

TEST(MixingOracle, BatchesAreThoseOfTorchvision) {
  const Reference reference;
  const io::SafetensorsFile recorded(oracle_path("classify/soft.safetensors"));
  int cuts = 0;
  for (std::int64_t step = 0; step < 5; ++step) {
    const auto [pixels, targets] = reference.mixed(step);
    const std::string name = cat("soft.step.", step);
    expect_close(pixels, recorded.tensor(name + ".pixels"), name, 1e-6);
    expect_close(targets, recorded.tensor(name + ".targets"), name, 1e-6);
    cuts += recorded_mix(reference.mixes.at(static_cast<std::size_t>(2 * step))).cut ? 1 : 0;
  }
  EXPECT_EQ(cuts, 2) << "both kinds of mixing are recorded";
}

}  // namespace
}  // namespace dd::classify
