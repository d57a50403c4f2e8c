// SPDX-License-Identifier: Apache-2.0
#include "dd/ranks/launch.h"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace dd {
namespace {

std::optional<std::int64_t> number_in(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view view(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size()) return std::nullopt;
  return value;
}

struct Names {
  const char* rank;
  const char* count;
};

// Slurm's are those of a step, which srun alone makes: SLURM_NTASKS stands in a batch script's own
// environment too, where one process runs.
constexpr Names kLaunchers[] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                {"PMI_RANK", "PMI_SIZE"},
                                {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}};

}  // namespace

Launch find_launch(const std::function<const char*(const char*)>& lookup) {
  for (const Names& names : kLaunchers) {
    const auto rank = number_in(lookup(names.rank));
    const auto count = number_in(lookup(names.count));
    if (rank && count && *count >= 1 && *rank >= 0 && *rank < *count)
      return {*rank, *count, names.count};
  }
  return {};
}

Launch find_launch() {
  return find_launch([](const char* name) -> const char* { return std::getenv(name); });
}

}  // namespace dd
