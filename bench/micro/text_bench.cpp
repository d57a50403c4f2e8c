// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <filesystem>

#include "dd/text/tokenizer.h"

namespace {

void tokenize(benchmark::State& state) {
  const dd::ClipTokenizer tokenizer = dd::ClipTokenizer::load(
      std::filesystem::path(DD_SOURCE_DIR) / "assets/base/stable-diffusion/tokenizer");
  for (auto _ : state) {
    benchmark::DoNotOptimize(tokenizer.encode("a photo of a black leather ankle boot"));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(tokenize);

}  // namespace
