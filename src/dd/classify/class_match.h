// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/data/dataset.h"

namespace dd::classify {

/// What is left of a class name in a folder's name, read as a prompt would read it: equal for
/// "T-shirt/top" and "T-shirt_top".
std::string plain_class_name(const std::string& name);

/// Where each of `wanted` stands in `offered`. Names match as they are, or as they read once
/// awkward characters were replaced for folder names ("T-shirt/top" and "T-shirt_top").
/// Error(kInput), naming both sides as `wanted_from` and `offered_from`, unless the classes are the
/// same.
std::vector<std::int64_t> match_classes(const std::vector<std::string>& wanted,
                                        const std::vector<std::string>& offered,
                                        const std::string& wanted_from,
                                        const std::string& offered_from);

/// Classes of a generated set in a folder.
struct SyntheticClasses {
  std::vector<std::string> names;    ///< in the order of `labels`
  std::vector<std::int64_t> labels;  ///< for each class of the folder data set
};

/// The folder's classes as metadata.jsonl names and numbers them; without that file, or where
/// classes.txt stands beside it, as `images` has them. Error(kInput) when the lines of a folder
/// disagree or a line is damaged.
SyntheticClasses read_synthetic_classes(const std::filesystem::path& folder, const Dataset& images);

}  // namespace dd::classify
