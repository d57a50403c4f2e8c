// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "dd/models/checkpoint_source.h"

namespace dd::models {

/// Where one of our tensors lies in a file with OpenAI's names (those of OpenAI's CLIP package and
/// of OpenCLIP).
struct OpenClipPlace {
  std::string name;
  int third = -1;           ///< 0, 1, 2: these rows of a tensor that holds query, key and value
  bool transposed = false;  ///< the file has [in, out]
};

/// By our name, which is transformers' ("vision_model.encoder.layers.3.self_attn.q_proj.weight").
/// Error(kInternal) for a name that CLIP has no tensor of.
OpenClipPlace open_clip_place(const std::string& name);

/// Feeds a CLIP under construction from a file with OpenAI's names. `prefix` stands before all of
/// them ("module.", "state_dict.", or nothing).
class OpenClipSource final : public nn::ParameterSource {
 public:
  OpenClipSource(const io::Checkpoint& checkpoint, Placement placement, std::string prefix);

  at::Tensor parameter(const std::string& name, at::IntArrayRef shape,
                       const nn::Init& init) override;
  /// See CheckpointSource::finish.
  void finish() const { inner_.finish(); }

 private:
  std::string prefix_;
  CheckpointSource inner_;
  std::map<std::string, at::Tensor> fused_;  ///< weight and bias of the block being built
};

}  // namespace dd::models
