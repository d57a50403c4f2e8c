// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "dd/data/dataset.h"

namespace dd {

/// True for the name of a list of images: it ends in .csv or .jsonl.
bool is_list_file(const std::filesystem::path& path);

/// A set whose images a file lists, one a line: CSV with a header line, or one JSON object a line.
/// Columns or keys: the image as `path`, `file_name`, `filename`, `file` or `image`, relative to
/// the list's folder; the class as `class`, `class_name` (names) and `label` (a name or a number);
/// `split`, where it is given, as parse_split reads it (empty = train). Others are ignored.
///
/// Classes are found as label_book.h says; classes.txt lies beside the list. Error(kInput) names
/// the file and line of what is missing or damaged.
std::unique_ptr<Dataset> open_list_file(const std::filesystem::path& path, const std::string& split,
                                        const ReadOptions& reading = {});

}  // namespace dd
