// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/data/dataset.h"

namespace dd {

/// A folder of class folders: ROOT/<class>/*.png|jpg|jpeg|webp (upper case too), or the same below
/// ROOT/train, ROOT/val (or valid, validation) and ROOT/test. ROOT counts as split when one of
/// these holds folders; pictures right inside it make it a class of that name.
///
/// Classes are the folders of all splits together in the order of their bytes, named as they are,
/// or what ROOT/classes.txt lists (see class_list.h). Pictures are ordered by the bytes of their
/// names; hidden files and folders and other file types are left out. Without splits, "train" and
/// "all" are everything. Error(kInput): no such folder, no class, a split that does not exist, a
/// class without pictures in the split, a link beside class folders that leads nowhere.
std::unique_ptr<Dataset> open_folder(const std::filesystem::path& root, const std::string& split,
                                     const ReadOptions& reading = {});

}  // namespace dd
