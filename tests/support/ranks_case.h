// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dd/core/files.h"
#include "dd/io/safetensors.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/mpirun.h"
#include "support/temporary_folder.h"

namespace dd::test {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Files whose bytes must agree; records in JSON hold seconds.
inline std::map<std::string, std::string> results_in(const fs::path& out) {
  static const std::set<std::string> kCompared{".safetensors", ".png", ".npy",
                                               ".jsonl",       ".csv", ".txt"};
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    if (entry.is_regular_file() && kCompared.contains(entry.path().extension()))
      files[fs::relative(entry.path(), out).string()] = sha256_of_file(entry.path());
  }
  return files;
}

/// The largest difference of two files of tensors of the same names, by the largest value.
inline double difference(const fs::path& one, const fs::path& other) {
  const io::SafetensorsFile first(one);
  const io::SafetensorsFile second(other);
  EXPECT_EQ(first.entries().size(), second.entries().size());
  double worst = 0;
  for (const auto& entry : first.entries()) {
    const at::Tensor value = first.tensor(entry.name);
    const double gap = (value - second.tensor(entry.name)).abs().max().item<double>();
    worst = std::max(worst, gap / value.abs().max().item<double>());
  }
  return worst;
}

/// Photos, synthetic images and what ranks make of them.
class Ranks : public testing::Test {
 protected:
  Ranks() {
    write_colour_set(root() / "images", 6, 1);
    for (const char* split : {"train", "val", "test"})
      write_colour_set(root() / "photos" / split, 4, *split == 'v' ? 3 : *split);
  }
  fs::path root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }
  static std::string model(const std::string& name) {
    return std::string(DD_SOURCE_DIR) + "/tests/oracle/models/" + name;
  }
  Words complete(Words words, const std::string& out) const {
    words.insert(words.end(),
                 {"--device", "cpu", "--dtype", "f32", "--threads", "1", "--out", path(out)});
    return words;
  }
  void alone(const Words& words, const std::string& out) const {
    const ProcessResult result = datadream(complete(words, out));
    ASSERT_EQ(result.status, 0) << result.err;
  }
  void together(int ranks, const Words& words, const std::string& out) const {
    const ProcessResult result = on_ranks(ranks, complete(words, out));
    ASSERT_EQ(result.status, 0) << result.err;
  }
  Words adapting(const std::string& mode, const std::string& steps) const {
    return {"adapt",   "--model", model("sd1"), "--data",       path("photos"),
            "--shots", "2",       "--mode",     mode,           "--steps",
            steps,     "--batch", "3",          "--save-every", "2"};
  }
  Words drawing() const {
    return {"generate", "--model", model("sd1"), "--classes", path("photos"), "--per-class", "5",
            "--batch",  "2",       "--steps",    "3"};
  }
  Words training() const {
    return {"train",
            "--clip",
            model("clip"),
            "--synthetic",
            path("images"),
            "--real",
            path("photos"),
            "--shots",
            "3",
            "--batch",
            "7",
            "--steps",
            "12",
            "--rank",
            "4",
            "--mix",
            "0.5",
            "--val",
            path("photos"),
            "--validate-every",
            "5",
            "--choose",
            "best",
            "--save-every",
            "4"};
  }
  /// Status and the one line of the program itself.
  static void expect_one_line(const ProcessResult& result, int status, const std::string& part) {
    EXPECT_EQ(result.status, status) << result.err;
    const std::vector<std::string> lines = own_lines(result.err);
    ASSERT_EQ(lines.size(), 1U) << result.err;
    EXPECT_NE(lines[0].find(part), std::string::npos) << lines[0];
  }

 private:
  const TemporaryFolder folder_;
};

class UnderMpi : public Ranks {
 protected:
  void SetUp() override {
    if (has_mpi()) return;
    if (std::string(DD_MPI_WANTED) == "OFF") GTEST_SKIP() << "built without MPI, as asked for";
    FAIL() << "MPI was not found: install libopenmpi-dev and openmpi-bin, or configure with "
              "-DDATADREAM_MPI=OFF";
  }
};

}  // namespace dd::test
