// SPDX-License-Identifier: Apache-2.0
#include "dd/io/tensor_view.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "dd/core/error.h"

namespace dd::io {

std::optional<std::uint64_t> span_of(const TensorLayout& layout) {
  if (layout.shape.size() != layout.strides.size()) return std::nullopt;
  std::int64_t span = 1;
  std::int64_t count = 1;
  bool empty = false;
  for (std::size_t i = 0; i < layout.shape.size(); ++i) {
    const std::int64_t extent = layout.shape[i];
    const std::int64_t stride = layout.strides[i];
    std::int64_t step = 0;
    if (extent < 0 || stride < 0 ||
        __builtin_mul_overflow(count, std::max<std::int64_t>(extent, 1), &count) ||
        __builtin_mul_overflow(std::max<std::int64_t>(extent - 1, 0), stride, &step) ||
        __builtin_add_overflow(span, step, &span)) {
      return std::nullopt;
    }
    empty = empty || extent == 0;
  }
  return empty ? 0 : static_cast<std::uint64_t>(span);
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

at::Tensor view_of(const std::shared_ptr<const void>& keep, std::string_view bytes,
                   const TensorLayout& layout, at::ScalarType dtype) {
  const std::optional<std::uint64_t> span = span_of(layout);
  const std::size_t element = c10::elementSize(dtype);
  ensure(span && *span <= bytes.size() / element, "a tensor reaches past its bytes");
  if (*span == 0) return at::empty(layout.shape, dtype);
  auto* address = const_cast<char*>(bytes.data());
  if (reinterpret_cast<std::uintptr_t>(address) % element == 0) {
    return at::from_blob(
        address, layout.shape, layout.strides, [keep](void*) {}, at::TensorOptions().dtype(dtype));
  }
  at::Tensor copy = at::empty({static_cast<std::int64_t>(*span)}, dtype);
  std::memcpy(copy.mutable_data_ptr(), address, *span * element);
  return copy.as_strided(layout.shape, layout.strides);
}

}  // namespace dd::io
