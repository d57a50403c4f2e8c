// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/data/dataset.h"

namespace dd {

/// True for "a.tar" and for a pattern of such names, "a-{000..012}.tar".
bool is_shard_pattern(const std::string& text);

/// True when the folder itself holds .tar files, and no folders, which would be classes.
bool holds_shards(const std::filesystem::path& folder);

/// The files that a pattern stands for: "{000..012}" counts with as many digits as are written.
/// Error(kUsage) for a range that is none or has more than a million members.
std::vector<std::filesystem::path> expand_shards(const std::string& pattern);

/// WebDataset shards (plain tar files): a pattern, or a folder of them. Neighbouring members with
/// the same name up to the first dot are one sample: an image (.jpg, .jpeg, .png, .webp) and its
/// class: `.cls` holds a number or a name, `.json` the keys `label` or `cls` (a number or a name)
/// and `class` or `class_name`; `.txt` is a name where no other member gives one. Samples without
/// an image are left out. Names of classes are found as label_book.h says; classes.txt lies beside
/// the shards.
///
/// A shard belongs to the split whose name its own name holds as a word ("imagenet-val-0001.tar");
/// to train where it holds none. Each shard is read once from end to end for an index, and images
/// by their offset. Error(kInput) names a shard that is missing, damaged or compressed.
std::unique_ptr<Dataset> open_shards(const std::filesystem::path& pattern_or_folder,
                                     const std::string& split, const ReadOptions& reading = {});

}  // namespace dd
