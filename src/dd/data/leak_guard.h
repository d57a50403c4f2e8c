// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "dd/data/image_print.h"

namespace dd {

/// The images of one part in a run. Images of one role are never compared with each other.
struct PrintSet {
  std::string role;  ///< "few-shot", "validation", "synthetic" or "test"
  std::vector<ImagePrint> prints;
};

/// One image that stands in two roles.
struct Leak {
  std::string role;
  std::string id;
  std::string other_role;
  std::string other_id;

  /// "few-shot train/cat/1.png and test test/cat/7.png"
  std::string text() const;
};

/// Counts are of all pairs; the lists hold the first ten of them.
struct LeakReport {
  std::int64_t equal = 0;  ///< by content hash
  std::int64_t near = 0;   ///< by nearly_equal, those of equal content not counted again
  std::vector<Leak> equal_pairs{};
  std::vector<Leak> near_pairs{};
};

/// Compares every set with every other of another role. Equal contents are looked up; for near ones
/// every pair is compared, a few nanoseconds each.
LeakReport find_leaks(std::span<const PrintSet> sets, const CancelToken& cancel = never_stopped());

/// What check_leaks does about equal images.
enum class LeakAction { kRefuse, kWarn };

/// Error(kInput), naming both images, when an image stands in two roles; warns, with examples, of
/// images that nearly do. With kWarn, equal ones are only warned of as well: for images that are
/// not claimed to be a test. Together with the ranks of `context`, of which the first looks.
void check_leaks(std::span<const PrintSet> sets, const Context& context,
                 LeakAction action = LeakAction::kRefuse);

/// Prints as JSON lines (role, id, sha256, thumb), to be compared with a test set later, and back.
/// Error(kInput) names file and line of what is damaged.
void write_prints(const std::filesystem::path& path, std::span<const PrintSet> sets);
std::vector<PrintSet> read_prints(const std::filesystem::path& path);

}  // namespace dd
