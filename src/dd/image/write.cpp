// SPDX-License-Identifier: Apache-2.0
#include "dd/image/write.h"

#include <spng.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {
namespace {

void check(int code) {
  if (code != SPNG_OK) fail_internal(cat("PNG encoder: ", spng_strerror(code)));
}

}  // namespace

std::string encode_png(const Image& image) {
  ensure(!image.empty() && image.rgb.size() == image.offset(0, image.height),
         "encode_png needs a picture whose bytes fit its size");
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                                    &spng_ctx_free);
  ensure(context != nullptr, "PNG encoder: out of memory");
  check(spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1));
  // Level 1 with the filters that suit smooth pictures: a few times faster than the default and
  // hardly larger.
  check(spng_set_option(context.get(), SPNG_IMG_COMPRESSION_LEVEL, 1));
  check(spng_set_option(context.get(), SPNG_FILTER_CHOICE,
                        SPNG_FILTER_CHOICE_SUB | SPNG_FILTER_CHOICE_UP));
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(image.width);
  header.height = static_cast<std::uint32_t>(image.height);
  header.bit_depth = 8;
  header.color_type = SPNG_COLOR_TYPE_TRUECOLOR;
  check(spng_set_ihdr(context.get(), &header));
  check(spng_encode_image(context.get(), image.rgb.data(), image.rgb.size(), SPNG_FMT_PNG,
                          SPNG_ENCODE_FINALIZE));
  std::size_t size = 0;
  int code = SPNG_OK;
  const std::unique_ptr<void, decltype(&std::free)> buffer(
      spng_get_png_buffer(context.get(), &size, &code), &std::free);
  check(code);
  return {static_cast<const char*>(buffer.get()), size};
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file_atomically(path, encode_png(image));
}

Image contact_sheet(std::span<const Image> images, int columns, int scale, int gap) {
  ensure(!images.empty() && columns > 0 && scale > 0 && gap >= 0,
         "contact_sheet needs images, columns, a scale and a gap");
  int cell_width = 0, cell_height = 0;
  for (const Image& image : images) {
    cell_width = std::max(cell_width, image.width * scale);
    cell_height = std::max(cell_height, image.height * scale);
  }
  const int count = static_cast<int>(images.size());
  columns = std::min(columns, count);
  const int rows = (count + columns - 1) / columns;
  Image sheet = make_image(columns * cell_width + (columns - 1) * gap,
                           rows * cell_height + (rows - 1) * gap, 255);
  for (int i = 0; i < count; ++i) {
    const Image& image = images[static_cast<std::size_t>(i)];
    const int left = i % columns * (cell_width + gap);
    const int top = i / columns * (cell_height + gap);
    for (int y = 0; y < image.height * scale; ++y) {
      for (int x = 0; x < image.width * scale; ++x) {
        std::memcpy(sheet.pixel(left + x, top + y), image.pixel(x / scale, y / scale), 3);
      }
    }
  }
  return sheet;
}

}  // namespace dd
