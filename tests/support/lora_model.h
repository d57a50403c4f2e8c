// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "dd/lora/lora_set.h"
#include "dd/nn/layers.h"
#include "dd/nn/parameters.h"

namespace dd::test {

/// A small chain of layers under the names that a U-Net has: two that are LoRA targets, one that is
/// not.
class LoraModel {
 public:
  explicit LoraModel(std::uint64_t seed = 1) : source_(seed) {}

  at::Tensor operator()(const at::Tensor& x) const { return out_(gate_(query_(x))); }
  const nn::ParameterTable& table() const { return table_; }
  lora::ModelPart part() const { return {"unet", &table_}; }
  nn::LinearSite& site(const std::string& name) const { return *table_.sites().at(name); }

 private:
  nn::RandomSource source_;
  nn::ParameterTable table_;
  nn::Scope root_{source_, table_};
  nn::Linear query_{root_["mid"]["attn1"]["to_q"], 6, 5};
  nn::Linear gate_{root_["mid"]["ff"], 5, 5};
  nn::Linear out_{root_["mid"]["attn1"]["to_out"][0], 5, 4};
};

inline const std::string kQuery = "unet.mid.attn1.to_q";
inline const std::string kOut = "unet.mid.attn1.to_out.0";

}  // namespace dd::test
