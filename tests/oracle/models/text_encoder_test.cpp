// SPDX-License-Identifier: Apache-2.0
// The `text_encoder` folders of both Stable Diffusion families against transformers' CLIPTextModel.
#include <gtest/gtest.h>

#include "dd/models/clip_text.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

using test::expect_close;
using test::oracle_path;

/// sd1: quick_gelu, names as transformers 5 writes them. sd2: gelu, names with `text_model.` and
/// the positions buffer, as published files have them.
class TextEncoderOracle : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path folder_ = oracle_path("models") / GetParam();
  io::SafetensorsFile expected_{folder_ / "expected.safetensors"};
};

TEST_P(TextEncoderOracle, HiddenStatesEqualTransformers) {
  const TextEncoder encoder = TextEncoder::load(folder_ / "text_encoder", {});
  expect_close(encoder(expected_.tensor("text.input_ids")),
               expected_.tensor("text.last_hidden_state"), "states");
}

TEST_P(TextEncoderOracle, ShorterPromptsGiveTheFrontOfTheStates) {
  const TextEncoder encoder = TextEncoder::load(folder_ / "text_encoder", {});
  const at::Tensor ids = expected_.tensor("text.input_ids").slice(1, 0, 12);
  expect_close(encoder(ids), expected_.tensor("text.last_hidden_state").slice(1, 0, 12), "states");
}

TEST_P(TextEncoderOracle, SavedFolderGivesTheSameStatesBitForBit) {
  const TextEncoder encoder = TextEncoder::load(folder_ / "text_encoder", {});
  const test::TemporaryFolder written;
  encoder.save(written.path() / "text_encoder", at::kFloat);
  const TextEncoder again = TextEncoder::load(written.path() / "text_encoder", {});
  const at::Tensor ids = expected_.tensor("text.input_ids");
  EXPECT_TRUE(again(ids).equal(encoder(ids)));
}

INSTANTIATE_TEST_SUITE_P(Families, TextEncoderOracle, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::models
