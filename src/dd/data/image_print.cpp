// SPDX-License-Identifier: Apache-2.0
#include "dd/data/image_print.h"

#include <bit>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "dd/core/error.h"
#include "dd/data/shared_lines.h"
#include "dd/image/resize.h"

namespace dd {
namespace {

constexpr int kColumns = 9;
constexpr int kRows = 8;

/// Thumbs by content, so that a test set is decoded once for all seeds and stages of a run.
class ThumbMemo {
 public:
  std::optional<Thumb> find(const std::string& sha256) {
    const std::lock_guard lock(mutex_);
    const auto found = thumbs_.find(sha256);
    if (found == thumbs_.end()) return std::nullopt;
    return found->second;
  }
  void keep(const std::string& sha256, const Thumb& thumb) {
    constexpr std::size_t kMost = 500'000;  // some 100 MB
    const std::lock_guard lock(mutex_);
    if (thumbs_.size() < kMost) thumbs_.emplace(sha256, thumb);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Thumb> thumbs_;
};

ThumbMemo& memo() {
  static ThumbMemo kept;
  return kept;
}

int mean_level(const Thumb& thumb) {
  return std::accumulate(thumb.begin(), thumb.end(), 0) / static_cast<int>(thumb.size());
}

}  // namespace

Thumb make_thumb(const Image& image) {
  const Image small = resize(image, kColumns, kRows, ResizeFilter::kBox);
  Thumb thumb;
  for (std::size_t i = 0; i < thumb.size(); ++i) {
    // Luma of ITU-R BT.601, rounded.
    const std::uint8_t* pixel = small.rgb.data() + 3 * i;
    thumb[i] =
        static_cast<std::uint8_t>((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
  }
  return thumb;
}

std::uint64_t difference_hash(const Thumb& thumb) {
  std::uint64_t hash = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t column = 0; column + 1 < kColumns; ++column) {
      const std::size_t at = row * kColumns + column;
      hash = hash << 1 | (thumb[at + 1] > thumb[at] + 2 ? 1U : 0U);
    }
  }
  return hash;
}

ImagePrint make_print(std::string id, std::string sha256, const Thumb& thumb) {
  return {std::move(id), std::move(sha256), thumb, difference_hash(thumb)};
}

bool nearly_equal(const ImagePrint& a, const ImagePrint& b) {
  constexpr int kMostBits = 4;
  constexpr int kLeastEdges = 6;
  if (std::popcount(a.hash ^ b.hash) > kMostBits || std::popcount(a.hash) < kLeastEdges) {
    return false;
  }
  const int shift = mean_level(a.thumb) - mean_level(b.thumb);
  int difference = 0;
  for (std::size_t i = 0; i < a.thumb.size(); ++i) {
    difference += std::abs(a.thumb[i] - b.thumb[i] - shift);
  }
  return difference <= 2 * static_cast<int>(a.thumb.size());
}

std::vector<ImagePrint> print_images(const Dataset& dataset, std::int64_t threads,
                                     const Context& context) {
  const auto line_of = [&](std::int64_t index) {
    const std::string sha256 = dataset.content_hash(index);
    std::optional<Thumb> thumb = memo().find(sha256);
    if (!thumb) {
      thumb = make_thumb(dataset.image(index));
      memo().keep(sha256, *thumb);
    }
    return thumb_text(*thumb) + sha256;
  };
  std::vector<ImagePrint> prints;
  const auto lines = share_lines(dataset.size(), threads, context, "compare images", line_of);
  for (std::int64_t index = 0; index < dataset.size(); ++index) {
    const std::string& line = lines[static_cast<std::size_t>(index)];
    constexpr std::size_t kThumb = 2 * std::tuple_size_v<Thumb>;
    prints.push_back(make_print(dataset.id(index), line.substr(kThumb),
                                parse_thumb(line.substr(0, kThumb), dataset.id(index))));
  }
  return prints;
}

std::string thumb_text(const Thumb& thumb) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t level : thumb) {
    text += kDigits[level >> 4];
    text += kDigits[level & 15];
  }
  return text;
}

Thumb parse_thumb(std::string_view text, const std::string& where) {
  Thumb thumb{};
  const auto digit = [&](std::size_t at) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t value = kDigits.find(text[at]);
    if (value == kDigits.npos) fail_input(cat(where, ": the thumb holds \"", text[at], "\""));
    return value;
  };
  if (text.size() != 2 * thumb.size()) fail_input(cat(where, ": the thumb has another size"));
  for (std::size_t i = 0; i < thumb.size(); ++i) {
    thumb[i] = static_cast<std::uint8_t>(16 * digit(2 * i) + digit(2 * i + 1));
  }
  return thumb;
}

}  // namespace dd
