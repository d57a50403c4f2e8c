// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/class_match.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/colour_set.h"
#include "support/temporary_folder.h"

namespace dd::classify {
namespace {

using Names = std::vector<std::string>;
using Labels = std::vector<std::int64_t>;

std::string refusal(const Names& wanted, const Names& offered) {
  try {
    match_classes(wanted, offered, "LEFT", "RIGHT");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "";
}

TEST(ClassMatch, FindsNamesInAnyOrder) {
  EXPECT_EQ(match_classes({"a", "b", "c"}, {"c", "a", "b"}, "", ""), (Labels{1, 2, 0}));
}

TEST(ClassMatch, FindsNamesThatBecameFolders) {
  EXPECT_EQ(match_classes({"T-shirt/top", "Ankle boot"}, {"Ankle_boot", "T-shirt_top"}, "", ""),
            (Labels{1, 0}));
}

TEST(ClassMatch, PrefersTheExactName) {
  EXPECT_EQ(match_classes({"a_b", "a/b"}, {"a/b", "a_b"}, "", ""), (Labels{1, 0}));
}

TEST(ClassMatch, NamesWhatIsMissingOnEitherSide) {
  EXPECT_NE(refusal({"a", "b"}, {"a"}).find("classes of LEFT that RIGHT lacks: \"b\""),
            std::string::npos);
  EXPECT_NE(refusal({"a"}, {"a", "b"}).find("classes of RIGHT that LEFT lacks: \"b\""),
            std::string::npos);
  EXPECT_NE(refusal({"a/b", "a_b"}, {"a b", "c"}), "") << "one class cannot stand for two";
}

class SyntheticClassesTest : public testing::Test {
 protected:
  SyntheticClassesTest() { test::write_colour_set(folder(), 1, 0); }
  const std::filesystem::path& folder() const { return folder_.path(); }
  SyntheticClasses read() const {
    return read_synthetic_classes(folder(), *open_dataset({"folder", folder()}, "train"));
  }
  void write_lines(const std::string& lines) const {
    write_file_atomically(folder() / "metadata.jsonl", lines);
  }
  static constexpr const char* kLines =
      "{\"file_name\": \"red_top/00000.png\", \"class\": \"red/top\", \"label\": 0}\n"
      "{\"file_name\": \"green_bag/00000.png\", \"class\": \"green bag\", \"label\": 1}\n"
      "\n"
      "{\"file_name\": \"blue_coat/00000.png\", \"class\": \"blue coat\", \"label\": 2}\n";

 private:
  const test::TemporaryFolder folder_;
};

TEST_F(SyntheticClassesTest, WithoutMetadataTheFoldersCount) {
  EXPECT_EQ(read().names, (Names{"blue_coat", "green_bag", "red_top"}));
  EXPECT_EQ(read().labels, (Labels{0, 1, 2}));
}

TEST_F(SyntheticClassesTest, MetadataNamesAndNumbers) {
  write_lines(kLines);
  EXPECT_EQ(read().names, (Names{"red/top", "green bag", "blue coat"}));
  EXPECT_EQ(read().labels, (Labels{2, 1, 0})) << "folders come in the order of their bytes";
}

TEST_F(SyntheticClassesTest, AClassListWins) {
  write_lines(kLines);
  write_file_atomically(folder() / "classes.txt", "green_bag\nred_top\nblue_coat\n");
  EXPECT_EQ(read().names, (Names{"green_bag", "red_top", "blue_coat"}));
}

TEST_F(SyntheticClassesTest, RefusesLinesThatAreDamagedOrDisagree) {
  write_lines("{\"file_name\": \"red_top/0");
  EXPECT_THROW(read(), Error);
  write_lines(std::string(kLines) +
              "{\"file_name\": \"red_top/00001.png\", \"class\": \"other\", \"label\": 0}\n");
  EXPECT_THROW(read(), Error);
}

}  // namespace
}  // namespace dd::classify
