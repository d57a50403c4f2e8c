// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/weight_facts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <c10/util/accumulate.h>

#include <array>
#include <optional>

#include "dd/core/files.h"
#include "dd/tensor/device.h"

namespace dd::inspect {
namespace fs = std::filesystem;
namespace {

struct PartPlace {
  const char* name;
  const char* stem;         ///< of the file in the part's folder
  const char* file_prefix;  ///< of the tensors in a single file
};
constexpr std::array kParts{PartPlace{"unet", "diffusion_pytorch_model", "model.diffusion_model."},
                            PartPlace{"vae", "diffusion_pytorch_model", "first_stage_model."},
                            PartPlace{"text_encoder", "model", "cond_stage_model."}};

}  // namespace

std::string precision_name(at::ScalarType dtype) {
  const bool is_ours = dtype == at::kFloat || dtype == at::kHalf || dtype == at::kBFloat16;
  return is_ours ? dtype_name(dtype) : std::string(c10::toString(dtype));
}

void WeightFacts::add(at::ScalarType dtype, at::IntArrayRef shape) {
  const std::int64_t numbers = c10::multiply_integers(shape);
  const auto size = numbers * static_cast<std::int64_t>(c10::elementSize(dtype));
  ++tensors;
  parameters += numbers;
  bytes += size;
  bytes_by_dtype[dtype] += size;
}

void WeightFacts::add(const io::Checkpoint& checkpoint, std::string_view prefix) {
  for (const std::string& name : checkpoint.names()) {
    if (!name.starts_with(prefix)) continue;
    const io::TensorInfo& info = checkpoint.info(name);
    add(info.dtype, info.shape);
  }
}

at::ScalarType WeightFacts::main_dtype() const {
  at::ScalarType best = at::kFloat;
  std::int64_t most = 0;
  for (const auto& [dtype, size] : bytes_by_dtype) {
    if (!at::isFloatingType(dtype) || size <= most) continue;
    best = dtype;
    most = size;
  }
  return best;
}

Json WeightFacts::to_json() const {
  std::string precision;
  for (const auto& [dtype, size] : bytes_by_dtype) {
    precision += (precision.empty() ? "" : " + ") + precision_name(dtype);
  }
  return {
      {"parameters", parameters}, {"bytes", bytes}, {"precision", precision}, {"tensors", tensors}};
}

ModelWeights stable_diffusion_weights(const fs::path& path) {
  ModelWeights weights;
  if (!path_is_folder(path)) {
    weights.checkpoints.push_back(io::Checkpoint::open_file(path));
    for (const PartPlace& part : kParts) {
      weights.parts[part.name].add(weights.checkpoints.back(), part.file_prefix);
    }
    return weights;
  }
  for (const PartPlace& part : kParts) {
    try {
      weights.checkpoints.push_back(io::Checkpoint::open(path / part.name, part.stem));
    } catch (const Error&) {
      continue;  // loading the part says what is wrong
    }
    weights.parts[part.name].add(weights.checkpoints.back());
  }
  return weights;
}

void examine_content(const io::Checkpoint& checkpoint, Report& report) {
  for (const fs::path& file : checkpoint.files()) {
    const fs::path shown = file.parent_path().filename() / file.filename();
    report.facts["sha256"][shown.string()] = sha256_of_file(file);
  }
  for (const std::string& name : checkpoint.names()) {
    const at::Tensor value = checkpoint.tensor(name);
    if (!value.is_floating_point() || at::isfinite(value).all().item<bool>()) continue;
    report.problems.push_back(
        cat(checkpoint.label(), ": ", name, " holds numbers that are not finite; fetch it again"));
  }
}

}  // namespace dd::inspect
