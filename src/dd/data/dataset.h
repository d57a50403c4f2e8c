// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dd/image/image.h"
#include "dd/image/read.h"

namespace dd {

/// One split of a labelled image set. Indices run from 0 to size() − 1 in an order that depends on
/// the content alone, never on the file system. Every method is thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// Names as prompts use them, in label order; the same in every split of a set.
  virtual const std::vector<std::string>& class_names() const = 0;
  virtual std::int64_t size() const = 0;
  /// 0 … class_names().size() − 1.
  virtual std::int64_t label(std::int64_t index) const = 0;
  /// Names the image for good: the path below the set's folder, or "train/50123".
  virtual std::string id(std::int64_t index) const = 0;
  /// Decodes the image; Error(kInput) names a damaged file.
  virtual Image image(std::int64_t index) const = 0;
  /// SHA-256 (hexadecimal) of the stored bytes, or of the pixels where images are not single files.
  virtual std::string content_hash(std::int64_t index) const = 0;
  /// The file that is this image and nothing else; empty where images are packed into larger files.
  virtual std::filesystem::path file(std::int64_t) const { return {}; }

  std::int64_t num_classes() const { return static_cast<std::int64_t>(class_names().size()); }
};

/// The indices of each class in ascending order, by label.
std::vector<std::vector<std::int64_t>> indices_by_class(const Dataset& dataset);

/// Bytes of the names of all images, for who writes them down.
std::int64_t name_bytes(const Dataset& dataset);

/// What `--data` names.
struct DataSpec {
  std::string kind;            ///< "folder", "list", "shards", or the name of a known set: "dtd"
  std::filesystem::path root;  ///< its folder or file, or the pattern of its shards

  /// As written on the command line.
  std::string text() const;
  /// True for "NAME:ROOT".
  bool is_named() const;
};

/// Reads "DIR", "NAME:ROOT", a list ("images.csv", "images.jsonl": list_file.h) or shards ("a.tar",
/// "a-{000..012}.tar": shards.h). Error(kUsage) when NAME is unknown (and no such folder exists),
/// with the nearest known name.
DataSpec parse_data_spec(const std::string& text);

/// The word that stands for {domain} in templates: "pet" for oxford-pets, empty for a known set
/// that has none, nothing for own data.
std::optional<std::string> domain_word(const DataSpec& spec);

/// The names that parse_data_spec knows.
std::vector<std::string> known_datasets();

/// Opens one split: "train", "val", "test", "all" (every split together), and for fashion-mnist
/// "world" (see fashion_mnist.h). What has no splits is all "train". Error(kInput) names what is
/// missing and how to mend it; Error(kUsage) for a split name that does not exist at all.
std::unique_ptr<Dataset> open_dataset(const DataSpec& spec, const std::string& split,
                                      const ReadOptions& reading = {});

}  // namespace dd
