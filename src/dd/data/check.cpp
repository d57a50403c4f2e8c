// SPDX-License-Identifier: Apache-2.0
#include "dd/data/check.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "dd/core/error.h"
#include "dd/data/dataset.h"
#include "dd/data/links.h"
#include "dd/data/named_sets.h"
#include "dd/data/parallel.h"
#include "dd/image/probe.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

/// Where a content was seen first.
struct Place {
  std::string split;
  std::string id;
  std::int64_t label;
};

class Checker {
 public:
  Checker(const CheckOptions& options, std::int64_t threads, const Context& context)
      : options_(options),
        threads_(threads),
        context_(context),
        spec_(parse_data_spec(options.data)) {
    report_.data = spec_.text();
    report_.quick = options.quick;
  }

  CheckReport run() {
    if (!options_.split.empty()) {
      look_at(options_.split, *open_dataset(spec_, options_.split));
    } else {
      // Says what is wrong with the set as a whole before single splits are tried.
      report_.class_names = open_dataset(spec_, "all")->class_names();
      for (const char* split : {"train", "val", "test"}) try_split(split);
    }
    compare_with_official();
    return std::move(report_);
  }

 private:
  void try_split(const std::string& split) {
    std::unique_ptr<Dataset> images;
    try {
      images = open_dataset(spec_, split);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      report_.absent.push_back(cat(split, ": ", error.what()));
      return;
    }
    look_at(split, *images);
  }

  void look_at(const std::string& split, const Dataset& images) {
    report_.class_names = images.class_names();
    SplitCount count{split, images.size(), {}};
    for (const auto& members : indices_by_class(images)) {
      count.by_class.push_back(std::ssize(members));
    }
    report_.splits.push_back(std::move(count));
    std::vector<std::string> hashes(static_cast<std::size_t>(images.size()));
    std::map<std::int64_t, ImageFault> missing;
    std::map<std::int64_t, ImageFault> damaged;
    std::mutex mutex;
    for_each_parallel(images.size(), threads_, context_, "check " + split, [&](std::int64_t i) {
      const fs::path file = images.file(i);
      try {
        hashes[static_cast<std::size_t>(i)] = examine(images, i, file);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kInput) throw;
        std::error_code ignored;
        const bool is_missing = !file.empty() && !fs::exists(file, ignored);
        const std::lock_guard lock(mutex);
        (is_missing ? missing : damaged)[i] = {split, images.id(i), error.what()};
      }
    });
    for (auto& [i, fault] : missing) report_.missing.push_back(std::move(fault));
    for (auto& [i, fault] : damaged) report_.damaged.push_back(std::move(fault));
    find_duplicates(split, images, hashes);
  }

  /// Returns the content's hash where it was read.
  std::string examine(const Dataset& images, std::int64_t index, const fs::path& file) const {
    if (options_.quick) {
      if (file.empty()) return {};
      check_plain_file(file);
      probe_image(file);
      return {};
    }
    images.image(index);
    return images.content_hash(index);
  }

  void find_duplicates(const std::string& split, const Dataset& images,
                       const std::vector<std::string>& hashes) {
    for (std::int64_t i = 0; i < images.size(); ++i) {
      const std::string& hash = hashes[static_cast<std::size_t>(i)];
      if (hash.empty()) continue;
      const Place place{split, images.id(i), images.label(i)};
      const auto [found, fresh] = seen_.emplace(hash, place);
      const Place& first = found->second;
      if (fresh || (first.split == split && first.label == place.label)) continue;
      report_.duplicates.push_back(
          {first.split, first.id, split, place.id, first.label == place.label});
    }
  }

  void compare_with_official() {
    const NamedSet* set = find_named_set(spec_.kind);
    if (set == nullptr) return;
    report_.official_images = set->images;
    std::map<std::string, std::int64_t> images;
    for (const SplitCount& count : report_.splits) {
      for (std::size_t c = 0; c < count.by_class.size(); ++c) {
        images[report_.class_names[c]] += count.by_class[c];
      }
    }
    for (std::string& name : set->class_names()) {
      if (images[name] == 0) report_.missing_classes.push_back(std::move(name));
    }
  }

  const CheckOptions& options_;
  std::int64_t threads_;
  const Context& context_;
  DataSpec spec_;
  CheckReport report_;
  std::map<std::string, Place> seen_;
};

}  // namespace

void CheckOptions::visit(FieldVisitor& visitor) {
  visitor.field(
      "data", data,
      {.help = "a folder, NAME:ROOT, a list (.csv, .jsonl) or shards (.tar)", .required = true});
  visitor.field("split", split, {.help = "look at this split alone"});
  visitor.field("quick", quick, {.help = "read the headers of images instead of decoding them"});
  visitor.field("json", json, {.help = "for programs instead of for people"});
}

std::vector<std::string> CheckReport::problems() const {
  std::vector<std::string> problems;
  if (!missing.empty()) {
    problems.push_back(
        cat(missing.size(), " images are missing, ", missing.front().id,
            " first; fetch the set again, mount what they link to, or take them out"));
  }
  if (!damaged.empty()) {
    problems.push_back(cat(damaged.size(), " images are damaged, ", damaged.front().id,
                           " first; fetch them again or take them out"));
  }
  for (const std::string& split : absent) {
    if (split.starts_with("train: ")) problems.push_back(split);
  }
  return problems;
}

CheckReport check_dataset(const CheckOptions& options, std::int64_t threads,
                          const Context& context) {
  check_options(options);
  return Checker(options, threads, context).run();
}

}  // namespace dd
