// SPDX-License-Identifier: Apache-2.0
// convert, as a user calls it, and that what it writes draws and scores the same.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/image/read.h"
#include "dd/io/safetensors.h"
#include "dd/tensor/device.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/same_picture.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::Json;
using dd::io::NamedTensors;
using dd::io::SafetensorsFile;
using dd::test::datadream;
using dd::test::is_one_error_line;
using dd::test::ProcessResult;

const std::string kTextQuery = "text_model.encoder.layers.0.self_attn.q_proj";

class Convert : public testing::Test {
 protected:
  static std::string source(const std::string& path) {
    return (fs::path(DD_SOURCE_DIR) / "tests" / "oracle" / path).string();
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  static void must(std::vector<std::string> words) {
    words.insert(words.end(), {"--device", "cpu", "--threads", "1"});
    const ProcessResult result = datadream(words);
    ASSERT_EQ(result.status, 0) << words[0] << ": " << result.err;
  }
  /// The bytes of an image of this model.
  std::string draw(const std::string& model, const std::vector<std::string>& loras = {}) const {
    return dd::read_file(draw_file(model, loras));
  }
  fs::path draw_file(const std::string& model, const std::vector<std::string>& loras = {}) const {
    const std::string out = path(cat_names(model, loras));
    std::vector<std::string> words{"generate", "--model", model,        "--prompt", "a photo of it",
                                   "--steps",  "4",       "--guidance", "3",        "--seed",
                                   "5",        "--out",   out};
    for (const std::string& lora : loras) words.insert(words.end(), {"--lora", lora});
    must(words);
    return fs::path(out) / "00000.png";
  }
  /// Weights are used where a file has them; where they lie otherwise in memory, sums may be
  /// rounded otherwise.
  void expect_draw_alike(const std::string& one, const std::string& other) const {
    const auto drawn = [&](const std::string& model) { return dd::read_image(draw_file(model)); };
    EXPECT_LE(dd::test::largest_difference(drawn(one), drawn(other)), 1) << one;
  }
  void expect_refused(std::vector<std::string> words, const std::string& word) const {
    words.insert(words.begin(), "convert");
    const std::string out = path("refused.safetensors");
    words.insert(words.end(), {"--out", out});
    const ProcessResult result = datadream(words);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      EXPECT_FALSE(entry.path().filename().string().starts_with("refused")) << entry.path();
    }
  }
  static void expect_same_tensors(const fs::path& a, const fs::path& b) {
    const SafetensorsFile one(a);
    const SafetensorsFile other(b);
    ASSERT_EQ(one.entries().size(), other.entries().size()) << a;
    for (const dd::io::TensorEntry& entry : one.entries()) {
      ASSERT_TRUE(other.contains(entry.name)) << entry.name;
      EXPECT_EQ(other.tensor(entry.name).scalar_type(), entry.dtype) << entry.name;
      EXPECT_TRUE(other.tensor(entry.name).equal(one.tensor(entry.name))) << entry.name;
    }
  }

  const std::string sd1_ = source("models/sd1");
  const std::string sd2_ = source("models/sd2");
  const std::string lora1_ = source("lora/sd1/pytorch_lora_weights.safetensors");
  const std::string lora2_ = source("lora/sd2/pytorch_lora_weights.safetensors");

 private:
  static std::string cat_names(const std::string& model, const std::vector<std::string>& loras) {
    std::string name = "draw-" + fs::path(model).filename().string();
    for (const std::string& lora : loras) name += "-" + fs::path(lora).filename().string();
    return name;
  }
  const dd::test::TemporaryFolder folder_;
};

TEST_F(Convert, ALoraGoesToKohyaAndBackUnchanged) {
  must({"convert", lora2_, "--to", "diffusers", "--out", path("current.safetensors")});
  must({"convert", path("current.safetensors"), "--to", "kohya", "--out",
        path("kohya.safetensors")});
  must({"convert", path("kohya.safetensors"), "--to", "diffusers", "--out",
        path("back.safetensors")});
  expect_same_tensors(path("current.safetensors"), path("back.safetensors"));
  EXPECT_EQ(SafetensorsFile(lora2_).entries().size(),
            SafetensorsFile(path("back.safetensors")).entries().size());
  EXPECT_EQ(draw(sd2_, {lora2_}), draw(sd2_, {path("kohya.safetensors")}));
  EXPECT_EQ(draw(sd2_, {lora2_}), draw(sd2_, {path("back.safetensors")}));
  EXPECT_NE(draw(sd2_, {lora2_}), draw(sd2_));
}

TEST_F(Convert, AMergedFolderDrawsWhatItsLorasDraw) {
  must({"convert", lora1_, "--to", "kohya", "--dtype", "f16", "--out", path("half.safetensors")});
  const std::vector<std::string> loras{lora1_ + ":0.5", path("half.safetensors") + ":-0.25"};
  must({"convert", sd1_, "--to", "diffusers", "--lora", loras[0], "--lora", loras[1], "--out",
        path("merged")});
  EXPECT_EQ(draw(path("merged")), draw(sd1_, loras));
  EXPECT_NE(draw(path("merged")), draw(sd1_));
  must({"convert", sd1_, "--to", "diffusers", "--out", path("plain")});
  EXPECT_EQ(draw(path("plain")), draw(sd1_));
  const fs::path weights = fs::path("unet") / "diffusion_pytorch_model.safetensors";
  expect_same_tensors(sd1_ / weights, path("plain") / weights);
  must({"convert", sd1_, "--to", "diffusers", "--dtype", "f16", "--out", path("f16")});
  const SafetensorsFile half(path("f16") / weights);
  EXPECT_EQ(half.entries().front().dtype, at::kHalf);
}

TEST_F(Convert, ASingleFileDrawsTheSameAndComesBackUnchanged) {
  for (const std::string& model : {sd1_, sd2_}) {
    const std::string name = fs::path(model).filename().string();
    const std::string file = path(name + "-whole.safetensors");
    must({"convert", model, "--to", "single-file", "--out", file});
    expect_draw_alike(file, model);
    must({"convert", file, "--to", "diffusers", "--out", path(name + "-back")});
    must({"convert", model, "--to", "diffusers", "--out", path(name + "-plain")});
    for (const char* part :
         {"unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors",
          "vae/diffusion_pytorch_model.safetensors"}) {
      expect_same_tensors(fs::path(path(name + "-plain")) / part,
                          fs::path(path(name + "-back")) / part);
    }
    expect_draw_alike(path(name + "-back"), model);
    const Json report = Json::parse(datadream({"inspect", file, "--json"}).out, nullptr,
                                    /*allow_exceptions=*/false);
    EXPECT_EQ(report.value("format", ""), "single file");
    EXPECT_EQ(report.value("prediction_type", ""), name == "sd1" ? "epsilon" : "v_prediction");
    EXPECT_TRUE(report.value("usable", false));
  }
  const SafetensorsFile second(path("sd2-whole.safetensors"));
  EXPECT_TRUE(
      second.contains("cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight"));
  EXPECT_EQ(second.metadata().at("modelspec.prediction_type"), "v");
}

TEST_F(Convert, MergingIsWeightPlusScaleTimesUpTimesDown) {
  const std::string query = "text_encoder." + kTextQuery;
  const std::string value = "text_encoder.text_model.encoder.layers.0.self_attn.v_proj";
  const std::string file = "text_encoder/model.safetensors";
  const SafetensorsFile base(sd1_ + "/" + file);
  // The recorded models are transformers 5's, which left out the first step of the name.
  const auto base_weight = [&](const std::string& layer) {
    return base.tensor(layer.substr(std::string("text_encoder.text_model.").size()) + ".weight");
  };
  const std::int64_t width = base_weight(query).size(0);
  const at::Tensor down = dd::seeded_randn({2, width}, 1);
  const at::Tensor up = dd::seeded_randn({width, 2}, 2);
  dd::io::write_safetensors(path("a.safetensors"),
                            {{query + ".lora_A.weight", down}, {query + ".lora_B.weight", up}});
  // Another family, another rank and alpha, and a layer more.
  const at::Tensor other_down = dd::seeded_randn({3, width}, 3);
  const at::Tensor other_up = dd::seeded_randn({width, 3}, 4);
  const std::string stem = "lora_te_text_model_encoder_layers_0_self_attn_";
  dd::io::write_safetensors(path("b.safetensors"), {{stem + "q_proj.lora_down.weight", other_down},
                                                    {stem + "q_proj.lora_up.weight", other_up},
                                                    {stem + "q_proj.alpha", at::full({}, 6.0)},
                                                    {stem + "v_proj.lora_down.weight", down},
                                                    {stem + "v_proj.lora_up.weight", up},
                                                    {stem + "v_proj.alpha", at::full({}, 1.0)}});
  must({"convert", sd1_, "--to", "diffusers", "--lora", path("a.safetensors") + ":0.5", "--lora",
        path("b.safetensors"), "--out", path("merged")});
  const SafetensorsFile merged(path("merged") + "/" + file);
  const auto weight = [&](const std::string& layer) {
    return merged.tensor(layer.substr(std::string("text_encoder.").size()) + ".weight");
  };
  const at::Tensor by_hand =
      base_weight(query) + 0.5 * up.matmul(down) + 2.0 * other_up.matmul(other_down);
  EXPECT_TRUE(weight(query).allclose(by_hand, 1e-5, 1e-5));
  EXPECT_TRUE(weight(value).allclose(base_weight(value) + 0.5 * up.matmul(down), 1e-5, 1e-5));
}

TEST_F(Convert, AClassifierBecomesAClipThatScoresTheSame) {
  const std::string clip = source("models/clip");
  dd::test::write_colour_set(path("images"), 6, 1);
  dd::test::write_colour_set(path("test"), 5, 2);
  must({"train", "--clip", clip, "--synthetic", path("images"), "--batch", "6", "--steps", "30",
        "--lr", "0.01", "--rank", "4", "--out", path("classifier")});
  must({"convert", path("classifier"), "--clip", clip, "--to", "hf-clip", "--out", path("merged")});
  const Json names = dd::read_json(path("merged") + "/class_names.json");
  must({"evaluate", "--clip", clip, "--classifier", path("classifier"), "--data", path("test"),
        "--split", "all", "--out", path("adapted")});
  must({"evaluate", "--clip", path("merged"), "--template", names.at("template").get<std::string>(),
        "--data", path("test"), "--split", "all", "--out", path("zero-shot")});
  const Json adapted = dd::read_json(path("adapted") + "/metrics.json");
  const Json merged = dd::read_json(path("zero-shot") + "/metrics.json");
  EXPECT_EQ(adapted.at("top1"), merged.at("top1"));
  EXPECT_EQ(adapted.at("confusion"), merged.at("confusion"));
  expect_refused({path("classifier"), "--to", "hf-clip"}, "--clip");
  expect_refused({path("classifier"), "--to", "kohya"}, "hf-clip");
}

TEST_F(Convert, WrongInputGetsOneLineAndLeavesNothing) {
  const std::string bytes = dd::read_file(lora1_);
  dd::write_file_atomically(path("cut.safetensors"), bytes.substr(0, bytes.size() - 1));
  expect_refused({path("cut.safetensors"), "--to", "kohya"}, "cut off");
  expect_refused({path("nowhere"), "--to", "kohya"}, "nowhere");
  expect_refused({lora1_, "--to", "hf-clip"}, "diffusers or kohya");
  expect_refused({sd1_, "--to", "kohya"}, "cannot be written as kohya");
  expect_refused({lora1_}, "--to");
  const SafetensorsFile file(lora1_);
  NamedTensors tensors;
  for (const dd::io::TensorEntry& entry : file.entries()) {
    tensors.emplace_back(entry.name, file.tensor(entry.name));
  }
  tensors.emplace_back("lora_unet_mid.hada_w1_a", at::full({2, 2}, 1.0));
  dd::io::write_safetensors(path("unknown.safetensors"), tensors);
  expect_refused({path("unknown.safetensors"), "--to", "kohya"}, "hada_w1_a");
  dd::io::write_safetensors(path("json.safetensors"),
                            NamedTensors(tensors.begin(), tensors.end() - 1),
                            {{"lora_adapter_metadata", "{\"unet.r\": "}});
  expect_refused({path("json.safetensors"), "--to", "kohya"}, "lora_adapter_metadata");
  tensors.resize(1);
  dd::io::write_safetensors(path("half.safetensors"), tensors);
  expect_refused({path("half.safetensors"), "--to", "kohya"}, "other half");
}

TEST_F(Convert, WrongModelsGetOneLineAndLeaveNothing) {
  expect_refused({sd1_, "--to", "diffusers", "--lora", lora2_}, lora2_);
  fs::copy(sd1_, path("sd1"), fs::copy_options::recursive);
  fs::remove(path("sd1") + "/vae/diffusion_pytorch_model.safetensors");
  expect_refused({path("sd1"), "--to", "diffusers"}, "vae");
  dd::write_file_atomically(path("sd1") + "/vae/config.json", "{]");
  expect_refused({path("sd1"), "--to", "diffusers"}, "vae/config.json");
  dd::io::write_safetensors(
      path("wide.safetensors"),
      {{"text_encoder." + kTextQuery + ".lora_A.weight", dd::seeded_randn({2, 999}, 1)},
       {"text_encoder." + kTextQuery + ".lora_B.weight", dd::seeded_randn({32, 2}, 1)}});
  expect_refused({sd1_, "--to", "diffusers", "--lora", path("wide.safetensors")}, "2x999");
}

TEST_F(Convert, WhatIsThereIsReplacedOnlyWhenAskedTo) {
  dd::write_file_atomically(path("photos/a.png"), "picture");
  const auto convert = [&](const std::string& out, bool force) {
    std::vector<std::string> words{"convert", sd1_, "--to", "diffusers", "--out", path(out)};
    if (force) words.emplace_back("--force");
    return datadream(words).status;
  };
  EXPECT_EQ(convert("photos", true), 2);
  EXPECT_TRUE(fs::exists(path("photos/a.png")));
  EXPECT_EQ(convert("model", false), 0);
  EXPECT_EQ(convert("model", false), 2);
  EXPECT_EQ(convert("model", true), 0);
  const ProcessResult dry =
      datadream({"convert", sd1_, "--to", "diffusers", "--out", path("dry"), "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_TRUE(dry.out.starts_with("would write ")) << dry.out;
  EXPECT_NE(dry.err.find("the written weights take at most "), std::string::npos) << dry.err;
  EXPECT_NE(dry.err.find("the model's weights take "), std::string::npos) << dry.err;
  EXPECT_FALSE(fs::exists(path("dry")));
}

}  // namespace
