// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dd/core/files.h"
#include "support/colour_set.h"
#include "support/temporary_folder.h"

namespace dd::test {

using Words = std::vector<std::string>;

/// A small data set, and a short command line for each stage on it and on the recorded models.
class StageCases {
 public:
  StageCases() {
    write_colour_set(root() / "images", 6, 1);
    std::uint64_t seed = 2;
    for (const char* split : {"train", "val", "test"})
      write_colour_set(root() / "photos" / split, 4, seed++);
  }

  std::filesystem::path root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }
  static std::string model(const std::string& name) {
    return std::string(DD_SOURCE_DIR) + "/tests/oracle/models/" + name;
  }

  /// Where the package dataset-fashion-mnist puts it.
  static constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist";

  Words words(const std::string& stage) const {
    const std::map<std::string, Words> all{
        {"adapt",
         {"adapt", "--model", model("sd1"), "--data", path("photos"), "--shots", "2", "--mode",
          "class", "--steps", "6", "--batch", "2", "--save-every", "2"}},
        {"generate",
         {"generate", "--model", model("sd1"), "--classes", path("photos"), "--per-class", "4",
          "--steps", "3"}},
        {"train",
         {"train", "--clip", model("clip"), "--synthetic", path("images"), "--real", path("photos"),
          "--shots", "3", "--batch", "6", "--steps", "12", "--rank", "4", "--save-every", "5"}},
        {"evaluate", {"evaluate", "--clip", model("clip"), "--data", path("photos")}},
        {"align",
         {"align", "--clip", model("clip"), "--real", path("photos"), "--synthetic", path("images"),
          "--bootstrap", "5"}},
        {"convert", {"convert", model("sd1"), "--to", "diffusers"}},
        {"run", small_grid({"run"})},
        {"sweep", small_grid({"sweep", "--methods", "synthetic"})},
        {"pretrain",
         {"pretrain", "--part", "judge", "--judge-steps", "2", "--data", kFashionMnist}}};
    return all.at(stage);
  }
  static std::vector<std::string> stages() {
    return {"adapt", "generate", "train", "evaluate", "align"};
  }

  /// On one processor with one thread, into `out`.
  static Words complete(Words words, const std::string& out, const std::string& threads = "1") {
    words.insert(words.end(),
                 {"--device", "cpu", "--dtype", "f32", "--threads", threads, "--out", out});
    return words;
  }

  /// Hashes of the files whose bytes must agree. Records in JSON hold seconds and memory, which
  /// never do.
  static std::map<std::string, std::string> results_in(const std::filesystem::path& out) {
    static const std::set<std::string> kCompared{".safetensors", ".png", ".npy", ".jsonl", ".csv"};
    // With the time that the cells, and a training so far, have taken.
    const auto has_times = [](const std::filesystem::path& file) {
      return file.filename() == "sweep.csv" || file.parent_path().filename() == "state";
    };
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
      const std::filesystem::path& file = entry.path();
      if (entry.is_regular_file() && kCompared.contains(file.extension()) && !has_times(file))
        files[std::filesystem::relative(entry.path(), out).string()] = sha256_of_file(entry.path());
    }
    return files;
  }

 private:
  Words small_grid(Words command) const {
    command.insert(command.end(), {"--model",
                                   model("sd1"),
                                   "--clip",
                                   model("clip"),
                                   "--data",
                                   path("photos"),
                                   "--shots",
                                   "2",
                                   "--per-class",
                                   "2",
                                   "--mode",
                                   "class",
                                   "--adapt-steps",
                                   "3",
                                   "--adapt-batch",
                                   "2",
                                   "--sample-steps",
                                   "2",
                                   "--classifier-steps",
                                   "3",
                                   "--classifier-batch",
                                   "4"});
    return command;
  }

  TemporaryFolder folder_;
};

}  // namespace dd::test
