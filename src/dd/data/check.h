// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/core/fields.h"
#include "dd/core/json.h"

namespace dd {

struct CheckOptions final : Options {
  std::string data;   ///< see dataset.h
  std::string split;  ///< empty = train, val and test, as far as they are there
  bool quick = false;
  bool json = false;

  void visit(FieldVisitor& visitor) override;
};

/// An image with something wrong.
struct ImageFault {
  std::string split;
  std::string id;
  std::string problem;
};

struct SplitCount {
  std::string split;
  std::int64_t images = 0;
  std::vector<std::int64_t> by_class{};
};

/// Equal contents at two places.
struct DuplicateImage {
  std::string split, id;
  std::string other_split, other_id;
  bool same_class = true;
};

/// What is in a data set and what is wrong with it.
struct CheckReport {
  std::string data;
  std::vector<std::string> class_names{};
  std::vector<SplitCount> splits{};
  std::vector<std::string> absent{};  ///< splits that cannot be opened, and why
  std::vector<ImageFault> missing{};  ///< listed, but not there, as links to no file are
  std::vector<ImageFault> damaged{};
  std::vector<DuplicateImage> duplicates{};    ///< across splits, or under two classes
  std::vector<std::string> missing_classes{};  ///< of the official list, without any image
  std::int64_t official_images = 0;            ///< of the full set; 0 = own data
  bool quick = false;

  /// Why the set cannot be used; empty when it can.
  std::vector<std::string> problems() const;
};

/// Opens a data set and looks at every image: decodes and hashes it, or, when `quick`, reads its
/// header alone (packed images are then only counted). Error(kInput) when the set cannot be opened
/// at all, with the loader's own remedy; everything else is in the report.
CheckReport check_dataset(const CheckOptions& options, std::int64_t threads,
                          const Context& context);

std::string check_text(const CheckReport& report);
Json check_json(const CheckReport& report);

}  // namespace dd
