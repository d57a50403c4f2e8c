// SPDX-License-Identifier: Apache-2.0
// Records that someone has changed, or another program has written: every value of every record
// becomes one of another kind, and the stage that reads it either has no need of it or names it.
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "support/datadream.h"
#include "support/stage_cases.h"

namespace {

namespace fs = std::filesystem;
using dd::Json;
using dd::test::datadream;
using dd::test::last_line;
using dd::test::ProcessResult;
using dd::test::StageCases;
using dd::test::Words;
using Place = Json::json_pointer;

Json of_another_kind(const Json& value) {
  if (value.is_number()) return "many";
  if (value.is_string()) return Json::array({1});
  if (value.is_array()) return 5;
  if (value.is_object()) return "none";
  return Json::object();
}

/// The whole, its members and theirs; of lists the first element, which the others are like.
void find_places(const Json& value, const Place& at, int depth, std::vector<Place>& places) {
  places.push_back(at);
  if (depth == 0) return;
  if (value.is_object()) {
    for (const auto& [key, member] : value.items())
      find_places(member, at / key, depth - 1, places);
  } else if (value.is_array() && !value.empty()) {
    find_places(value.front(), at / std::size_t{0}, depth - 1, places);
  }
}

/// One of each name: those of several classes are alike. Without `nested`, the records of the
/// stages that a stage has started are left to tests of theirs.
std::vector<fs::path> records_in(const fs::path& out, bool nested) {
  std::map<std::string, fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    const fs::path& file = entry.path();
    const bool own = nested || file.parent_path() == out || file.filename() == "cell.json";
    if (own && file.extension() == ".json") files.emplace(file.filename().string(), file);
  }
  std::vector<fs::path> found;
  for (const auto& [name, file] : files) found.push_back(file);
  return found;
}

class DamagedRecords : public testing::TestWithParam<const char*> {
 protected:
  /// Both results are right: the stage has no need of the value, or it says where it found it.
  static void expect_sense(const ProcessResult& result, const std::string& damage) {
    if (result.status == 0) return;
    const std::string line = last_line(result.err);
    EXPECT_EQ(result.status, 2) << damage << ": " << result.err;
    EXPECT_TRUE(line.starts_with("datadream: error: ")) << damage << ": " << result.err;
    EXPECT_NE(line.find("; "), line.npos) << damage << ", no remedy: " << line;
    EXPECT_EQ(line.find("exception"), line.npos) << damage << ": " << line;
  }

  StageCases cases_;
};

TEST_P(DamagedRecords, AreNotNeededOrNamed) {
  const std::string stage = GetParam();
  if (stage == "pretrain" && !fs::exists(StageCases::kFashionMnist))
    GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  const std::string out = cases_.path("out");
  const Words words = StageCases::complete(cases_.words(stage), out);
  ASSERT_EQ(datadream(words).status, 0);
  const fs::path whole = cases_.path("whole");
  fs::copy(out, whole, fs::copy_options::recursive);
  int tries = 0;
  int refused = 0;
  const bool nested = stage != "run" && stage != "sweep";
  for (const fs::path& file : records_in(out, nested)) {
    const Json before = dd::read_json(file);
    std::vector<Place> places;
    find_places(before, Place(), nested ? 2 : 1, places);
    for (const Place& place : places) {
      Json damaged = before;
      damaged[place] = of_another_kind(before[place]);
      dd::write_json(file, damaged);
      const ProcessResult result = datadream(words);
      ++tries;
      refused += result.status != 0;
      expect_sense(result, dd::cat(fs::relative(file, out).string(), " ", place.to_string()));
      fs::remove_all(out);
      fs::copy(whole, out, fs::copy_options::recursive);
    }
  }
  EXPECT_GT(refused, 0) << "of " << tries << ": the records are not read at all";
}

INSTANTIATE_TEST_SUITE_P(EachStage, DamagedRecords,
                         testing::Values("adapt", "generate", "train", "evaluate", "align", "run",
                                         "sweep", "pretrain"),
                         [](const auto& stage) { return std::string(stage.param); });

}  // namespace
