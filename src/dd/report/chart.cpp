// SPDX-License-Identifier: Apache-2.0
#include "dd/report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dd/core/error.h"
#include "dd/report/html.h"

namespace dd::report {
namespace {

constexpr double kWidth = 560;
constexpr double kHeight = 260;
constexpr double kLeft = 56;
constexpr double kRight = 12;
constexpr double kTop = 12;
constexpr double kBottom = 34;
constexpr std::size_t kColours = 6;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  double part(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

bool finite(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

struct Frame {
  Range x;
  Range y;

  double left(double value) const { return kLeft + x.part(value) * (kWidth - kLeft - kRight); }
  double top(double value) const {
    return kHeight - kBottom - y.part(value) * (kHeight - kTop - kBottom);
  }
};

/// 1, 2 or 5 times a power of ten, so that about four steps fill the range.
double step_of(const Range& range) {
  const double raw = (range.high - range.low) / 4;
  if (!(raw > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

std::string tick_text(double value, double step) {
  const double digits = std::ceil(-std::log10(step) - 1e-9);
  return fixed(value, static_cast<int>(std::clamp(digits, 0.0, 6.0)));
}

std::string axes(const Frame& frame, const std::string& x_name) {
  std::string svg;
  const double step_y = step_of(frame.y);
  for (double value = std::ceil(frame.y.low / step_y) * step_y; value <= frame.y.high;
       value += step_y) {
    const std::string y = fixed(frame.top(value), 1);
    svg += cat("<line class=\"grid\" x1=\"", kLeft, "\" x2=\"", kWidth - kRight, "\" y1=\"", y,
               "\" y2=\"", y, "\" /><text x=\"", kLeft - 6, "\" y=\"", y,
               "\" dy=\"4\" text-anchor=\"end\">", tick_text(value, step_y), "</text>");
  }
  const double step_x = step_of(frame.x);
  for (double value = std::ceil(frame.x.low / step_x) * step_x; value <= frame.x.high;
       value += step_x) {
    svg += cat("<text x=\"", fixed(frame.left(value), 1), "\" y=\"", kHeight - kBottom + 16,
               "\" text-anchor=\"middle\">", tick_text(value, step_x), "</text>");
  }
  return svg + cat("<text x=\"", (kLeft + kWidth - kRight) / 2, "\" y=\"", kHeight - 3,
                   "\" text-anchor=\"middle\">", escape(x_name), "</text>");
}

std::string line(const Frame& frame, const Series& series, std::size_t colour) {
  std::string points;
  for (const auto& point : series.points) {
    if (!finite(point)) continue;
    points += cat(points.empty() ? "" : " ", fixed(frame.left(point.first), 1), ",",
                  fixed(frame.top(point.second), 1));
  }
  return cat("<polyline class=\"line s", colour, series.dashed ? " dashed" : "", "\" points=\"",
             points, "\" />");
}

}  // namespace

std::string line_chart(const std::string& title, const std::string& x_name,
                       const std::vector<Series>& series) {
  Frame frame;
  for (const Series& one : series) {
    for (const auto& point : one.points) {
      if (!finite(point)) continue;
      frame.x.take(point.first);
      frame.y.take(point.second);
    }
  }
  if (frame.x.empty()) return {};
  std::string lines;
  std::string legend;
  for (std::size_t i = 0; i < series.size(); ++i) {
    lines += line(frame, series[i], i % kColours);
    legend += cat("<span><i class=\"key s", i % kColours, series[i].dashed ? " dashed" : "",
                  "\"></i>", escape(series[i].name), "</span> ");
  }
  return cat("<figure><figcaption>", escape(title), "</figcaption><svg viewBox=\"0 0 ", kWidth, " ",
             kHeight, "\" role=\"img\" aria-label=\"", escape(title), "\">", axes(frame, x_name),
             lines, "</svg><p class=\"legend\">", legend, "</p></figure>\n");
}

}  // namespace dd::report
