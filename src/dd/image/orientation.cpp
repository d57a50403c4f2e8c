// SPDX-License-Identifier: Apache-2.0
#include <libexif/exif-data.h>

#include <cstring>
#include <memory>
#include <utility>

#include "dd/image/raw_image.h"
#include "dd/image/resize.h"

namespace dd::detail {
namespace {

struct Unref {
  void operator()(ExifData* data) const { exif_data_unref(data); }
};

Image flip_vertical(const Image& image) {
  Image result = make_image(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    std::memcpy(result.pixel(0, image.height - 1 - y), image.pixel(0, y),
                static_cast<std::size_t>(image.width) * 3);
  }
  return result;
}

// Mirrors at the main diagonal.
Image transpose(const Image& image) {
  Image result = make_image(image.height, image.width);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) std::memcpy(result.pixel(y, x), image.pixel(x, y), 3);
  }
  return result;
}

}  // namespace

int exif_orientation(const std::string& exif) {
  using namespace std::string_literals;
  if (exif.empty()) return 1;
  // libexif wants the prefix that only JPEG has (some writers of WebP add it as well).
  const std::string prefix = "Exif\0\0"s;
  const std::string whole = exif.starts_with(prefix) ? exif : prefix + exif;
  const std::unique_ptr<ExifData, Unref> data(
      exif_data_new_from_data(reinterpret_cast<const unsigned char*>(whole.data()),
                              static_cast<unsigned int>(whole.size())));
  if (!data) return 1;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int value = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return value >= 1 && value <= 8 ? value : 1;
}

// The eight cases of EXIF 2.3, tag 0x0112: 5 … 8 swap the axes; the rest is mirroring.
Image apply_orientation(Image image, int orientation) {
  if (orientation >= 5) image = transpose(image);
  const bool mirror_x =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirror_y =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  if (mirror_x) image = flip_horizontal(image);
  if (mirror_y) image = flip_vertical(image);
  return image;
}

}  // namespace dd::detail
