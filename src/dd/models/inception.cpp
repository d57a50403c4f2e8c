// SPDX-License-Identifier: Apache-2.0
#include "dd/models/inception.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "dd/core/error.h"
#include "dd/models/checkpoint_source.h"

namespace dd::models {
namespace {

constexpr double kNormEps = 1e-3;
constexpr const char* kMark = "Conv2d_1a_3x3.conv.weight";
constexpr const char* kScriptMark = "layers.conv.weight";

nn::Scope scope_of(const nn::Scope& scope, const std::string& name) {
  return name.empty() ? scope : scope[name];
}

InceptionConv make_conv(const nn::Scope& block, const InceptionConvPlan& plan, std::int64_t in,
                        bool has_scales) {
  const nn::Scope scope = block[plan.name];
  const nn::Scope norm = scope["bn"];
  InceptionConv conv;
  conv.weight = scope["conv"].parameter("weight", {plan.out, in, plan.height, plan.width},
                                        nn::fan_in_init(in * plan.height * plan.width));
  if (has_scales) conv.scale = norm.parameter("weight", {plan.out}, nn::constant_init(1));
  conv.shift = norm.parameter("bias", {plan.out}, nn::constant_init(0));
  conv.mean = norm.parameter("running_mean", {plan.out}, nn::constant_init(0));
  conv.variance = norm.parameter("running_var", {plan.out}, nn::constant_init(1));
  conv.stride = plan.stride;
  conv.padded = plan.padded;
  return conv;
}

at::Tensor pooled(InceptionPool pool, const at::Tensor& x) {
  switch (pool) {
    case InceptionPool::kNone:
      return x;
    case InceptionPool::kAverage:
      return at::avg_pool2d(x, 3, 1, 1, false, /*count_include_pad=*/false);
    case InceptionPool::kMaximum:
      return at::max_pool2d(x, 3, 1, 1);
    case InceptionPool::kHalving:
      return at::max_pool2d(x, 3, 2);
  }
  fail_internal("unknown kind of pooling");
}

}  // namespace

at::Tensor InceptionConv::operator()(const at::Tensor& x_nchw) const {
  const std::int64_t high = padded ? weight.size(2) / 2 : 0;
  const std::int64_t wide = padded ? weight.size(3) / 2 : 0;
  const at::Tensor y = at::conv2d(x_nchw, weight, {}, stride, at::IntArrayRef{high, wide});
  return at::relu(
      at::batch_norm(y, scale, shift, mean, variance, /*training=*/false, 0, kNormEps, false));
}

Inception::Inception(nn::ParameterSource& source, bool has_scales)
    : table_(std::make_unique<nn::ParameterTable>()) {
  const nn::Scope root(source, *table_);
  std::int64_t channels = 3;
  for (const InceptionBlockPlan& plan : inception_plan()) {
    const nn::Scope scope = scope_of(root, plan.name);
    std::int64_t out = 0;
    Block block;
    for (const InceptionBranchPlan& part : plan.branches) {
      Branch branch{.pool = part.pool};
      std::int64_t width = channels;
      for (const InceptionConvPlan& conv : part.row) {
        branch.row.push_back(make_conv(scope, conv, width, has_scales));
        width = conv.out;
      }
      for (const InceptionConvPlan& conv : part.fork) {
        branch.fork.push_back(make_conv(scope, conv, width, has_scales));
        out += conv.out;
      }
      if (part.fork.empty()) out += width;
      block.push_back(std::move(branch));
    }
    blocks_.push_back(std::move(block));
    channels = out;
  }
  ensure(channels == kFeatures, "the blocks of Inception do not add up");
}

Inception Inception::load(const std::filesystem::path& file, at::Device device) {
  const io::Checkpoint checkpoint = io::Checkpoint::open_file(file);
  const bool script = checkpoint.contains(kScriptMark);
  if (!script && !checkpoint.contains(kMark)) {
    fail_input(cat(file.string(), " holds neither ", kMark, " nor ", kScriptMark,
                   "; give pt_inception-2015-12-05-6726825d.pth or inception-2015-12-05.pt"));
  }
  // Half precision changes the features, and no FID is quoted in it.
  CheckpointSource source(checkpoint, {device, at::kFloat},
                          script ? inception_script_names() : NameTable());
  for (const char* extra : {"fc.weight", "fc.bias", "output.weight", "output.bias"}) {
    source.ignore(extra);
  }
  for (const std::string& name : checkpoint.names()) {
    if (name.ends_with(".num_batches_tracked")) source.ignore(name);
  }
  Inception model(source, !script);
  source.finish();
  return model;
}

at::Tensor Inception::run(const Block& block, const at::Tensor& x) {
  std::vector<at::Tensor> parts;
  for (const Branch& branch : block) {
    at::Tensor y = pooled(branch.pool, x);
    for (const InceptionConv& conv : branch.row) y = conv(y);
    for (const InceptionConv& conv : branch.fork) parts.push_back(conv(y));
    if (branch.fork.empty()) parts.push_back(y);
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts, 1);
}

at::Tensor Inception::operator()(const at::Tensor& levels_nchw) const {
  // As the graph of 2015 has it: 0 … 255 becomes −1 … 0.99.
  at::Tensor x = (levels_nchw - 128) / 128;
  for (const Block& block : blocks_) x = run(block, x);
  return x.mean({2, 3});
}

NameTable inception_script_names() {
  NameTable names;
  const auto add = [&](const InceptionBlockPlan& block, const InceptionConvPlan& conv) {
    const std::string ours = block.name.empty() ? conv.name : cat(block.name, ".", conv.name);
    const std::string theirs =
        cat("layers.", block.script.empty() ? "" : block.script + ".", conv.script);
    names.add(ours + ".conv.weight", theirs + ".weight");
    names.add(ours + ".bn.bias", theirs + ".beta");
    names.add(ours + ".bn.running_mean", theirs + ".mean");
    names.add(ours + ".bn.running_var", theirs + ".var");
  };
  for (const InceptionBlockPlan& block : inception_plan()) {
    for (const InceptionBranchPlan& branch : block.branches) {
      for (const InceptionConvPlan& conv : branch.row) add(block, conv);
      for (const InceptionConvPlan& conv : branch.fork) add(block, conv);
    }
  }
  return names;
}

}  // namespace dd::models
