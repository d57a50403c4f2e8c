// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>

#include <algorithm>

#include "dd/core/files.h"
#include "dd/io/checkpoint.h"
#include "dd/io/zip.h"
#include "dd/models/ldm_names.h"
#include "dd/models/stable_diffusion.h"
#include "support/hostile_bytes.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::io::Checkpoint;
using dd::io::Metadata;
using dd::models::StableDiffusion;
using dd::test::expect_input_error;
using dd::test::input_error;
using dd::test::oracle_path;
using Tensors = std::map<std::string, at::Tensor>;

Tensors parameters_of(const StableDiffusion& model) {
  Tensors all;
  for (const auto* table :
       {&model.text_encoder.parameters(), &model.unet.parameters(), &model.vae.parameters()}) {
    for (const auto& [name, value] : table->entries()) all.emplace(name, value);
  }
  return all;
}

void expect_equal(const Tensors& actual, const Tensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(actual.contains(name)) << name;
    EXPECT_TRUE(at::equal(actual.at(name), value)) << name;
  }
}

/// Recorded checkpoints on disk, with what belongs beside them.
class SingleFile : public testing::Test {
 protected:
  /// Unpacks FAMILY.ckpt, and lays FAMILY/ with the configurations and the tokenizer beside it.
  fs::path unpack(const std::string& family) {
    const std::string archive = dd::read_file(oracle_path("single_file") / (family + ".ckpt.zip"));
    const fs::path file = folder() / (family + ".ckpt");
    dd::write_file_atomically(file,
                              dd::io::ZipArchive(archive, family).read(family + ".ckpt", 1 << 22));
    for (const std::string part : {"unet", "vae", "text_encoder"}) {
      fs::create_directories(folder() / family / part);
      fs::copy_file(oracle_path("models") / family / part / "config.json",
                    folder() / family / part / "config.json");
    }
    fs::copy(oracle_path("models") / family / "tokenizer", folder() / family / "tokenizer");
    return file;
  }
  /// The same tensors as safetensors, after `change`.
  template <class Change>
  fs::path rewrite(const fs::path& ckpt, const Change& change, const Metadata& metadata = {}) {
    const Checkpoint checkpoint = Checkpoint::open_file(ckpt);
    Tensors tensors;
    for (const std::string& name : checkpoint.names()) tensors[name] = checkpoint.tensor(name);
    change(tensors);
    const fs::path file = fs::path(ckpt).replace_extension(".safetensors");
    dd::io::write_safetensors(file, {tensors.begin(), tensors.end()}, metadata);
    return file;
  }
  fs::path rewrite(const fs::path& ckpt, const Metadata& metadata = {}) {
    return rewrite(
        ckpt, [](Tensors&) {}, metadata);
  }
  /// The weights of the diffusers folder as the single file holds them.
  static Tensors expected(const std::string& family) {
    Tensors rounded = parameters_of(StableDiffusion::load(oracle_path("models") / family, {}));
    for (auto& [name, value] : rounded)
      value = value.to(at::kBFloat16).to(at::kHalf).to(at::kFloat);
    return rounded;
  }
  static std::string error_of(const fs::path& file) {
    return input_error([&] { StableDiffusion::load(file, {}); });
  }
  const fs::path& folder() const { return folder_.path(); }

 private:
  dd::test::TemporaryFolder folder_;
};

TEST_F(SingleFile, HoldsTheWeightsOfTheFolder) {
  for (const std::string family : {"sd1", "sd2"}) {
    SCOPED_TRACE(family);
    const Tensors want = expected(family);
    const fs::path ckpt = unpack(family);
    expect_equal(parameters_of(StableDiffusion::load(ckpt, {})), want);
    const fs::path safetensors = rewrite(ckpt);
    expect_equal(parameters_of(StableDiffusion::load(safetensors, {})), want);
    const StableDiffusion half = StableDiffusion::load(safetensors, {at::kCPU, at::kHalf});
    EXPECT_EQ(half.unet.parameters().entries().front().second.scalar_type(), at::kHalf);
  }
}

TEST_F(SingleFile, OlderAndNewerTextNamesAreRead) {
  const fs::path file = rewrite(unpack("sd1"), [](Tensors& tensors) {
    Tensors renamed;
    const std::string before = "cond_stage_model.transformer.text_model.";
    for (const auto& [name, value] : tensors) {
      renamed[name.starts_with(before)
                  ? "cond_stage_model.transformer." + name.substr(before.size())
                  : name] = value;
    }
    tensors = renamed;
  });
  expect_equal(parameters_of(StableDiffusion::load(file, {})), expected("sd1"));
}

TEST_F(SingleFile, PredictionTypeIsReadOrAssumedAloud) {
  using dd::PredictionType;
  const fs::path first = unpack("sd1");
  const StableDiffusion epsilon = StableDiffusion::load(first, {});
  EXPECT_EQ(epsilon.schedule.prediction_type, PredictionType::kEpsilon);
  EXPECT_NE(epsilon.notes.at(0).find("Stable Diffusion 1, predicts epsilon"), std::string::npos);
  const fs::path second = unpack("sd2");
  const StableDiffusion assumed = StableDiffusion::load(second, {});
  EXPECT_EQ(assumed.schedule.prediction_type, PredictionType::kVelocity);
  EXPECT_NE(assumed.notes.at(0).find("assumed"), std::string::npos) << assumed.notes.at(0);
  const StableDiffusion base =
      StableDiffusion::load(rewrite(second, {{"global_step", "875000"}}), {});
  EXPECT_EQ(base.schedule.prediction_type, PredictionType::kEpsilon);
  const fs::path spec = rewrite(first, {{"modelspec.prediction_type", "v"}});
  EXPECT_EQ(StableDiffusion::load(spec, {}).schedule.prediction_type, PredictionType::kVelocity);
  EXPECT_EQ(
      StableDiffusion::load(spec, {}, {.prediction_type = "epsilon"}).schedule.prediction_type,
      PredictionType::kEpsilon);
  expect_input_error(error_of(rewrite(first, {{"modelspec.prediction_type", "flow"}})), "\"flow\"");
  fs::copy(oracle_path("models/sd1/scheduler"), folder() / "sd2" / "scheduler");
  EXPECT_EQ(StableDiffusion::load(second, {}).schedule.prediction_type, PredictionType::kEpsilon);
}

TEST_F(SingleFile, TokenizerIsFoundOrAskedFor) {
  const fs::path file = unpack("sd1");
  fs::remove_all(folder() / "sd1" / "tokenizer");
  expect_input_error(error_of(file), "--tokenizer");
  const StableDiffusion model =
      StableDiffusion::load(file, {}, {.tokenizer = oracle_path("models/sd1/tokenizer")});
  EXPECT_EQ(model.tokenizer.vocab_size(), model.text_encoder.config().vocab_size);
}

TEST_F(SingleFile, WhatDoesNotFitIsNamed) {
  const fs::path ckpt = unpack("sd1");
  const std::string conv = "model.diffusion_model.input_blocks.1.0.in_layers.2.weight";
  expect_input_error(error_of(rewrite(ckpt, [&](Tensors& all) { all.erase(conv); })),
                     "missing 1 (" + conv);
  expect_input_error(error_of(rewrite(ckpt, [&](Tensors& all) { all[conv] = at::ones({3}); })),
                     "misshapen 1 (" + conv);
  expect_input_error(
      error_of(rewrite(ckpt, [&](Tensors& all) { all["control_model.x"] = at::ones({3}); })),
      "unexpected 1 (control_model.x");
  expect_input_error(error_of(rewrite(ckpt,
                                      [&](Tensors& all) {
                                        all = {{"lora_unet.x", at::ones({3})}};
                                      })),
                     "no Stable Diffusion checkpoint");
}

/// A random model whose sizes can be told from its shapes: widths of whole norm groups and heads.
dd::models::LdmParts derivable(bool openclip) {
  dd::models::LdmParts parts;
  parts.openclip = openclip;
  parts.unet.widths = {64, 128};
  parts.unet.attention = {true, false};
  parts.unet.heads = openclip ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{8, 8};
  parts.unet.layers_per_block = 1;
  parts.unet.context_width = 64;
  parts.unet.linear_projection = openclip;
  parts.unet.upcast_attention = openclip;
  parts.vae.widths = {32, 64};
  parts.vae.layers_per_block = 1;
  parts.text.vocab_size = 581;
  parts.text.end_token = 580;
  parts.text.encoder.width = 64;
  parts.text.encoder.mlp_width = 96;
  parts.text.encoder.layers = 2;
  parts.text.encoder.heads = 1;
  parts.text.encoder.activation =
      openclip ? dd::nn::Activation::kGelu : dd::nn::Activation::kQuickGelu;
  return parts;
}

Tensors to_ldm(const Tensors& ours, const dd::models::LdmParts& parts) {
  const dd::models::NameTable names = ldm_names(parts);
  std::map<std::string, std::vector<at::Tensor>> pieces;
  for (const auto& [name, value] : ours) {
    const dd::models::TensorPlace place = names.find(name).value();
    std::vector<at::Tensor>& list = pieces[place.name];
    list.resize(static_cast<std::size_t>(place.parts));
    list[static_cast<std::size_t>(place.part)] = value;
  }
  Tensors theirs;
  for (const auto& [name, list] : pieces) theirs[name] = at::cat(list);
  return theirs;
}

TEST_F(SingleFile, ConfigurationIsDerivedFromShapes) {
  for (const bool openclip : {false, true}) {
    const dd::models::LdmParts parts = derivable(openclip);
    dd::nn::RandomSource source(7);
    const dd::models::TextEncoder text(source, parts.text);
    const dd::models::UNet unet(source, parts.unet);
    const dd::models::Vae vae(source, parts.vae);
    Tensors ours;
    for (const auto* table : {&text.parameters(), &unet.parameters(), &vae.parameters()})
      ours.insert(table->entries().begin(), table->entries().end());
    const Tensors theirs = to_ldm(ours, parts);
    const fs::path file = folder() / "derived.safetensors";
    dd::io::write_safetensors(file, {theirs.begin(), theirs.end()});
    const StableDiffusion model =
        StableDiffusion::load(file, {}, {.tokenizer = oracle_path("models/sd2/tokenizer")});
    expect_equal(parameters_of(model), ours);
    EXPECT_EQ(model.unet.config().heads, parts.unet.heads);
    EXPECT_EQ(model.unet.config().attention, parts.unet.attention);
    EXPECT_EQ(model.unet.config().sample_size, openclip ? 96 : 64);
    EXPECT_EQ(model.vae.config().widths, parts.vae.widths);
    EXPECT_EQ(model.text_encoder.config().encoder.heads, 1);
    EXPECT_EQ(model.text_encoder.config().encoder.activation, parts.text.encoder.activation);
  }
}

}  // namespace
