// SPDX-License-Identifier: Apache-2.0
// 3×3 convolutions by LibTorch (tile 0) and by Winograd's filtering with tiles of 2 and 4: where
// the constants of nn/winograd.cpp come from.
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>

#include <array>

#include "dd/nn/winograd.h"

namespace {

void convolution(benchmark::State& state) {
  const c10::NoGradGuard no_grad;
  const std::int64_t tile = state.range(4);
  const at::Tensor x = at::randn({state.range(0), state.range(1), state.range(3), state.range(3)});
  const at::Tensor weight = at::randn({state.range(2), state.range(1), 3, 3});
  const at::Tensor bias = at::randn({state.range(2)});
  for (auto _ : state) {
    at::Tensor y = tile == 0 ? at::conv2d(x, weight, bias, 1, 1)
                             : dd::nn::winograd_conv2d(x, weight, bias, tile);
    benchmark::DoNotOptimize(y);
  }
  state.counters["chosen"] =
      static_cast<double>(dd::nn::winograd_tile(x, weight, bias).value_or(0));
}

/// Batch, channels in and out, side: Stable Diffusion 2.1 at 512 pixels with guidance, its VAE, and
/// the embedded base.
void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"batch", "in", "out", "side", "tile"});
  for (const auto& [batch, in, out, side] : {std::array<std::int64_t, 4>{2, 320, 320, 64},
                                             {2, 960, 320, 64},
                                             {2, 640, 640, 32},
                                             {2, 1920, 640, 32},
                                             {2, 1280, 1280, 16},
                                             {8, 1280, 1280, 16},
                                             {2, 2560, 1280, 16},
                                             {2, 1280, 1280, 8},
                                             {2, 2560, 1280, 8},
                                             {16, 1280, 1280, 8},
                                             {1, 128, 128, 512},
                                             {1, 512, 512, 64},
                                             {16, 64, 64, 16},
                                             {16, 128, 128, 8},
                                             {16, 256, 256, 4},
                                             {64, 64, 64, 32},
                                             {16, 192, 64, 16}}) {
    for (const std::int64_t tile : {0, 2, 4}) bench->Args({batch, in, out, side, tile});
  }
}
BENCHMARK(convolution)->Apply(shapes)->Unit(benchmark::kMillisecond)->MinTime(0.2);

}  // namespace
