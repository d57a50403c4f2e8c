// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dd/lora/lora_set.h"

namespace dd::lora {

/// A LoRA and how strongly it is applied, on top of its own alpha / rank.
struct ScaledLora {
  const LoraWeights* weights;
  double scale = 1;
};

/// LoRAs merged into the weights of a model, so that it computes at the base's cost:
/// W' = W + Σ scale · alpha/rank · B A, summed in float32 and rounded once to the type of W.
///
/// The original tensors are set aside and put back, the very same, by restore() or the destructor;
/// memory for the adapted layers' weights is needed twice in between. Objects that merge into one
/// model must be destroyed in the reverse order of their construction.
class MergedLora {
 public:
  /// Error(kInput) names a layer that the model lacks or that has another shape; then nothing was
  /// changed. Error(kInternal) when a layer still has an adapter in its slot (LoraSet::remove).
  /// Merged weights take the type `dtype`, that of the layer's own where none is given: those may
  /// be at rest (Placement).
  MergedLora(std::span<const ModelPart> parts, std::span<const ScaledLora> loras,
             std::optional<at::ScalarType> dtype = {});
  ~MergedLora();
  MergedLora(MergedLora&&) noexcept = default;
  MergedLora& operator=(MergedLora&&) = delete;

  /// Puts the original weights back.
  void restore();
  /// Writes the merged values into the original tensors, for saving a merged model; nothing can be
  /// restored after that.
  void make_permanent();

 private:
  struct Original {
    std::shared_ptr<nn::LinearSite> site;
    at::Tensor weight;
  };
  std::vector<Original> originals_;
};

}  // namespace dd::lora
