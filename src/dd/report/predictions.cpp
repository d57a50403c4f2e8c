// SPDX-License-Identifier: Apache-2.0
#include "dd/report/predictions.h"

#include <algorithm>
#include <cmath>

#include "dd/report/csv_reader.h"

namespace dd::report {
namespace {

constexpr std::size_t kFirstLogit = 3;  // after file, label, predicted

std::int64_t class_of(const std::string& text, std::size_t classes, const CsvReader& reader) {
  const double label = number_field(text, reader);
  if (!(label >= 0 && label < static_cast<double>(classes)) || label != std::floor(label)) {
    reader.fail("names no class");
  }
  return static_cast<std::int64_t>(label);
}

Mistake mistake_of(const std::vector<std::string>& fields, std::int64_t row,
                   const CsvReader& reader) {
  const std::size_t classes = fields.size() - kFirstLogit;
  Mistake mistake{.row = row,
                  .file = fields[0],
                  .label = class_of(fields[1], classes, reader),
                  .predicted = class_of(fields[2], classes, reader)};
  if (mistake.label == mistake.predicted) return mistake;
  std::vector<double> logits;
  for (std::size_t i = kFirstLogit; i < fields.size(); ++i) {
    logits.push_back(number_field(fields[i], reader));
  }
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - most);
  const auto share = [&](std::int64_t label) {
    return std::exp(logits[static_cast<std::size_t>(label)] - most) / sum;
  };
  mistake.confidence = share(mistake.predicted);
  mistake.truth = share(mistake.label);
  return mistake;
}

}  // namespace

std::vector<Mistake> worst_mistakes(const std::filesystem::path& predictions, std::size_t count) {
  CsvReader reader(predictions, "a predictions.csv of evaluate");
  std::vector<std::string> fields;
  const bool headed = reader.next(fields) && fields.size() > kFirstLogit && fields[0] == "file" &&
                      fields[1] == "label" && fields[2] == "predicted";
  if (!headed) reader.fail("does not name file, label, predicted and the classes");
  const std::size_t columns = fields.size();
  const auto surer = [](const Mistake& a, const Mistake& b) {
    return a.confidence != b.confidence ? a.confidence > b.confidence : a.row < b.row;
  };
  // A heap whose front is the least sure of those kept.
  std::vector<Mistake> kept;
  for (std::int64_t row = 0; reader.next(fields); ++row) {
    if (fields.size() != columns) reader.fail("has another number of fields than the first");
    Mistake mistake = mistake_of(fields, row, reader);
    if (mistake.label == mistake.predicted || !std::isfinite(mistake.confidence)) continue;
    kept.push_back(std::move(mistake));
    std::ranges::push_heap(kept, surer);
    if (kept.size() > count) {
      std::ranges::pop_heap(kept, surer);
      kept.pop_back();
    }
  }
  std::ranges::sort(kept, surer);
  return kept;
}

}  // namespace dd::report
