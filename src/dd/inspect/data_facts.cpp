// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/data_facts.h"

#include <algorithm>
#include <map>

#include "dd/data/dataset.h"
#include "dd/image/probe.h"
#include "dd/image/read.h"

namespace dd::inspect {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kSample = 2000;
constexpr std::size_t kNamed = 20;  ///< damaged images that are named one by one

/// What the headers of a sample say.
class Headers {
 public:
  void add(const fs::path& file, bool deep) {
    ++seen_;
    try {
      const ImageHeader header = probe_image(file);
      if (deep) read_image(file);
      ++formats_[header.format];
      ++sizes_[cat(header.width, "x", header.height)];
    } catch (const Error& error) {
      damaged_.emplace_back(error.what());
    }
  }
  void report_to(Report& report) const {
    report.facts["headers_read"] = seen_;
    report.facts["formats"] = formats_;
    // The most frequent sizes, not a list of thousands.
    std::vector<std::pair<int, std::string>> sizes;
    for (const auto& [size, count] : sizes_) sizes.emplace_back(-count, size);
    std::ranges::sort(sizes);
    Json shown = Json::object();
    for (const auto& [count, size] : sizes) {
      if (shown.size() < 5) shown[size] = -count;
    }
    report.facts["sizes"] = std::move(shown);
    report.facts["different_sizes"] = sizes_.size();
    for (std::size_t i = 0; i < std::min(kNamed, damaged_.size()); ++i) {
      report.warnings.push_back(damaged_[i]);
    }
    if (damaged_.size() > kNamed) {
      report.warnings.push_back(cat(damaged_.size() - kNamed, " more damaged images"));
    }
    if (seen_ > 0 && std::ssize(damaged_) == seen_) {
      report.problems.emplace_back("no image of the set can be read");
    }
  }

 private:
  std::int64_t seen_ = 0;
  std::map<std::string, int> formats_;
  std::map<std::string, int> sizes_;
  std::vector<std::string> damaged_;
};

void add_splits(const DataSpec& spec, const std::vector<std::string>& classes, Report& report) {
  Json splits = Json::object();
  std::map<std::string, std::int64_t> totals;
  for (const char* split : {"train", "val", "test"}) {
    try {
      const std::unique_ptr<Dataset> part = open_dataset(spec, split);
      Json counts = Json::object();
      const auto by_class = indices_by_class(*part);
      for (std::size_t i = 0; i < by_class.size(); ++i) {
        counts[classes[i]] = by_class[i].size();
      }
      splits[split] = {{"images", part->size()}, {"by_class", std::move(counts)}};
    } catch (const Error&) {
      continue;  // not every set has every split
    }
  }
  report.facts["splits"] = std::move(splits);
}

}  // namespace

void examine_dataset(const std::string& text, bool deep, Report& report) {
  const DataSpec spec = parse_data_spec(text);
  report.facts["set"] = spec.kind;
  report.attempt([&] {
    const std::unique_ptr<Dataset> all = open_dataset(spec, "all");
    report.facts["images"] = all->size();
    report.facts["classes"] = all->class_names();
    add_splits(spec, all->class_names(), report);
    // Known sets pack their images into files of their own format.
    if (all->size() == 0 || all->file(0).empty()) return;
    Headers headers;
    const std::int64_t count = deep ? all->size() : std::min(kSample, all->size());
    for (std::int64_t i = 0; i < count; ++i) {
      headers.add(all->file(i * all->size() / count), deep);
    }
    headers.report_to(report);
  });
}

void examine_image(const fs::path& path, Report& report) {
  report.attempt([&] {
    const ImageHeader header = probe_image(path);
    report.facts["format"] = header.format;
    report.facts["width"] = header.width;
    report.facts["height"] = header.height;
    report.facts["bytes"] = fs::file_size(path);
  });
  if (!report.usable()) return;
  report.attempt([&] {
    const Image image = read_image(path);
    const bool turned = report.facts["width"] != image.width;
    if (turned) report.facts["shown_as"] = cat(image.width, "x", image.height, ", turned by EXIF");
  });
}

}  // namespace dd::inspect
