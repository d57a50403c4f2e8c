// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace dd::io {

/// Where the numbers of a tensor lie, counted in elements.
struct TensorLayout {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

/// Elements from the first to the last of the layout, 0 for an empty tensor; nothing when an extent
/// or a stride is negative, their numbers differ, or the count leaves 63 bits.
std::optional<std::uint64_t> span_of(const TensorLayout& layout);

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

/// A tensor on bytes that `keep` owns, of which it needs span_of(layout) elements. A copy only when
/// they do not lie at a multiple of the element's size, as the processor wants it.
at::Tensor view_of(const std::shared_ptr<const void>& keep, std::string_view bytes,
                   const TensorLayout& layout, at::ScalarType dtype);

}  // namespace dd::io
