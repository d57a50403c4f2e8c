// SPDX-License-Identifier: Apache-2.0
#include "dd/data/dataset.h"

#include "dd/core/error.h"
#include "dd/core/fields.h"
#include "dd/data/folder.h"
#include "dd/data/list_file.h"
#include "dd/data/named_sets.h"
#include "dd/data/shards.h"

namespace dd {
namespace {

constexpr const char* kFolder = "folder";
constexpr const char* kList = "list";
constexpr const char* kShards = "shards";

}  // namespace

std::int64_t name_bytes(const Dataset& dataset) {
  std::int64_t bytes = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) bytes += std::ssize(dataset.id(i));
  return bytes;
}

std::vector<std::vector<std::int64_t>> indices_by_class(const Dataset& dataset) {
  std::vector<std::vector<std::int64_t>> classes(dataset.class_names().size());
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    classes[static_cast<std::size_t>(dataset.label(i))].push_back(i);
  }
  return classes;
}

bool DataSpec::is_named() const {
  return find_named_set(kind) != nullptr;
}

std::string DataSpec::text() const {
  return is_named() ? cat(kind, ":", root.string()) : root.string();
}

std::optional<std::string> domain_word(const DataSpec& spec) {
  const NamedSet* set = find_named_set(spec.kind);
  if (set == nullptr) return std::nullopt;
  return set->domain;
}

std::vector<std::string> known_datasets() {
  std::vector<std::string> names;
  for (const NamedSet& set : named_sets()) names.emplace_back(set.name);
  return names;
}

DataSpec parse_data_spec(const std::string& text) {
  if (text.empty()) fail_usage("the data set has no name; write DIR or NAME:ROOT");
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  if (colon != std::string::npos && find_named_set(name) != nullptr) {
    if (colon + 1 == text.size()) {
      fail_usage(cat("the data set \"", text, "\" has no folder; write ", name, ":ROOT"));
    }
    return {name, text.substr(colon + 1)};
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(text, ignored)) {
    return {kFolder, text};
  }
  if (is_list_file(text)) return {kList, text};
  if (is_shard_pattern(text)) return {kShards, text};
  if (std::filesystem::exists(text, ignored)) return {kFolder, text};
  if (find_named_set(text) != nullptr) {
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
  if (spec.kind == kFolder) {
    if (holds_shards(spec.root)) return open_shards(spec.root, split, reading);
    return open_folder(spec.root, split, reading);
  }
  if (spec.kind == kList) return open_list_file(spec.root, split, reading);
  if (spec.kind == kShards) return open_shards(spec.root, split, reading);
  const NamedSet* set = find_named_set(spec.kind);
  if (set == nullptr) fail_usage(cat("there is no data set called \"", spec.kind, "\""));
  return set->open(spec.root, split, reading);
}

}  // namespace dd
