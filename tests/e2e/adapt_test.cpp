// SPDX-License-Identifier: Apache-2.0
// adapt by the ways that trade time for memory or the other way round: one result.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "dd/core/files.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/lora_gap.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessResult;
using Words = std::vector<std::string>;

class Adapt : public testing::Test {
 protected:
  Adapt() { dd::test::write_colour_set(folder_.path() / "photos", 3, 1); }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  /// Twelve steps an adapter in class mode.
  Words words(const std::string& out, const Words& more) const {
    Words words{"adapt",    "--model",      (dd::test::oracle_path("models") / "sd2").string(),
                "--data",   path("photos"), "--shots",
                "3",        "--batch",      "4",
                "--steps",  "36",           "--lr",
                "0.001",    "--save-every", "4",
                "--device", "cpu",          "--dtype",
                "f32",      "--threads",    "1",
                "--out",    path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  ProcessResult run(const std::string& out, const Words& more,
                    const dd::test::ProcessOptions& options = {}) const {
    return datadream(words(out, more), options);
  }
  void must(const std::string& out, const Words& more) const {
    const ProcessResult result = run(out, more);
    ASSERT_EQ(result.status, 0) << result.err;
  }
  std::string bytes(const std::string& adapter) const {
    return dd::read_file(fs::path(path(adapter)) / "pytorch_lora_weights.safetensors");
  }
  void expect_close(const std::string& actual, const std::string& expected) const {
    const std::string file = "/pytorch_lora_weights.safetensors";
    EXPECT_LE(dd::test::lora_gap(path(actual) + file, path(expected) + file),
              dd::test::kRoundingGap)
        << actual;
  }

  const Words classes_{"red_top", "green_bag", "blue_coat"};
  dd::test::TemporaryFolder folder_;
};

TEST_F(Adapt, PartsAndRecomputedActivationsGiveTheSameAdapter) {
  must("plain", {});
  must("recomputed", {"--checkpoint-activations"});
  EXPECT_EQ(bytes("recomputed"), bytes("plain"));
  must("parts", {"--accumulate", "3"});
  expect_close("parts", "plain");
  const ProcessResult again = run("plain", {"--accumulate", "2"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.out.find("skipped 1"), std::string::npos) << again.out;
}

TEST_F(Adapt, ClassesInOneBatchGiveTheAdaptersOfClassesOneByOne) {
  must("alone", {"--mode", "class"});
  const Words together{"--mode", "class", "--adapters-per-batch", "3"};
  must("together", together);
  for (const std::string& name : classes_) expect_close("together/" + name, "alone/" + name);
  Words all = together;
  all.insert(all.end(), {"--checkpoint-activations", "--accumulate", "2"});
  must("all", all);
  for (const std::string& name : classes_) expect_close("all/" + name, "alone/" + name);
}

TEST_F(Adapt, AGroupThatWasStoppedOrKilledGoesOn) {
  const Words together{"--mode", "class", "--adapters-per-batch", "2"};
  must("whole", together);
  const ProcessResult stopped =
      run("stopped", together, {.signal = SIGTERM, .signal_after_text = " to "});
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_FALSE(fs::exists(path("stopped/red_top/adapter.json")));
  must("stopped", together);
  const ProcessResult killed =
      run("killed", together, {.signal = SIGKILL, .signal_after_text = " to "});
  EXPECT_EQ(killed.status, 128 + SIGKILL);
  must("killed", together);
  for (const std::string& name : classes_) {
    EXPECT_EQ(bytes("stopped/" + name), bytes("whole/" + name)) << name;
    // Killed while it saved, a group's adapters go on one by one.
    expect_close("killed/" + name, "whole/" + name);
  }
}

TEST_F(Adapt, RefusesWhatDoesNotGoTogetherInOneLine) {
  const ProcessResult group = run("refused", {"--mode", "dataset", "--adapters-per-batch", "2"});
  EXPECT_EQ(group.status, 2);
  EXPECT_TRUE(dd::test::is_one_error_line(group.err)) << group.err;
  EXPECT_NE(group.err.find("--mode class"), std::string::npos) << group.err;
  const ProcessResult parts = run("refused", {"--accumulate", "5"});
  EXPECT_EQ(parts.status, 2);
  EXPECT_TRUE(dd::test::is_one_error_line(parts.err)) << parts.err;
  EXPECT_FALSE(fs::exists(path("refused")));
}

}  // namespace
