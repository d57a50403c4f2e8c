// SPDX-License-Identifier: Apache-2.0
#include "dd/report/predictions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

using dd::report::Mistake;
using dd::report::worst_mistakes;

class Predictions : public testing::Test {
 protected:
  std::vector<Mistake> read(const std::string& csv, std::size_t count = 10) const {
    const std::filesystem::path file = folder_.path() / "predictions.csv";
    dd::write_file_atomically(file, csv);
    return worst_mistakes(file, count);
  }
  std::string error(const std::string& csv) const {
    try {
      read(csv);
    } catch (const dd::Error& problem) {
      EXPECT_EQ(problem.kind(), dd::ErrorKind::kInput);
      return problem.what();
    }
    return "none";
  }
  dd::test::TemporaryFolder folder_;
};

TEST_F(Predictions, TheSurestMistakesComeFirst) {
  const auto found = read(
      "file,label,predicted,a,\"b, or \"\"c\"\"\"\n"
      "one,0,1,0,1\n"
      "\"t,w\"\"o\",1,0,5,1\r\n"
      "right,1,1,0,9\n"
      "three,0,1,0,2\n",
      2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file, "t,w\"o");
  EXPECT_EQ(found[0].row, 1);
  EXPECT_EQ(found[0].label, 1);
  EXPECT_EQ(found[0].predicted, 0);
  EXPECT_NEAR(found[0].confidence, 1 / (1 + std::exp(-4.0)), 1e-12);
  EXPECT_NEAR(found[0].truth, 1 - found[0].confidence, 1e-12);
  EXPECT_EQ(found[1].file, "three");
  EXPECT_EQ(found[1].row, 3);
}

TEST_F(Predictions, EqualOnesStandInTheOrderOfTheFile) {
  std::string csv = "file,label,predicted,a,b\n";
  for (int i = 0; i < 6; ++i) csv += std::to_string(i) + ",0,1,0,1\n";
  const auto found = read(csv, 3);
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(found[i].file, std::to_string(i));
}

TEST_F(Predictions, LargeLogitsAreNoProblem) {
  const auto found = read("file,label,predicted,a,b\nx,0,1,1000,3000\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].confidence, 1);
  EXPECT_EQ(found[0].truth, 0);
}

TEST_F(Predictions, BrokenFilesAreNamedWithTheRecord) {
  const std::string head = "file,label,predicted,a,b\n";
  EXPECT_NE(error("").find("record 1 does not name"), std::string::npos);
  EXPECT_NE(error("file,label,predicted\n").find("record 1 does not name"), std::string::npos);
  EXPECT_NE(error(head + "x,0,1,2\n").find("record 2 has another number"), std::string::npos);
  EXPECT_NE(error(head + "x,0,2,1,2\n").find("names no class"), std::string::npos);
  EXPECT_NE(error(head + "x,-1,0,1,2\n").find("names no class"), std::string::npos);
  EXPECT_NE(error(head + "x,0,1,one,2\n").find("something else than numbers"), std::string::npos);
  EXPECT_NE(error(head + "x,0,1 ,1,2\n").find("something else than numbers"), std::string::npos);
  EXPECT_NE(error(head + "\"x,0,1,1,2\n").find("ends inside quotes"), std::string::npos);
  EXPECT_EQ(read(head + "x,0,1,nan,2\n").size(), 0U) << "what is not a number is nothing to rank";
}

TEST_F(Predictions, AMissingFileIsNamed) {
  EXPECT_THROW(worst_mistakes(folder_.path() / "nothing.csv", 3), dd::Error);
}

}  // namespace
