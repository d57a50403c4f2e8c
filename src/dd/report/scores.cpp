// SPDX-License-Identifier: Apache-2.0
#include "dd/report/scores.h"

#include <algorithm>
#include <cmath>

#include "dd/core/error.h"
#include "dd/report/json_member.h"

namespace dd::report {
namespace {

/// A mean of what there is.
class Mean {
 public:
  void add(const Json& value) {
    if (!value.is_number()) return;
    sum_ += value.get<double>();
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / count_ : std::nan(""); }

 private:
  double sum_ = 0;
  double count_ = 0;
};

struct Sums {
  Mean top5;
  Mean ece;
  std::vector<Mean> per_class;
};

void add_confusion(const Json& metrics, const std::string& where, MethodScores& scores) {
  const auto counts =
      json_value<std::vector<std::vector<std::int64_t>>>(metrics, "confusion", {}, where);
  const std::size_t classes = scores.per_class.size();
  const bool fits = counts.size() == classes && std::ranges::all_of(counts, [&](const auto& row) {
                      return row.size() == classes;
                    });
  if (!fits) {
    fail_input(cat(where, ": \"confusion\" does not fit the ", classes,
                   " classes of the run; run the chain again"));
  }
  scores.confusion.resize(classes, std::vector<std::int64_t>(classes, 0));
  for (std::size_t label = 0; label < classes; ++label) {
    for (std::size_t found = 0; found < classes; ++found) {
      scores.confusion[label][found] += counts[label][found];
    }
  }
}

void add_metrics(const SavedRun& saved, const Json& entry, Sums& sums, MethodScores& scores) {
  const auto name = json_required<std::string>(entry, "evaluation", "results.json");
  const std::filesystem::path file = saved.inside(name) / "metrics.json";
  const Json metrics = read_json(file);
  const auto shares = json_required<std::vector<Json>>(metrics, "per_class", file.string());
  if (shares.size() != sums.per_class.size()) {
    fail_input(cat(file.string(), ": \"per_class\" has ", shares.size(), " entries, but the run ",
                   sums.per_class.size(), " classes; run the chain again"));
  }
  for (std::size_t i = 0; i < shares.size(); ++i) sums.per_class[i].add(shares[i]);
  sums.top5.add(member(metrics, "top5"));
  sums.ece.add(member(metrics, "ece"));
  add_confusion(metrics, file.string(), scores);
}

}  // namespace

std::vector<MethodScores> method_scores(const SavedRun& saved) {
  std::vector<MethodScores> all;
  for (const SummaryRow& row : summarise(saved.results)) {
    MethodScores scores{.row = row, .name = row_name(row)};
    const auto is_shown = [&](const Json& entry) {
      return json_value<std::int64_t>(entry, "seed", 0, "results.json") == saved.seed;
    };
    Sums sums;
    sums.per_class.resize(saved.class_names.size());
    scores.per_class.resize(saved.class_names.size());
    for (const Json& entry : saved.results) {
      if (name_of_result(entry) != scores.name) continue;
      add_metrics(saved, entry, sums, scores);
      if (is_shown(entry)) scores.shown = entry;
    }
    scores.top5 = sums.top5.value();
    scores.ece = sums.ece.value();
    std::ranges::transform(sums.per_class, scores.per_class.begin(), &Mean::value);
    all.push_back(std::move(scores));
  }
  return all;
}

}  // namespace dd::report
