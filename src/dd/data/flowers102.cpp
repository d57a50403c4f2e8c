// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/data/lines.h"
#include "dd/data/mat_file.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFlowers[] = {
#include "dd/data/flowers102_names.inc"
};

// imagelabels.mat holds a label from 1 for each image, setid.mat the numbers, from 1, of the images
// of each split; all three splits are official.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = flowers102_names()};
  const std::vector<std::int64_t> labels = MatFile(base / "imagelabels.mat").numbers("labels");
  const fs::path splits = base / "setid.mat";
  const MatFile ids(splits);
  for (const auto& [name, split] :
       {std::pair("trnid", Split::kTrain), {"valid", Split::kVal}, {"tstid", Split::kTest}}) {
    for (const std::int64_t number : ids.numbers(name)) {
      if (number < 1 || number > std::ssize(labels)) {
        fail_input(cat(splits.string(), ": ", name, " holds image ", number, ", but there are ",
                       labels.size(), " labels; fetch both files again"));
      }
      list.images.push_back({.id = cat("jpg/image_", padded(number, 5), ".jpg"),
                             .label = labels[static_cast<std::size_t>(number - 1)] - 1,
                             .split = split});
    }
  }
  return list;
}

}  // namespace

std::vector<std::string> flowers102_names() {
  return to_names(kFlowers);
}

std::unique_ptr<Dataset> open_flowers102(const fs::path& root, const std::string& split,
                                         const ReadOptions& reading) {
  return open_official({.set = "flowers102",
                        .bases = {"", "flowers-102", "oxford_flowers"},
                        .marker = "jpg",
                        .coop_split = "split_zhou_OxfordFlowers.json",
                        .coop_images = "jpg",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
