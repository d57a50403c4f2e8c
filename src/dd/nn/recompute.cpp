// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/recompute.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace dd::nn {
namespace {

using torch::autograd::AutogradContext;

thread_local bool recomputing = false;

struct KeptPart final : torch::CustomClassHolder {
  explicit KeptPart(Part function) : part(std::move(function)) {}
  Part part;
};

/// The same values at the border of a part: what happens before is no business of the graph inside.
Tensors cut_off(const Tensors& inputs) {
  Tensors cut;
  for (const at::Tensor& input : inputs) {
    cut.push_back(input.detach().set_requires_grad(input.requires_grad()));
  }
  return cut;
}

struct Recompute final : torch::autograd::Function<Recompute> {
  /// `anchor` requires a gradient, for inputs that do not although parameters inside do.
  static at::Tensor forward(AutogradContext* context, const Part& part, const at::Tensor& anchor,
                            at::TensorList inputs) {
    static_cast<void>(anchor);
    const Tensors entering(inputs.begin(), inputs.end());
    context->save_for_backward(entering);
    context->saved_data["part"] = c10::IValue::make_capsule(c10::make_intrusive<KeptPart>(part));
    // With a graph, which is dropped at once: some operators choose their kernel by whether a
    // gradient is wanted, and the numbers must be those of training.
    const at::AutoGradMode with_graph(true);
    const at::Tensor value = part(cut_off(entering));
    const at::Tensor result = value.detach();
    if (!value.requires_grad()) context->mark_non_differentiable({result});
    return result;
  }

  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const Tensors entering = cut_off(context->get_saved_variables());
    constexpr std::size_t kBefore = 2;  // the part and the anchor have no gradient
    Tensors found(kBefore + entering.size());
    for (std::size_t i = 0; i < entering.size(); ++i) {
      // Taken on its way, not from .grad(), where it might be laid out anew in memory.
      if (entering[i].requires_grad()) {
        entering[i].register_hook(
            [&found, i](const at::Tensor& gradient) { found[kBefore + i] = gradient; });
      }
    }
    const auto holder = context->saved_data.at("part").toCapsule();
    const auto& part = static_cast<const KeptPart&>(*holder).part;
    at::Tensor value;
    {
      const at::AutoGradMode with_graph(true);
      value = part(entering);
    }
    torch::autograd::backward({value}, {gradients[0]});
    return found;
  }
};

}  // namespace

RecomputeGuard::RecomputeGuard(bool on) : before_(std::exchange(recomputing, on)) {}

RecomputeGuard::~RecomputeGuard() {
  recomputing = before_;
}

at::Tensor run_part(const Tensors& inputs, const Part& part) {
  if (!recomputing || !at::GradMode::is_enabled()) return part(inputs);
  const at::Tensor anchor = at::empty({0}, inputs.at(0).options()).set_requires_grad(true);
  return Recompute::apply(part, anchor, at::TensorList(inputs));
}

}  // namespace dd::nn
