// SPDX-License-Identifier: Apache-2.0
#include "dd/data/dataset.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/fields.h"
#include "dd/data/fashion_mnist.h"
#include "dd/data/folder.h"

namespace dd {
namespace {

constexpr const char* kFolder = "folder";

// A set with a name of its own and an official layout.
struct NamedSet {
  const char* name;
  std::unique_ptr<Dataset> (*open)(const std::filesystem::path& root, const std::string& split,
                                   const ReadOptions& reading);
};

constexpr NamedSet kNamedSets[] = {
    {"fashion-mnist", [](const std::filesystem::path& root, const std::string& split,
                         const ReadOptions&) { return open_fashion_mnist(root, split); }},
};

const NamedSet* find_named(const std::string& name) {
  const auto* found =
      std::ranges::find_if(kNamedSets, [&](const NamedSet& set) { return name == set.name; });
  return found == std::end(kNamedSets) ? nullptr : found;
}

}  // namespace

std::vector<std::vector<std::int64_t>> indices_by_class(const Dataset& dataset) {
  std::vector<std::vector<std::int64_t>> classes(dataset.class_names().size());
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    classes[static_cast<std::size_t>(dataset.label(i))].push_back(i);
  }
  return classes;
}

std::string DataSpec::text() const {
  return kind == kFolder ? root.string() : cat(kind, ":", root.string());
}

std::vector<std::string> known_datasets() {
  std::vector<std::string> names;
  for (const NamedSet& set : kNamedSets) names.emplace_back(set.name);
  return names;
}

DataSpec parse_data_spec(const std::string& text) {
  if (text.empty()) fail_usage("the data set has no name; write DIR or NAME:ROOT");
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  if (colon != std::string::npos && find_named(name) != nullptr) {
    if (colon + 1 == text.size()) {
      fail_usage(cat("the data set \"", text, "\" has no folder; write ", name, ":ROOT"));
    }
    return {name, text.substr(colon + 1)};
  }
  std::error_code ignored;
  if (std::filesystem::exists(text, ignored)) return {kFolder, text};
  if (find_named(text) != nullptr) {
    fail_usage(cat("the data set \"", text, "\" has no folder; write ", text, ":ROOT"));
  }
  // A slash before the colon makes it a path.
  if (colon != std::string::npos && name.find('/') == std::string::npos) {
    fail_usage(cat("there is no data set called \"", name, "\"; did you mean ",
                   nearest_name(name, known_datasets()), ":", text.substr(colon + 1), "?"));
  }
  return {kFolder, text};
}

std::unique_ptr<Dataset> open_dataset(const DataSpec& spec, const std::string& split,
                                      const ReadOptions& reading) {
  if (spec.kind == kFolder) return open_folder(spec.root, split, reading);
  const NamedSet* set = find_named(spec.kind);
  if (set == nullptr) fail_usage(cat("there is no data set called \"", spec.kind, "\""));
  return set->open(spec.root, split, reading);
}

}  // namespace dd
