// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/whole_folder.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace dd::convert {
namespace {

namespace fs = std::filesystem;

class WholeFolderTest : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  }
  dd::test::TemporaryFolder folder_;
};

TEST_F(WholeFolderTest, ReplacesAnEarlierOneAndLeavesNothingBeside) {
  for (const char* text : {"first", "second"}) {
    write_whole_folder(path("model"), [&](const fs::path& folder) {
      EXPECT_NE(folder, path("model"));
      write_file_atomically(folder / text, text);
    });
  }
  EXPECT_EQ(names(), std::vector<std::string>{"model"});
  EXPECT_TRUE(fs::exists(path("model") / "second"));
  EXPECT_FALSE(fs::exists(path("model") / "first"));
}

TEST_F(WholeFolderTest, AFailureChangesNothing) {
  write_file_atomically(path("model") / "first", "first");
  EXPECT_THROW(write_whole_folder(path("model"),
                                  [](const fs::path& folder) {
                                    write_file_atomically(folder / "half", "half");
                                    fail_input("the source is damaged");
                                  }),
               Error);
  EXPECT_EQ(names(), std::vector<std::string>{"model"});
  EXPECT_TRUE(fs::exists(path("model") / "first"));
}

TEST_F(WholeFolderTest, RefusesTargetsThatWouldLoseSomething) {
  write_file_atomically(path("source") / "model_index.json", "{}");
  write_file_atomically(path("photos") / "a.png", "picture");
  write_file_atomically(path("old") / "model_index.json", "{}");
  const auto check = [&](const std::string& out, bool force) {
    check_target(path(out), path("source"), "model_index.json", force);
  };
  EXPECT_NO_THROW(check("fresh", false));
  EXPECT_NO_THROW(check("old", true));
  EXPECT_THROW(check("old", false), Error);
  EXPECT_THROW(check("photos", true), Error) << "not a model";
  EXPECT_THROW(check("source", true), Error) << "the source itself";
  EXPECT_THROW(check("source/inner", true), Error) << "inside the source";
  EXPECT_THROW(check(".", true), Error) << "around the source";
}

TEST_F(WholeFolderTest, CopiesAllButWeights) {
  for (const char* name : {"vocab.json", "model.safetensors", "model.safetensors.index.json"}) {
    write_file_atomically(path("from") / name, "{}");
  }
  write_file_atomically(path("from") / "config.json", R"({"a": [1], "torch_dtype": "float32"})");
  copy_small_files(path("from"), path("to"));
  copy_config(path("from") / "config.json", path("to") / "config.json", "float16");
  EXPECT_TRUE(fs::exists(path("to") / "vocab.json"));
  EXPECT_FALSE(fs::exists(path("to") / "model.safetensors"));
  EXPECT_FALSE(fs::exists(path("to") / "model.safetensors.index.json"));
  const Json config = read_json(path("to") / "config.json");
  EXPECT_EQ(config.at("torch_dtype"), "float16");
  EXPECT_EQ(config.at("a"), Json::array({1}));
  EXPECT_NO_THROW(copy_small_files(path("nowhere"), path("to")));
}

}  // namespace
}  // namespace dd::convert
