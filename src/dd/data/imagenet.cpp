// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/csv.h"
#include "dd/data/lines.h"
#include "dd/data/links.h"
#include "dd/data/mat_file.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kClasses[] = {
#include "dd/data/imagenet_names.inc"
};

using SynsetNames = std::map<std::string, std::string>;

/// Lines "n01440764 tench, Tinca tinca"; the first of several names counts.
SynsetNames read_synset_names(const fs::path& file) {
  SynsetNames names;
  if (!is_there(file)) return names;
  for (const Line& line : read_lines(file)) {
    const LineParts parts = split_at_blank(line.text);
    names[parts.first] = trimmed(parts.rest.substr(0, parts.rest.find(',')));
  }
  return names;
}

SynsetNames own_names() {
  SynsetNames names;
  for (const ImageNetClass& known : imagenet_classes()) names[known.synset] = known.name;
  return names;
}

/// CoOp's classnames.txt where the user has it, except where it gives two classes one name; then
/// our own list, then Kaggle's, and the synset itself for a class that none of them knows.
std::vector<std::string> names_of(const std::vector<std::string>& synsets, const fs::path& root) {
  const SynsetNames coop = read_synset_names(root / "classnames.txt");
  const SynsetNames kaggle = read_synset_names(root / "LOC_synset_mapping.txt");
  const SynsetNames own = own_names();
  std::map<std::string, int> uses;
  for (const auto& [synset, name] : coop) ++uses[name];
  std::vector<std::string> names;
  for (const std::string& synset : synsets) {
    std::string name = synset;
    for (const SynsetNames* list : {&kaggle, &own, &coop}) {
      const auto found = list->find(synset);
      if (found == list->end() || found->second.empty()) continue;
      if (list == &coop && uses[found->second] > 1) continue;
      name = found->second;
    }
    names.push_back(std::move(name));
  }
  return names;
}

/// Kaggle's table: ImageId,PredictionString, the latter beginning with the synset.
std::map<std::string, std::string> read_kaggle_solution(const fs::path& file) {
  std::map<std::string, std::string> synsets;
  for (const CsvRow& row : parse_csv(read_file(file), file.string())) {
    if (row.fields.size() == 2) synsets[row.fields[0]] = split_at_blank(row.fields[1]).first;
  }
  return synsets;
}

/// The devkit's labels: a number of 1 ... 1000 for each image, which meta.mat translates.
std::map<std::string, std::string> read_devkit(const fs::path& data) {
  const fs::path truth = data / "ILSVRC2012_validation_ground_truth.txt";
  const auto fields = MatFile(data / "meta.mat").fields("synsets", {"ILSVRC2012_ID", "WNID"});
  std::map<std::string, std::string> synset_of;
  for (std::size_t i = 0; i < fields.at("WNID").size(); ++i) {
    synset_of[fields.at("ILSVRC2012_ID")[i]] = fields.at("WNID")[i];
  }
  std::map<std::string, std::string> synsets;
  for (const Line& line : read_lines(truth)) {
    const std::string image = "ILSVRC2012_val_" + padded(std::ssize(synsets) + 1, 8);
    const auto found = synset_of.find(line.text);
    if (found == synset_of.end()) {
      fail_input(cat(truth.string(), ", line ", line.number, ": there is no class ", line.text,
                     "; unpack the devkit again"));
    }
    synsets[image] = found->second;
  }
  return synsets;
}

/// The synset of each image of a val folder without class folders.
std::map<std::string, std::string> read_flat_labels(const fs::path& root, const fs::path& val) {
  if (is_there(root / "LOC_val_solution.csv")) {
    return read_kaggle_solution(root / "LOC_val_solution.csv");
  }
  for (const fs::path& devkit :
       {root / "ILSVRC2012_devkit_t12" / "data", root / "devkit" / "data"}) {
    if (is_there(devkit / "meta.mat")) return read_devkit(devkit);
  }
  fail_input(cat(val.string(),
                 " holds images without class folders, and their labels are missing; ",
                 "put ILSVRC2012_devkit_t12 or LOC_val_solution.csv into ", root.string()));
}

void add_flat_val(const fs::path& root, const fs::path& base,
                  const std::vector<std::string>& synsets, ImageList& list) {
  const auto labels = read_flat_labels(root, base / "val");
  for (const std::string& image : list_images(base / "val")) {
    const auto found = labels.find(fs::path(image).stem().string());
    if (found == labels.end()) continue;
    const auto place = std::ranges::lower_bound(synsets, found->second);
    if (place == synsets.end() || *place != found->second) continue;
    list.images.push_back(
        {.id = "val/" + image, .label = place - synsets.begin(), .split = Split::kTest});
  }
}

fs::path find_base(const fs::path& root) {
  for (const char* base : {".", "images", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC"}) {
    if (is_there(root / base / "train")) return (root / base).lexically_normal();
  }
  fail_input(cat("imagenet:", root.string(), " has no train; unpack the training images there, a ",
                 "folder a synset (docs/data.md shows the layout)"));
}

// Official are train and val; as everywhere in the literature, val is the test set here.
ImageList read(const fs::path& root, const fs::path& base) {
  const std::vector<std::string> synsets = list_folders(base / "train");
  if (synsets.empty()) {
    fail_input(cat((base / "train").string(), " holds no folders; unpack the training images ",
                   "there, a folder a synset"));
  }
  ImageList list{.class_names = names_of(synsets, root)};
  add_class_folders(base, "train", synsets, Split::kTrain, list);
  if (is_there(base / "val")) {
    if (list_folders(base / "val").empty()) {
      add_flat_val(root, base, synsets, list);
    } else {
      add_class_folders(base, "val", synsets, Split::kTest, list);
    }
  }
  hold_out_validation(list);
  return list;
}

}  // namespace

std::vector<ImageNetClass> imagenet_classes() {
  std::vector<ImageNetClass> classes;
  for (const std::string_view line : kClasses) {
    LineParts parts = split_at_blank(line);
    classes.push_back({std::move(parts.first), std::move(parts.rest)});
  }
  return classes;
}

std::vector<std::string> imagenet_names() {
  std::vector<std::string> names;
  for (ImageNetClass& known : imagenet_classes()) names.push_back(std::move(known.name));
  return names;
}

std::unique_ptr<Dataset> open_imagenet(const fs::path& root, const std::string& split,
                                       const ReadOptions& reading) {
  check_set_folder(root, cat("imagenet:", root.string()));
  const fs::path base = find_base(root);
  return open_listed(base, read(root, base), split, cat("imagenet:", root.string()), reading);
}

}  // namespace dd
