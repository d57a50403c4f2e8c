// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/operator_flops.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

namespace dd {
namespace {

using Inputs = c10::ArrayRef<const c10::IValue>;

/// Null where there is no such argument or it is no tensor.
const at::Tensor* tensor_at(Inputs inputs, std::size_t place) {
  if (place >= inputs.size() || !inputs[place].isTensor()) return nullptr;
  const at::Tensor& tensor = inputs[place].toTensor();
  return tensor.defined() ? &tensor : nullptr;
}

double product_flops(Inputs inputs, std::size_t first) {
  const at::Tensor* a = tensor_at(inputs, first);
  const at::Tensor* b = tensor_at(inputs, first + 1);
  if (!a || !b || b->dim() < 2) return 0;
  return 2.0 * static_cast<double>(a->numel()) * static_cast<double>(b->size(-1));
}

double pixels_of(const at::Tensor& tensor) {
  double pixels = static_cast<double>(tensor.size(0));
  for (std::int64_t dim = 2; dim < tensor.dim(); ++dim)
    pixels *= static_cast<double>(tensor.size(dim));
  return pixels;
}

/// Every weight is used once for each pixel of the side that the kernel walks over.
double convolution_flops(Inputs inputs) {
  const at::Tensor* input = tensor_at(inputs, 0);
  const at::Tensor* weight = tensor_at(inputs, 1);
  if (!input || !weight || inputs.size() < 7 || input->dim() < 3 || input->dim() != weight->dim() ||
      !inputs[3].isIntList() || !inputs[4].isIntList() || !inputs[5].isIntList() ||
      !inputs[6].isBool())
    return 0;
  const double used = 2.0 * static_cast<double>(weight->numel());
  if (inputs[6].toBool()) return used * pixels_of(*input);
  const auto stride = inputs[3].toIntVector();
  const auto padding = inputs[4].toIntVector();
  const auto dilation = inputs[5].toIntVector();
  const auto of_side = [](const std::vector<std::int64_t>& values, std::size_t side) {
    return values[std::min(side, values.size() - 1)];
  };
  if (stride.empty() || padding.empty() || dilation.empty()) return 0;
  double pixels = static_cast<double>(input->size(0));
  for (std::int64_t dim = 2; dim < input->dim(); ++dim) {
    const auto side = static_cast<std::size_t>(dim - 2);
    const std::int64_t reach = of_side(dilation, side) * (weight->size(dim) - 1) + 1;
    const std::int64_t room = input->size(dim) + 2 * of_side(padding, side) - reach;
    const std::int64_t places = room / of_side(stride, side) + 1;
    pixels *= static_cast<double>(places);
  }
  return used * pixels;
}

/// (grad_output, input, weight, ..., transposed, ..., output_mask): once for each gradient asked
/// for.
double convolution_backward_flops(Inputs inputs) {
  const at::Tensor* gradient = tensor_at(inputs, 0);
  const at::Tensor* input = tensor_at(inputs, 1);
  const at::Tensor* weight = tensor_at(inputs, 2);
  if (!gradient || !input || !weight || inputs.size() < 11 || !inputs[7].isBool() ||
      !inputs[10].isBoolList())
    return 0;
  const auto asked = inputs[10].toBoolList();
  const double times = (asked.size() > 0 && asked.get(0) ? 1.0 : 0.0) +
                       (asked.size() > 1 && asked.get(1) ? 1.0 : 0.0);
  const at::Tensor& walked = inputs[7].toBool() ? *input : *gradient;
  return times * 2.0 * static_cast<double>(weight->numel()) * pixels_of(walked);
}

/// Queries against keys, then weights against values; the backward pass does the first again and
/// takes two products for each of the two.
double attention_flops(Inputs inputs, std::size_t first, double with_keys, double with_values) {
  const at::Tensor* q = tensor_at(inputs, first);
  const at::Tensor* k = tensor_at(inputs, first + 1);
  const at::Tensor* v = tensor_at(inputs, first + 2);
  if (!q || !k || !v || q->dim() < 3 || k->dim() < 3 || v->dim() < 3 || q->size(-1) == 0) return 0;
  const std::int64_t queries = q->numel() / q->size(-1);
  const auto rows = static_cast<double>(queries);
  const double keys = static_cast<double>(k->size(-2));
  return 2.0 * rows * keys *
         (with_keys * static_cast<double>(q->size(-1)) +
          with_values * static_cast<double>(v->size(-1)));
}

}  // namespace

double operator_flops(std::string_view name, Inputs inputs) {
  if (name == "aten::mm" || name == "aten::bmm") return product_flops(inputs, 0);
  if (name == "aten::addmm" || name == "aten::baddbmm") return product_flops(inputs, 1);
  if (name == "aten::convolution") return convolution_flops(inputs);
  if (name == "aten::convolution_backward") return convolution_backward_flops(inputs);
  if (name == "aten::scaled_dot_product_attention") return attention_flops(inputs, 0, 1, 1);
  if (name.starts_with("aten::_scaled_dot_product_") && name.ends_with("_backward"))
    return attention_flops(inputs, 1, 3, 2);
  return 0;
}

}  // namespace dd
