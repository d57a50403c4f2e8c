// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/source_model.h"

#include <algorithm>

#include "dd/core/files.h"
#include "dd/inspect/weight_facts.h"
#include "dd/models/ldm_file.h"
#include "dd/tensor/device.h"

namespace dd::convert {
namespace {

bool is_written(at::ScalarType dtype) {
  return dtype == at::kFloat || dtype == at::kHalf || dtype == at::kBFloat16;
}

}  // namespace

SourceModel SourceModel::load(const std::filesystem::path& path, const std::string& dtype,
                              const models::ModelOptions& options) {
  const inspect::ModelWeights weights = inspect::stable_diffusion_weights(path);
  std::map<std::string, at::ScalarType> dtypes;
  bool unchanged = true;
  for (const char* part : {"unet", "vae", "text_encoder"}) {
    const auto facts = weights.parts.find(part);
    const at::ScalarType own =
        facts == weights.parts.end() ? at::kFloat : facts->second.main_dtype();
    at::ScalarType target = is_written(own) ? own : at::kFloat;
    if (dtype != "auto") target = parse_dtype(dtype, at::kCPU);
    unchanged = unchanged && target == own;
    dtypes[part] = target;
  }
  const bool are_equal = std::ranges::all_of(
      dtypes, [&](const auto& part) { return part.second == dtypes.begin()->second; });
  const Placement placement{at::kCPU, unchanged && are_equal ? dtypes.begin()->second : at::kFloat};
  const std::filesystem::path tokenizer = options.tokenizer.empty() && path_is_folder(path)
                                              ? path / "tokenizer"
                                              : models::ldm_tokenizer(path, options);
  return {models::StableDiffusion::load(path, placement, options), std::move(dtypes), tokenizer};
}

std::string python_name(at::ScalarType dtype) {
  if (dtype == at::kHalf) return "float16";
  return dtype == at::kBFloat16 ? "bfloat16" : "float32";
}

}  // namespace dd::convert
