// SPDX-License-Identifier: Apache-2.0
// align, as a user calls it.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::is_one_error_line;
using dd::test::ProcessResult;

class AlignCommand : public testing::Test {
 protected:
  AlignCommand() {
    dd::test::write_colour_set(root() / "photos", 8, 1);
    dd::test::write_colour_set(root() / "images", 8, 2);
  }
  fs::path root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }

  using Flags = std::map<std::string, std::string>;
  ProcessResult align(const std::string& out, Flags other = {}) const {
    other.merge(Flags{{"--real", path("photos")},
                      {"--synthetic", path("images")},
                      {"--clip", (fs::path(DD_SOURCE_DIR) / "tests/oracle/models/clip").string()},
                      {"--bootstrap", "5"},
                      {"--device", "cpu"},
                      {"--threads", "1"},
                      {"--out", path(out)}});
    std::vector<std::string> words{"align"};
    for (const auto& [flag, value] : other) {
      if (value.empty()) continue;
      words.push_back(flag);
      words.push_back(value);
    }
    return datadream(words);
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(AlignCommand, PrintsATableAndWritesEverything) {
  const ProcessResult result = align("out");
  ASSERT_EQ(result.status, 0) << result.err;
  std::istringstream lines(result.out);
  std::vector<std::string> starts;
  for (std::string line; std::getline(lines, line);) starts.push_back(line.substr(0, 9));
  EXPECT_EQ(starts, (std::vector<std::string>{"class    ", "all      ", "blue_coat", "green_bag",
                                              "red_top  ", "near copi"}))
      << result.out;
  EXPECT_NE(result.err.find("cannot fill the 24 dimensions"), std::string::npos) << result.err;
  const dd::Json metrics = dd::read_json(root() / "out" / "metrics.json");
  for (const char* key :
       {"fid", "kid", "kid_std", "cmmd", "precision", "recall", "density", "coverage"}) {
    EXPECT_TRUE(metrics.at(key).is_number()) << key;
    EXPECT_TRUE(metrics.at("per_class").at(1).at(key).is_number()) << key;
  }
  for (const char* file : {"nearest.csv", "images.csv", "real_features.npy",
                           "synthetic_features.npy", "real_labels.npy", "synthetic_labels.npy"}) {
    EXPECT_TRUE(fs::exists(root() / "out" / file)) << file;
  }
  const ProcessResult again = align("out");
  EXPECT_EQ(again.out, result.out);
  EXPECT_NE(again.err.find("are complete"), std::string::npos) << again.err;
  const ProcessResult files =
      align("files", {{"--real", ""},
                      {"--synthetic", ""},
                      {"--real-features", path("out/real_features.npy")},
                      {"--synthetic-features", path("out/synthetic_features.npy")}});
  ASSERT_EQ(files.status, 0) << files.err;
  EXPECT_EQ(dd::read_json(root() / "files" / "metrics.json").at("fid"), metrics.at("fid"));
}

TEST_F(AlignCommand, WrongInputGetsOneLineAndLeavesNothing) {
  const auto refused = [&](const Flags& flags, const std::string& word) {
    const ProcessResult result = align("refused", flags);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    // Progress may stand before the error.
    const std::size_t start = result.err.find("datadream: error: ");
    ASSERT_NE(start, std::string::npos) << result.err;
    EXPECT_TRUE(is_one_error_line(result.err.substr(start))) << result.err;
    EXPECT_NE(result.err.find(word, start), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(root() / "refused"));
  };
  refused({{"--features", "inception"}}, "--inception is missing");
  refused({{"--features", "inception"}, {"--inception", path("images/red_top/00000.png")}},
          "00000.png");
  refused({{"--features", "dinov2"}, {"--dinov2", path("images")}}, "config.json");
  refused({{"--synthetic", path("nowhere")}}, "nowhere");
  dd::write_file_atomically(root() / "short.npy", "\x93NUMPY");
  refused({{"--features", path("short.npy")}}, "short.npy");
}

}  // namespace
