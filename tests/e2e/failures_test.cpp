// SPDX-License-Identifier: Apache-2.0
// What the machine can do to a run: no space, no right to write, files that vanish, no memory. The
// program says so in one line, what it wrote stays valid, and the same command goes on afterwards.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <tuple>

#include "dd/core/json.h"
#include "dd/image/read.h"
#include "support/datadream.h"
#include "support/small_disk.h"
#include "support/stage_cases.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::last_line;
using dd::test::ProcessOptions;
using dd::test::ProcessResult;
using dd::test::SmallDisk;
using dd::test::StageCases;
using dd::test::Words;

class Failures : public testing::Test {
 protected:
  /// A failure of the machine: status 1, and the last line is the error, with a remedy.
  static void expect_failed(const ProcessResult& result, const std::string& part) {
    EXPECT_EQ(result.status, 1) << result.err;
    const std::string line = last_line(result.err);
    EXPECT_TRUE(line.starts_with("datadream: error: ")) << result.err;
    EXPECT_NE(line.find(part), std::string::npos) << result.err;
    EXPECT_NE(line.find("; "), std::string::npos) << "no remedy: " << line;
  }
  /// Whatever has its final name is whole, and nothing else is left.
  static void expect_valid(const fs::path& out) {
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      if (!entry.is_regular_file()) continue;
      EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
      if (entry.path().extension() == ".png") {
        EXPECT_NO_THROW(dd::read_image(entry.path())) << entry.path();
      }
      if (entry.path().extension() == ".json") {
        EXPECT_NO_THROW(dd::read_json(entry.path())) << entry.path();
      }
    }
  }
  ProcessResult run(const Words& words, const std::string& out,
                    const ProcessOptions& options = {}) const {
    return datadream(StageCases::complete(words, out), options);
  }
  /// What the stage gives when nothing disturbs it.
  std::map<std::string, std::string> undisturbed(const Words& words) const {
    return undisturbed(words, cases_.path("whole"));
  }
  /// The same in a folder that is wanted again: some files name it.
  std::map<std::string, std::string> undisturbed(const Words& words, const std::string& out) const {
    const ProcessResult result = run(words, out);
    EXPECT_EQ(result.status, 0) << result.err;
    auto results = StageCases::results_in(out);
    EXPECT_FALSE(results.empty());
    fs::remove_all(out);
    return results;
  }

  StageCases cases_;
};

class FullDisk : public Failures, public testing::WithParamInterface<const char*> {};

TEST_P(FullDisk, StopsWithOneLineAndGoesOnOnceThereIsRoom) {
  const SmallDisk disk(cases_.root() / "disk", std::size_t{16} << 20);
  if (!disk.problem().empty()) GTEST_SKIP() << "no small disk can be mounted: " << disk.problem();
  if (GetParam() == std::string("pretrain") && !fs::exists(StageCases::kFashionMnist))
    GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  const Words words = cases_.words(GetParam());
  const std::string out = (disk.path() / "out").string();
  const auto expected = undisturbed(words, out);
  int failures = 0;
  // From no room at all to enough: the disk is full at another moment each time.
  for (std::uintmax_t room = 0; room < (std::uintmax_t{8} << 20);
       room = std::max<std::uintmax_t>(4096, room * 4)) {
    disk.leave(room);
    const ProcessResult full = run(words, out);
    if (full.status == 0) break;
    ++failures;
    expect_failed(full, "No space left on device");
    if (fs::exists(out)) expect_valid(out);
    disk.make_room();
    const ProcessResult again = run(words, out);
    ASSERT_EQ(again.status, 0) << room << ": " << again.err;
    EXPECT_EQ(StageCases::results_in(out), expected) << room;
    fs::remove_all(out);
  }
  EXPECT_GE(failures, 2);
}

INSTANTIATE_TEST_SUITE_P(EachStage, FullDisk,
                         testing::Values("adapt", "generate", "train", "evaluate", "align",
                                         "convert", "run", "sweep", "pretrain"),
                         [](const auto& stage) { return std::string(stage.param); });

TEST_F(Failures, ALimitOnTheSizeOfFilesIsLikeAFullDisk) {
  const Words words = cases_.words("adapt");
  const auto expected = undisturbed(words);
  const std::string out = cases_.path("out");
  expect_failed(run(words, out, {.limits = {{RLIMIT_FSIZE, 8192}}}), "File too large");
  expect_valid(out);
  ASSERT_EQ(run(words, out).status, 0);
  EXPECT_EQ(StageCases::results_in(out), expected);
}

// Or after a stop in between it would vouch for files of other settings.
TEST_F(Failures, WhatIsStartedOverLosesItsRecordFirst) {
  for (const auto& [stage, record] : {std::pair("adapt", "adapt.json"),
                                      {"evaluate", "metrics.json"},
                                      {"align", "metrics.json"}}) {
    Words words = cases_.words(stage);
    const std::string out = cases_.path(stage);
    ASSERT_EQ(run(words, out).status, 0) << stage;
    ASSERT_TRUE(fs::exists(fs::path(out) / record)) << stage;
    words.emplace_back("--force");
    expect_failed(run(words, out, {.limits = {{RLIMIT_FSIZE, 64}}}), "File too large");
    EXPECT_FALSE(fs::exists(fs::path(out) / record)) << stage;
  }
}

TEST_F(Failures, AReadOnlyFolderIsNamed) {
  const SmallDisk disk(cases_.root() / "disk", std::size_t{16} << 20);
  if (!disk.problem().empty()) GTEST_SKIP() << "no small disk can be mounted: " << disk.problem();
  const std::string out = (disk.path() / "out").string();
  fs::create_directories(out);
  ASSERT_TRUE(disk.make_read_only());
  for (const std::string& stage : StageCases::stages()) {
    const ProcessResult result = run(cases_.words(stage), out);
    expect_failed(result, "Read-only file system");
    EXPECT_NE(result.err.find(out), std::string::npos) << result.err;
  }
  ASSERT_TRUE(disk.make_writable());
  EXPECT_EQ(run(cases_.words("generate"), out).status, 0);
}

TEST_F(Failures, SpaceIsEstimatedBeforeTheStart) {
  const SmallDisk disk(cases_.root() / "disk", std::size_t{1} << 20);
  if (!disk.problem().empty()) GTEST_SKIP() << "no small disk can be mounted: " << disk.problem();
  for (const std::string& stage : StageCases::stages()) {
    Words words = cases_.words(stage);
    words.emplace_back("--dry-run");
    const ProcessResult fits = run(words, cases_.path("dry"));
    EXPECT_EQ(fits.status, 0) << fits.err;
    EXPECT_NE(fits.err.find("take at most "), std::string::npos) << fits.err;
    EXPECT_NE(fits.err.find(" of memory, "), std::string::npos) << fits.err;
    EXPECT_NE(fits.err.find(" are free\n"), std::string::npos) << fits.err;
    EXPECT_FALSE(fs::exists(cases_.path("dry")));
    disk.leave(1024);
    const ProcessResult full = run(words, (disk.path() / "out").string());
    EXPECT_EQ(full.status, 0) << "a warning, no error: " << full.err;
    EXPECT_NE(full.err.find("warning: "), std::string::npos) << full.err;
    EXPECT_NE(full.err.find(" are free in "), std::string::npos) << full.err;
    disk.make_room();
  }
}

// Of the tiny models such batches take far more than the weights, which are some hundred kilobytes.
TEST_F(Failures, ABatchCountsInTheEstimateOfMemory) {
  for (const auto& [stage, batch, unit] : {std::tuple{"adapt", "65536", " GB"},
                                           {"train", "65536", " GB"},
                                           {"generate", "4096", " MB"}}) {
    Words words = cases_.words(stage);
    if (std::ranges::find(words, "--batch") == words.end()) {
      words.insert(words.end(), {"--batch", ""});
    }
    *std::next(std::ranges::find(words, "--batch")) = batch;
    words.emplace_back("--dry-run");
    const ProcessResult result = run(words, cases_.path("dry"));
    EXPECT_EQ(result.status, 0) << result.err;
    const std::size_t at = result.err.find(batch);
    ASSERT_NE(at, std::string::npos) << result.err;
    const std::string line = result.err.substr(at, result.err.find('\n', at) - at);
    EXPECT_NE(line.find(dd::cat(unit, " of memory, ")), std::string::npos) << line;
  }
}

// The most that is said must be enough.
TEST_F(Failures, TheEstimateOfSpaceHolds) {
  std::vector<std::string> stages = StageCases::stages();
  stages.emplace_back("convert");
  for (const std::string& stage : stages) {
    const std::string out = cases_.path(stage);
    const ProcessResult result = run(cases_.words(stage), out);
    ASSERT_EQ(result.status, 0) << result.err;
    const std::size_t at = result.err.find("take at most ");
    ASSERT_NE(at, std::string::npos) << result.err;
    const double claimed = std::atof(result.err.c_str() + at + 13);
    const std::string unit = result.err.substr(result.err.find(' ', at + 13) + 1, 2);
    ASSERT_TRUE(unit == "MB" || unit == "kB") << result.err;
    double written = 0;
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      if (entry.is_regular_file()) written += static_cast<double>(entry.file_size());
    }
    EXPECT_LE(written, claimed * (unit == "MB" ? 1e6 : 1e3) * 1.05) << stage;
  }
}

constexpr rlim_t kMegabyte = rlim_t{1} << 20;

/// Below this not even the program and its libraries find room.
rlim_t least_memory() {
  static const rlim_t least = [] {
    const auto starts = [](rlim_t limit) {
      return datadream({"--version"}, {.limits = {{RLIMIT_AS, limit}}}).status == 0;
    };
    rlim_t limit = 256 * kMegabyte;
    while (!starts(limit) && limit < 16384 * kMegabyte) limit += 8 * kMegabyte;
    while (starts(limit - kMegabyte)) limit -= kMegabyte;
    return limit;
  }();
  return least;
}

class LittleMemory : public Failures, public testing::WithParamInterface<const char*> {};

TEST_P(LittleMemory, IsSaidInOneLine) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer takes terabytes of addresses for itself";
#endif
  const Words words = cases_.words(GetParam());
  const auto expected = undisturbed(words);
  const std::string out = cases_.path("out");
  rlim_t limit = least_memory();
  int failures = 0;
  for (;; limit += 4 * kMegabyte) {
    ASSERT_LT(limit, 16384 * kMegabyte);
    const ProcessResult result = run(words, out, {.limits = {{RLIMIT_AS, limit}}});
    if (result.status == 0) break;
    ++failures;
    expect_failed(result, " memory");
    if (fs::exists(out)) expect_valid(out);
  }
  EXPECT_GE(failures, 1);
  ASSERT_EQ(run(words, out).status, 0);
  EXPECT_EQ(StageCases::results_in(out), expected);
}

INSTANTIATE_TEST_SUITE_P(EachStage, LittleMemory,
                         testing::Values("adapt", "generate", "train", "evaluate", "align"),
                         [](const auto& stage) { return std::string(stage.param); });

TEST_F(Failures, AModelThatIsCutOffWhileItIsReadIsSaidInOneLine) {
  const fs::path model = cases_.root() / "model";
  fs::copy(StageCases::model("sd1"), model, fs::copy_options::recursive);
  const fs::path weights = model / "unet/diffusion_pytorch_model.safetensors";
  const std::string whole = dd::read_file(weights);
  Words words = cases_.words("generate");
  std::ranges::replace(words, StageCases::model("sd1"), model.string());
  *std::next(std::ranges::find(words, "--steps")) = "40";
  words.insert(words.end(), {"--batch", "1"});
  const auto expected = undisturbed(words);
  const std::string out = cases_.path("out");
  const auto cut_off = [&] { fs::resize_file(weights, 4096); };
  const ProcessResult result = run(words, out, {.signal_after_text = "generate ", .act = cut_off});
  expect_failed(result, "cut off");
  dd::write_file_atomically(weights, whole);
  ASSERT_EQ(run(words, out).status, 0);
  EXPECT_EQ(StageCases::results_in(out), expected);
}

TEST_F(Failures, AnAdapterThatVanishesDuringTheRunIsNamed) {
  ASSERT_EQ(run(cases_.words("adapt"), cases_.path("adapters")).status, 0);
  Words words = cases_.words("generate");
  words.insert(words.end(), {"--adapters", cases_.path("adapters"), "--verbose", "--steps", "30"});
  words.erase(std::ranges::find(words, "--steps"), std::ranges::find(words, "--steps") + 2);
  const auto expected = undisturbed(words);
  const fs::path kept = cases_.root() / "kept";
  const fs::path adapter = cases_.root() / "adapters/red_top";
  const std::string out = cases_.path("out");
  const auto vanish = [&] { fs::rename(adapter, kept); };
  const ProcessResult result = run(words, out, {.signal_after_text = "generate ", .act = vanish});
  EXPECT_EQ(result.status, 2) << result.err;
  EXPECT_NE(last_line(result.err).find("red_top"), std::string::npos) << result.err;
  expect_valid(out);
  fs::rename(kept, adapter);
  ASSERT_EQ(run(words, out).status, 0);
  EXPECT_EQ(StageCases::results_in(out), expected);
}

TEST_F(Failures, PhotosThatVanishBetweenStagesAreNamed) {
  const Words words = cases_.words("train");
  fs::rename(cases_.root() / "images", cases_.root() / "elsewhere");
  const ProcessResult gone = run(words, cases_.path("out"));
  EXPECT_EQ(gone.status, 2);
  EXPECT_TRUE(dd::test::is_one_error_line(gone.err)) << gone.err;
  EXPECT_NE(gone.err.find(cases_.path("images")), std::string::npos) << gone.err;
  fs::rename(cases_.root() / "elsewhere", cases_.root() / "images");
  EXPECT_EQ(run(words, cases_.path("out")).status, 0);
}

}  // namespace
