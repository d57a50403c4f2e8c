// SPDX-License-Identifier: Apache-2.0
// generate on models in every form in which they are distributed, as a user calls it.
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/io/checkpoint.h"
#include "dd/io/safetensors.h"
#include "dd/io/zip.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::Json;
using dd::test::datadream;
using dd::test::is_one_error_line;
using dd::test::ProcessResult;

class Generate : public testing::Test {
 protected:
  static fs::path oracle(const std::string& path) {
    return fs::path(DD_SOURCE_DIR) / "tests" / "oracle" / path;
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  static void must(std::vector<std::string> words) {
    words.insert(words.end(), {"--device", "cpu", "--threads", "1"});
    const ProcessResult result = datadream(words);
    ASSERT_EQ(result.status, 0) << words[0] << ": " << result.err;
  }
  /// The model with its weights rounded as the recorded single files have them.
  fs::path rounded(const std::string& family) const {
    must({"convert", oracle("models/" + family).string(), "--to", "diffusers", "--dtype", "bf16",
          "--out", path(family + "-bf16").string()});
    must({"convert", path(family + "-bf16").string(), "--to", "diffusers", "--dtype", "f16",
          "--out", path(family + "-folder").string()});
    return path(family + "-folder");
  }
  /// The recorded FAMILY.ckpt, the files of the folder but for the weights beside it.
  fs::path unpacked(const std::string& family) const {
    const std::string archive = dd::read_file(oracle("single_file/" + family + ".ckpt.zip"));
    const fs::path file = path(family + ".ckpt");
    dd::write_file_atomically(file,
                              dd::io::ZipArchive(archive, family).read(family + ".ckpt", 1 << 22));
    for (const std::string part : {"unet", "vae", "text_encoder", "tokenizer", "scheduler"}) {
      fs::create_directories(path(family) / part);
      for (const auto& entry : fs::directory_iterator(oracle("models/" + family) / part)) {
        if (entry.path().extension() != ".safetensors")
          fs::copy_file(entry.path(), path(family) / part / entry.path().filename());
      }
    }
    return file;
  }
  std::string draw(const fs::path& model, const std::vector<std::string>& more = {}) const {
    const fs::path out = path("draw-" + model.filename().string());
    std::vector<std::string> words{"generate", "--model", model.string(), "--prompt", "A Red Bag",
                                   "--steps",  "4",       "--guidance",   "3",        "--negative",
                                   "a photo",  "--seed",  "11",           "--out",    out.string(),
                                   "--force"};
    words.insert(words.end(), more.begin(), more.end());
    must(words);
    return dd::read_file(out / "00000.png");
  }
  Json line_of(const fs::path& model) const {
    return Json::parse(dd::read_file(path("draw-" + model.filename().string()) / "metadata.jsonl"));
  }
  void expect_refused(const fs::path& model, const std::vector<std::string>& parts) const {
    const ProcessResult result =
        datadream({"generate", "--model", model.string(), "--prompt", "a bag", "--steps", "1",
                   "--device", "cpu", "--tokenizer", oracle("models/sd1/tokenizer").string(),
                   "--out", path("refused").string()});
    EXPECT_EQ(result.status, 2);
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    for (const std::string& part : parts)
      EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(path("refused")));
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(Generate, SingleFilesDrawTheImageOfTheFolder) {
  for (const std::string family : {"sd1", "sd2"}) {
    SCOPED_TRACE(family);
    const fs::path folder = rounded(family);
    const std::string image = draw(folder);
    const fs::path ckpt = unpacked(family);
    EXPECT_EQ(draw(ckpt), image);
    const fs::path safetensors = path(family + "-whole.safetensors");
    must({"convert", folder.string(), "--to", "single-file", "--out", safetensors.string()});
    EXPECT_EQ(draw(safetensors), image);
    const char* other = family == "sd1" ? "v_prediction" : "epsilon";
    EXPECT_NE(draw(safetensors, {"--prediction-type", other}), image);
  }
}

TEST_F(Generate, ProfileSaysWhereTheTimeWent) {
  const std::vector<std::string> words{"generate",  "--model",  oracle("models/sd1").string(),
                                       "--prompt",  "a bag",    "--steps",
                                       "2",         "--device", "cpu",
                                       "--threads", "1",        "--out",
                                       "",          "--force"};
  const auto drawn = [&](const std::string& name, bool profiled) {
    std::vector<std::string> all = words;
    all[12] = path(name).string();
    if (profiled) all.push_back("--profile");
    return datadream(all);
  };
  const ProcessResult plain = drawn("plain", false);
  const ProcessResult profiled = drawn("profiled", true);
  ASSERT_EQ(profiled.status, 0) << profiled.err;
  EXPECT_EQ(plain.err.find("profile"), std::string::npos);
  EXPECT_NE(profiled.err.find("profile: measured peak"), std::string::npos) << profiled.err;
  EXPECT_NE(profiled.err.find("profile: generate, "), std::string::npos) << profiled.err;
  EXPECT_NE(profiled.err.find("aten::convolution "), std::string::npos) << profiled.err;
  EXPECT_EQ(dd::read_file(path("plain") / "00000.png"),
            dd::read_file(path("profiled") / "00000.png"));
}

TEST_F(Generate, WhatLiesBesideASingleFileIsPartOfTheModelsHash) {
  const fs::path ckpt = unpacked("sd1");
  draw(ckpt);
  const std::string before = line_of(ckpt).at("model_hash");
  draw(ckpt);
  EXPECT_EQ(line_of(ckpt).at("model_hash"), before);
  const fs::path scheduler = path("sd1") / "scheduler" / "scheduler_config.json";
  Json config = dd::read_json(scheduler);
  config["beta_end"] = 0.013;
  dd::write_json(scheduler, config);
  draw(ckpt);
  EXPECT_NE(line_of(ckpt).at("model_hash"), before);
}

TEST_F(Generate, FoldersOfOtherFamiliesAreRefusedAtOnce) {
  fs::copy(oracle("models/sd1"), path("sd"), fs::copy_options::recursive);
  const fs::path file = path("sd") / "unet" / "config.json";
  const Json plain = dd::read_json(file);
  const auto expect_key = [&](const char* key, const Json& value, const char* family) {
    Json config = plain;
    config[key] = value;
    dd::write_json(file, config);
    expect_refused(path("sd"), {file.string(), key, family, "take one of those"});
  };
  expect_key("in_channels", 9, "inpainting");
  expect_key("in_channels", 5, "depth");
  expect_key("addition_embed_type", "text_time", "Stable Diffusion XL");
  // The refiner has no first text encoder; its pipeline tells before anything is looked for.
  fs::remove_all(path("sd") / "text_encoder");
  Json index = dd::read_json(path("sd") / "model_index.json");
  index["_class_name"] = "StableDiffusionXLImg2ImgPipeline";
  dd::write_json(path("sd") / "model_index.json", index);
  expect_refused(path("sd"), {"model_index.json", "_class_name", "Stable Diffusion XL"});
}

TEST_F(Generate, SingleFilesOfOtherFamiliesAreRefusedAtOnce) {
  const dd::io::Checkpoint whole = dd::io::Checkpoint::open_file(unpacked("sd1"));
  const std::string first = "model.diffusion_model.input_blocks.0.0.weight";
  const auto write = [&](std::int64_t channels, const std::string& extra) {
    dd::io::NamedTensors tensors;
    for (const std::string& name : whole.names()) {
      const at::Tensor value = whole.tensor(name);
      tensors.emplace_back(
          name, name == first
                    ? at::cat({value, value, value}, 1).narrow(1, 0, channels).contiguous()
                    : value);
    }
    if (!extra.empty()) tensors.emplace_back(extra, whole.tensor(first));
    dd::io::write_safetensors(path("other.safetensors"), tensors);
    return path("other.safetensors");
  };
  expect_refused(write(9, ""), {"other.safetensors", first, "takes 9 channels", "inpainting"});
  expect_refused(write(5, ""), {"other.safetensors", first, "takes 5 channels", "depth"});
  expect_refused(write(4, "conditioner.embedders.1.model.ln_final.weight"),
                 {"other.safetensors", "conditioner.embedders.1.", "Stable Diffusion XL"});
  expect_refused(write(4, "conditioner.embedders.0.model.ln_final.weight"),
                 {"other.safetensors", "conditioner.embedders.0.", "refiner"});
}

}  // namespace
