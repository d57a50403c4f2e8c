// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dd {

class Ranks;

/// The ranks that share this machine, as seen by one of them.
struct LocalRanks {
  std::int64_t rank = 0;   ///< among those on this machine
  std::int64_t count = 1;  ///< on this machine
  std::int64_t cores = 1;  ///< that they may use, all together
};

/// What a rank tells the others of itself: its machine's name and the cores that it may use.
std::string describe_own_place();

/// Finds this rank's neighbours in what all ranks told, by rank.
LocalRanks find_neighbours(const std::vector<std::string>& places, std::int64_t rank);

/// Both for these ranks; together.
LocalRanks local_ranks(Ranks& ranks);

/// The device of a rank that is the `local_rank`-th of its machine, which has so many CUDA devices:
/// they are taken in turn where "auto" or "cuda" leave the choice. Launchers may show each rank its
/// own device alone.
std::string device_of_rank(const std::string& asked, std::int64_t local_rank, std::int64_t devices);

}  // namespace dd
