// SPDX-License-Identifier: Apache-2.0
#include "dd/models/model_size.h"

#include "dd/core/error.h"
#include "dd/core/room.h"
#include "dd/io/checkpoint.h"

namespace dd::models {
namespace fs = std::filesystem;
namespace {

void add(const io::Checkpoint& checkpoint, const std::string& prefix,
         std::vector<io::TensorInfo>& tensors) {
  for (const std::string& name : checkpoint.names()) {
    io::TensorInfo info = checkpoint.info(name);
    // Trainers keep a running mean of the weights beside them, which is not loaded.
    if (name.starts_with("model_ema.")) continue;
    info.name = prefix + info.name;
    tensors.push_back(std::move(info));
  }
}

}  // namespace

std::vector<io::TensorInfo> model_tensors(const fs::path& model) {
  std::vector<io::TensorInfo> tensors;
  try {
    if (fs::is_regular_file(model)) {
      add(io::Checkpoint::open_file(model), "", tensors);
      return tensors;
    }
    add(io::Checkpoint::open(model / "unet", "diffusion_pytorch_model"), "unet.", tensors);
    add(io::Checkpoint::open(model / "vae", "diffusion_pytorch_model"), "vae.", tensors);
    add(io::Checkpoint::open(model / "text_encoder", "model"), "text_encoder.", tensors);
  } catch (const Error&) {
    return {};
  }
  return tensors;
}

void warn_of_model_memory(const std::vector<io::TensorInfo>& tensors, Placement placement,
                          Reporter& report) {
  if (!placement.device.is_cpu()) return;
  std::int64_t bytes = 0;
  for (const io::TensorInfo& tensor : tensors) {
    std::int64_t size = static_cast<std::int64_t>(c10::elementSize(placement.dtype));
    for (const std::int64_t extent : tensor.shape) size *= extent;
    bytes += size;
  }
  warn_of_memory(bytes, "the model's weights", report);
}

}  // namespace dd::models
