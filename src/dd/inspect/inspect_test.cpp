// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/inspect.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dd/core/files.h"
#include "dd/inspect/detect.h"
#include "dd/io/safetensors.h"
#include "dd/tensor/device.h"
#include "support/oracle.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace dd::inspect {
namespace {

namespace fs = std::filesystem;
using dd::test::oracle_path;

class InspectTest : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  static Report inspect(const fs::path& what, bool hash = false) {
    InspectOptions options;
    options.path = what.string();
    options.hash = hash;
    return inspect_path(options);
  }
  /// A copy of a small model that a test may damage.
  fs::path copy(const std::string& model) const {
    fs::copy(oracle_path("models/" + model), path(model), fs::copy_options::recursive);
    return path(model);
  }
  static bool mentions(const std::vector<std::string>& lines, const std::string& word) {
    return std::ranges::any_of(
        lines, [&](const std::string& line) { return line.find(word) != std::string::npos; });
  }
  dd::test::TemporaryFolder folder_;
};

TEST_F(InspectTest, SaysWhatAStableDiffusionFolderHolds) {
  const Report two = inspect(oracle_path("models/sd2"));
  EXPECT_TRUE(two.usable());
  EXPECT_EQ(two.facts.at("kind"), "Stable Diffusion");
  EXPECT_EQ(two.facts.at("family"), "other, laid out as 2.x");
  EXPECT_EQ(two.facts.at("prediction_type"), "v_prediction");
  EXPECT_EQ(two.facts.at("prediction_type_from"), "scheduler/scheduler_config.json");
  EXPECT_EQ(two.facts.at("unet").at("projections"), "linear");
  EXPECT_EQ(two.facts.at("weights").at("unet").at("precision"), "f32");
  EXPECT_EQ(two.facts.at("fingerprint").get<std::string>().size(), 64U);
  const Report one = inspect(oracle_path("models/sd1"));
  EXPECT_EQ(one.facts.at("family"), "other, laid out as 1.x");
  EXPECT_EQ(one.facts.at("prediction_type"), "epsilon");
  EXPECT_EQ(one.facts.at("unet").at("projections"), "convolution");
  EXPECT_GT(one.facts.at("parameters").get<std::int64_t>(), 10000);
  EXPECT_FALSE(one.facts.contains("sha256"));
}

TEST_F(InspectTest, SaysThatAPredictionTypeWasAssumed) {
  const fs::path model = copy("sd1");
  Json scheduler = read_json(model / "scheduler" / "scheduler_config.json");
  scheduler.erase("prediction_type");
  write_json(model / "scheduler" / "scheduler_config.json", scheduler);
  const Report report = inspect(model);
  EXPECT_EQ(report.facts.at("prediction_type"), "epsilon");
  EXPECT_TRUE(report.facts.at("prediction_type_from").get<std::string>().starts_with("assumed"));
}

TEST_F(InspectTest, NamesEveryPartThatIsDamaged) {
  const fs::path model = copy("sd1");
  const fs::path vae = model / "vae" / "diffusion_pytorch_model.safetensors";
  fs::resize_file(vae, fs::file_size(vae) - 100);
  write_file_atomically(model / "scheduler" / "scheduler_config.json", "{");
  const io::SafetensorsFile whole(model / "unet" / "diffusion_pytorch_model.safetensors");
  io::NamedTensors tensors;
  for (const io::TensorEntry& entry : whole.entries()) {
    if (entry.name == "conv_in.bias") continue;
    tensors.emplace_back(entry.name, whole.tensor(entry.name));
  }
  tensors.emplace_back("stranger", at::full({1}, 1.0));
  io::write_safetensors(model / "unet" / "diffusion_pytorch_model.safetensors", tensors);
  const Report report = inspect(model);
  EXPECT_FALSE(report.usable());
  EXPECT_TRUE(mentions(report.problems, "cut off"));
  EXPECT_TRUE(mentions(report.problems, "scheduler_config.json"));
  EXPECT_TRUE(mentions(report.problems, "missing 1 (conv_in.bias)"));
  EXPECT_TRUE(mentions(report.problems, "unexpected 1 (stranger)"));
  EXPECT_FALSE(report_json(report).at("usable").get<bool>());
  EXPECT_NE(report_text(report).find("problem: "), std::string::npos);
}

TEST_F(InspectTest, ReadsTheContentOnlyWhenAskedTo) {
  const fs::path model = copy("sd1");
  const fs::path file = model / "vae" / "diffusion_pytorch_model.safetensors";
  const io::SafetensorsFile whole(file);
  io::NamedTensors tensors;
  for (const io::TensorEntry& entry : whole.entries()) {
    tensors.emplace_back(entry.name, whole.tensor(entry.name).clone());
  }
  tensors[0].second.fill_(std::nan(""));
  io::write_safetensors(file, tensors);
  EXPECT_TRUE(inspect(model).usable());
  const Report deep = inspect(model, true);
  EXPECT_TRUE(mentions(deep.problems, tensors[0].first));
  EXPECT_EQ(deep.facts.at("sha256").at("vae/diffusion_pytorch_model.safetensors"),
            sha256_of_file(file));
}

TEST_F(InspectTest, SaysWhatALoraIs) {
  const Report report = inspect(oracle_path("lora/sd1/pytorch_lora_weights.safetensors"));
  EXPECT_TRUE(report.usable());
  EXPECT_EQ(report.facts.at("kind"), "LoRA");
  const Json& unet = report.facts.at("parts").at("unet");
  EXPECT_EQ(unet.at("rank").size(), 1U);
  const auto projections = unet.at("projections").get<std::vector<std::string>>();
  EXPECT_TRUE(std::ranges::find(projections, "attn1.to_out.0") != projections.end());
  EXPECT_TRUE(report.facts.at("parts").contains("text_encoder"));
}

TEST_F(InspectTest, CountsWhatALoraHasTooMuchOf) {
  io::write_safetensors(path("lora.safetensors"),
                        {{"lora_unet_mid_attn1_to_q.lora_down.weight", seeded_randn({2, 6}, 1)},
                         {"lora_unet_mid_attn1_to_q.lora_up.weight", seeded_randn({5, 2}, 2)},
                         {"lora_unet_mid_attn1_to_k.lora_up.weight", seeded_randn({5, 2}, 2)},
                         {"lora_unet_mid.hada_w1_a", seeded_randn({5, 2}, 2)}});
  const Report report = inspect(path("lora.safetensors"));
  EXPECT_EQ(report.problems.size(), 2U);
  EXPECT_TRUE(mentions(report.problems, "hada_w1_a"));
  EXPECT_TRUE(mentions(report.problems, "to_k.lora_up.weight"));
  EXPECT_EQ(report.facts.at("parts").at("unet").at("layers"), 1);
}

TEST_F(InspectTest, SaysWhatAClipIs) {
  const Report report = inspect(oracle_path("models/clip"));
  EXPECT_TRUE(report.usable()) << report_text(report);
  EXPECT_EQ(report.facts.at("kind"), "CLIP");
  EXPECT_GT(report.facts.at("tokenizer").at("entries").get<int>(), 256);
}

TEST_F(InspectTest, CountsADataSetAndNamesItsDamage) {
  dd::test::write_photos(path("photos") / "train", {"boat", "car"}, 3, 20, 10);
  dd::test::write_photos(path("photos") / "test", {"boat", "car"}, 1, 20, 12);
  write_file_atomically(path("photos") / "train" / "boat" / "9.png", "no picture");
  const Report report = inspect(path("photos"));
  EXPECT_TRUE(report.usable());
  EXPECT_EQ(report.facts.at("kind"), "data set");
  EXPECT_EQ(report.facts.at("images"), 9);
  EXPECT_EQ(report.facts.at("splits").at("train").at("by_class").at("boat"), 4);
  EXPECT_FALSE(report.facts.at("splits").contains("val"));
  EXPECT_EQ(report.facts.at("sizes").at("20x10"), 6);
  EXPECT_EQ(report.facts.at("formats").at("PNG"), 8);
  EXPECT_TRUE(mentions(report.warnings, "9.png"));
  const Report picture = inspect(path("photos") / "train" / "boat" / "0.png");
  EXPECT_EQ(picture.facts.at("kind"), "image");
  EXPECT_EQ(picture.facts.at("width"), 20);
}

TEST_F(InspectTest, TellsOtherTensorsAndRefusesTheRest) {
  io::write_safetensors(path("other.safetensors"), {{"weight", seeded_randn({2}, 1)}});
  EXPECT_EQ(detect(path("other.safetensors").string()), Kind::kTensors);
  EXPECT_TRUE(mentions(inspect(path("other.safetensors")).warnings, "no model"));
  EXPECT_EQ(detect(oracle_path("models/sd1/unet").string()), Kind::kUNet);
  EXPECT_TRUE(inspect(oracle_path("models/sd1/vae")).usable());
  write_file_atomically(path("empty") / "readme", "nothing");
  EXPECT_THROW(inspect(path("nowhere")), Error);
  EXPECT_THROW(inspect(path("empty")), Error);
  EXPECT_THROW(inspect(path("empty") / "readme"), Error);
}

}  // namespace
}  // namespace dd::inspect
