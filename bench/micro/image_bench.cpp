// SPDX-License-Identifier: Apache-2.0
// Decoding and resizing pictures.
#include <benchmark/benchmark.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "dd/core/files.h"
#include "dd/image/read.h"
#include "dd/image/resize.h"
#include "dd/image/write.h"

namespace {

/// Smooth with some grain, as photographs are: neither the best nor the worst case of a packer.
dd::Image picture(int side) {
  dd::Image image = dd::make_image(side, side);
  unsigned grain = 1;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      grain = grain * 1664525U + 1013904223U;
      const double wave = 110 + 90 * std::sin(x * 0.03) * std::cos(y * 0.02);
      const auto level = static_cast<std::uint8_t>(wave + (grain >> 28U));
      for (int channel = 0; channel < 3; ++channel) image.pixel(x, y)[channel] = level;
    }
  }
  return image;
}

void encode_png(benchmark::State& state) {
  const dd::Image image = picture(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(dd::encode_png(image));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode_png)->Arg(32)->Arg(512)->Unit(benchmark::kMillisecond);

void decode_png(benchmark::State& state) {
  const std::string bytes = dd::encode_png(picture(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(dd::decode_image(bytes, "picture"));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_png)->Arg(32)->Arg(512)->Unit(benchmark::kMillisecond);

/// A JPEG of the tests, so that no encoder is needed.
void decode_jpeg(benchmark::State& state) {
  const std::filesystem::path file =
      std::filesystem::path(DD_SOURCE_DIR) / "tests/oracle/clip/images/wide.jpg";
  const std::string bytes = dd::read_file(file);
  for (auto _ : state) benchmark::DoNotOptimize(dd::decode_image(bytes, "picture"));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(decode_jpeg)->Unit(benchmark::kMillisecond);

void resize_to_224(benchmark::State& state) {
  const dd::Image image = picture(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(dd::resize(image, 224, 224));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(resize_to_224)->Arg(256)->Arg(512)->Unit(benchmark::kMillisecond);

}  // namespace
