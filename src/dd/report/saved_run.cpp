// SPDX-License-Identifier: Apache-2.0
#include "dd/report/saved_run.h"

#include <algorithm>
#include <map>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/read.h"
#include "dd/report/json_member.h"

namespace dd::report {
namespace fs = std::filesystem;
namespace {

/// Means of several curves, step by step.
class MeanCurve {
 public:
  void add(const Json& curve) {
    for (const auto& [step, value] : curve_of(curve)) {
      auto& [sum, count] = at_[step];
      sum += value;
      ++count;
    }
  }
  std::vector<std::pair<double, double>> points() const {
    std::vector<std::pair<double, double>> points;
    for (const auto& [step, total] : at_) points.emplace_back(step, total.first / total.second);
    return points;
  }

 private:
  std::map<double, std::pair<double, double>> at_;
};

bool is_folder_name(const std::string& name) {
  return !name.empty() && fs::path(name).filename() == name && name != "." && name != "..";
}

}  // namespace

SavedRun SavedRun::load(const fs::path& folder) {
  const fs::path file = folder / "run.json";
  SavedRun saved{.folder = folder,
                 .run = read_json(file),
                 .results = read_json(folder / "results.json"),
                 .stages = Json::object()};
  if (path_exists(folder / "stages.json")) saved.stages = read_json(folder / "stages.json");
  const auto classes = json_required<std::vector<Json>>(saved.run, "classes", file.string());
  for (const Json& entry : classes) {
    saved.class_names.push_back(json_required<std::string>(entry, "name", file.string()));
    saved.class_folders.push_back(json_required<std::string>(entry, "folder", file.string()));
    if (!is_folder_name(saved.class_folders.back())) {
      fail_input(cat(file.string(), ": bad folder name \"", saved.class_folders.back(),
                     "\"; run the chain again"));
    }
  }
  const auto seeds = json_required<std::vector<std::int64_t>>(saved.run, "seeds", file.string());
  if (seeds.empty()) fail_input(cat(file.string(), " names no seed; run the chain again"));
  saved.seed = seeds.front();
  return saved;
}

fs::path SavedRun::seed_folder() const {
  return folder / cat("seed-", seed);
}

fs::path SavedRun::inside(const std::string& name) const {
  const fs::path path(name);
  bool leaves = path.is_absolute();
  for (const fs::path& part : path) leaves = leaves || part == "..";
  if (leaves) fail_input(cat("results.json names ", name, "; run the chain again"));
  return folder / path;
}

std::vector<Image> SavedRun::pictures(const std::string& set, std::size_t label,
                                      std::size_t count) const {
  const fs::path from = seed_folder() / set / class_folders.at(label);
  if (!path_is_folder(from)) return {};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.path().extension() == ".png") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Image> images;
  for (const fs::path& file : files) {
    if (images.size() == count) break;
    images.push_back(read_image(file));
  }
  return images;
}

std::vector<std::pair<double, double>> curve_of(const Json& value) {
  std::vector<std::pair<double, double>> points;
  if (!value.is_array()) return points;
  for (const Json& point : value) {
    if (!point.is_array() || point.size() != 2) continue;
    if (point[0].is_number() && point[1].is_number()) {
      points.emplace_back(point[0].get<double>(), point[1].get<double>());
    }
  }
  return points;
}

std::vector<Series> adaptation_curves(const SavedRun& saved, const std::string& mode) {
  const fs::path stage = saved.seed_folder() / ("adapt-" + mode);
  std::vector<fs::path> files{stage / "adapter.json"};
  if (mode == "class") {
    files.clear();
    for (const std::string& name : saved.class_folders)
      files.push_back(stage / name / "adapter.json");
  }
  MeanCurve loss;
  MeanCurve fixed_noise;
  std::string measured_on = "training shots";
  for (const fs::path& file : files) {
    if (!path_exists(file)) return {};
    const Json record = read_json(file);
    loss.add(member(record, "loss"));
    fixed_noise.add(member(record, "fixed_noise_loss"));
    measured_on = json_value(record, "fixed_noise_loss_on", measured_on, file.string());
  }
  return {{"training loss", loss.points()},
          {"loss with fixed noise on " + measured_on, fixed_noise.points(), true}};
}

}  // namespace dd::report
