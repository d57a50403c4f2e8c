// SPDX-License-Identifier: Apache-2.0
// FID's Inception against torch-fidelity's. 24 million weights are too many to keep: both sides
// take them, and the pictures, from formulas (tools/oracle/feature_models.py).
#include "dd/models/inception.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <map>

#include "dd/core/json.h"
#include "support/hostile_bytes.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

using test::expect_close;
using test::oracle_path;

/// Weights by the formula, with a note of what was asked for.
class FormulaSource final : public nn::ParameterSource {
 public:
  at::Tensor parameter(const std::string& name, at::IntArrayRef shape, const nn::Init&) override {
    shapes[name] = shape.vec();
    at::Tensor value = at::empty(shape, at::kFloat);
    float* out = value.mutable_data_ptr<float>();
    const std::uint64_t start =
        crc32(0, reinterpret_cast<const Bytef*>(name.data()), static_cast<uInt>(name.size()));
    const std::int64_t inputs = shape.size() == 4 ? shape[1] * shape[2] * shape[3] : 0;
    for (std::int64_t i = 0; i < value.numel(); ++i) {
      const std::uint64_t one = (static_cast<std::uint64_t>(i) * 2654435761U + start) & 0xffffffffU;
      const std::uint64_t two = (one * 2246822519U) & 0xffffffffU;
      const double number = static_cast<double>(two) / 2147483648.0 - 1;
      out[i] = static_cast<float>(scaled(name, number, inputs));
    }
    return value;
  }

  std::map<std::string, std::vector<std::int64_t>> shapes;

 private:
  static double scaled(const std::string& name, double number, std::int64_t inputs) {
    if (inputs > 0) return number * std::sqrt(2.0 / static_cast<double>(inputs));
    if (name.ends_with("running_var")) return 1 + 0.3 * number;
    return name.ends_with("bn.weight") ? 1 + 0.2 * number : 0.2 * number;
  }
};

at::Tensor pictures() {
  at::Tensor levels = at::empty({2, 3, 299, 299}, at::kFloat);
  float* out = levels.mutable_data_ptr<float>();
  for (int number = 0; number < 2; ++number) {
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 299; ++y) {
        for (int x = 0; x < 299; ++x) {
          const int level = x * (3 + number) + y * (7 - number) * (c + 1) + x * y / 37;
          const int dimmed = level % 256 / (1 + 3 * number);
          *out++ = static_cast<float>(dimmed);
        }
      }
    }
  }
  return levels;
}

TEST(InceptionOracle, FeaturesEqualTorchFidelity) {
  FormulaSource source;
  const Inception model(source, true);
  const io::SafetensorsFile expected(oracle_path("models/inception/expected.safetensors"));
  expect_close(model(pictures()), expected.tensor("features"), "features");
}

TEST(InceptionOracle, ParametersAreThoseOfThePublishedFile) {
  FormulaSource source;
  const Inception model(source, true);
  Json published = read_json(oracle_path("models/inception/parameters.json"));
  for (const char* unused : {"fc.weight", "fc.bias"}) published.erase(unused);
  EXPECT_EQ(source.shapes.size(), published.size());
  for (const auto& [name, shape] : source.shapes) {
    ASSERT_TRUE(published.contains(name)) << name;
    EXPECT_EQ(Json(shape), published.at(name)) << name;
  }
}

TEST(Inception, EveryParameterHasAPlaceOfItsOwnInTheTorchScriptArchive) {
  FormulaSource source;
  const Inception model(source, false);
  std::map<std::string, std::string> taken;
  for (const auto& [name, shape] : source.shapes) {
    const std::optional<TensorPlace> place = inception_script_names().find(name);
    ASSERT_TRUE(place) << name;
    EXPECT_TRUE(taken.emplace(place->name, name).second) << place->name;
  }
  EXPECT_EQ(taken.at("layers.conv.weight"), "Conv2d_1a_3x3.conv.weight");
  EXPECT_EQ(taken.at("layers.mixed_4.tower_1.conv_4.beta"), "Mixed_6b.branch7x7dbl_5.bn.bias");
  EXPECT_EQ(taken.at("layers.mixed_10.tower_1_mixed_conv_1.var"),
            "Mixed_7c.branch3x3dbl_3b.bn.running_var");
}

TEST(Inception, AnotherModelIsRefused) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "other.safetensors";
  io::write_safetensors(file, {{"conv1.weight", at::empty({1}, at::kFloat)}});
  test::expect_input_error(test::input_error([&] { Inception::load(file, at::kCPU); }),
                           "pt_inception-2015-12-05-6726825d.pth");
}

}  // namespace
}  // namespace dd::models
