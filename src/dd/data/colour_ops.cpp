// SPDX-License-Identifier: Apache-2.0
#include "dd/data/colour_ops.h"

#include <algorithm>
#include <array>
#include <cmath>

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
  return static_cast<double>(sum) / static_cast<double>(image.rgb.size() / 3);
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

std::vector<double> gaussian(double sigma) {
  const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma)));
  std::vector<double> weights;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) {
    weights.push_back(std::exp(-0.5 * i * i / (sigma * sigma)));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// One pass along rows or columns: `length` pixels `stride` bytes apart, from `first` on.
void blur_line(const std::uint8_t* in, std::uint8_t* out, int length, std::size_t stride,
               const std::vector<double>& weights) {
  const int radius = static_cast<int>(weights.size() / 2);
  for (int at = 0; at < length; ++at) {
    std::array<double, 3> sum{};
    for (int i = -radius; i <= radius; ++i) {
      const int from = std::clamp(at + i, 0, length - 1);
      const std::uint8_t* pixel = in + static_cast<std::size_t>(from) * stride;
      const double weight = weights[static_cast<std::size_t>(i + radius)];
      for (std::size_t channel = 0; channel < 3; ++channel) {
        sum[channel] += weight * pixel[channel];
      }
    }
    std::uint8_t* pixel = out + static_cast<std::size_t>(at) * stride;
    std::transform(sum.begin(), sum.end(), pixel, to_byte);
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
  const std::vector<double> weights = gaussian(sigma);
  Image rows = image;
  for (int y = 0; y < image.height; ++y) {
    blur_line(image.pixel(0, y), rows.pixel(0, y), image.width, 3, weights);
  }
  const std::size_t stride = image.offset(0, 1);
  for (int x = 0; x < image.width; ++x) {
    blur_line(rows.pixel(x, 0), image.pixel(x, 0), image.height, stride, weights);
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
