// SPDX-License-Identifier: Apache-2.0
// `data check`, and the forms that --data takes, as a user meets them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/datadream.h"
#include "support/set_maker.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::is_one_error_line;
using dd::test::last_line;
using dd::test::ProcessResult;

class DataTest : public testing::Test {
 protected:
  DataTest() {
    dd::test::write_photos(root() / "photos" / "train", {"cup", "hat"}, 3, 12, 10);
    dd::test::write_photos(root() / "photos" / "test", {"cup", "hat"}, 2, 12, 10);
  }
  const fs::path& root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }
  /// Makes one test image a link into a store that is gone, and one train image a pipe.
  void break_two_images() const {
    const fs::path link = root() / "photos/test/cup/0.png";
    const fs::path pipe = root() / "photos/train/hat/1.png";
    fs::remove(link);
    fs::remove(pipe);
    fs::create_symlink(root() / "store/0.png", link);
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  }
  static ProcessResult check(const std::string& data, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"data", "check", data});
    return datadream(more);
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(DataTest, CheckCountsASoundSet) {
  const ProcessResult result = check(path("photos"));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("10 images of 2 classes"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("hat           3         2"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("usable"), std::string::npos);
  const dd::Json json = dd::Json::parse(check(path("photos"), {"--json", "--quick"}).out);
  EXPECT_EQ(json.at("splits").at("test").at("images"), 4);
  EXPECT_EQ(json.at("decoded"), false);
}

TEST_F(DataTest, CheckNamesWhatIsDamagedAndLeavesWithTwo) {
  const std::string png = dd::read_file(root() / "photos/train/hat/1.png");
  dd::write_file_atomically(root() / "photos/train/hat/1.png", png.substr(0, png.size() - 30));
  const ProcessResult result = check(path("photos"));
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.out.find("train/hat/1.png"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("1 images are damaged, train/hat/1.png first"), std::string::npos)
      << result.err;
  const ProcessResult json = check(path("photos"), {"--json"});
  EXPECT_EQ(json.status, 2);
  EXPECT_EQ(dd::Json::parse(json.out).at("damaged").size(), 1U);
}

TEST_F(DataTest, CheckNamesWhatIsMissing) {
  for (const auto& [data, word] : {std::pair(path("gone"), "gone"),
                                   {"dtd:" + path("photos"), "images"},
                                   {path("gone.csv"), "gone.csv"},
                                   {path("gone-{0..1}.tar"), "gone-0.tar"},
                                   {path("photos/test/cup/0.png"), "it is a file; --data takes"},
                                   {"dtt:" + path("photos"), "did you mean dtd"}}) {
    const ProcessResult result = check(data);
    EXPECT_EQ(result.status, 2) << data;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
  }
}

TEST_F(DataTest, NamesThatRecordsCannotHoldAreRefusedBeforeAnythingIsWritten) {
  const std::string model = std::string(DD_SOURCE_DIR) + "/tests/oracle/models/";
  dd::test::write_photos(root() / "old" / "train", {"cup", "Caf\xe9"}, 2, 12, 10);
  dd::write_file_atomically(root() / "names.txt", "cup\nCaf\xe9\n");
  const std::vector<std::vector<std::string>> commands{
      {"data", "check", path("old")},
      {"evaluate", "--clip", model + "clip", "--data", path("old"), "--split", "train"},
      {"adapt", "--model", model + "sd1", "--data", path("old"), "--shots", "1", "--mode", "class"},
      {"generate", "--model", model + "sd1", "--classes", path("old")},
      {"generate", "--model", model + "sd1", "--classes", path("names.txt")},
      {"generate", "--model", model + "sd1", "--prompt", "a Caf\xe9"}};
  for (std::vector<std::string> words : commands) {
    if (words[0] != "data") words.insert(words.end(), {"--out", path("out")});
    const ProcessResult result = datadream(words);
    EXPECT_EQ(result.status, 2) << words[0];
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    EXPECT_NE(result.err.find(R"(Caf\xe9)"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("not UTF-8; "), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(path("out"))) << words[0];
  }
}

TEST_F(DataTest, BrokenLinksAndPipesAreListedByCheckAndRefusedByTheStages) {
  break_two_images();
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--quick"}}) {
    const ProcessResult result = check(path("photos"), more);
    EXPECT_EQ(result.status, 2);
    for (const char* part : {"hat           3         2", "test test/cup/0.png: cannot follow",
                             "train train/hat/1.png: cannot read", "it is a pipe"}) {
      EXPECT_NE(result.out.find(part), std::string::npos) << part << '\n' << result.out;
    }
    EXPECT_NE(result.err.find("1 images are missing, test/cup/0.png first"), std::string::npos)
        << result.err;
  }
  const std::string model = std::string(DD_SOURCE_DIR) + "/tests/oracle/models/";
  const std::string photos = path("photos");
  const std::string link = "test/cup/0.png to " + path("store/0.png") + ": it leads nowhere; mount";
  const std::string pipe = "train/hat/1.png: it is a pipe, no plain file; ";
  const std::vector<std::pair<std::vector<std::string>, std::string>> stages{
      {{"evaluate", "--clip", model + "clip", "--data", photos}, link},
      {{"adapt", "--model", model + "sd1", "--data", photos, "--shots", "3"}, pipe},
      {{"train", "--clip", model + "clip", "--real", photos, "--shots", "0"}, pipe},
      {{"generate", "--model", model + "sd1", "--classes", photos, "--from-shots", photos}, pipe},
      {{"align", "--clip", model + "clip", "--real", photos, "--synthetic", photos + "/train"},
       pipe}};
  for (auto [words, text] : stages) {
    words.insert(words.end(), {"--out", path("out")});
    const ProcessResult result = datadream(words, {.limit_seconds = 60});
    EXPECT_EQ(result.status, 2) << words[0];
    EXPECT_NE(last_line(result.err).find(text), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(path("out"))) << words[0];
  }
}

TEST_F(DataTest, ClassFoldersThatLinksNoLongerLeadToAreRefused) {
  fs::create_symlink(root() / "store/owl", root() / "photos/train/owl");
  const ProcessResult result = check(path("photos"));
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
  EXPECT_NE(result.err.find("train/owl to "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("; mount the store that it links to, or remove the link"),
            std::string::npos)
      << result.err;
}

TEST_F(DataTest, HalfACommandIsCompleted) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"data"}, {"data", "chek"}, {"data", path("photos")}}) {
    const ProcessResult result = datadream(words);
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.err.find("did you mean data check?"), std::string::npos) << result.err;
  }
}

TEST_F(DataTest, ListsShardsAndNamedSetsAreSetsToo) {
  dd::write_file_atomically(
      root() / "photos" / "list.csv",
      "path,label,split\ntrain/cup/0.png,cup,train\ntest/hat/0.png,hat,test\n");
  EXPECT_EQ(check(path("photos/list.csv")).status, 0);
  dd::test::write_tar(
      root() / "s-0.tar",
      {{"1.jpg", dd::test::jpeg_bytes(dd::test::noise_picture(1))}, {"1.cls", "cup"}});
  EXPECT_EQ(check(path("s-{0..0}.tar")).status, 0);
  dd::test::write_jpeg(root() / "dtd/images/banded/banded_1.jpg");
  dd::write_file_atomically(root() / "dtd/labels/train1.txt", "banded/banded_1.jpg\n");
  dd::write_file_atomically(root() / "dtd/labels/val1.txt", "");
  dd::write_file_atomically(root() / "dtd/labels/test1.txt", "banded/banded_2.jpg\n");
  const ProcessResult dtd = check("dtd:" + path("dtd"));
  EXPECT_EQ(dtd.status, 2);
  EXPECT_NE(dtd.out.find("46 official classes have no image"), std::string::npos) << dtd.out;
  EXPECT_NE(dtd.err.find("1 images are missing, images/banded/banded_2.jpg first"),
            std::string::npos)
      << dtd.err;
  EXPECT_EQ(datadream({"inspect", path("photos/list.csv")}).status, 0);
}

}  // namespace
