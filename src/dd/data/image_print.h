// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dd/core/context.h"
#include "dd/data/dataset.h"

namespace dd {

/// A picture as 9 x 8 grey levels, row by row: little enough to keep for a whole data set, enough
/// to know the picture again after it was scaled or compressed anew.
using Thumb = std::array<std::uint8_t, 72>;

/// What tells whether two images are the same, or nearly.
struct ImagePrint {
  std::string id;      ///< Dataset::id
  std::string sha256;  ///< Dataset::content_hash
  Thumb thumb{};
  std::uint64_t hash = 0;  ///< difference_hash(thumb), kept because it is compared so often
};

/// 64 bits, one for each pair of neighbours in a row: set where the right one is brighter by more
/// than two levels, so that noise in even areas sets none. (The difference hash of N. Krawetz,
/// "Kind of like that", 2013, with a threshold.)
std::uint64_t difference_hash(const Thumb& thumb);

Thumb make_thumb(const Image& image);
ImagePrint make_print(std::string id, std::string sha256, const Thumb& thumb);

/// True when difference hashes differ in at most four bits and the levels, each less its picture's
/// mean, by at most two on average. Pictures without edges (fewer than six bits) are like many
/// others and never count. The second test matters for small grey pictures: of 160 Fashion-MNIST
/// shots and 10,000 test images, thousands of pairs have nearly equal hashes, and no pair passes
/// both.
bool nearly_equal(const ImagePrint& a, const ImagePrint& b);

/// Prints of all images. Together with the ranks of `context`, of which each decodes others on
/// `threads` threads. Within a process, contents that were printed before are not decoded again.
std::vector<ImagePrint> print_images(const Dataset& dataset, std::int64_t threads,
                                     const Context& context);

/// A thumb as 144 hexadecimal digits, and back; Error(kInput) names `where` when it is none.
std::string thumb_text(const Thumb& thumb);
Thumb parse_thumb(std::string_view text, const std::string& where);

}  // namespace dd
