// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "dd/metrics/frechet.h"
#include "dd/tensor/device.h"

namespace {

/// FID of two sets of 2,000 images on features of the given width: CLIP ViT-B/16 has 512,
/// Inception 2048.
void frechet_distance(benchmark::State& state) {
  const at::Tensor real = dd::seeded_randn({2000, state.range(0)}, 1);
  const at::Tensor synthetic = dd::seeded_randn({2000, state.range(0)}, 2);
  for (auto _ : state) benchmark::DoNotOptimize(dd::frechet_distance(real, synthetic));
}
BENCHMARK(frechet_distance)->Arg(512)->Arg(2048)->Unit(benchmark::kMillisecond);

}  // namespace
