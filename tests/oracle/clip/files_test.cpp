// SPDX-License-Identifier: Apache-2.0
// CLIP in the files of OpenAI and OpenCLIP against transformers with the same weights.
#include "dd/core/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/io/checkpoint.h"
#include "dd/io/safetensors.h"
#include "dd/models/clip_file.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

namespace fs = std::filesystem;
using test::oracle_path;

const fs::path kOpenAi = oracle_path("clip/openai/ViT-tiny.pt");
const fs::path kOpenClip = oracle_path("clip/open_clip/open_clip_pytorch_model.bin");

/// The largest difference from transformers' logits at scale 100.
double gap(const Clip& clip, const std::string& folder) {
  const io::SafetensorsFile expected(oracle_path("clip") / folder / "expected.safetensors");
  const at::Tensor logits = clip.encode_images(expected.tensor("pixels"))
                                .matmul(clip.encode_texts(expected.tensor("input_ids")).t()) *
                            clip.logit_scale().exp();
  return (logits - expected.tensor("logits_per_image")).abs().max().item<double>();
}

class ClipFile : public testing::Test {
 protected:
  /// The tensors of a file, their names with another start, as one file of safetensors.
  fs::path rewritten(const fs::path& from, const std::string& old_start, const std::string& start,
                     bool with_extras = true) const {
    const io::Checkpoint checkpoint = io::Checkpoint::open_file(from);
    io::NamedTensors tensors;
    for (const std::string& name : checkpoint.names()) {
      const at::Tensor tensor = checkpoint.tensor(name);
      if (!with_extras && tensor.dim() == 0 && name != "logit_scale") continue;
      tensors.emplace_back(start + name.substr(old_start.size()), tensor.contiguous());
    }
    const fs::path file = folder_.path() / "weights.safetensors";
    io::write_safetensors(file, tensors);
    return file;
  }
  void take_open_clip_config(const std::function<void(Json&)>& change = {}) const {
    Json config = read_json(oracle_path("clip/open_clip/open_clip_config.json"));
    if (change) change(config);
    write_json(folder_.path() / "open_clip_config.json", config);
  }
  static std::string refusal(const fs::path& path) {
    try {
      load_clip(path, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "it loaded";
  }

  const test::TemporaryFolder folder_;
};

TEST_F(ClipFile, OpenAiArchiveGivesTransformersLogits) {
  const LoadedClip loaded = load_clip(kOpenAi, {});
  EXPECT_EQ(loaded.assumed, "");
  EXPECT_EQ(loaded.clip.config().vision.encoder.activation, nn::Activation::kQuickGelu);
  EXPECT_TRUE(io::Checkpoint::open_file(kOpenAi).metadata().contains("torchscript"));
  EXPECT_LT(gap(loaded.clip, "openai"), 0.01);
}

TEST_F(ClipFile, OpenAiStateDictIsKnownByItsNumbersOrItsMixedPrecision) {
  for (const bool extras : {true, false}) {
    const LoadedClip loaded = load_clip(rewritten(kOpenAi, "", "", extras), {});
    EXPECT_EQ(loaded.assumed, "");
    EXPECT_LT(gap(loaded.clip, "openai"), 0.01);
  }
}

TEST_F(ClipFile, OpenClipFolderAndItsFileGiveTransformersLogits) {
  for (const fs::path& path : {kOpenClip.parent_path(), kOpenClip}) {
    const LoadedClip loaded = load_clip(path, {});
    EXPECT_EQ(loaded.assumed, "");
    EXPECT_LT(gap(loaded.clip, "open_clip"), 0.01);
  }
}

TEST_F(ClipFile, NamesMayHaveAnyStart) {
  take_open_clip_config();
  for (const char* start : {"", "module.", "state_dict.module."}) {
    EXPECT_LT(gap(load_clip(rewritten(kOpenClip, "module.", start), {}).clip, "open_clip"), 0.01);
  }
}

TEST_F(ClipFile, TheTextTowerMayStandApart) {
  // As OpenCLIP's `custom_text` has it.
  take_open_clip_config();
  const io::Checkpoint checkpoint = io::Checkpoint::open_file(kOpenClip);
  io::NamedTensors tensors;
  for (const std::string& name : checkpoint.names()) {
    const std::string own = name.substr(std::string_view("module.").size());
    const bool apart = !own.starts_with("visual.") && own != "logit_scale";
    tensors.emplace_back(apart ? "text." + own : own, checkpoint.tensor(name).contiguous());
  }
  const fs::path file = folder_.path() / "weights.safetensors";
  io::write_safetensors(file, tensors);
  EXPECT_LT(gap(load_clip(file, {}).clip, "open_clip"), 0.01);
}

TEST_F(ClipFile, ActivationIsAssumedAloudAndCanBeSaid) {
  // Single precision, no numbers of the configuration: nothing tells whose weights they are.
  const io::Checkpoint archive = io::Checkpoint::open_file(kOpenAi);
  io::NamedTensors tensors;
  for (const std::string& name : archive.names()) {
    const at::Tensor tensor = archive.tensor(name);
    if (tensor.dim() > 0 || name == "logit_scale")
      tensors.emplace_back(name, tensor.to(at::kFloat));
  }
  const fs::path file = folder_.path() / "weights.safetensors";
  io::write_safetensors(file, tensors);
  const LoadedClip loaded = load_clip(file, {});
  EXPECT_NE(loaded.assumed.find("--activation quick_gelu"), std::string::npos) << loaded.assumed;
  EXPECT_GT(gap(loaded.clip, "openai"), 0.05);
  const LoadedClip told = load_clip(file, {}, "quick_gelu");
  EXPECT_EQ(told.assumed, "");
  EXPECT_LT(gap(told.clip, "openai"), 0.01);
  write_json(folder_.path() / "open_clip_config.json",
             {{"model_cfg", {{"quick_gelu", true}, {"text_cfg", {{"heads", 1}}}}}});
  EXPECT_LT(gap(load_clip(file, {}).clip, "openai"), 0.01);
}

TEST_F(ClipFile, HuggingFaceWeightsStandForTheirFolder) {
  const LoadedClip loaded = load_clip(oracle_path("models/clip/model.safetensors"), {});
  EXPECT_EQ(loaded.clip.config().vision.encoder.heads, 3);
}

TEST_F(ClipFile, WhatIsMissingOrDoesNotFitIsNamed) {
  // Heads of 12 are nothing that a width of 24 could tell.
  const fs::path file = rewritten(kOpenClip, "module.", "");
  EXPECT_NE(refusal(file).find("open_clip_config.json"), std::string::npos) << refusal(file);
  take_open_clip_config([](Json& config) { config["model_cfg"]["text_cfg"]["heads"] = 3; });
  EXPECT_NE(refusal(file).find("not divisible"), std::string::npos) << refusal(file);
  take_open_clip_config();
  const io::Checkpoint whole = io::Checkpoint::open_file(file);
  io::NamedTensors tensors;
  for (const std::string& name : whole.names()) {
    if (name == "ln_final.bias") continue;
    const bool wrong = name == "visual.proj";
    tensors.emplace_back(
        name, wrong ? whole.tensor(name).narrow(0, 0, 5).contiguous() : whole.tensor(name).clone());
  }
  tensors.emplace_back("visual.attn_pool.query", tensors[0].second.clone());
  io::write_safetensors(folder_.path() / "broken.safetensors", tensors);
  const std::string text = refusal(folder_.path() / "broken.safetensors");
  for (const char* part : {"missing 1 (ln_final.bias)", "visual.proj", "visual.attn_pool.query"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_NE(refusal(oracle_path("clip/openai/expected.safetensors")).find("holds no CLIP"),
            std::string::npos);
  tensors.emplace_back("visual.trunk.norm.weight", tensors[0].second.clone());
  io::write_safetensors(folder_.path() / "other.safetensors", tensors);
  EXPECT_NE(refusal(folder_.path() / "other.safetensors").find("visual.trunk.norm.weight: this is"),
            std::string::npos);
  EXPECT_NE(refusal(folder_.path()).find("no weights in"), std::string::npos);
  fs::remove(folder_.path() / "open_clip_config.json");
  EXPECT_NE(refusal(folder_.path()).find("no CLIP in"), std::string::npos);
}

}  // namespace
}  // namespace dd::models
