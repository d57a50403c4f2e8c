// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "dd/data/dataset.h"

namespace dd {

/// Draws `shots` images a class. A class's draw depends on the seed, its name and its own images
/// only, so other classes may come and go; a smaller draw is the beginning of a larger one. Ordered
/// by label, then in drawing order. Error(kInput) names a class with fewer images and both counts.
std::vector<std::int64_t> draw_shots(const Dataset& dataset, std::int64_t shots,
                                     std::uint64_t seed);

/// Error(kUsage) for a split that shots must not come from: "test", which is for the last number
/// alone.
void check_shot_split(const std::string& split);

/// Few shots, parted for a validation loss on images that are not trained on.
struct ShotSplit {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// Holds out `held_out` images of every class among `shots`, chosen by the seed; both parts keep
/// their order. Error(kUsage) when a class would have none left to train on.
ShotSplit held_out_shots(const Dataset& dataset, std::span<const std::int64_t> shots,
                         std::int64_t held_out, std::uint64_t seed);

/// What shots.json holds beside the images themselves.
struct ShotRecord {
  std::string data;        ///< DataSpec::text()
  std::string split;       ///< the split the indices point into
  std::uint64_t seed = 0;  ///< of the draw
  std::int64_t shots = 0;  ///< K
  std::vector<std::int64_t> indices;
};

/// Writes ids, labels and content hashes of the shots, with how they were drawn; atomically.
void write_shots(const std::filesystem::path& path, const Dataset& dataset,
                 const ShotRecord& record);

/// Finds the recorded shots in `dataset` again by id. Error(kInput) names the file and the first
/// image that is missing, has another class or has other content.
ShotRecord read_shots(const std::filesystem::path& path, const Dataset& dataset);

}  // namespace dd
