// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/shot_batches.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <map>

#include "dd/image/resize.h"
#include "dd/tensor/image_tensor.h"
#include "support/oracle.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace dd::adapt {
namespace {

class ShotBatchesTest : public ::testing::Test {
 protected:
  ShotBatchesTest() { test::write_photos(folder_.path(), {"cup", "hat"}, 3, 48, 32); }

  std::shared_ptr<const Dataset> shots() const {
    return open_dataset(parse_data_spec(folder_.path().string()), "train");
  }
  ShotBatches make(ShotLatents& latents, const ShotBatchesOptions& options) const {
    return {latents, {0, 1, 2, 3, 4, 5}, {0, 3}, {0, 1}, options};
  }
  ShotLatents make_latents() const { return {shots(), vae_, {}, 32}; }

  test::TemporaryFolder folder_;
  models::Vae vae_ = models::Vae::load(test::oracle_path("models") / "sd1" / "vae", {});
};

TEST_F(ShotBatchesTest, LatentsAreThoseOfTheCutImage) {
  ShotLatents latents = make_latents();
  const auto set = shots();
  for (const bool mirrored : {false, true}) {
    for (const std::int64_t position : {std::int64_t{0}, kCenterCut.position, kCropPositions - 1}) {
      const int x = static_cast<int>(position * 16 / (kCropPositions - 1));
      Image cut = crop(set->image(4), x, 0, 32, 32);
      if (mirrored) cut = flip_horizontal(cut);
      const models::Posterior want = vae_.encode(images_to_tensor(std::span(&cut, 1)) * 2 - 1);
      const EncodedShot& got = latents.encoded(4, {position, mirrored});
      EXPECT_TRUE(got.mean.equal(want.mean));
      EXPECT_TRUE(got.deviation.allclose((want.log_variance / 2).exp()));
    }
  }
}

TEST_F(ShotBatchesTest, ABatchFollowsFromItsNumberAlone) {
  const ShotBatchesOptions options{.batch = 4, .flip = true, .seed = 7};
  ShotLatents first_latents = make_latents();
  ShotBatches first = make(first_latents, options);
  for (std::int64_t step = 0; step < 5; ++step) first.batch(step);
  const DiffusionBatch late = first.batch(5);
  ShotLatents second_latents = make_latents();
  ShotBatches second = make(second_latents, options);
  const DiffusionBatch alone = second.batch(5);
  EXPECT_TRUE(alone.latents_nchw.equal(late.latents_nchw));
  EXPECT_TRUE(alone.noise_nchw.equal(late.noise_nchw));
  EXPECT_TRUE(alone.timesteps.equal(late.timesteps));
  EXPECT_EQ(alone.prompts, late.prompts);
  EXPECT_FALSE(first.batch(6).noise_nchw.equal(late.noise_nchw));
  ShotBatches other = make(second_latents, {.batch = 4, .flip = true, .seed = 8});
  EXPECT_FALSE(other.batch(5).noise_nchw.equal(late.noise_nchw));
}

TEST_F(ShotBatchesTest, ShowsEveryClassEquallyOftenAtAllNoiseLevels) {
  ShotLatents latents = make_latents();
  ShotBatches batches = make(latents, {.batch = 4, .seed = 7});
  std::map<std::int64_t, int> seen;
  double sum = 0;
  double noise_square = 0;
  constexpr int kSteps = 300;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const DiffusionBatch batch = batches.batch(step);
    for (const std::int64_t prompt : batch.prompts) ++seen[prompt];
    EXPECT_GE(batch.timesteps.min().item<std::int64_t>(), 0);
    EXPECT_LT(batch.timesteps.max().item<std::int64_t>(), 1000);
    sum += batch.timesteps.to(at::kDouble).mean().item<double>();
    noise_square += batch.noise_nchw.square().mean().item<double>();
  }
  EXPECT_EQ(seen, (std::map<std::int64_t, int>{{0, kSteps * 2}, {1, kSteps * 2}}));
  EXPECT_NEAR(sum / kSteps, 499.5, 30);
  EXPECT_NEAR(noise_square / kSteps, 1, 0.01);
}

TEST_F(ShotBatchesTest, DrawsThePosteriorAfresh) {
  ShotLatents latents = make_latents();
  ShotBatches batches(latents, {2}, {2}, {0, 0}, {.batch = 1, .random_crop = false, .seed = 7});
  const EncodedShot& shot = latents.encoded(2, kCenterCut);
  at::Tensor squares = shot.mean * 0;
  constexpr int kDraws = 2000;
  for (std::int64_t step = 0; step < kDraws; ++step) {
    const at::Tensor latent = batches.batch(step).latents_nchw / latents.scaling_factor();
    squares += ((latent - shot.mean) / shot.deviation).square();
  }
  EXPECT_NEAR((squares / kDraws).mean().item<double>(), 1, 0.02);
}

TEST_F(ShotBatchesTest, ValidationCoversItsShotsAndAllNoiseLevels) {
  ShotLatents latents = make_latents();
  ShotBatches batches = make(latents, {.batch = 5, .seed = 7});
  std::map<std::int64_t, int> prompts;
  std::vector<std::int64_t> timesteps;
  for (const DiffusionBatch& batch : batches.validation()) {
    for (const std::int64_t prompt : batch.prompts) ++prompts[prompt];
    const auto* first = batch.timesteps.const_data_ptr<std::int64_t>();
    timesteps.insert(timesteps.end(), first, first + batch.timesteps.numel());
    EXPECT_EQ(batch.latents_nchw.sizes(), batch.noise_nchw.sizes());
  }
  EXPECT_EQ(prompts, (std::map<std::int64_t, int>{{0, 16}, {1, 16}}));
  std::ranges::sort(timesteps);
  ASSERT_EQ(timesteps.size(), 32U);
  for (std::size_t i = 0; i < timesteps.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(timesteps[i]), (static_cast<double>(i) + 0.5) * 1000 / 32, 1);
  }
  ShotBatches without(latents, {0}, {}, {0, 1}, {});
  EXPECT_TRUE(without.validation().empty());
}

}  // namespace
}  // namespace dd::adapt
