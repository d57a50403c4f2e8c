// SPDX-License-Identifier: Apache-2.0
#include "dd/data/class_list.h"

#include <algorithm>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/lines.h"

namespace dd {
namespace {

ClassEntry split_line(const std::string& line, const std::vector<std::string>& folders) {
  const auto part_at = [&](std::size_t at, std::size_t length) {
    return ClassEntry{trimmed(line.substr(0, at)), trimmed(line.substr(at + length))};
  };
  if (const auto tab = line.find('\t'); tab != std::string::npos) return part_at(tab, 1);
  if (const auto arrow = line.find(" => "); arrow != std::string::npos) return part_at(arrow, 4);
  if (std::ranges::find(folders, line) != folders.end()) return {line, line};
  if (const auto space = line.find(' '); space != std::string::npos) return part_at(space, 1);
  return {line, line};
}

bool is_awkward(char letter) {
  return static_cast<unsigned char>(letter) < 32 ||
         std::string_view("/\\:*?\"<>|").find(letter) != std::string_view::npos;
}

}  // namespace

std::vector<ClassEntry> read_class_list(const std::filesystem::path& path,
                                        const std::vector<std::string>& folders) {
  std::vector<ClassEntry> classes;
  std::set<std::string> seen;
  for (const Line& line : read_lines(path)) {
    if (line.text.front() == '#') continue;
    check_utf8(line, path);
    const ClassEntry entry = split_line(line.text, folders);
    const std::string where = cat(path.string(), ", line ", line.number);
    if (std::ranges::find(folders, entry.folder) == folders.end()) {
      fail_input(cat(where, ": there is no class folder \"", entry.folder,
                     "\"; remove the line or add the folder"));
    }
    if (entry.name.empty()) fail_input(cat(where, ": the class has no name; write one"));
    if (!seen.insert(entry.folder).second) {
      fail_input(cat(where, ": \"", entry.folder, "\" is listed twice; remove one line"));
    }
    classes.push_back(entry);
  }
  if (classes.empty()) {
    fail_input(cat(path.string(), " lists no class; fill it, or remove it to take all folders"));
  }
  return classes;
}

void write_class_list(const std::filesystem::path& folder, const std::vector<ClassEntry>& classes) {
  std::string text;
  for (const ClassEntry& entry : classes) text += entry.folder + "\t" + entry.name + "\n";
  write_file_atomically(folder / "classes.txt", text);
}

std::vector<ClassEntry> folders_for_classes(const std::vector<std::string>& names) {
  std::vector<ClassEntry> classes;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    std::string folder = name;
    std::ranges::replace_if(folder, is_awkward, '_');
    if (folder.empty() || folder.front() == '.') folder.insert(0, "_");
    std::string candidate = folder;
    for (int number = 2; !taken.insert(candidate).second; ++number) {
      candidate = cat(folder, "_", number);
    }
    classes.push_back({candidate, name});
  }
  return classes;
}

}  // namespace dd
