// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_group.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/zeros.h>

#include <utility>

#include "dd/core/error.h"
#include "dd/lora/layers.h"

namespace dd::lora {
namespace {

class GroupAdapter final : public nn::LinearAdapter {
 public:
  explicit GroupAdapter(LoraPair stack) : stack_(std::move(stack)) {}

  at::Tensor forward(const at::Tensor& input, const at::Tensor& output) const override {
    const std::int64_t members = stack_.down.size(0);
    ensure(input.size(0) % members == 0, "the LoRAs of a group have equal numbers of rows");
    const auto of_member = [&](const at::Tensor& rows) {
      return rows.reshape({members, -1, rows.size(-1)});
    };
    const auto factor = [&](const at::Tensor& value) {
      return value.to(input.scalar_type()).transpose(1, 2);
    };
    const at::Tensor low = at::bmm(of_member(input), factor(stack_.down));
    return at::baddbmm(of_member(output), low, factor(stack_.up), 1, stack_.scale)
        .view(output.sizes());
  }

 private:
  LoraPair stack_;
};

}  // namespace

LoraGroup::LoraGroup(std::span<const ModelPart> parts, const LoraTargets& targets,
                     const LoraOptions& options, std::int64_t members)
    : members_(members) {
  check_options(options);
  ensure(members > 0 && options.dropout == 0, "a group has members and no dropout");
  for (const auto& [layer, site] : free_sites(parts, targets)) {
    const auto numbers = at::TensorOptions().dtype(at::kFloat).device(site->weight.device());
    stacks_.push_back({.layer = layer,
                       .down = at::zeros({members, options.rank, site->weight.size(1)}, numbers),
                       .up = at::zeros({members, site->weight.size(0), options.rank}, numbers),
                       .scale = options.alpha / static_cast<double>(options.rank)});
    site->adapter = std::make_shared<GroupAdapter>(stacks_.back());
    sites_.push_back(site);
  }
}

LoraGroup::~LoraGroup() {
  for (const auto& site : sites_) site->adapter.reset();
}

io::NamedTensors LoraGroup::parameters() const {
  return named_tensors(stacks_);
}

LoraWeights LoraGroup::weights(std::int64_t member) const {
  LoraWeights weights;
  for (const LoraPair& stack : stacks_) {
    weights.pairs.push_back({.layer = stack.layer,
                             .down = stack.down.detach()[member],
                             .up = stack.up.detach()[member],
                             .scale = stack.scale});
  }
  return weights;
}

std::int64_t LoraGroup::count() const {
  std::int64_t count = 0;
  for (const LoraPair& stack : stacks_) count += stack.down.numel() + stack.up.numel();
  return count / members_;
}

void LoraGroup::reset(std::int64_t member, std::uint64_t seed) {
  for (const LoraPair& pair : weights(member).pairs) draw_start(pair, seed);
}

}  // namespace dd::lora
