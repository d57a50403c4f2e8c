// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/single_file.h"

#include <ATen/ops/cat.h>

#include <map>
#include <optional>
#include <vector>

#include "dd/core/error.h"
#include "dd/io/safetensors.h"
#include "dd/models/ldm_names.h"

namespace dd::convert {
namespace fs = std::filesystem;
namespace {

/// Collects the tensors of a file; thirds of fused ones wait until all are there.
class LdmTensors {
 public:
  explicit LdmTensors(models::NameTable names) : names_(std::move(names)) {}

  void add(const nn::ParameterTable& parameters, at::ScalarType dtype) {
    for (const auto& [name, value] : parameters.entries()) {
      const std::optional<models::TensorPlace> place = names_.find(name);
      ensure(place.has_value(), "a parameter has no name in a single file");
      const at::Tensor ready = value.detach().to(dtype);
      if (place->parts == 1) {
        tensors_.emplace_back(place->name, shaped(place->name, ready));
        continue;
      }
      std::vector<at::Tensor>& parts = fused_[place->name];
      parts.resize(static_cast<std::size_t>(place->parts));
      parts[static_cast<std::size_t>(place->part)] = ready;
    }
  }
  io::NamedTensors finish() {
    for (const auto& [name, parts] : fused_) tensors_.emplace_back(name, at::cat(parts));
    fused_.clear();
    return std::move(tensors_);
  }

 private:
  /// The VAE's attention is made of convolutions of one pixel there.
  static at::Tensor shaped(const std::string& name, const at::Tensor& value) {
    const bool is_convolution = name.find(".mid.attn_1.") != std::string::npos && value.dim() == 2;
    return is_convolution ? value.reshape({value.size(0), value.size(1), 1, 1}) : value;
  }

  models::NameTable names_;
  io::NamedTensors tensors_;
  std::map<std::string, std::vector<at::Tensor>> fused_;
};

io::Metadata metadata_of(const models::StableDiffusion& model, bool second) {
  const PredictionType type = model.schedule.prediction_type;
  if (type == PredictionType::kSample) {
    fail_input(cat(model.source,
                   " predicts clean latents, which a single file cannot say; choose --to "
                   "diffusers"));
  }
  const std::string size = std::to_string(model.default_size());
  return {{"format", "pt"},
          {"modelspec.sai_model_spec", "1.0.0"},
          {"modelspec.architecture", second ? "stable-diffusion-v2" : "stable-diffusion-v1"},
          {"modelspec.prediction_type", type == PredictionType::kEpsilon ? "epsilon" : "v"},
          {"modelspec.resolution", cat(size, "x", size)}};
}

}  // namespace

fs::path folder_beside(const fs::path& file) {
  return file.parent_path() / file.stem();
}

void write_single_file(const SourceModel& source_model, const fs::path& file) {
  const models::StableDiffusion& model = source_model.model;
  const bool second = model.unet.config().linear_projection;
  LdmTensors tensors(models::ldm_names({.unet = model.unet.config(),
                                        .vae = model.vae.config(),
                                        .text = model.text_encoder.config(),
                                        .openclip = second,
                                        .bare_text = false}));
  tensors.add(model.unet.parameters(), source_model.dtypes.at("unet"));
  tensors.add(model.vae.parameters(), source_model.dtypes.at("vae"));
  tensors.add(model.text_encoder.parameters(), source_model.dtypes.at("text_encoder"));
  io::write_safetensors(file, tensors.finish(), metadata_of(model, second));
}

}  // namespace dd::convert
