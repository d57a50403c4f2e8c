// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/data/dataset.h"
#include "dd/data/pixel_file.h"
#include "dd/image/resize.h"

namespace dd {

struct CacheOptions {
  int short_side = 224;  ///< px after resizing; 0 keeps each image's size
  bool square =
      true;  ///< then cut the middle square (short_side x short_side; with 0, the largest)
  ResizeFilter filter = ResizeFilter::kBicubic;
  std::int64_t threads = 1;                        ///< that decode
  std::int64_t max_bytes = std::int64_t{8} << 30;  ///< of pixels to keep in memory
  std::filesystem::path file{};  ///< keep them in such a PixelFile instead; empty = in memory
};

/// A data set with all its images decoded, resized and kept as 8-bit pixels, in memory or in a
/// mapped file: for training that visits each image many times.
class ImageCache final : public Dataset {
 public:
  /// Decodes everything; the source is not used for pixels afterwards. Error(kInput) names a
  /// damaged image, Error(kResource) says that the images need more than max_bytes,
  /// Error(kCancelled).
  ImageCache(std::shared_ptr<const Dataset> source, const CacheOptions& options,
             const Context& context);

  const std::vector<std::string>& class_names() const override { return source_->class_names(); }
  std::int64_t size() const override { return source_->size(); }
  std::int64_t label(std::int64_t index) const override { return source_->label(index); }
  std::string id(std::int64_t index) const override { return source_->id(index); }
  std::string content_hash(std::int64_t index) const override {
    return source_->content_hash(index);
  }
  Image image(std::int64_t index) const override;

 private:
  /// An image's size, and where its pixels lie: in `own`, or in the file from `begin` on.
  struct Entry {
    int width = 0;
    int height = 0;
    std::int64_t begin = 0;
    std::vector<std::uint8_t> own{};
  };

  std::shared_ptr<const Dataset> source_;
  std::unique_ptr<PixelFile> file_;
  std::vector<Entry> entries_;
};

/// An image that cannot be decoded.
struct DamagedImage {
  std::int64_t index;
  std::string problem;  ///< the error's text, which names the file
};

/// Decodes every image once and lists the damaged ones, so that a caller may go on with the subset
/// without them, and say so. `threads` decode.
std::vector<DamagedImage> find_damaged(const Dataset& dataset, std::int64_t threads,
                                       const Context& context);

}  // namespace dd
