// SPDX-License-Identifier: Apache-2.0
// What the known sets share: where they were unpacked to, and CoOp's splits.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dd/data/image_list.h"

namespace dd {

/// The official layout of a set.
struct OfficialLayout {
  const char* set;                 ///< its name, for messages
  std::vector<std::string> bases;  ///< folders below ROOT that it may lie in; "" = ROOT
  std::string marker;              ///< file or folder that tells the right base
  std::string coop_split{};        ///< "split_zhou_Food101.json"
  std::string coop_images{};       ///< folder below the base that its paths start from
  ImageList (*read)(const std::filesystem::path& base);  ///< without CoOp's split
};

/// Opens a split of a set: CoOp's own train, val and test where its JSON file lies in ROOT or the
/// base, and what `read` finds otherwise. Error(kInput) names the first thing that is missing.
std::unique_ptr<Dataset> open_official(const OfficialLayout& layout,
                                       const std::filesystem::path& root, const std::string& split,
                                       const ReadOptions& reading);

/// Reads CoOp's split file: lists "train", "val" and "test" of [path, label, class name]; paths get
/// `images` in front. Error(kInput): it has another form, labels with gaps, a label of two names.
ImageList read_coop_split(const std::filesystem::path& file, const std::string& images);

/// Adds the pictures of FOLDER/<class> for each class, in order; a class whose folder is missing
/// has none. `folder` is below `base` and begins the ids. Error(kInput): one is a broken link.
void add_class_folders(const std::filesystem::path& base, const std::string& folder,
                       std::span<const std::string> classes, Split split, ImageList& list);

/// Where `name` stands in `names`; Error(kInput) with `where` when it does not.
std::int64_t label_of_name(std::span<const std::string> names, const std::string& name,
                           const std::string& where);

std::vector<std::string> to_names(std::span<const std::string_view> names);

}  // namespace dd
