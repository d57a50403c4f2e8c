// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dd {

/// What a list or a shard says of an image's class: a number, a name, or both.
struct GivenLabel {
  std::optional<std::int64_t> number{};
  std::string name{};
};

/// Reads "3" as a number and anything else as a name.
GivenLabel parse_label(const std::string& text);

/// Finds out which classes there are from what the images say. Where `classes_file` exists, it
/// lists the names in label order, a line each, and numbers and names must be among them. Otherwise
/// classes are numbered as the images say where all have numbers and each number has one name, and
/// in the order of the bytes of their names where none has a number.
class LabelBook {
 public:
  /// `what` names the set in messages. Error(kInput) when `classes_file` names a class twice.
  LabelBook(const std::filesystem::path& classes_file, std::string what);

  /// Notes an image's label; `where` says who wrote it. Error(kInput): neither number nor name, a
  /// class that classes.txt lacks, a second name for a number, a number out of range.
  void add(const GivenLabel& label, const std::string& where);

  /// The names in label order, once all labels were added. Error(kInput): numbers without names
  /// (prompts need names), some with and some without, a gap, one name for two numbers.
  std::vector<std::string> class_names() const;

  /// The label of an image whose label was added.
  std::int64_t label_of(const GivenLabel& label) const;

 private:
  std::string what_;
  std::filesystem::path classes_file_;
  std::vector<std::string> listed_;              ///< by classes.txt
  std::map<std::string, std::int64_t> numbers_;  ///< of names
  std::map<std::int64_t, std::string> names_;    ///< of numbers
  bool has_unnumbered_ = false;
};

}  // namespace dd
