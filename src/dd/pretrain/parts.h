// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "dd/models/clip.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"
#include "dd/pretrain/pretrain.h"
#include "dd/pretrain/world.h"
#include "dd/text/tokenizer.h"
#include "dd/train/engine.h"

namespace dd::pretrain {

/// Sizes of the embedded base. Together below 20 MB in float16.
constexpr std::int64_t kPixels = 32;
constexpr std::int64_t kContext = 24;
constexpr std::int64_t kMerges = 400;

models::VaeConfig vae_config();
models::UNetConfig unet_config();
models::ClipTextConfig text_config(std::int64_t vocab_size, std::int64_t end_token);
models::ClipConfig clip_config(std::int64_t vocab_size, std::int64_t end_token);

/// What the parts share: options, folders, the world.
struct Workshop {
  const PretrainOptions& options;
  const CommonOptions& common;
  Context& context;
  const World& world;

  std::filesystem::path model_folder() const { return common.out / "stable-diffusion"; }
  std::filesystem::path clip_folder() const { return common.out / "clip"; }
  std::filesystem::path judge_file() const { return common.out / "judge" / "judge.safetensors"; }
  std::filesystem::path progress_folder() const { return common.out / "progress"; }
  std::filesystem::path state_file(const std::string& part) const {
    return common.out / "state" / (part + ".safetensors");
  }
  std::uint64_t seed(const char* part) const;
  /// Engine options with name, schedule, state file and identity of this part filled in.
  train::EngineOptions engine(const std::string& part, std::int64_t steps,
                              const std::string& schedule) const;
  /// Whether `product`, the last file of a part, is there. Error(kUsage) when it was trained with
  /// another seed or other steps. With --force product, record and state are removed instead.
  bool is_complete(const std::string& part, std::int64_t steps,
                   const std::filesystem::path& product) const;
  std::filesystem::path record_file(const std::string& part) const {
    return progress_folder() / (part + ".json");
  }
  /// Curves and time of a finished part, as JSON under the progress folder.
  void write_record(const std::string& part, const train::TrainResult& result) const;
};

void train_judge(const Workshop& shop);
void train_vae(const Workshop& shop);
void train_unet(const Workshop& shop);
void train_clip(const Workshop& shop);

/// A tokenizer for the world's captions in this folder, learned there if it is not there yet.
ClipTokenizer world_tokenizer(const std::filesystem::path& folder);

/// Pixels [N, 3, S, S] in −1 … 1.
at::Tensor to_pixels(const std::vector<Image>& images);

/// Writes a contact sheet of pixels in −1 … 1.
void write_sheet(const std::filesystem::path& file, const at::Tensor& pixels_nchw, int columns);

}  // namespace dd::pretrain
