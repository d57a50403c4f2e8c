// SPDX-License-Identifier: Apache-2.0
#include "dd/ranks/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "dd/core/ranks.h"

namespace dd {

std::string describe_own_place() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  std::string text = std::string(host.data()) + '\n';
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return text;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &cores)) text += std::to_string(core) + ' ';
  }
  return text;
}

LocalRanks find_neighbours(const std::vector<std::string>& places, std::int64_t rank) {
  const auto host_of = [](const std::string& place) { return place.substr(0, place.find('\n')); };
  const std::string host = host_of(places.at(static_cast<std::size_t>(rank)));
  LocalRanks local{.rank = 0, .count = 0, .cores = 1};
  // A launcher may have bound each rank to cores of its own, or have left all cores to all.
  std::set<int> cores;
  for (std::int64_t other = 0; other < std::ssize(places); ++other) {
    const std::string& place = places[static_cast<std::size_t>(other)];
    if (host_of(place) != host) continue;
    if (other < rank) ++local.rank;
    ++local.count;
    std::istringstream numbers(place.substr(host.size()));
    for (int core = 0; numbers >> core;) cores.insert(core);
  }
  local.cores = std::max<std::int64_t>(1, std::ssize(cores));
  return local;
}

LocalRanks local_ranks(Ranks& ranks) {
  return find_neighbours(ranks.gather(describe_own_place()), ranks.rank());
}

std::string device_of_rank(const std::string& asked, std::int64_t local_rank,
                           std::int64_t devices) {
  const bool is_open = asked == "auto" || asked == "cuda";
  return is_open && devices > 0 ? "cuda:" + std::to_string(local_rank % devices) : asked;
}

}  // namespace dd
