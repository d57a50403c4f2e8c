// SPDX-License-Identifier: Apache-2.0
// What check_dataset found, for people and for programs.
#include <algorithm>
#include <iomanip>
#include <sstream>

#include "dd/core/names_text.h"
#include "dd/data/check.h"

namespace dd {
namespace {

constexpr std::size_t kListed = 10;

std::int64_t images_of(const CheckReport& report) {
  std::int64_t images = 0;
  for (const SplitCount& count : report.splits) images += count.images;
  return images;
}

void add_table(const CheckReport& report, std::ostream& out) {
  std::size_t width = 5;
  for (const std::string& name : report.class_names) width = std::max(width, name.size());
  const auto row = [&](const std::string& name, const auto& value) {
    out << "  " << std::left << std::setw(static_cast<int>(width)) << name << std::right;
    for (std::size_t i = 0; i < report.splits.size(); ++i) out << std::setw(10) << value(i);
    out << '\n';
  };
  row("class", [&](std::size_t i) { return report.splits[i].split; });
  for (std::size_t c = 0; c < report.class_names.size(); ++c) {
    row(report.class_names[c], [&](std::size_t i) { return report.splits[i].by_class[c]; });
  }
  row("all", [&](std::size_t i) { return report.splits[i].images; });
}

void add_faults(const std::string& what, const std::vector<ImageFault>& faults, std::ostream& out) {
  if (faults.empty()) return;
  out << faults.size() << ' ' << what << ":\n";
  for (std::size_t i = 0; i < std::min(kListed, faults.size()); ++i) {
    out << "  " << faults[i].split << ' ' << faults[i].id << ": " << faults[i].problem << '\n';
  }
  if (faults.size() > kListed) out << "  and " << faults.size() - kListed << " more\n";
}

void add_duplicates(const CheckReport& report, std::ostream& out) {
  const std::vector<DuplicateImage>& pairs = report.duplicates;
  if (pairs.empty()) return;
  out << pairs.size() << " images occur in two splits or under two classes:\n";
  for (std::size_t i = 0; i < std::min(kListed, pairs.size()); ++i) {
    out << "  " << pairs[i].split << ' ' << pairs[i].id << " = " << pairs[i].other_split << ' '
        << pairs[i].other_id << (pairs[i].same_class ? "" : " (another class)") << '\n';
  }
  if (pairs.size() > kListed) out << "  and " << pairs.size() - kListed << " more\n";
}

Json faults_json(const std::vector<ImageFault>& faults) {
  Json list = Json::array();
  for (const ImageFault& fault : faults) {
    list.push_back({{"split", fault.split}, {"id", fault.id}, {"problem", fault.problem}});
  }
  return list;
}

}  // namespace

std::string check_text(const CheckReport& report) {
  std::ostringstream out;
  out << report.data << ": " << images_of(report) << " images of " << report.class_names.size()
      << " classes\n";
  add_table(report, out);
  for (const std::string& split : report.absent) out << "no " << split << '\n';
  if (report.official_images > 0 && report.absent.empty() && report.splits.size() > 1 &&
      images_of(report) != report.official_images) {
    out << "the full set has " << report.official_images << " images\n";
  }
  if (!report.missing_classes.empty()) {
    out << report.missing_classes.size()
        << " official classes have no image: " << names_text(report.missing_classes) << '\n';
  }
  add_faults("images are missing", report.missing, out);
  add_faults("images are damaged", report.damaged, out);
  add_duplicates(report, out);
  const std::string how = report.quick ? "headers were read" : "every image was decoded";
  if (report.problems().empty()) out << "usable: " << how << '\n';
  return out.str();
}

Json check_json(const CheckReport& report) {
  Json splits = Json::object();
  for (const SplitCount& count : report.splits) {
    Json by_class = Json::object();
    for (std::size_t c = 0; c < count.by_class.size(); ++c) {
      by_class[report.class_names[c]] = count.by_class[c];
    }
    splits[count.split] = {{"images", count.images}, {"by_class", std::move(by_class)}};
  }
  Json duplicates = Json::array();
  for (const DuplicateImage& pair : report.duplicates) {
    duplicates.push_back({{"split", pair.split},
                          {"id", pair.id},
                          {"other_split", pair.other_split},
                          {"other_id", pair.other_id},
                          {"same_class", pair.same_class}});
  }
  return {{"data", report.data},
          {"usable", report.problems().empty()},
          {"problems", report.problems()},
          {"decoded", !report.quick},
          {"images", images_of(report)},
          {"official_images",
           report.official_images > 0 ? Json(report.official_images) : Json(nullptr)},
          {"class_names", report.class_names},
          {"splits", std::move(splits)},
          {"absent_splits", report.absent},
          {"missing_classes", report.missing_classes},
          {"missing", faults_json(report.missing)},
          {"damaged", faults_json(report.damaged)},
          {"duplicates", std::move(duplicates)}};
}

}  // namespace dd
