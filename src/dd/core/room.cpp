// SPDX-License-Identifier: Apache-2.0
#include "dd/core/room.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <limits>
#include <sstream>

#include "dd/core/error.h"

namespace dd {
namespace fs = std::filesystem;

std::optional<std::int64_t> free_space(const fs::path& folder) {
  std::error_code error;
  fs::path place = fs::absolute(folder, error).lexically_normal();
  while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  const fs::space_info space = fs::space(place, error);
  if (error) return std::nullopt;
  constexpr auto kMost = static_cast<std::uintmax_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(space.available, kMost));
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::ostringstream text;
  text << std::fixed << std::setprecision(unit == 0 ? 0 : 1) << value << ' ' << kUnits.at(unit);
  return text.str();
}

void report_space(const fs::path& folder, std::int64_t bytes, const std::string& what,
                  Reporter& report) {
  const std::optional<std::int64_t> free = free_space(folder);
  const std::string need = cat(what, " take at most ", bytes_text(bytes), " on disk");
  if (!free) return report.info(need);
  if (bytes <= *free) return report.info(cat(need, ", ", bytes_text(*free), " are free"));
  report.warn(cat(need, ", but only ", bytes_text(*free), " are free in ", folder.string(),
                  "; free some space, or name another --out"));
}

std::int64_t whole_bytes(double bytes) {
  constexpr double kMost = 1e18;  // sums of a few still fit
  return static_cast<std::int64_t>(std::clamp(bytes, 0.0, kMost));
}

void report_memory(const MemoryNeed& need, const std::string& what, Reporter& report) {
  const std::string text = cat(what, " take ", bytes_text(need.bytes), " of memory");
  if (!need.available) return report.info(text);
  if (need.fits()) {
    return report.info(cat(text, ", ", bytes_text(*need.available), " are available"));
  }
  report.warn(cat(text, ", but only ", bytes_text(*need.available),
                  " are available; close other programs, or take a smaller model, fewer or smaller "
                  "images, or --dtype bf16"));
}

}  // namespace dd
