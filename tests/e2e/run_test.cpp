// SPDX-License-Identifier: Apache-2.0
// The whole way through the program, with the embedded base on a small folder of pictures.
#include <gtest/gtest.h>

#include <map>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/datadream.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessResult;

class RunTest : public testing::Test {
 protected:
  RunTest() {
    dd::test::write_photos(folder_.path() / "photos" / "train", {"Bag", "Dress"}, 3, 40, 36);
    dd::test::write_photos(folder_.path() / "photos" / "test", {"Bag", "Dress"}, 4, 40, 36);
  }

  fs::path out() const { return folder_.path() / "out"; }

  ProcessResult run(const std::vector<std::string>& more = {},
                    const std::string& shots = "2") const {
    const std::string base = std::string(DD_SOURCE_DIR) + "/assets/base/";
    std::vector<std::string> arguments{"run",
                                       "--model",
                                       base + "stable-diffusion",
                                       "--clip",
                                       base + "clip",
                                       "--data",
                                       (folder_.path() / "photos").string(),
                                       "--out",
                                       out().string(),
                                       "--threads",
                                       "1",
                                       "--shots",
                                       shots,
                                       "--per-class",
                                       "2",
                                       "--adapt-steps",
                                       "4",
                                       "--adapt-batch",
                                       "2",
                                       "--sample-steps",
                                       "2",
                                       "--classifier-steps",
                                       "2",
                                       "--classifier-batch",
                                       "4"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return datadream(arguments);
  }

  dd::test::TemporaryFolder folder_;
};

TEST_F(RunTest, GoesTheWholeWayAndKeepsItTheSecondTime) {
  const ProcessResult first = run();
  ASSERT_EQ(first.status, 0) << first.err;
  std::map<std::string, int> methods;
  for (const dd::Json& result : dd::read_json(out() / "results.json")) {
    ++methods[result.at("method").get<std::string>()];
    EXPECT_EQ(result.at("n"), 8);
    EXPECT_EQ(result.at("split"), "test");
    EXPECT_EQ(result.at("protocol"), "held-out");
  }
  EXPECT_EQ(methods, (std::map<std::string, int>{
                         {"real", 1}, {"synthetic", 2}, {"synthetic+real", 2}, {"zero-shot", 1}}));
  for (const char* method :
       {"zero-shot", "real", "synthetic (class)", "synthetic+real (dataset)"}) {
    EXPECT_NE(first.out.find(method), std::string::npos) << first.out;
  }
  const std::string report = dd::read_file(out() / "report.html");
  EXPECT_NE(report.find("data:image/png;base64,"), std::string::npos);
  EXPECT_NE(report.find("default-src 'none'"), std::string::npos) << "it must open offline";
  for (const char* section : {"mistakes", "confusion", "cost", "alignment"}) {
    EXPECT_NE(report.find(std::string("id=\"") + section), std::string::npos) << section;
  }
  const dd::Json stages = dd::read_json(out() / "stages.json");
  EXPECT_GT(stages.at("seed-0/adapt-dataset").at("peak_memory").get<double>(), 1e7);
  for (const char* stage : {"adapt-dataset", "adapt-class/Bag", "train-real", "evaluate-real"}) {
    EXPECT_TRUE(fs::exists(out() / "seed-0" / stage / "events.out.tfevents.datadream")) << stage;
  }

  const std::string results = dd::read_file(out() / "results.json");
  const ProcessResult second = run();
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(second.out, first.out);
  EXPECT_EQ(dd::read_file(out() / "results.json"), results);

  const ProcessResult other = run({"--prediction-type", "epsilon"});
  EXPECT_EQ(other.status, 2) << other.err;
  EXPECT_NE(other.err.find("prediction_type"), std::string::npos) << other.err;
}

TEST_F(RunTest, RefusesMoreShotsThanThereAreBeforeWritingAnything) {
  const ProcessResult result = run({}, "9");
  EXPECT_EQ(result.status, 2) << result.err;
  EXPECT_TRUE(dd::test::is_one_error_line(result.err)) << result.err;
  EXPECT_FALSE(fs::exists(out() / "seed-0"));
}

TEST_F(RunTest, DryRunWritesNothing) {
  const ProcessResult result = run({"--dry-run"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_FALSE(fs::exists(out()));
}

}  // namespace
