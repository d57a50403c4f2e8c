// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_set.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "dd/core/error.h"
#include "dd/lora/layers.h"

namespace dd::lora {
namespace {

LoraPair make_pair(const std::string& layer, const at::Tensor& weight, const LoraOptions& options) {
  const auto numbers = at::TensorOptions().dtype(at::kFloat).device(weight.device());
  return {.layer = layer,
          .down = at::empty({options.rank, weight.size(1)}, numbers),
          .up = at::zeros({weight.size(0), options.rank}, numbers),
          .scale = options.alpha / static_cast<double>(options.rank)};
}

}  // namespace

LoraTargets attention_targets() {
  LoraTargets targets = clip_targets("qkvo", false);
  for (const char* attention : {"attn1", "attn2"}) {
    for (const char* projection : {"to_q", "to_k", "to_v", "to_out.0"}) {
      targets.push_back(cat(attention, ".", projection));
    }
  }
  return targets;
}

LoraTargets clip_targets(std::string_view attention, bool mlp) {
  LoraTargets targets;
  for (const char letter : attention) {
    if (std::string_view("qkvo").find(letter) == std::string_view::npos) {
      fail_usage(cat("LoRA target \"", letter, "\" in \"", attention,
                     "\" is unknown; use letters of qkvo (query, key, value, output)"));
    }
    targets.push_back(
        cat("self_attn.", letter == 'o' ? std::string("out") : std::string(1, letter), "_proj"));
  }
  if (mlp) targets.insert(targets.end(), {"mlp.fc1", "mlp.fc2"});
  if (targets.empty()) {
    fail_usage("no layer is left for the LoRA; name attention projections (qkvo) or add the MLPs");
  }
  return targets;
}

LoraAdapter::LoraAdapter(LoraPair pair, std::shared_ptr<const LoraDropout> dropout)
    : pair_(std::move(pair)), dropout_(std::move(dropout)) {}

at::Tensor LoraAdapter::forward(const at::Tensor& input, const at::Tensor& output) const {
  at::Tensor x = input;
  if (dropout_ && dropout_->generator.defined() && dropout_->share > 0) {
    const double kept = 1.0 - dropout_->share;
    x = x * at::empty_like(x).bernoulli_(kept, dropout_->generator).mul_(1.0 / kept);
  }
  const at::Tensor change =
      at::linear(at::linear(x, pair_.down.to(x.scalar_type())), pair_.up.to(x.scalar_type()));
  return at::add(output, change, pair_.scale);
}

LoraSet::LoraSet(std::span<const ModelPart> parts, const LoraTargets& targets,
                 const LoraOptions& options, std::uint64_t seed)
    : options_(options),
      dropout_(std::make_shared<LoraDropout>(LoraDropout{.share = options.dropout})) {
  check_options(options);
  for (const auto& [layer, site] : free_sites(parts, targets)) {
    weights_.pairs.push_back(make_pair(layer, site->weight, options));
    sites_.push_back(site);
  }
  reset(seed);
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    sites_[i]->adapter = std::make_shared<LoraAdapter>(weights_.pairs[i], dropout_);
  }
}

LoraSet::~LoraSet() {
  remove();
}

io::NamedTensors LoraSet::parameters() const {
  return named_tensors(weights_.pairs);
}

std::int64_t LoraSet::count() const {
  std::int64_t count = 0;
  for (const LoraPair& pair : weights_.pairs) count += pair.down.numel() + pair.up.numel();
  return count;
}

void LoraSet::reset(std::uint64_t seed) {
  for (const LoraPair& pair : weights_.pairs) draw_start(pair, seed);
}

void LoraSet::assign(const LoraWeights& values) {
  const auto find = [](const LoraWeights& where, const std::string& layer) {
    return std::ranges::find(where.pairs, layer, &LoraPair::layer);
  };
  for (const LoraPair& given : values.pairs) {
    if (find(weights_, given.layer) == weights_.pairs.end()) {
      fail_input(cat("the LoRA adapts ", given.layer,
                     ", which this one does not; use the same targets for both"));
    }
  }
  const at::NoGradGuard no_grad;
  for (const LoraPair& own : weights_.pairs) {
    const auto given = find(values, own.layer);
    if (given == values.pairs.end()) {
      fail_input(cat("the LoRA lacks a pair for ", own.layer, "; use the same targets for both"));
    }
    if (given->down.sizes() != own.down.sizes() || given->up.sizes() != own.up.sizes() ||
        given->scale != own.scale) {
      fail_input(cat("the LoRA's pair for ", own.layer, " has rank ", given->rank(), " and scale ",
                     given->scale, ", expected were ", own.rank(), " and ", own.scale,
                     "; use the same rank and alpha for both"));
    }
  }
  for (const LoraPair& own : weights_.pairs) {
    const auto given = find(values, own.layer);
    own.down.copy_(given->down);
    own.up.copy_(given->up);
  }
}

void LoraSet::seed_dropout(std::uint64_t seed) {
  if (dropout_->share == 0) return;
  if (!dropout_->generator.defined()) {
    const at::Device device = weights_.pairs.front().down.device();
    dropout_->generator = at::globalContext().defaultGenerator(device).clone();
  }
  dropout_->generator.set_current_seed(seed);
}

void LoraSet::stop_dropout() {
  dropout_->generator = at::Generator();
}

void LoraSet::remove() {
  for (const auto& site : sites_) site->adapter.reset();
  sites_.clear();
}

}  // namespace dd::lora
