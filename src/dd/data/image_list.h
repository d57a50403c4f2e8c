// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dd/data/dataset.h"

namespace dd {

enum class Split { kTrain, kVal, kTest };

/// "train", "val" or "test".
std::string split_name(Split split);

/// Reads the usual spellings: train, training, val, valid, validation, test, testing.
std::optional<Split> parse_split(std::string_view text);

/// One image of a set and where its bytes lie.
struct ListedImage {
  std::string id;  ///< names it for good: the path below the set's folder, with '/'
  std::int64_t label = 0;
  Split split = Split::kTrain;
  std::string file{};        ///< below the set's folder, where it is not `id`
  std::uint64_t offset = 0;  ///< of its bytes in the file
  std::uint64_t bytes = 0;   ///< 0 = the whole file is the image
};

/// How the bytes of an image are to be read.
enum class Stored {
  kPicture,      ///< a PNG, JPEG or WebP file
  kPlanes32x32,  ///< 3072 bytes: the red, green and blue planes of 32 x 32 pixels (CIFAR)
};

/// All that differs between data sets: their classes, and which image is where. The one home of
/// everything else is open_listed.
struct ImageList {
  std::vector<std::string> class_names{};  ///< in label order
  std::vector<ListedImage> images{};       ///< in any order
  Stored stored = Stored::kPicture;
};

/// One split ("train", "val", "test" or "all") of a list as a data set, ordered by label and id.
/// Files are opened when an image is asked for, not before. `what` names the set in messages.
/// Error(kInput): the split has no image, two classes have one name, a label or an id does not fit.
/// Error(kUsage): no such split.
std::unique_ptr<Dataset> open_listed(const std::filesystem::path& root, ImageList list,
                                     const std::string& split, const std::string& what,
                                     const ReadOptions& reading);

/// Moves a fifth of each class's train images (rounded, at most 50) to val, chosen by a fixed seed:
/// for sets that come without validation images. The choice within a class depends on its name and
/// the ids of its train images alone.
void hold_out_validation(ImageList& list);

/// Parts each class into half train, a fifth val and the rest test (CoOp's shares), chosen by a
/// fixed seed: for sets that come without any split.
void split_by_shares(ImageList& list);

/// True for a name that ends in .png, .jpg, .jpeg or .webp, in capitals too.
bool is_image_name(const std::filesystem::path& path);

/// Names of the folders right inside a folder, links to folders too, hidden ones left out, in the
/// order of their bytes. Error(kInput): it cannot be listed, or holds a link that leads nowhere.
std::vector<std::string> list_folders(const std::filesystem::path& folder);

/// The same of the pictures: whatever is named like one, unless it is a folder. Links that lead
/// nowhere, pipes and devices are among them; a Dataset refuses these when their bytes are asked
/// for, and `data check` lists them.
std::vector<std::string> list_images(const std::filesystem::path& folder);

/// Error(kInput) unless `root` is a folder; `what` is the data set as --data gives it.
void check_set_folder(const std::filesystem::path& root, const std::string& what);

/// Error(kInput) unless `path` stays below the folder it is relative to; `where` says who wrote it.
void check_relative(const std::string& path, const std::string& where);

}  // namespace dd
