// SPDX-License-Identifier: Apache-2.0
#include "dd/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "dd/core/error.h"

namespace dd {
namespace {

// PIL's fixed point: 8 bits of pixel and 2 bits of head room leave 22 of 32 for the weights.
constexpr int kWeightBits = 32 - 8 - 2;

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double filter_support(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kBox:
      return 0.5;
    case ResizeFilter::kBilinear:
      return 1.0;
    case ResizeFilter::kBicubic:
      return 2.0;
    case ResizeFilter::kLanczos:
      return 3.0;
  }
  fail_internal("unknown resize filter");
}

double filter_value(ResizeFilter filter, double x) {
  if (filter == ResizeFilter::kBox) return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
  const double distance = std::abs(x);
  if (filter == ResizeFilter::kBilinear) return std::max(0.0, 1.0 - distance);
  if (filter == ResizeFilter::kLanczos) return distance < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
  constexpr double kA = -0.5;  // Keys' cubic as PIL has it; OpenCV takes -0.75
  if (distance < 1.0) return ((kA + 2.0) * distance - (kA + 3.0)) * distance * distance + 1.0;
  if (distance < 2.0) return (((distance - 5.0) * distance + 8.0) * distance - 4.0) * kA;
  return 0.0;
}

// The inputs that make one output value: `count` of them from `first`, with weights from `begin`.
struct Span {
  int first;
  int count;
  std::size_t begin;
};

template <class Number>
struct Weights {
  std::vector<Span> spans;
  std::vector<Number> values;
};

int half_up(double value) {
  return static_cast<int>(std::floor(value + 0.5));
}

Weights<double> exact_weights(int in_size, int out_size, ResizeFilter filter) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double stretch = std::max(scale, 1.0);
  const double support = filter_support(filter) * stretch;
  Weights<double> weights;
  for (int out = 0; out < out_size; ++out) {
    const double center = (out + 0.5) * scale;
    const int first = std::max(0, half_up(center - support));
    const int end = std::min(in_size, half_up(center + support));
    const std::size_t begin = weights.values.size();
    double sum = 0.0;
    // Multiplying by the inverse, as PIL does, decides ties of the box filter.
    const double shrink = 1.0 / stretch;
    for (int in = first; in < end; ++in) {
      weights.values.push_back(filter_value(filter, (in - center + 0.5) * shrink));
      sum += weights.values.back();
    }
    weights.spans.push_back({first, end - first, begin});
    if (sum == 0.0) continue;
    for (std::size_t i = begin; i < weights.values.size(); ++i) weights.values[i] /= sum;
  }
  return weights;
}

Weights<std::int32_t> make_weights(int in_size, int out_size, ResizeFilter filter) {
  Weights<double> exact = exact_weights(in_size, out_size, filter);
  Weights<std::int32_t> weights{std::move(exact.spans), {}};
  for (const double value : exact.values) {
    const double fixed = value * (1 << kWeightBits);
    weights.values.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
  }
  return weights;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

Image resize_rows(const Image& image, int width, ResizeFilter filter) {
  const Weights<std::int32_t> weights = make_weights(image.width, width, filter);
  Image result = make_image(width, image.height);
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* out = result.pixel(0, y);
    for (const Span& span : weights.spans) {
      const std::uint8_t* in = image.pixel(span.first, y);
      const std::int32_t* weight = weights.values.data() + span.begin;
      std::int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int i = 0; i < span.count; ++i, in += 3) {
        red += in[0] * weight[i];
        green += in[1] * weight[i];
        blue += in[2] * weight[i];
      }
      *out++ = to_byte(red);
      *out++ = to_byte(green);
      *out++ = to_byte(blue);
    }
  }
  return result;
}

Image resize_columns(const Image& image, int height, ResizeFilter filter) {
  const Weights<std::int32_t> weights = make_weights(image.height, height, filter);
  Image result = make_image(image.width, height);
  const auto row_bytes = static_cast<std::size_t>(image.width) * 3;
  std::vector<std::int32_t> sums(row_bytes);
  for (int y = 0; y < height; ++y) {
    const Span& span = weights.spans[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int i = 0; i < span.count; ++i) {
      const std::uint8_t* in = image.pixel(0, span.first + i);
      const std::int32_t weight = weights.values[span.begin + static_cast<std::size_t>(i)];
      for (std::size_t x = 0; x < row_bytes; ++x) sums[x] += in[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), result.pixel(0, y), to_byte);
  }
  return result;
}

// Rounding between the passes makes their order visible. This rule was inferred, not read from
// Pillow's source: it told the order right for all 8,914 of 9,000 random sizes (bilinear, bicubic,
// Lanczos) where the two orders differ, with Pillow 13.0.
bool rows_first(const Image& image, int width, int height) {
  return height >= image.height || image.height - height <= 2 * (std::int64_t{image.width} - width);
}

/// One value of one channel: `step` lies between the inputs.
float weighted(const float* in, std::size_t step, const Span& span, const double* weight) {
  double sum = 0.0;
  for (int i = 0; i < span.count; ++i) sum += weight[i] * in[static_cast<std::size_t>(i) * step];
  return static_cast<float>(sum);
}

}  // namespace

Image resize(const Image& image, int width, int height, ResizeFilter filter) {
  ensure(!image.empty() && width > 0 && height > 0, "resize needs a picture and a positive size");
  // A pass that keeps its size would change nothing; PIL leaves it out as well.
  if (image.width == width) {
    return image.height == height ? image : resize_columns(image, height, filter);
  }
  if (image.height == height) return resize_rows(image, width, filter);
  if (rows_first(image, width, height)) {
    return resize_columns(resize_rows(image, width, filter), height, filter);
  }
  return resize_rows(resize_columns(image, height, filter), width, filter);
}

std::vector<float> resize_levels(const Image& image, int width, int height, ResizeFilter filter) {
  ensure(!image.empty() && width > 0 && height > 0, "resize needs a picture and a positive size");
  const Weights<double> across = exact_weights(image.width, width, filter);
  const Weights<double> down = exact_weights(image.height, height, filter);
  const std::vector<float> levels(image.rgb.begin(), image.rgb.end());
  const auto row = static_cast<std::size_t>(width) * 3;
  std::vector<float> wide;
  wide.reserve(row * static_cast<std::size_t>(image.height));
  for (int y = 0; y < image.height; ++y) {
    for (const Span& span : across.spans) {
      const float* in = levels.data() + image.offset(span.first, y);
      const double* weight = across.values.data() + span.begin;
      for (std::size_t c = 0; c < 3; ++c) wide.push_back(weighted(in + c, 3, span, weight));
    }
  }
  std::vector<float> result;
  result.reserve(row * static_cast<std::size_t>(height));
  for (const Span& span : down.spans) {
    const float* in = wide.data() + static_cast<std::size_t>(span.first) * row;
    const double* weight = down.values.data() + span.begin;
    for (std::size_t x = 0; x < row; ++x) {
      result.push_back(std::clamp(weighted(in + x, row, span, weight), 0.0F, 255.0F));
    }
  }
  return result;
}

Image resize_short_side(const Image& image, int size, ResizeFilter filter) {
  ensure(!image.empty() && size > 0, "resize_short_side needs a picture and a positive size");
  const auto long_side = [&](int longer, int shorter) {
    return static_cast<int>(static_cast<std::int64_t>(size) * longer / shorter);
  };
  if (image.width <= image.height) {
    return resize(image, size, long_side(image.height, image.width), filter);
  }
  return resize(image, long_side(image.width, image.height), size, filter);
}

Image thumbnail(const Image& image, int side) {
  return std::min(image.width, image.height) > side ? resize_short_side(image, side) : image;
}

Image crop(const Image& image, int x, int y, int width, int height) {
  ensure(x >= 0 && y >= 0 && width > 0 && height > 0 && width <= image.width - x &&
             height <= image.height - y,
         "crop lies outside the picture");
  Image result = make_image(width, height);
  for (int row = 0; row < height; ++row) {
    std::memcpy(result.pixel(0, row), image.pixel(x, y + row), static_cast<std::size_t>(width) * 3);
  }
  return result;
}

Image center_crop(const Image& image, int size) {
  return crop(image, (image.width - size) / 2, (image.height - size) / 2, size, size);
}

Image flip_horizontal(const Image& image) {
  Image result = make_image(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::memcpy(result.pixel(image.width - 1 - x, y), image.pixel(x, y), 3);
    }
  }
  return result;
}

}  // namespace dd
