// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dd::models {

struct KeyValues {
  at::Tensor keys;    ///< [B, T, width]
  at::Tensor values;  ///< [B, T, width]
};

/// The cross-attention keys and values that one U-Net made of one context. They do not change over
/// the steps of sampling. Good for the weights it was filled with only: after a LoRA was exchanged,
/// start with an empty one. Not for training; not thread-safe.
class KeyValueCache {
 public:
  /// What is kept for this layer, or what `make` returns, which then is kept.
  template <class Make>
  const KeyValues& get(const void* layer, const Make& make) {
    const auto known = kept_.find(layer);
    return known != kept_.end() ? known->second : kept_.emplace(layer, make()).first->second;
  }
  bool empty() const { return kept_.empty(); }

 private:
  std::unordered_map<const void*, KeyValues> kept_;
};

/// What cross attention sees.
struct TextContext {
  at::Tensor states;               ///< [B, T, context_width]
  KeyValueCache* cache = nullptr;  ///< of these very states; none = computed at each call

  TextContext(at::Tensor text, KeyValueCache* keep = nullptr)
      : states(std::move(text)), cache(keep) {}
};

/// What was computed once for all texts, in rows for `rows` texts: B rows become n · B, over and
/// over again.
inline at::Tensor for_texts(const at::Tensor& x, std::int64_t rows) {
  if (x.size(0) == rows) return x;
  std::vector<std::int64_t> times(static_cast<std::size_t>(x.dim()), 1);
  times[0] = rows / x.size(0);
  return x.repeat(times);
}

}  // namespace dd::models
