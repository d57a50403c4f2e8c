// SPDX-License-Identifier: Apache-2.0
#include "dd/data/label_book.h"

#include <charconv>
#include <utility>

#include "dd/core/error.h"
#include "dd/data/lines.h"
#include "dd/data/links.h"

namespace dd {
namespace {

// More classes than any set has; a larger number is a damaged one.
constexpr std::int64_t kMaxClasses = 1'000'000;
constexpr std::int64_t kNoNumber = -1;

}  // namespace

GivenLabel parse_label(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return {number, ""};
  return {std::nullopt, text};
}

LabelBook::LabelBook(const std::filesystem::path& classes_file, std::string what)
    : what_(std::move(what)), classes_file_(classes_file) {
  if (!is_there(classes_file)) return;
  for (const Line& line : read_lines(classes_file)) {
    if (line.text.front() == '#') continue;
    check_utf8(line, classes_file);
    if (!numbers_.emplace(line.text, std::ssize(listed_)).second) {
      fail_input(cat(classes_file.string(), ", line ", line.number, ": \"", line.text,
                     "\" is listed twice; remove one line"));
    }
    listed_.push_back(line.text);
  }
}

void LabelBook::add(const GivenLabel& label, const std::string& where) {
  if (!label.number && label.name.empty()) {
    fail_input(cat(where, " has no label; write a class name or number"));
  }
  if (label.number && (*label.number < 0 || *label.number >= kMaxClasses ||
                       (!listed_.empty() && *label.number >= std::ssize(listed_)))) {
    fail_input(cat(where, " has label ", *label.number, ", which is no class; they count from 0"));
  }
  if (!listed_.empty()) {
    if (!label.number && !numbers_.contains(label.name)) {
      fail_input(cat(where, " has class \"", label.name, "\", which ", classes_file_.string(),
                     " does not list; add it there"));
    }
    return;
  }
  if (!label.number) {
    has_unnumbered_ = true;
    numbers_.emplace(label.name, kNoNumber);
    return;
  }
  std::string& name = names_[*label.number];
  if (!label.name.empty() && !name.empty() && name != label.name) {
    fail_input(cat(where, ": label ", *label.number, " is called \"", label.name, "\" here and \"",
                   name, "\" before; write the class names to ", classes_file_.string()));
  }
  if (name.empty()) name = label.name;
}

std::vector<std::string> LabelBook::class_names() const {
  if (!listed_.empty()) return listed_;
  std::vector<std::string> names;
  if (names_.empty()) {
    for (const auto& [name, number] : numbers_) names.push_back(name);
    return names;
  }
  for (const auto& [number, name] : names_) {
    if (name.empty() || has_unnumbered_ || number != std::ssize(names)) {
      fail_input(cat(what_, ": classes are given by number, and ",
                     name.empty()      ? "their names are missing"
                     : has_unnumbered_ ? "some by name alone"
                                       : cat("number ", names.size(), " does not occur"),
                     "; write the names in label order to ", classes_file_.string(),
                     ", one a line"));
    }
    names.push_back(name);
  }
  return names;
}

std::int64_t LabelBook::label_of(const GivenLabel& label) const {
  if (label.number) return *label.number;
  const auto found = numbers_.find(label.name);
  ensure(found != numbers_.end(), "a label that was not added");
  // Without numbers, classes stand in the order of the map.
  return found->second != kNoNumber ? found->second : std::distance(numbers_.begin(), found);
}

}  // namespace dd
