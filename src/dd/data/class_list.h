// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dd {

/// A class as a folder data set knows it.
struct ClassEntry {
  std::string folder;  ///< name of its folder
  std::string name;    ///< as prompts and results say it
};

/// Reads classes.txt: one class a line in label order, either the folder alone, or folder and name
/// with a tab, " => " or, when no folder has the whole line as its name, the first space between
/// them
/// ("n01440764 tench"). Empty lines and lines that begin with # are skipped. `folders` are those
/// that exist; folders that the list leaves out are no classes of the set. Error(kInput) names the
/// line of a folder that is missing or listed twice, and one that is not UTF-8.
std::vector<ClassEntry> read_class_list(const std::filesystem::path& path,
                                        const std::vector<std::string>& folders);

/// Writes FOLDER/classes.txt, so that open_folder finds names that cannot be folder names.
void write_class_list(const std::filesystem::path& folder, const std::vector<ClassEntry>& classes);

/// A folder name for each class name: characters that are awkward in paths become "_", as does a
/// leading dot; equal results get a number. "T-shirt/top" becomes "T-shirt_top".
std::vector<ClassEntry> folders_for_classes(const std::vector<std::string>& names);

}  // namespace dd
