// SPDX-License-Identifier: Apache-2.0
#include "dd/run/report_inputs.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <unordered_map>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/read.h"
#include "dd/io/npy.h"
#include "dd/metrics/projection.h"
#include "dd/report/mistakes.h"
#include "dd/report/neighbours.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostPoints = 400;  ///< of a cloud; more would only cover each other

void save_all_mistakes(const Setup& setup, const Chain& chain) {
  const std::unique_ptr<Dataset> data =
      open_dataset(parse_data_spec(setup.options.data), setup.options.test_split);
  const report::ScoredImages images{[&](std::int64_t i) { return data->id(i); },
                                    [&](std::int64_t i) { return data->image(i); }, data->size()};
  for (const Measurement& measured : chain.measurements()) {
    if (measured.cell.seed == setup.seeds.front()) {
      report::save_mistakes(setup.common.out / measured.evaluation, images);
    }
  }
}

/// Rows at unit length; of many, evenly chosen ones, so that all classes are among them.
at::Tensor drawn_rows(const fs::path& file) {
  const at::Tensor rows = io::read_npy(file).to(at::kDouble);
  const std::int64_t kept = std::min(rows.size(0), kMostPoints);
  const at::Tensor places = (at::arange(kept, at::kLong) * rows.size(0)).floor_divide(kept);
  const at::Tensor chosen = rows.index_select(0, places);
  return chosen / chosen.norm(2, {1}, true).clamp_min(1e-12);
}

Json points_of(const at::Tensor& places) {
  Json points = Json::array();
  for (std::int64_t i = 0; i < places.size(0); ++i) {
    points.push_back({places[i][0].item<double>(), places[i][1].item<double>()});
  }
  return points;
}

/// The same axes for all kinds, or they could not be compared.
void save_projection(const std::vector<Comparison>& comparisons, const fs::path& file) {
  std::vector<std::pair<std::string, at::Tensor>> clouds;
  std::string sources;
  for (const Comparison& compared : comparisons) {
    if (!path_exists(compared.folder / "metrics.json")) continue;
    sources += sha256_of_file(compared.folder / "metrics.json");
    if (clouds.empty()) {
      clouds.emplace_back("real", drawn_rows(compared.folder / "real_features.npy"));
    }
    clouds.emplace_back(compared.kind, drawn_rows(compared.folder / "synthetic_features.npy"));
  }
  const std::string identity = sha256_of(sources);
  if (clouds.empty()) return;
  if (path_exists(file) &&
      json_value<std::string>(read_json(file), "identity", "", file.string()) == identity) {
    return;
  }
  std::vector<at::Tensor> all;
  for (const auto& [kind, rows] : clouds) all.push_back(rows);
  const PrincipalAxes axes(at::cat(all), 2);
  Json points = Json::object();
  for (const auto& [kind, rows] : clouds) points[kind] = points_of(axes.places(rows));
  write_json(file, {{"identity", identity},
                    {"shares", {axes.shares()[0].item<double>(), axes.shares()[1].item<double>()}},
                    {"points", points}});
}

void save_all_neighbours(const Setup& setup, const std::vector<Comparison>& comparisons) {
  std::unordered_map<std::string, std::int64_t> places;
  const auto real = [&](const std::string& name) {
    if (places.empty()) {
      for (std::int64_t i = 0; i < setup.data->size(); ++i) places.emplace(setup.data->id(i), i);
    }
    const auto found = places.find(name);
    if (found == places.end()) {
      fail_input(cat("the data ", setup.options.data, " holds no ", name,
                     ", which images were compared with; use --force to start over"));
    }
    return setup.data->image(found->second);
  };
  for (const Comparison& compared : comparisons) {
    const auto synthetic = [&](const std::string& name) {
      return read_image(compared.images / name);
    };
    report::save_neighbours(compared.folder, synthetic, real);
  }
}

}  // namespace

void save_report_inputs(const Setup& setup, const Chain& chain) {
  save_all_mistakes(setup, chain);
  std::vector<Comparison> shown;
  for (const Comparison& compared : chain.comparisons()) {
    if (compared.seed == setup.seeds.front()) shown.push_back(compared);
  }
  save_all_neighbours(setup, shown);
  save_projection(shown, setup.common.out / cat("seed-", setup.seeds.front()) / "projection.json");
}

}  // namespace dd::run
