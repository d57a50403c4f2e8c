// SPDX-License-Identifier: Apache-2.0
#include "dd/data/colour_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace dd {
namespace {

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

// ITU-R 601 weights in 16 binary places, as PIL's mode "L".
int luma(const std::uint8_t* pixel) {
  return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

double mean_luma(const Image& image) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) sum += luma(image.rgb.data() + i);
  const std::size_t pixels = image.rgb.size() / 3;
  return static_cast<double>(sum) / static_cast<double>(pixels);
}

// A value depends on the old value alone, so 256 results say it all.
template <class Change>
void change_values(Image& image, Change change) {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = change(static_cast<double>(i));
  for (std::uint8_t& value : image.rgb) value = table[value];
}

// One pixel's hue turned: in the plane across the grey axis, keeping maximum and minimum as HSV
// does.
void turn_hue(std::uint8_t* pixel, double turn) {
  const auto [low, high] = std::minmax({pixel[0], pixel[1], pixel[2]});
  const double range = high - low;
  if (range == 0) return;
  const double red = pixel[0], green = pixel[1], blue = pixel[2];
  double sextant = 0;
  if (pixel[0] == high) {
    sextant = (green - blue) / range;
  } else if (pixel[1] == high) {
    sextant = 2 + (blue - red) / range;
  } else {
    sextant = 4 + (red - green) / range;
  }
  const double top = high;
  // Each channel is a trapezoid over the circle, shifted by a third of a turn.
  const auto channel = [&](double shift) {
    double place = std::fmod(sextant + 6 * turn + shift, 6.0);
    if (place < 0) place += 6;
    return to_byte(top - range * std::clamp(std::min(place, 4 - place), 0.0, 1.0));
  };
  pixel[0] = channel(5);
  pixel[1] = channel(3);
  pixel[2] = channel(1);
}

/// A box whose two outermost pixels count in part, in 24 binary places.
struct Box {
  int radius = 0;            ///< of whole pixels
  std::uint32_t weight = 0;  ///< of each
  std::uint32_t rest = 0;    ///< of the two beyond them
};

// Three such boxes have a Gaussian's variance (Gwosdek et al., "Theoretical foundations of Gaussian
// convolution by extended box filtering", 2011, equations 7, 11 and 14). Single precision, as PIL.
Box box_of(double sigma) {
  const auto given = static_cast<float>(sigma);
  const float variance = given * given / 3;
  const auto length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const auto whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  const float radius = whole + part;
  constexpr std::uint32_t kOne = 1U << 24;
  Box box{.radius = static_cast<int>(radius)};
  box.weight = static_cast<std::uint32_t>(static_cast<float>(kOne) / (radius * 2 + 1));
  box.rest = (kOne - static_cast<std::uint32_t>(2 * box.radius + 1) * box.weight) / 2;
  return box;
}

// One pass along a row or a column: `length` pixels `stride` bytes apart, edges repeated.
void blur_line(const std::uint8_t* in, std::uint8_t* out, int length, std::size_t stride,
               const Box& box) {
  const auto value = [&](int at, std::size_t channel) -> std::uint32_t {
    return in[static_cast<std::size_t>(std::clamp(at, 0, length - 1)) * stride + channel];
  };
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (int at = 0; at < length; ++at) {
      std::uint32_t sum = 0;
      for (int i = -box.radius; i <= box.radius; ++i) sum += value(at + i, channel);
      const std::uint32_t beyond =
          value(at - box.radius - 1, channel) + value(at + box.radius + 1, channel);
      const std::uint32_t scaled = sum * box.weight + beyond * box.rest + (1U << 23);
      out[static_cast<std::size_t>(at) * stride + channel] =
          static_cast<std::uint8_t>(scaled >> 24);
    }
  }
}

using Histogram = std::array<std::int64_t, 256>;
using ValueTable = std::array<std::uint8_t, 256>;

ValueTable identity_table() {
  ValueTable table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint8_t>(i);
  return table;
}

// Each channel by a table that follows from how often each of its values occurs.
template <class MakeTable>
void change_channels(Image& image, MakeTable make_table) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    Histogram histogram{};
    for (std::size_t i = channel; i < image.rgb.size(); i += 3) ++histogram[image.rgb[i]];
    const ValueTable table = make_table(histogram);
    for (std::size_t i = channel; i < image.rgb.size(); i += 3) {
      image.rgb[i] = table[image.rgb[i]];
    }
  }
}

ValueTable stretching_table(const Histogram& histogram) {
  const auto occurs = [](std::int64_t count) { return count > 0; };
  const auto first = std::find_if(histogram.begin(), histogram.end(), occurs);
  const auto last = std::find_if(histogram.rbegin(), histogram.rend(), occurs);
  const auto low = static_cast<double>(first - histogram.begin());
  const auto high = static_cast<double>(histogram.rend() - last - 1);
  ValueTable table = identity_table();
  if (high <= low) return table;
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double value = static_cast<double>(i) * scale + offset;
    table[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
  return table;
}

ValueTable equalising_table(const Histogram& histogram) {
  std::int64_t pixels = 0;
  std::int64_t of_highest = 0;
  for (const std::int64_t count : histogram) {
    pixels += count;
    if (count > 0) of_highest = count;
  }
  // Pixels a step of one level; the highest value is left out, as in PIL.
  const std::int64_t step = (pixels - of_highest) / 255;
  ValueTable table = identity_table();
  if (step == 0) return table;
  std::int64_t below = step / 2;
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<std::uint8_t>(std::min<std::int64_t>(255, below / step));
    below += histogram[i];
  }
  return table;
}

// Weight 5 for the middle and 1 for each neighbour, rounded.
std::uint8_t smoothed(const Image& image, int x, int y, std::size_t channel) {
  int sum = 4 * image.pixel(x, y)[channel];
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) sum += image.pixel(x + dx, y + dy)[channel];
  }
  return static_cast<std::uint8_t>((2 * sum + 13) / 26);
}

}  // namespace

void adjust_brightness(Image& image, double factor) {
  change_values(image, [&](double value) { return to_byte(value * factor); });
}

void adjust_contrast(Image& image, double factor) {
  if (image.empty()) return;
  const double mean = std::floor(mean_luma(image) + 0.5);
  change_values(image, [&](double value) { return to_byte(mean + (value - mean) * factor); });
}

void adjust_saturation(Image& image, double factor) {
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    std::uint8_t* pixel = image.rgb.data() + i;
    const double grey = luma(pixel);
    std::transform(pixel, pixel + 3, pixel,
                   [&](std::uint8_t value) { return to_byte(grey + (value - grey) * factor); });
  }
}

void adjust_hue(Image& image, double turn) {
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) turn_hue(image.rgb.data() + i, turn);
}

void make_grey(Image& image) {
  adjust_saturation(image, 0);
}

void solarise(Image& image, int threshold) {
  for (std::uint8_t& value : image.rgb) {
    if (value >= threshold) value = static_cast<std::uint8_t>(255 - value);
  }
}

void blur(Image& image, double sigma) {
  if (sigma <= 0 || image.empty()) return;
  const Box box = box_of(sigma);
  Image other = image;
  for (int pass = 0; pass < 3; ++pass) {
    for (int y = 0; y < image.height; ++y) {
      blur_line(image.pixel(0, y), other.pixel(0, y), image.width, 3, box);
    }
    std::swap(image.rgb, other.rgb);
  }
  const std::size_t stride = image.offset(0, 1);
  for (int pass = 0; pass < 3; ++pass) {
    for (int x = 0; x < image.width; ++x) {
      blur_line(image.pixel(x, 0), other.pixel(x, 0), image.height, stride, box);
    }
    std::swap(image.rgb, other.rgb);
  }
}

void posterise(Image& image, int bits) {
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - std::clamp(bits, 0, 8)));
  for (std::uint8_t& value : image.rgb) value &= mask;
}

void auto_contrast(Image& image) {
  change_channels(image, stretching_table);
}

void equalise(Image& image) {
  change_channels(image, equalising_table);
}

void adjust_sharpness(Image& image, double factor) {
  const Image source = image;
  // In single precision and cut off, as PIL blends.
  const auto share = static_cast<float>(factor);
  for (int y = 1; y + 1 < image.height; ++y) {
    for (int x = 1; x + 1 < image.width; ++x) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const int smooth = smoothed(source, x, y, channel);
        const int own = source.pixel(x, y)[channel];
        const float value = static_cast<float>(smooth) + share * static_cast<float>(own - smooth);
        image.pixel(x, y)[channel] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
      }
    }
  }
}

}  // namespace dd
