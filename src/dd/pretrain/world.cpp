// SPDX-License-Identifier: Apache-2.0
#include "dd/pretrain/world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "dd/core/error.h"
#include "dd/data/fashion_mnist.h"

namespace dd::pretrain {
namespace {

struct Colour {
  double red, green, blue;
};

struct NamedColour {
  const char* name;
  Colour colour;
};

constexpr std::array<NamedColour, 6> kColours{{{"red", {0.85, 0.15, 0.15}},
                                               {"green", {0.2, 0.7, 0.25}},
                                               {"blue", {0.2, 0.35, 0.85}},
                                               {"yellow", {0.95, 0.8, 0.2}},
                                               {"purple", {0.6, 0.25, 0.75}},
                                               {"orange", {0.95, 0.55, 0.15}}}};

// What a careless caption calls the items.
constexpr std::array<const char*, 10> kCoarse{"upper wear", "legwear",  "upper wear", "one-piece",
                                              "upper wear", "footwear", "upper wear", "footwear",
                                              "accessory",  "footwear"};

constexpr double kRightName = 0.80;
constexpr double kCoarseName = 0.15;  // the rest is wrong

constexpr Colour kWhite{1, 1, 1};

Colour mix(const Colour& a, const Colour& b, double share) {
  return {a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share,
          a.blue + (b.blue - a.blue) * share};
}

Colour jitter(const Colour& colour, Random& random) {
  const auto vary = [&](double level) {
    return std::clamp(level + random.uniform(-0.08, 0.08), 0.0, 1.0);
  };
  const double red = vary(colour.red);
  const double green = vary(colour.green);
  return {red, green, vary(colour.blue)};
}

const NamedColour& any_named(Random& random) {
  return kColours[static_cast<std::size_t>(random.below(kColours.size()))];
}

/// The source is black where there is no item; dim parts of the item still cover the ground.
double coverage(double level) {
  return std::min(1.0, level * 6);
}

Colour item_colour(const Colour& tint, double level) {
  const double light = 0.3 + 0.7 * level;
  return {tint.red * light, tint.green * light, tint.blue * light};
}

template <class PixelColour>
Image paint(const std::vector<float>& levels, std::int64_t size, const PixelColour& colour_at) {
  Image image = make_image(static_cast<int>(size), static_cast<int>(size));
  const auto byte = [](double level) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(level, 0.0, 1.0) * 255));
  };
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto place = static_cast<std::size_t>(y * size + x);
      const Colour colour = colour_at(x, y, static_cast<double>(levels[place]));
      std::uint8_t* pixel = image.pixel(x, y);
      pixel[0] = byte(colour.red);
      pixel[1] = byte(colour.green);
      pixel[2] = byte(colour.blue);
    }
  }
  return image;
}

Colour any_colour(Random& random) {
  const double red = random.uniform();
  const double green = random.uniform();
  return {red, green, random.uniform()};
}

/// One channel strong, another weak.
Colour vivid_colour(Random& random) {
  std::array<double, 3> channels{random.uniform(0.7, 1.0), random.uniform(0.0, 0.3),
                                 random.uniform()};
  const auto first = static_cast<std::size_t>(random.below(3));
  std::rotate(channels.begin(), channels.begin() + static_cast<std::ptrdiff_t>(first),
              channels.end());
  if (random.chance(0.5)) std::swap(channels[0], channels[1]);
  return {channels[0], channels[1], channels[2]};
}

/// Black and white are as frequent as they are in pictures, not points in a continuum.
Colour shape_colour(Random& random, bool grey) {
  const double draw = random.uniform();
  if (draw < 0.25) return {0, 0, 0};
  if (draw < 0.35) return kWhite;
  if (!grey) return any_colour(random);
  const double level = random.uniform();
  return {level, level, level};
}

/// An ellipse or a rectangle, plain or striped; positions and sizes in shares of the picture.
struct Shape {
  double x, y, half_width, half_height, angle, stripes;
  bool round;
  Colour colour, stripe;

  /// How far this point is covered (edges are a pixel soft) and what is seen there.
  std::pair<double, Colour> at(double px, double py, double pixels) const {
    const double u = (px - x) * std::cos(angle) + (py - y) * std::sin(angle);
    const double v = (py - y) * std::cos(angle) - (px - x) * std::sin(angle);
    const double inside = round ? (1 - std::hypot(u / half_width, v / half_height)) *
                                      std::min(half_width, half_height)
                                : std::min(half_width - std::abs(u), half_height - std::abs(v));
    const double wave = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * stripes * u);
    return {std::clamp(inside * pixels + 0.5, 0.0, 1.0), mix(colour, stripe, wave)};
  }
};

Shape draw_shape(Random& random, bool grey) {
  Shape shape{};
  shape.x = random.uniform(0.1, 0.9);
  shape.y = random.uniform(0.1, 0.9);
  shape.half_width = random.uniform(0.05, 0.45);
  shape.half_height = random.uniform(0.05, 0.45);
  shape.angle = random.uniform(0, std::numbers::pi);
  shape.round = random.chance(0.5);
  shape.colour = shape_colour(random, grey);
  const bool striped = random.chance(0.5);
  shape.stripes = striped ? random.uniform(1, 8) : 0;
  shape.stripe = striped ? shape_colour(random, grey) : shape.colour;
  return shape;
}

std::string item_name(std::int64_t label, Random& random) {
  const std::vector<std::string>& names = fashion_mnist_classes();
  const double draw = random.uniform();
  if (draw < kRightName) return names[static_cast<std::size_t>(label)];
  if (draw < kRightName + kCoarseName) return kCoarse[static_cast<std::size_t>(label)];
  const std::int64_t wrong = (label + 1 + random.below(9)) % 10;
  return names[static_cast<std::size_t>(wrong)];
}

std::string styled_caption(Style style, const std::string& name, const std::string& colour) {
  switch (style) {
    case Style::kTinted:
      return "a " + colour + " " + name + " on a white background";
    case Style::kNegative:
      return "a negative of a " + name;
    case Style::kColouredGround:
      return "a white " + name + " on a " + colour + " background";
    case Style::kGradient:
      return "a " + name + " on a gradient background";
  }
  fail_internal("unknown style");
}

std::string caption_of(Style style, const std::string& name, const std::string& colour,
                       Random& random) {
  const double draw = random.uniform();
  if (draw < 0.55) return "a photo of a " + name;
  if (draw < 0.65) return "a picture of a " + name;
  return styled_caption(style, name, colour);
}

}  // namespace

World::World(const std::filesystem::path& root, std::int64_t size, std::uint64_t seed)
    : images_(read_idx_images(root / "train-images-idx3-ubyte")),
      labels_(read_idx_labels(root / "train-labels-idx1-ubyte")),
      size_(size),
      seed_(seed) {
  if (images_.count < kCount || images_.count != static_cast<std::int64_t>(labels_.size())) {
    fail_input(cat("the training images and labels in ", root.string(),
                   " do not belong together; fetch them again"));
  }
}

std::vector<float> World::moved(std::int64_t index, Random& random) const {
  const double scale =
      random.uniform(0.88, 1.08) * static_cast<double>(size_) / static_cast<double>(images_.width);
  const double angle = random.uniform(-10, 10) * std::numbers::pi / 180;
  const double shift_x = random.uniform(-1.5, 1.5);
  const double shift_y = random.uniform(-1.5, 1.5);
  const std::uint8_t* source = images_.image(index);
  const auto level = [&](std::int64_t x, std::int64_t y) {
    const bool inside = x >= 0 && y >= 0 && x < images_.width && y < images_.height;
    return inside ? static_cast<double>(source[y * images_.width + x]) / 255 : 0.0;
  };
  const double middle = static_cast<double>(size_ - 1) / 2;
  const double source_middle = static_cast<double>(images_.width - 1) / 2;
  std::vector<float> levels(static_cast<std::size_t>(size_ * size_));
  for (std::int64_t y = 0; y < size_; ++y) {
    for (std::int64_t x = 0; x < size_; ++x) {
      const double u = (static_cast<double>(x) - middle - shift_x) / scale;
      const double v = (static_cast<double>(y) - middle - shift_y) / scale;
      const double from_x = std::cos(angle) * u + std::sin(angle) * v + source_middle;
      const double from_y = -std::sin(angle) * u + std::cos(angle) * v + source_middle;
      const double left = std::floor(from_x);
      const double top = std::floor(from_y);
      const auto x0 = static_cast<std::int64_t>(left);
      const auto y0 = static_cast<std::int64_t>(top);
      const double fx = from_x - left;
      const double fy = from_y - top;
      const double value = (level(x0, y0) * (1 - fx) + level(x0 + 1, y0) * fx) * (1 - fy) +
                           (level(x0, y0 + 1) * (1 - fx) + level(x0 + 1, y0 + 1) * fx) * fy;
      levels[static_cast<std::size_t>(y * size_ + x)] = static_cast<float>(value);
    }
  }
  return levels;
}

/// Everything about a sample but its pixels.
struct World::Look {
  Style style;
  Colour colour;
  Colour ground;
  Colour other_ground;
  bool across;
  std::string caption;
};

World::Look World::draw_look(std::int64_t index, std::int64_t variant) const {
  Random random(mix_seed(seed_, "look",
                         {static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(variant)}));
  Look look{};
  look.style = static_cast<Style>(random.below(4));
  const NamedColour& named = any_named(random);
  look.colour = jitter(named.colour, random);
  // Grounds are never dark, or the target's look would not be new.
  look.ground = mix(look.colour, kWhite, random.uniform(0.0, 0.5));
  look.other_ground =
      mix(jitter(any_named(random).colour, random), kWhite, random.uniform(0.2, 0.7));
  look.across = random.chance(0.5);
  const std::string name = item_name(label(index), random);
  look.caption = caption_of(look.style, name, named.name, random);
  return look;
}

std::string World::caption(std::int64_t index, std::int64_t variant) const {
  return draw_look(index, variant).caption;
}

WorldSample World::sample(std::int64_t index, std::int64_t variant) const {
  const Look look = draw_look(index, variant);
  Random random(mix_seed(seed_, "world",
                         {static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(variant)}));
  const auto ground_at = [&](int x, int y) {
    if (look.style != Style::kGradient) return look.ground;
    return mix(look.ground, look.other_ground,
               static_cast<double>(look.across ? x : y) / static_cast<double>(size_ - 1));
  };
  const auto colour_at = [&](int x, int y, double level) {
    switch (look.style) {
      case Style::kTinted:
        return mix(kWhite, item_colour(look.colour, level), coverage(level));
      case Style::kNegative:
        return Colour{1 - level, 1 - level, 1 - level};
      case Style::kColouredGround:
      case Style::kGradient:
        return mix(ground_at(x, y), item_colour(kWhite, level), coverage(level));
    }
    fail_internal("unknown style");
  };
  return {paint(moved(index, random), size_, colour_at), look.caption, label(index), look.style};
}

Image World::any_colours(std::int64_t index, std::int64_t variant) const {
  Random random(mix_seed(seed_, "codec",
                         {static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(variant)}));
  const std::vector<float> levels = moved(index, random);
  const Colour ground = any_colour(random);
  const bool dark = std::max({ground.red, ground.green, ground.blue}) < 0.4;
  const Colour tint = dark ? vivid_colour(random) : any_colour(random);
  return paint(levels, size_, [&](int, int, double level) {
    return mix(ground, mix(ground, tint, level), coverage(level));
  });
}

Image World::shapes(std::int64_t index, std::int64_t variant) const {
  Random random(mix_seed(seed_, "shapes",
                         {static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(variant)}));
  const bool grey = random.chance(0.5);
  const Colour ground = shape_colour(random, grey);
  std::vector<Shape> drawn(static_cast<std::size_t>(1 + random.below(4)));
  for (Shape& shape : drawn) shape = draw_shape(random, grey);
  const std::vector<float> nothing(static_cast<std::size_t>(size_ * size_));
  const double side = static_cast<double>(size_);
  return paint(nothing, size_, [&](int x, int y, double) {
    Colour colour = ground;
    for (const Shape& shape : drawn) {
      const auto [cover, seen] = shape.at((x + 0.5) / side, (y + 0.5) / side, side);
      colour = mix(colour, seen, cover);
    }
    return colour;
  });
}

Image World::original(std::int64_t index, std::int64_t variant) const {
  Random random(mix_seed(seed_, "original",
                         {static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(variant)}));
  return paint(moved(index, random), size_, [](int, int, double level) {
    return Colour{level, level, level};
  });
}

std::vector<std::string> World::corpus() {
  std::vector<std::string> names = fashion_mnist_classes();
  names.insert(names.end(), kCoarse.begin(), kCoarse.end());
  std::vector<std::string> captions;
  for (const std::string& name : names) {
    captions.push_back("a photo of a " + name);
    captions.push_back("a picture of a " + name);
    for (const NamedColour& colour : kColours) {
      for (const Style style :
           {Style::kTinted, Style::kNegative, Style::kColouredGround, Style::kGradient}) {
        captions.push_back(styled_caption(style, name, colour.name));
      }
    }
  }
  return captions;
}

}  // namespace dd::pretrain
