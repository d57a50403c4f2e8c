// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dd/io/safetensors.h"
#include "dd/lora/lora_names.h"

namespace dd::lora {

/// Where a LoRA comes from, as its file's metadata says it. Empty texts are left out.
struct LoraRecord {
  std::string base_model;       ///< fingerprint of the model it was trained on (io/fingerprint.h)
  std::string prompt_template;  ///< "a photo of a {}"
  std::string class_name;       ///< the class, where it is of one
  std::string data;             ///< hash of the images it was trained on
  std::string settings;         ///< the training's options, as JSON
};

/// One adapted layer as a file holds it: h = W x + alpha / rank · up (down x).
struct LoraEntry {
  LayerName name;
  at::Tensor down;  ///< A [rank, in] or [rank, in, k, k], the file's own precision
  at::Tensor up;    ///< B [out, rank] or [out, rank, 1, 1]
  double alpha = 0;
  std::string key;  ///< the file's name of `down`, for messages

  std::int64_t rank() const { return down.size(0); }
};

/// A LoRA file without a model to put it on. Tensors are views of the file: nothing is read before
/// it is used.
struct LoraContent {
  std::string label;                  ///< the file, for messages
  std::vector<LoraEntry> entries;     ///< complete pairs, ascending by layer
  io::Metadata metadata;              ///< as it stands in the file
  LoraRecord record;                  ///< our own part of it
  std::set<std::string> families;     ///< whose names its tensors have
  std::vector<std::string> notes;     ///< what was understood in a way worth saying
  std::vector<std::string> problems;  ///< each names a tensor that cannot be used, and why
};

/// Reads a LoRA, whatever family of names it uses: diffusers/PEFT (`lora_A`/`lora_B`), older
/// diffusers (`.lora.down`, `.lora_linear_layer.down`, `processor.…_lora.down`),
/// `unet.base_model.model.…`, kohya (`lora_unet_…`, `lora_te_…`, `.alpha`). A layer's alpha is its
/// own tensor's, else that of the metadata (or of peft's adapter_config.json beside the file), else
/// its rank. Error(kInput) for a file that cannot be read at all; all else is among the problems.
LoraContent scan_lora(const std::filesystem::path& path);

/// The same, but every problem is an Error(kInput) that names the file and the first few tensors.
LoraContent read_lora_content(const std::filesystem::path& path);

/// Families of names that can be written.
enum class LoraFormat { kDiffusers, kKohya };

/// Writes a whole LoRA. Tensors keep their precision unless `dtype` is given, and their shape but
/// for what the format wants: diffusers takes matrices for linear layers. The metadata gets the
/// format's own statement of rank and alpha; what else the content has there is kept.
void write_lora_content(const std::filesystem::path& path, const LoraContent& content,
                        LoraFormat format, std::optional<at::ScalarType> dtype = std::nullopt);

}  // namespace dd::lora
