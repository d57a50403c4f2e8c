// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>

#include "dd/nn/resting.h"
#include "dd/nn/winograd_tiles.h"

namespace dd::nn {
namespace {

using torch::autograd::AutogradContext;
using Tensors = torch::autograd::variable_list;

/// How the work is cut: what is transformed lies in buffers that should not outgrow the caches by
/// much. Tile rows of the whole batch go through in chunks, and for each of them the filters in
/// blocks of outputs.
struct Cutting {
  static constexpr std::int64_t kFloats = 6'000'000;  ///< of a buffer

  Cutting(const Tiling& shape, std::int64_t batch, std::int64_t ins, std::int64_t outputs)
      : tiling(shape), rows(batch * shape.rows()), outs(outputs) {
    const std::int64_t tiles = kFloats / (tiling.numbers() * std::max(ins, outs));
    rows_at_once = std::clamp<std::int64_t>(tiles / tiling.columns(), 1, rows);
    outs_at_once = std::clamp<std::int64_t>(kFloats / (tiling.numbers() * ins), 1, outs);
  }
  std::int64_t last_row(std::int64_t first) const { return std::min(first + rows_at_once, rows); }
  /// How often each filter is transformed: for each chunk again, unless all are at hand.
  std::int64_t filter_turns() const {
    return outs_at_once < outs ? (rows + rows_at_once - 1) / rows_at_once : 1;
  }

  Tiling tiling;
  std::int64_t rows;  ///< of tiles, of all images
  std::int64_t outs;
  std::int64_t rows_at_once = 1;
  std::int64_t outs_at_once = 1;
};

double as_double(std::int64_t value) {
  return static_cast<double>(value);
}

/// What a way costs, in multiplications of a matrix product. A number that is laid out anew costs
/// as much as so many of them where it is made and read again; measured on two cores of an EPYC
/// with AVX-512 by bench/micro.
double direct_cost(const at::Tensor& x_nchw, std::int64_t ins, std::int64_t outs) {
  // LibTorch lays weights out anew in each call; that counts where they do not fit the caches.
  constexpr std::int64_t kCached = 2'000'000;
  const double weight = 9 * ins * outs > kCached ? 120 : 0;
  const double positions = as_double(x_nchw.size(0) * x_nchw.size(2) * x_nchw.size(3));
  return 9 * as_double(ins * outs) * (positions + weight);
}

double tiled_cost(const Cutting& cut, std::int64_t ins, std::int64_t outs) {
  constexpr double kTileNumber = 150;
  constexpr double kFilterNumber = 80;
  const double tiles = as_double(cut.rows * cut.tiling.columns());
  const double filters = as_double(ins * outs);
  return as_double(cut.tiling.numbers()) *
         (tiles * filters + kTileNumber * tiles * as_double(ins + outs) +
          kFilterNumber * filters * as_double(cut.filter_turns()));
}

/// Matrices in memory that the next convolution of this thread takes again: fresh pages would cost
/// as much as the transforms.
class Scratch {
 public:
  enum Use { kInputs, kFilters, kResults, kUses };
  at::Tensor take(Use use, at::IntArrayRef shape) {
    std::int64_t size = 1;
    for (const std::int64_t side : shape) size *= side;
    at::Tensor& kept = kept_.at(use);
    if (!kept.defined() || kept.numel() < size) kept = at::empty({size}, at::kFloat);
    return kept.narrow(0, 0, size).view(shape);
  }
  static Scratch& own() {
    thread_local Scratch of_this_thread;
    return of_this_thread;
  }

 private:
  std::array<at::Tensor, kUses> kept_;
};

/// One convolution.
class Convolution {
 public:
  Convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t m,
              bool back)
      : x_(x),
        weight_(weight),
        bias_(bias),
        back_(back),
        ins_(x.size(1)),
        outs_(weight.size(back ? 1 : 0)),
        cut_({m, x.size(2), x.size(3)}, x.size(0), ins_, outs_),
        y_(at::empty({x.size(0), outs_, x.size(2), x.size(3)}, x.options())),
        to_(y_.mutable_data_ptr<float>()) {}

  at::Tensor compute() const {
    for (std::int64_t first = 0; first < cut_.rows; first += cut_.rows_at_once) {
      const at::Tensor tiles = take_tiles(first);
      in_parallel(ins_, [&](std::int64_t in) { transform_input(first, in, tiles); });
      for (std::int64_t begin = 0; begin < outs_; begin += cut_.outs_at_once)
        compute_outputs(first, begin, tiles);
    }
    return y_;
  }

 private:
  std::int64_t numbers() const { return cut_.tiling.numbers(); }
  std::int64_t plane() const { return cut_.tiling.height * cut_.tiling.width; }

  template <class Work>
  static void in_parallel(std::int64_t count, const Work& work) {
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) work(i);
    });
  }

  /// A block of outputs, from `begin` on, of the chunk that begins with the row `first`.
  void compute_outputs(std::int64_t first, std::int64_t begin, const at::Tensor& tiles) const {
    const std::int64_t outs = std::min(cut_.outs_at_once, outs_ - begin);
    const at::Tensor filters = Scratch::own().take(Scratch::kFilters, {numbers(), outs, ins_});
    if (first == 0 || cut_.filter_turns() > 1)
      in_parallel(outs, [&](std::int64_t k) { transform_output(begin + k, k, filters); });
    at::Tensor results = Scratch::own().take(Scratch::kResults, {numbers(), outs, tiles.size(2)});
    at::bmm_out(results, filters, tiles);
    in_parallel(outs, [&](std::int64_t k) { restore_output(first, begin + k, k, results); });
  }

  at::Tensor take_tiles(std::int64_t first) const {
    const std::int64_t tiles = (cut_.last_row(first) - first) * cut_.tiling.columns();
    return Scratch::own().take(Scratch::kInputs, {numbers(), ins_, tiles});
  }

  /// The filters of an output, into a row of `filters`. Those of the way back lead from results to
  /// inputs.
  void transform_output(std::int64_t out, std::int64_t row, const at::Tensor& filters) const {
    const float* from = weight_.const_data_ptr<float>();
    const std::int64_t step = 9 * weight_.size(1);
    const Filters of_output = back_ ? Filters{from + 9 * out, step, ins_, true}
                                    : Filters{from + step * out, 9, ins_, false};
    transform_filters(cut_.tiling.m, of_output,
                      {filters.mutable_data_ptr<float>() + row * ins_, filters.stride(0)});
  }

  /// Calls `work` with an image, its tile rows from and to, and the number of tiles before them, of
  /// the piece that begins with the row `first`.
  template <class Work>
  void for_each_image(std::int64_t first, const Work& work) const {
    const std::int64_t rows = cut_.tiling.rows();
    for (std::int64_t row = first; row < cut_.last_row(first);) {
      const std::int64_t image = row / rows;
      const std::int64_t end = std::min(cut_.last_row(first), (image + 1) * rows);
      work(image, row - image * rows, end - image * rows, (row - first) * cut_.tiling.columns());
      row = end;
    }
  }

  void transform_input(std::int64_t first, std::int64_t in, const at::Tensor& tiles) const {
    const float* from = x_.const_data_ptr<float>();
    float* to = tiles.mutable_data_ptr<float>() + in * tiles.size(2);
    for_each_image(first, [&](auto image, auto top, auto bottom, auto before) {
      transform_plane(cut_.tiling, from + (image * ins_ + in) * plane(), top, bottom,
                      {to + before, tiles.stride(0)});
    });
  }

  void restore_output(std::int64_t first, std::int64_t out, std::int64_t row,
                      const at::Tensor& results) const {
    const float* from = results.const_data_ptr<float>() + row * results.size(2);
    const float offset = bias_.defined() ? bias_.const_data_ptr<float>()[out] : 0.0F;
    for_each_image(first, [&](auto image, auto top, auto bottom, auto before) {
      restore_plane(cut_.tiling, {from + before, results.stride(0)}, top, bottom, offset,
                    to_ + (image * outs_ + out) * plane());
    });
  }

  const at::Tensor& x_;
  const at::Tensor& weight_;
  const at::Tensor& bias_;
  bool back_;
  std::int64_t ins_;
  std::int64_t outs_;
  Cutting cut_;
  at::Tensor y_;
  float* to_;
};

at::Tensor convolve(const at::Tensor& x_nchw, const at::Tensor& weight, const at::Tensor& bias,
                    std::int64_t m, bool back) {
  const at::NoGradGuard no_graph;
  return Convolution(x_nchw.contiguous(), weight, bias, m, back).compute();
}

struct WinogradConv final : torch::autograd::Function<WinogradConv> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const Still& layer,
                            std::int64_t tile) {
    context->save_for_backward({layer.weight});
    context->saved_data["tile"] = tile;
    return convolve(x, layer.weight, layer.bias, tile, false);
  }
  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const at::Tensor weight = context->get_saved_variables().at(0);
    const std::int64_t tile = context->saved_data.at("tile").toInt();
    return {convolve(gradients.at(0), weight, {}, tile, true), {}, {}};
  }
};

}  // namespace

std::optional<std::int64_t> winograd_tile(const at::Tensor& x_nchw, const at::Tensor& weight,
                                          const at::Tensor& bias) {
  const bool learns = weight.requires_grad() || (bias.defined() && bias.requires_grad());
  if (learns || !x_nchw.is_cpu() || x_nchw.scalar_type() != at::kFloat ||
      weight.scalar_type() != at::kFloat || !weight.is_contiguous() || weight.size(2) != 3 ||
      weight.size(3) != 3) {
    return std::nullopt;
  }
  const std::int64_t ins = weight.size(1);
  const std::int64_t outs = weight.size(0);
  const auto cost = [&](std::int64_t m) {
    return tiled_cost(Cutting({m, x_nchw.size(2), x_nchw.size(3)}, x_nchw.size(0), ins, outs), ins,
                      outs);
  };
  const std::int64_t tile = cost(2) < cost(4) ? 2 : 4;
  // What is not counted should not turn a small gain into a loss.
  return 1.1 * cost(tile) < direct_cost(x_nchw, ins, outs) ? std::optional(tile) : std::nullopt;
}

at::Tensor winograd_conv2d(const at::Tensor& x_nchw, const at::Tensor& weight,
                           const at::Tensor& bias, std::int64_t tile) {
  if (at::GradMode::is_enabled() && x_nchw.requires_grad())
    return WinogradConv::apply(x_nchw, Still{weight, bias}, tile);
  return convolve(x_nchw, weight, bias, tile, false);
}

}  // namespace dd::nn
