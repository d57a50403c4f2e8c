// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "dd/inspect/report.h"
#include "dd/io/checkpoint.h"

namespace dd::inspect {

/// How much a model, or a part of one, holds, as headers tell it.
struct WeightFacts {
  std::int64_t tensors = 0;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;
  std::map<at::ScalarType, std::int64_t> bytes_by_dtype;

  void add(at::ScalarType dtype, at::IntArrayRef shape);
  void add(const at::Tensor& tensor) { add(tensor.scalar_type(), tensor.sizes()); }
  /// All of a file whose names begin so.
  void add(const io::Checkpoint& checkpoint, std::string_view prefix = "");
  /// The format of most of the bytes; float32 for nothing.
  at::ScalarType main_dtype() const;
  Json to_json() const;
};

/// "f32", "f16", "bf16", or LibTorch's name of another format.
std::string precision_name(at::ScalarType dtype);

/// The parts of a Stable Diffusion model as its files hold them.
struct ModelWeights {
  std::map<std::string, WeightFacts> parts;  ///< "unet", "vae", "text_encoder"
  std::vector<io::Checkpoint> checkpoints;
};

/// Of a diffusers folder or a single file. Parts that cannot be opened are left out.
ModelWeights stable_diffusion_weights(const std::filesystem::path& path);

/// Reads all of the files: their SHA-256 goes to the facts, numbers that are not finite to the
/// problems.
void examine_content(const io::Checkpoint& checkpoint, Report& report);

}  // namespace dd::inspect
