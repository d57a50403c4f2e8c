// SPDX-License-Identifier: Apache-2.0
// Images from pictures against diffusers' StableDiffusionImg2ImgPipeline;
// tools/oracle/image_to_image.py made them.
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/generate/pipeline.h"
#include "dd/image/read.h"
#include "dd/tensor/image_tensor.h"
#include "support/oracle.h"
#include "support/same_picture.h"

namespace dd::generate {
namespace {

at::Tensor read_pixels(const std::string& name) {
  const Image image = read_image(test::oracle_path(name));
  return images_to_tensor(std::span(&image, 1));
}

class ImageToImage : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ImageToImage, EqualsThatOfDiffusers) {
  const Json runs = read_json(test::oracle_path("image_to_image/images.json"));
  ASSERT_EQ(runs.size(), 11u);
  const Json& run = runs.at(GetParam());
  SCOPED_TRACE(run.dump());
  const auto name = run.at("model").get<std::string>();
  const auto model = models::StableDiffusion::load(test::oracle_path("models") / name, {});
  TextToImage drawer(model, {.sampler = run.at("sampler").get<std::string>(),
                             .steps = run.at("steps").get<std::int64_t>(),
                             .guidance = {.scale = run.at("guidance").get<double>()},
                             .strength = run.at("strength").get<double>()});
  const models::Posterior start =
      drawer.encode_picture(read_pixels("image_to_image/start-" + name + ".png"));
  const at::Tensor context = drawer.encode(run.at("prompt").get<std::string>());
  const auto seeds = run.at("seeds").get<std::vector<std::uint64_t>>();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const at::Tensor pixels = drawer.images_from(std::span(&start, 1), context, drawer.encode(""),
                                                 std::span(seeds).subspan(i, 1));
    test::expect_same_picture(
        tensor_to_images(pixels).front(),
        read_image(test::oracle_path(cat("image_to_image/", GetParam(), "-", seeds[i], ".png"))));
  }
}

INSTANTIATE_TEST_SUITE_P(AllRuns, ImageToImage, ::testing::Range(std::size_t{0}, std::size_t{11}));

}  // namespace
}  // namespace dd::generate
