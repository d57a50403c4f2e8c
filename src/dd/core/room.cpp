// SPDX-License-Identifier: Apache-2.0
#include "dd/core/room.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <limits>
#include <sstream>

#include "dd/core/error.h"
#include "dd/core/memory.h"

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

void warn_of_memory(std::int64_t bytes, const std::string& what, Reporter& report) {
  const std::optional<std::int64_t> available = available_memory();
  if (!available || bytes <= *available) return;
  report.warn(cat(what, " take ", bytes_text(bytes), " of memory, but only ",
                  bytes_text(*available),
                  " are available; take a smaller model or --dtype bf16, or close other programs"));
}

}  // namespace dd
