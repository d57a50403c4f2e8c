// SPDX-License-Identifier: Apache-2.0
// The `unet` folders of both Stable Diffusion families against diffusers' UNet2DConditionModel.
#include "dd/models/unet.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

using test::expect_close;
using test::oracle_path;

/// sd1: projections by convolution, one number of heads. sd2: linear projections, heads a level,
/// three levels of which the middle two attend.
class UNetOracle : public ::testing::TestWithParam<const char*> {
 protected:
  at::Tensor recorded(const std::string& name) const { return expected_.tensor("unet." + name); }

  std::filesystem::path folder_ = oracle_path("models") / GetParam();
  io::SafetensorsFile expected_{folder_ / "expected.safetensors"};
  UNet unet_ = UNet::load(folder_ / "unet", {});
};

TEST_P(UNetOracle, PredictionsEqualDiffusersAtTwoTimesteps) {
  for (const int timestep : {3, 801}) {
    const at::Tensor output =
        unet_(recorded("even.latents"), at::full({2}, timestep), recorded("states"));
    expect_close(output, recorded("even.output_" + std::to_string(timestep)),
                 "timestep " + std::to_string(timestep));
  }
}

TEST_P(UNetOracle, SizesThatDoNotHalveEvenlyEqualDiffusers) {
  for (const int timestep : {3, 801}) {
    const at::Tensor output =
        unet_(recorded("odd.latents"), at::full({2}, timestep), recorded("states"));
    expect_close(output, recorded("odd.output_" + std::to_string(timestep)),
                 "timestep " + std::to_string(timestep));
  }
}

TEST_P(UNetOracle, EachRowHasItsOwnTimestep) {
  const at::Tensor output =
      unet_(recorded("even.latents"), recorded("mixed.timesteps"), recorded("states"));
  expect_close(output, recorded("mixed.output"), "mixed timesteps");
}

TEST_P(UNetOracle, SavedFolderGivesTheSamePredictionBitForBit) {
  const test::TemporaryFolder written;
  unet_.save(written.path() / "unet", at::kFloat);
  const UNet again = UNet::load(written.path() / "unet", {});
  const auto run = [&](const UNet& unet) {
    return unet(recorded("even.latents"), recorded("mixed.timesteps"), recorded("states"));
  };
  EXPECT_TRUE(run(again).equal(run(unet_)));
}

TEST_P(UNetOracle, KeptKeysAndValuesGiveTheSamePredictionsBitForBit) {
  KeyValueCache cache;
  for (const int timestep : {801, 3}) {
    const at::Tensor times = at::full({2}, timestep);
    const at::Tensor plain = unet_(recorded("even.latents"), times, recorded("states"));
    EXPECT_TRUE(unet_(recorded("even.latents"), times, TextContext(recorded("states"), &cache))
                    .equal(plain));
  }
  EXPECT_FALSE(cache.empty());
  // What is kept is really used: the states no longer matter.
  const at::Tensor times = at::full({2}, 3);
  const at::Tensor other = recorded("states") + 1;
  EXPECT_TRUE(unet_(recorded("even.latents"), times, TextContext(other, &cache))
                  .equal(unet_(recorded("even.latents"), times, recorded("states"))));
}

TEST_P(UNetOracle, LatentsSeenWithTwoTextsAreAsTwoCopiesOfThem) {
  const at::Tensor latents = recorded("even.latents");
  const at::Tensor states = recorded("states");
  const at::Tensor both = at::cat({states * 0.5, states});
  const at::Tensor want = unet_(at::cat({latents, latents}), at::full({4}, 801), both);
  DeepFeatures deep;
  KeyValueCache cache;
  for (const bool reuse : {false, true}) {
    deep.reuse = reuse;
    const at::Tensor output = unet_(latents, at::full({1}, 801), TextContext(both, &cache), &deep);
    expect_close(output, want, reuse ? "deep features taken again" : "all computed");
  }
  EXPECT_FALSE(want.narrow(0, 0, 2).equal(want.narrow(0, 2, 2))) << "the texts say the same";
}

TEST_P(UNetOracle, DeepFeaturesOfTheSameInputsGiveTheSamePredictionBitForBit) {
  const auto predict = [&](int timestep, DeepFeatures* deep) {
    return unet_(recorded("even.latents"), at::full({2}, timestep), recorded("states"), deep);
  };
  DeepFeatures deep;
  deep.reuse = true;  // there are none yet
  EXPECT_TRUE(predict(801, &deep).equal(predict(801, nullptr)));
  EXPECT_TRUE(predict(801, &deep).equal(predict(801, nullptr)));
  EXPECT_FALSE(predict(3, &deep).equal(predict(3, nullptr))) << "features of timestep 801 are used";
  deep.reuse = false;
  EXPECT_TRUE(predict(3, &deep).equal(predict(3, nullptr)));
}

INSTANTIATE_TEST_SUITE_P(Families, UNetOracle, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::models
