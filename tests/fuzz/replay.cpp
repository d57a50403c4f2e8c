// SPDX-License-Identifier: Apache-2.0
// Runs one fuzz target over files, as the normal build does in its tests: the corpus, and what once
// broke a reader.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "dd/core/files.h"
#include "fuzz_input.h"

int main(int count, char** arguments) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : fs::recursive_directory_iterator(arguments[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    const std::string bytes = dd::read_file(file);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  // An empty folder would be a test that cannot fail.
  return files.empty() ? 1 : 0;
}
