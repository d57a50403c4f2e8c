// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "dd/core/error.h"
#include "dd/data/mat_file.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kNames[] = {
#include "dd/data/stanford_cars_names.inc"
};

/// "Audi TT Hatchback 2011" → "2011 Audi TT Hatchback", as CoOp has it.
std::string year_first(const std::string& name) {
  const std::size_t blank = name.rfind(' ');
  if (blank == std::string::npos) return name;
  return name.substr(blank + 1) + " " + name.substr(0, blank);
}

std::vector<std::string> years_first(std::vector<std::string> names) {
  std::ranges::transform(names, names.begin(), year_first);
  return names;
}

void read_part(const fs::path& file, const std::string& folder, Split split, ImageList& list) {
  const auto fields = MatFile(file).fields("annotations", {"fname", "class"});
  const std::vector<std::string>& files = fields.at("fname");
  const std::vector<std::string>& classes = fields.at("class");
  for (std::size_t i = 0; i < files.size(); ++i) {
    check_relative(files[i], file.string());
    const std::int64_t label = std::atoll(classes[i].c_str()) - 1;
    list.images.push_back({.id = folder + "/" + files[i], .label = label, .split = split});
  }
}

// Official are train and test. The test labels come in a file of their own, which people put beside
// the devkit or into it.
ImageList read(const fs::path& base) {
  const fs::path devkit = base / "devkit";
  ImageList list{.class_names =
                     years_first(MatFile(devkit / "cars_meta.mat").texts("class_names"))};
  read_part(devkit / "cars_train_annos.mat", "cars_train", Split::kTrain, list);
  std::error_code ignored;
  const char* labels = "cars_test_annos_withlabels.mat";
  const bool inside = fs::exists(devkit / labels, ignored);
  read_part((inside ? devkit : base) / labels, "cars_test", Split::kTest, list);
  hold_out_validation(list);
  return list;
}

}  // namespace

std::vector<std::string> stanford_cars_names() {
  return years_first(to_names(kNames));
}

std::unique_ptr<Dataset> open_stanford_cars(const fs::path& root, const std::string& split,
                                            const ReadOptions& reading) {
  return open_official({.set = "stanford-cars",
                        .bases = {"", "stanford_cars"},
                        .marker = "cars_train",
                        .coop_split = "split_zhou_StanfordCars.json",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
