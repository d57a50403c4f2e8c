// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dd/io/safetensors.h"
#include "dd/nn/parameters.h"

namespace dd::lora {

/// Low-rank adaptation (Hu et al., arXiv 2106.09685): h = W x + scale · up (down x).

/// One adapted layer.
struct LoraPair {
  std::string layer;  ///< with the part's prefix: "unet.mid_block.….attn1.to_q"
  at::Tensor down;    ///< A [rank, in]; for a convolution [rank, in, k, k]
  at::Tensor up;      ///< B [out, rank]
  double scale = 1;   ///< alpha / rank

  std::int64_t rank() const { return down.size(0); }
};

/// A whole LoRA, as a file holds it; ascending by layer.
struct LoraWeights {
  std::vector<LoraPair> pairs;
};

/// A model, or a part of one, whose layers can be adapted. LoRA files name its layers
/// `prefix.layer`: "unet", "text_encoder"; an empty prefix for a lone model such as CLIP. The table
/// must outlive what is made from the part.
struct ModelPart {
  std::string prefix;
  const nn::ParameterTable* table;
};

/// Ends of the names of the layers that are adapted: "attn1.to_q" means every layer whose name is
/// that or ends in ".attn1.to_q".
using LoraTargets = std::vector<std::string>;

/// Query, key, value and output of every attention, self and cross, of a U-Net and of CLIP towers.
LoraTargets attention_targets();
/// Of CLIP towers: `attention` names the projections ("qkvo", "qv", any of these letters), `mlp`
/// adds both layers of the MLPs. Error(kUsage) on other letters or no layer at all.
LoraTargets clip_targets(std::string_view attention, bool mlp);

struct LoraOptions {
  std::int64_t rank = 16;
  double alpha = 16;
  double dropout = 0;  ///< share of a layer's inputs that the LoRA does not see while training
};

/// Dropout of all adapters of a set; without a generator it is off.
struct LoraDropout {
  double share = 0;
  at::Generator generator{};
};

/// What stands in the slot of an adapted layer. Float32 values serve a model in half precision:
/// they are cast to the input's type on use, so the optimizer still sees float32.
class LoraAdapter final : public nn::LinearAdapter {
 public:
  LoraAdapter(LoraPair pair, std::shared_ptr<const LoraDropout> dropout);
  at::Tensor forward(const at::Tensor& input, const at::Tensor& output) const override;

 private:
  LoraPair pair_;
  std::shared_ptr<const LoraDropout> dropout_;
};

/// Trainable LoRA pairs in the linear layers of a model, which does not know of them.
///
/// The tensors are float32 on each layer's device and stay the same objects for the set's life, so
/// that an optimizer may hold them while their values are exchanged. The destructor empties the
/// slots.
class LoraSet {
 public:
  /// Puts a pair into every layer that `targets` name. A is drawn as peft's `gaussian`, N(0, 1/r²),
  /// each from (seed, layer name); B is 0, so the model starts exactly as it is. Error(kUsage) when
  /// nothing matches or rank or dropout are out of range; Error(kInternal) when a slot is taken.
  LoraSet(std::span<const ModelPart> parts, const LoraTargets& targets, const LoraOptions& options,
          std::uint64_t seed);
  ~LoraSet();
  LoraSet(LoraSet&&) noexcept = default;
  LoraSet& operator=(LoraSet&&) = delete;

  /// `layer.lora_A.weight` and `layer.lora_B.weight`, ascending: what FlatParameters takes.
  io::NamedTensors parameters() const;
  /// The same tensors (not copies) with their scales, for writing or merging.
  const LoraWeights& weights() const { return weights_; }
  std::int64_t count() const;  ///< numbers in all pairs

  /// A fresh start in place, as if constructed with this seed.
  void reset(std::uint64_t seed);
  /// Takes over values in place. Error(kInput) names a layer that is missing, unknown, or of
  /// another shape or scale.
  void assign(const LoraWeights& values);

  /// From here on dropout is active and its numbers follow from this seed (call it once a step).
  void seed_dropout(std::uint64_t seed);
  void stop_dropout();

  /// Empties the slots: the model is as before. Values stay readable.
  void remove();

 private:
  LoraOptions options_;
  LoraWeights weights_;
  std::vector<std::shared_ptr<nn::LinearSite>> sites_;  ///< one a pair
  std::shared_ptr<LoraDropout> dropout_;
};

}  // namespace dd::lora
