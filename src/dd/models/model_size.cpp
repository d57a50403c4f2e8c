// SPDX-License-Identifier: Apache-2.0
#include "dd/models/model_size.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/io/checkpoint.h"
#include "dd/models/clip_file.h"
#include "dd/tensor/free_memory.h"

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

/// Those of a file, or what `add_folder` finds; nothing where one of the files cannot be read:
/// loading the model says why.
template <class AddFolder>
std::vector<io::TensorInfo> known_tensors(const fs::path& model, const AddFolder& add_folder) {
  std::vector<io::TensorInfo> tensors;
  try {
    if (path_is_file(model)) {
      add(io::Checkpoint::open_file(model), "", tensors);
    } else {
      add_folder(tensors);
    }
  } catch (const Error&) {
    return {};
  } catch (const fs::filesystem_error&) {
    return {};
  }
  return tensors;
}

/// Whether it belongs to a part that stays in the file's type (Placement::at_rest), in a folder or
/// in a single file.
bool may_rest(const std::string& name) {
  const auto begins = [&](const char* start) { return name.starts_with(start); };
  return begins("vae.") || begins("text_encoder.") || begins("first_stage_model.") ||
         begins("cond_stage_model.");
}

std::int64_t bytes_of(const io::TensorInfo& tensor, Placement placement) {
  std::size_t each = c10::elementSize(placement.dtype);
  if (placement.at_rest && may_rest(tensor.name))
    each = std::min(each, c10::elementSize(tensor.dtype));
  auto bytes = static_cast<std::int64_t>(each);
  for (const std::int64_t extent : tensor.shape) bytes *= extent;
  return bytes;
}

}  // namespace

std::vector<io::TensorInfo> model_tensors(const fs::path& model) {
  return known_tensors(model, [&](std::vector<io::TensorInfo>& tensors) {
    add(io::Checkpoint::open(model / "unet", "diffusion_pytorch_model"), "unet.", tensors);
    add(io::Checkpoint::open(model / "vae", "diffusion_pytorch_model"), "vae.", tensors);
    add(io::Checkpoint::open(model / "text_encoder", "model"), "text_encoder.", tensors);
  });
}

std::vector<io::TensorInfo> weights_in(const fs::path& model) {
  return known_tensors(model, [&](std::vector<io::TensorInfo>& tensors) {
    const fs::path open_clip = open_clip_weights(model);
    const bool is_open_clip = !open_clip.empty() && !path_exists(model / "config.json");
    add(is_open_clip ? io::Checkpoint::open_file(open_clip) : io::Checkpoint::open(model, "model"),
        "", tensors);
  });
}

std::int64_t model_bytes(const std::vector<io::TensorInfo>& tensors, Placement placement) {
  std::int64_t bytes = 0;
  for (const io::TensorInfo& tensor : tensors) bytes += bytes_of(tensor, placement);
  return bytes;
}

MemoryNeed memory_need(const std::vector<io::TensorInfo>& tensors, Placement placement) {
  return {model_bytes(tensors, placement), free_memory(placement.device)};
}

}  // namespace dd::models
