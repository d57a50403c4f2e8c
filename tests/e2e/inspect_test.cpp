// SPDX-License-Identifier: Apache-2.0
// inspect, as a user calls it.
#include <gtest/gtest.h>

#include <filesystem>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/io/safetensors.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::Json;
using dd::test::datadream;
using dd::test::is_one_error_line;
using dd::test::ProcessResult;

class Inspect : public testing::Test {
 protected:
  static fs::path source(const std::string& path) { return fs::path(DD_SOURCE_DIR) / path; }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  static ProcessResult inspect(const fs::path& what) {
    return datadream({"inspect", what.string(), "--json"});
  }
  /// The report of something that can be used.
  static Json report(const fs::path& what) {
    const ProcessResult result = inspect(what);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return Json::parse(result.out);
  }
  /// Refused without a report: there is nothing that could be described.
  static void expect_refused(const fs::path& what, const std::string& word) {
    const ProcessResult result = inspect(what);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
  }

  const dd::test::TemporaryFolder folder_;
};

TEST_F(Inspect, TellsModelsLorasAndData) {
  const Json base = report(source("assets/base/stable-diffusion"));
  EXPECT_EQ(base.at("kind"), "Stable Diffusion");
  EXPECT_EQ(base.at("weights").at("unet").at("precision"), "f16");
  EXPECT_TRUE(base.at("usable").get<bool>());
  EXPECT_EQ(report(source("assets/base/clip")).at("kind"), "CLIP");
  const Json lora = report(source("tests/oracle/lora/sd2/pytorch_lora_weights.safetensors"));
  EXPECT_EQ(lora.at("kind"), "LoRA");
  EXPECT_EQ(lora.at("parts").at("unet").at("alpha").size(), 1U);
  dd::test::write_colour_set(path("images"), 3, 1);
  const Json data = report(path("images"));
  EXPECT_EQ(data.at("kind"), "data set");
  EXPECT_EQ(data.at("formats").at("PNG"), data.at("images"));
}

TEST_F(Inspect, SpeaksToPeopleToo) {
  const ProcessResult result = datadream({"inspect", source("tests/oracle/models/sd2").string()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("kind"), std::string::npos);
  EXPECT_NE(result.out.find("v_prediction"), std::string::npos);
  EXPECT_NE(result.out.find("scheduler/scheduler_config.json"), std::string::npos);
  EXPECT_EQ(result.out.find("problem"), std::string::npos) << result.out;
}

TEST_F(Inspect, ReportsDamageAndEndsWithStatusTwo) {
  fs::copy(source("tests/oracle/models/sd1"), path("sd1"), fs::copy_options::recursive);
  fs::remove_all(path("sd1") + "/vae");
  dd::write_file_atomically(path("sd1") + "/unet/config.json", "{\"in_channels\": ");
  const ProcessResult result = inspect(path("sd1"));
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_FALSE(json.at("usable").get<bool>());
  EXPECT_EQ(json.at("problems").size(), 2U) << json.at("problems");
}

TEST_F(Inspect, RefusesWhatIsNothing) {
  expect_refused(path("nowhere"), "nowhere");
  dd::write_file_atomically(path("text.txt"), "a text");
  expect_refused(path("text.txt"), "text.txt");
  const fs::path lora = source("tests/oracle/lora/sd1/lora.safetensors");
  const std::string bytes = dd::read_file(lora);
  for (const std::size_t length : {std::size_t{4}, std::size_t{100}, bytes.size() - 1}) {
    dd::write_file_atomically(path("cut.safetensors"), bytes.substr(0, length));
    expect_refused(path("cut.safetensors"), "cut.safetensors");
  }
  EXPECT_EQ(datadream({"inspect"}).status, 2);
}

}  // namespace
