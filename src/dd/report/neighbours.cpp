// SPDX-License-Identifier: Apache-2.0
#include "dd/report/neighbours.h"

#include <algorithm>
#include <cstdio>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/image/read.h"
#include "dd/image/resize.h"
#include "dd/image/write.h"
#include "dd/report/csv_reader.h"
#include "dd/report/html.h"

namespace dd::report {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kKept = 12;
constexpr int kSide = 128;
constexpr const char* kRecord = "neighbours.json";

struct Pair {
  std::string synthetic;
  std::string real;
  std::string synthetic_class;
  std::string real_class;
  double cosine = 0;
  bool near_copy = false;
};

/// The nearest pairs, nearest first.
std::vector<Pair> nearest_pairs(const fs::path& file) {
  CsvReader reader(file, "a nearest.csv of align");
  std::vector<std::string> fields;
  const std::vector<std::string> names{"file", "class", "nearest_real", "nearest_class", "cosine"};
  const bool headed = reader.next(fields) && fields.size() > names.size() &&
                      std::equal(names.begin(), names.end(), fields.begin()) &&
                      fields.back() == "near_copy";
  if (!headed) reader.fail("does not name file, class, nearest_real, …, near_copy");
  const std::size_t columns = fields.size();
  std::vector<Pair> pairs;
  while (reader.next(fields)) {
    if (fields.size() != columns) reader.fail("has another number of fields than the first");
    pairs.push_back({fields[0], fields[2], fields[1], fields[3], number_field(fields[4], reader),
                     fields.back() == "1"});
  }
  std::ranges::stable_sort(pairs, std::greater(), &Pair::cosine);
  pairs.resize(std::min(pairs.size(), kKept));
  return pairs;
}

std::string kept_picture(const fs::path& alignment, const Json& entry, const char* key,
                         const std::string& alt) {
  const auto name = json_required<std::string>(entry, key, kRecord);
  return picture(read_image(alignment / "neighbours" / fs::path(name).filename()), alt);
}

}  // namespace

void save_neighbours(const fs::path& alignment, const PictureByName& synthetic,
                     const PictureByName& real) {
  const fs::path nearest = alignment / "nearest.csv";
  if (!path_exists(nearest)) return;
  const fs::path record = alignment / kRecord;
  const std::string hash = sha256_of_file(nearest);
  if (path_exists(record) &&
      json_value<std::string>(read_json(record), "nearest", "", record.string()) == hash) {
    return;
  }
  Json kept = Json::array();
  for (const Pair& pair : nearest_pairs(nearest)) {
    Json entry{{"synthetic", pair.synthetic}, {"synthetic_class", pair.synthetic_class},
               {"real", pair.real},           {"real_class", pair.real_class},
               {"cosine", pair.cosine},       {"near_copy", pair.near_copy}};
    for (const bool of_real : {false, true}) {
      char name[48];
      std::snprintf(name, sizeof name, "%02zu-%s.png", kept.size(), of_real ? "real" : "synthetic");
      const Image image = of_real ? real(pair.real) : synthetic(pair.synthetic);
      write_png(alignment / "neighbours" / name, thumbnail(image, kSide));
      entry[of_real ? "real_picture" : "synthetic_picture"] = name;
    }
    kept.push_back(std::move(entry));
  }
  write_json(record, {{"nearest", hash}, {"pairs", kept}});
}

std::string neighbour_cards(const fs::path& alignment) {
  const fs::path record = alignment / kRecord;
  if (!path_exists(record)) return {};
  std::string cards;
  for (const Json& entry :
       json_required<std::vector<Json>>(read_json(record), "pairs", record.string())) {
    const auto synthetic = json_value<std::string>(entry, "synthetic_class", "", kRecord);
    const auto real = json_value<std::string>(entry, "real_class", "", kRecord);
    const auto cosine = json_required<double>(entry, "cosine", kRecord);
    const bool copy = json_value<bool>(entry, "near_copy", false, kRecord);
    cards += cat("<div><div class=\"pair\">",
                 kept_picture(alignment, entry, "synthetic_picture", "synthetic: " + synthetic),
                 kept_picture(alignment, entry, "real_picture", "real: " + real), "</div><p>",
                 escape(synthetic), "<br />", synthetic == real ? "" : escape(real) + "<br />",
                 "<span class=\"note\">cosine ", fixed(cosine, 3), copy ? ", near copy" : "",
                 "</span></p></div>\n");
  }
  if (cards.empty()) return {};
  return cat("<div class=\"cards\">\n", cards, "</div>\n");
}

}  // namespace dd::report
