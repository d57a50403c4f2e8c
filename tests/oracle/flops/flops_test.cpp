// SPDX-License-Identifier: Apache-2.0
// Operations by formula against torch's own counter; tools/oracle/flops.py made the numbers.
#include "dd/models/flops.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "dd/tensor/profile.h"
#include "support/oracle.h"

namespace dd::models {
namespace {

class Counted : public testing::Test {
 protected:
  static Json config(const std::string& file) {
    return read_json(test::oracle_path("models/" + file + "/config.json"));
  }
  static double number(const Json& entry) { return entry.get<double>(); }

  static void expect_counts(const Flops& ours, const Json& recorded, const std::string& what) {
    EXPECT_EQ(ours.forward, number(recorded.at("forward"))) << what;
    EXPECT_EQ(ours.training, number(recorded.at("training"))) << what;
  }

  Json counts_ = read_json(test::oracle_path("flops/flops.json"));
  std::int64_t rank_ = counts_.at("rank");
};

TEST_F(Counted, DiffusionModels) {
  for (const std::string name : {"sd1", "sd2"}) {
    const Json& recorded = counts_.at(name);
    const GridSize cells{recorded.at("height"), recorded.at("width")};
    const std::int64_t factor = recorded.at("pixel_factor");
    const GridSize pixels{cells.height * factor, cells.width * factor};
    const std::int64_t tokens = recorded.at("tokens");
    const auto unet = UNetConfig::from_json(config(name + "/unet"), name);
    const auto vae = VaeConfig::from_json(config(name + "/vae"), name);
    const auto text = ClipTextConfig::from_json(config(name + "/text_encoder"), name);
    EXPECT_EQ(unet_flops(unet, cells, tokens, {}).forward, number(recorded.at("unet"))) << name;
    EXPECT_EQ(vae_encoder_flops(vae, pixels).forward, number(recorded.at("vae_encoder"))) << name;
    EXPECT_EQ(vae_decoder_flops(vae, pixels).forward, number(recorded.at("vae_decoder"))) << name;
    EXPECT_EQ(text_flops(text, tokens, {}).forward, number(recorded.at("text"))) << name;
    const LoraShape lora{.rank = rank_};
    expect_counts(unet_flops(unet, cells, tokens, lora), recorded.at("unet_lora"), name + " unet");
    expect_counts(text_flops(text, tokens, lora), recorded.at("text_lora"), name + " text");
  }
}

/// What a call of the U-Net computed, by the shapes that it met.
double measured(const UNet& unet, const TextContext& context, DeepFeatures* deep) {
  const c10::NoGradGuard no_grad;
  const at::Tensor latents = at::zeros({1, unet.config().in_channels, 12, 10});
  NullReporter silent;
  Profile profile(silent);
  unet(latents, at::full({1}, 5), context, deep);
  profile.stop();
  double flops = 0;
  for (const auto& [stage, costs] : profile.stages()) flops += total_of(costs).flops;
  return flops;
}

TEST_F(Counted, WhatDrawingDoesNotComputeAgain) {
  constexpr std::int64_t kTokens = 7;
  for (const std::string name : {"sd1", "sd2"}) {
    const UNet unet = UNet::load(test::oracle_path("models/" + name + "/unet"), {});
    const DrawingFlops drawing = drawing_flops(unet.config(), {12, 10}, kTokens);
    KeyValueCache cache;
    DeepFeatures deep;
    const TextContext context(at::zeros({1, kTokens, unet.config().context_width}), &cache);
    EXPECT_EQ(drawing.keys + drawing.whole, number(counts_.at(name).at("unet"))) << name;
    EXPECT_EQ(measured(unet, context, &deep), drawing.keys + drawing.whole) << name;
    EXPECT_EQ(measured(unet, context, &deep), drawing.whole) << name << ": keys are there";
    deep.reuse = true;
    EXPECT_EQ(measured(unet, context, &deep), drawing.shallow) << name;
    EXPECT_LT(drawing.shallow, drawing.whole);
  }
}

TEST_F(Counted, ClipWithEveryChoiceOfTargets) {
  const Json& recorded = counts_.at("clip");
  const auto clip = ClipConfig::from_json(config("clip"), "clip");
  const std::int64_t tokens = recorded.at("tokens");
  EXPECT_EQ(clip_image_flops(clip, {}).forward, number(recorded.at("image")));
  EXPECT_EQ(clip_text_flops(clip, tokens, {}).forward, number(recorded.at("text")));
  for (const std::int64_t projections : {4, 2}) {
    for (const bool mlp : {false, true}) {
      const LoraShape lora{.rank = rank_, .projections = projections, .mlp = mlp};
      const std::string key = cat(projections, mlp ? "+mlp" : "");
      expect_counts(clip_image_flops(clip, lora), recorded.at("image_" + key), "image " + key);
      expect_counts(clip_text_flops(clip, tokens, lora), recorded.at("text_" + key), "text " + key);
    }
  }
}

}  // namespace
}  // namespace dd::models
