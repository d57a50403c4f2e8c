// SPDX-License-Identifier: Apache-2.0
// VAE folders, with new and old attention names, against diffusers' AutoencoderKL.
#include "dd/models/vae.h"

#include <gtest/gtest.h>

#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

using test::expect_close;
using test::oracle_path;

struct VaeCase {
  const char* name;
  const char* expected;  ///< folder of expected.safetensors
  const char* weights;
};

class VaeOracle : public ::testing::TestWithParam<VaeCase> {
 protected:
  at::Tensor recorded(const std::string& name) const { return expected_.tensor("vae." + name); }

  io::SafetensorsFile expected_{oracle_path("models") / GetParam().expected /
                                "expected.safetensors"};
  Vae vae_ = Vae::load(oracle_path("models") / GetParam().weights, {});
};

TEST_P(VaeOracle, PosteriorEqualsDiffusers) {
  const Posterior posterior = vae_.encode(recorded("pixels"));
  expect_close(posterior.mean, recorded("mean"), "mean");
  expect_close(posterior.log_variance, recorded("logvar"), "log-variance");
}

TEST_P(VaeOracle, DecodedPixelsEqualDiffusers) {
  expect_close(vae_.decode(recorded("latents")), recorded("decoded"), "pixels");
}

TEST_P(VaeOracle, SamplingMovesTheMeanByTheDeviation) {
  const Posterior posterior = vae_.encode(recorded("pixels"));
  const at::Tensor noise = recorded("latents");
  const at::Tensor deviation = (recorded("logvar") * 0.5).exp();
  expect_close(posterior.sample(noise), recorded("mean") + deviation * noise, "sample");
}

TEST_P(VaeOracle, SavedFolderDecodesTheSameBitForBit) {
  const test::TemporaryFolder written;
  vae_.save(written.path() / "vae", at::kFloat);
  const Vae again = Vae::load(written.path() / "vae", {});
  EXPECT_TRUE(again.decode(recorded("latents")).equal(vae_.decode(recorded("latents"))));
}

INSTANTIATE_TEST_SUITE_P(
    Folders, VaeOracle,
    ::testing::Values(VaeCase{"sd1", "sd1", "sd1/vae"}, VaeCase{"sd2", "sd2", "sd2/vae"},
                      VaeCase{"old_linear", "vae_old_linear", "vae_old_linear"},
                      VaeCase{"old_convolution", "vae_old_convolution", "vae_old_convolution"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace dd::models
