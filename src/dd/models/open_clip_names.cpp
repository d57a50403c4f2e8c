// SPDX-License-Identifier: Apache-2.0
#include "dd/models/open_clip_names.h"

#include <array>
#include <string_view>
#include <utility>

#include "dd/core/error.h"

namespace dd::models {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

struct Whole {
  std::string_view ours;
  std::string_view theirs;
  bool transposed = false;
};

constexpr std::array kWhole{
    Whole{"logit_scale", "logit_scale"},
    Whole{"visual_projection.weight", "visual.proj", true},
    Whole{"text_projection.weight", "text_projection", true},
    Whole{"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
    Whole{"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    Whole{"vision_model.embeddings.class_embedding", "visual.class_embedding"},
    Whole{"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"},
    Whole{"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
};

constexpr std::array kStarts{
    Pair{"text_model.final_layer_norm.", "ln_final."},
    Pair{"vision_model.pre_layrnorm.", "visual.ln_pre."},
    Pair{"vision_model.post_layernorm.", "visual.ln_post."},
    Pair{"text_model.encoder.layers.", "transformer.resblocks."},
    Pair{"vision_model.encoder.layers.", "visual.transformer.resblocks."},
};

// Inside a residual block.
constexpr std::array kParts{
    Pair{"layer_norm1.", "ln_1."},
    Pair{"layer_norm2.", "ln_2."},
    Pair{"self_attn.out_proj.", "attn.out_proj."},
    Pair{"mlp.fc1.", "mlp.c_fc."},
    Pair{"mlp.fc2.", "mlp.c_proj."},
};

constexpr std::array<std::string_view, 3> kFused{"self_attn.q_proj.", "self_attn.k_proj.",
                                                 "self_attn.v_proj."};

/// "3.self_attn.q_proj.weight" after "…resblocks.".
OpenClipPlace in_block(const std::string& start, const std::string& rest) {
  const std::size_t dot = rest.find('.') + 1;
  const std::string block = start + rest.substr(0, dot);
  const std::string_view part = std::string_view(rest).substr(dot);
  for (const auto& [ours, theirs] : kParts) {
    if (part.starts_with(ours)) return {cat(block, theirs, part.substr(ours.size()))};
  }
  for (std::size_t i = 0; i < kFused.size(); ++i) {
    if (part.starts_with(kFused[i])) {
      return {cat(block, "attn.in_proj_", part.substr(kFused[i].size())), static_cast<int>(i)};
    }
  }
  fail_internal(cat("no place for the CLIP parameter ", rest));
}

}  // namespace

OpenClipPlace open_clip_place(const std::string& name) {
  for (const Whole& whole : kWhole) {
    if (name == whole.ours) return {std::string(whole.theirs), -1, whole.transposed};
  }
  for (const auto& [ours, theirs] : kStarts) {
    if (!name.starts_with(ours)) continue;
    const std::string rest = name.substr(ours.size());
    if (theirs.ends_with("resblocks.")) return in_block(std::string(theirs), rest);
    return {cat(theirs, rest)};
  }
  fail_internal(cat("no place for the CLIP parameter ", name));
}

OpenClipSource::OpenClipSource(const io::Checkpoint& checkpoint, Placement placement,
                               std::string prefix)
    : prefix_(std::move(prefix)), inner_(checkpoint, placement) {
  for (const std::string& name : checkpoint.names()) {
    // The rest of a training checkpoint: counters, the optimizer's state.
    if (!name.starts_with(prefix_)) inner_.ignore(name);
  }
  // Numbers and buffers, not weights.
  for (const char* extra : {"input_resolution", "context_length", "vocab_size", "attn_mask"})
    inner_.ignore(prefix_ + extra);
}

at::Tensor OpenClipSource::parameter(const std::string& name, at::IntArrayRef shape,
                                     const nn::Init& init) {
  const OpenClipPlace place = open_clip_place(name);
  const std::string file_name = prefix_ + place.name;
  if (place.transposed) {
    return inner_.parameter(file_name, {shape[1], shape[0]}, init).t().contiguous();
  }
  if (place.third < 0) return inner_.parameter(file_name, shape, init);
  if (!fused_.contains(file_name)) {
    // Three layers share what was read, so that it is read and converted once.
    if (fused_.size() == 2) fused_.clear();
    std::vector<std::int64_t> whole(shape.begin(), shape.end());
    whole[0] *= 3;
    fused_[file_name] = inner_.parameter(file_name, whole, init);
  }
  return fused_.at(file_name).narrow(0, place.third * shape[0], shape[0]);
}

}  // namespace dd::models
