// SPDX-License-Identifier: Apache-2.0
// Blocks of the U-Net at the shapes of SD 2.1 for 512 px, one image, and the attention within them.
// The rate is FLOP/s.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "dd/models/resnet_block.h"
#include "dd/models/spatial_transformer.h"
#include "dd/nn/layers.h"
#include "dd/nn/parameters.h"
#include "dd/tensor/device.h"

namespace {

using benchmark::Counter;

constexpr std::int64_t kContextWidth = 1024;
constexpr std::int64_t kTokens = 77;

void note_flops(benchmark::State& state, double flops) {
  state.counters["FLOP/s"] =
      Counter(flops, Counter::kIsIterationInvariantRate, Counter::OneK::kIs1000);
}

/// Self attention: arguments are tokens and heads of 64.
void self_attention(benchmark::State& state) {
  const at::NoGradGuard no_gradients;
  const std::int64_t tokens = state.range(0);
  const std::int64_t heads = state.range(1);
  const at::Tensor x = dd::seeded_randn({1, tokens, heads * 64}, 1);
  for (auto _ : state) benchmark::DoNotOptimize(dd::nn::attention(x, x, x, {.heads = heads}));
  note_flops(state, 4.0 * static_cast<double>(tokens * tokens * heads * 64));
}
BENCHMARK(self_attention)
    ->Args({4096, 5})
    ->Args({1024, 10})
    ->Args({256, 20})
    ->Unit(benchmark::kMillisecond);

/// Arguments: width, cells a side.
void resnet_block(benchmark::State& state) {
  const at::NoGradGuard no_gradients;
  const std::int64_t width = state.range(0);
  const std::int64_t side = state.range(1);
  dd::nn::RandomSource source(1);
  dd::nn::ParameterTable table;
  const dd::models::ResnetBlock block(
      dd::nn::Scope(source, table),
      {.in = width, .out = width, .time_width = 1280, .norm_groups = 32, .norm_eps = 1e-5});
  const at::Tensor x = dd::seeded_randn({1, width, side, side}, 1);
  const at::Tensor time = dd::seeded_randn({1, 1280}, 2);
  for (auto _ : state) benchmark::DoNotOptimize(block(x, time));
  note_flops(state, 2.0 * 2 * 9 * static_cast<double>(width * width * side * side));
}
BENCHMARK(resnet_block)
    ->Args({320, 64})
    ->Args({640, 32})
    ->Args({1280, 16})
    ->Unit(benchmark::kMillisecond);

/// Arguments: width, tokens, and whether the keys and values of the text are kept.
void transformer_block(benchmark::State& state) {
  const at::NoGradGuard no_gradients;
  const std::int64_t width = state.range(0);
  const std::int64_t tokens = state.range(1);
  dd::nn::RandomSource source(1);
  dd::nn::ParameterTable table;
  const dd::models::TransformerBlock block(
      dd::nn::Scope(source, table),
      {.width = width, .heads = width / 64, .context_width = kContextWidth, .norm_groups = 32});
  const at::Tensor x = dd::seeded_randn({1, tokens, width}, 1);
  dd::models::KeyValueCache kept;
  const dd::models::TextContext context(dd::seeded_randn({1, kTokens, kContextWidth}, 2),
                                        state.range(2) != 0 ? &kept : nullptr);
  for (auto _ : state) benchmark::DoNotOptimize(block(x, block.project(context)));
}
BENCHMARK(transformer_block)
    ->Args({320, 4096, 0})
    ->Args({320, 4096, 1})
    ->Args({1280, 256, 0})
    ->Args({1280, 256, 1})
    ->Unit(benchmark::kMillisecond);

}  // namespace
