// SPDX-License-Identifier: Apache-2.0
// Whole sets from the small Stable Diffusion of tests/oracle/models.
#include "dd/generate/generate.h"

#include <gtest/gtest.h>

#include <sstream>

#include "dd/core/files.h"
#include "dd/image/read.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

namespace fs = std::filesystem;

/// Remembers what was said, and asks to stop after so many calls of progress().
class Listener final : public Reporter {
 public:
  void info(const std::string& text) override { said += text + "\n"; }
  void warn(const std::string& text) override { warned += text + "\n"; }
  void progress(const std::string&, std::int64_t, std::int64_t, const std::string&) override {
    if (--calls_left == 0) cancel.request();
  }
  std::string said;
  std::string warned;
  int calls_left = -1;
  CancelToken cancel;
};

class GenerateSet : public ::testing::Test {
 protected:
  GenerateSet() {
    common_.device = "cpu";
    common_.out = folder_.path() / "set";
    write_file_atomically(folder_.path() / "classes.txt", "cat\ndog\nbag\n");
    options_.model = fs::path(DD_SOURCE_DIR) / "tests/oracle/models/sd1";
    options_.classes = (folder_.path() / "classes.txt").string();
    options_.per_class = 2;
    options_.steps = 2;
  }
  GenerateResult run() {
    Context context{listener_, listener_.cancel};
    return run_generate(options_, common_, context);
  }
  std::vector<Json> lines() const {
    std::istringstream text(read_file(common_.out / "metadata.jsonl"));
    std::vector<Json> result;
    for (std::string line; std::getline(text, line);) result.push_back(Json::parse(line));
    return result;
  }
  std::string bytes(const std::string& file) const { return read_file(common_.out / file); }

  test::TemporaryFolder folder_;
  GenerateOptions options_;
  CommonOptions common_;
  Listener listener_;
};

TEST_F(GenerateSet, EveryClassGetsItsImagesAndLines) {
  const GenerateResult result = run();
  EXPECT_EQ(result.written, 6);
  EXPECT_EQ(result.present, 0);
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 6u);
  for (const Json& line : all) EXPECT_TRUE(fs::exists(common_.out / line.at("file_name")));
  EXPECT_EQ(all[2].at("prompt"), "a photo of a dog");
  EXPECT_EQ(all[2].at("sampler"), "ddim");
  EXPECT_EQ(all[2].at("width"), 32);
  EXPECT_EQ(all[2].at("model_hash").get<std::string>().size(), 64u);
  EXPECT_NE(bytes("cat/00000.png"), bytes("cat/00001.png"));
  EXPECT_NE(bytes("cat/00000.png"), bytes("dog/00000.png"));
}

TEST_F(GenerateSet, FeaturesTakenAgainChangeImagesALittleAndAreOnRecord) {
  options_.steps = 4;
  options_.guidance_low = 1;  // some steps are guided, some are not
  run();
  const std::string plain = bytes("cat/00000.png");
  EXPECT_FALSE(lines()[0].contains("cache_every"));
  options_.cache_every = 2;
  EXPECT_THROW(run(), Error) << "other images must not be mixed into the set";
  common_.out = folder_.path() / "cached";
  run();
  EXPECT_EQ(lines()[0].at("cache_every"), 2);
  EXPECT_NE(bytes("cat/00000.png"), plain);
}

TEST_F(GenerateSet, SmallerLatentsGiveSmallerImagesAndAreOnRecord) {
  options_.per_class = 1;
  run();
  EXPECT_FALSE(lines()[0].contains("decode_shrink"));
  options_.decode_shrink = 2;
  EXPECT_THROW(run(), Error) << "other images must not be mixed into the set";
  common_.out = folder_.path() / "small";
  run();
  EXPECT_EQ(lines()[0].at("decode_shrink"), 2);
  EXPECT_EQ(lines()[0].at("width"), 32) << "what is drawn keeps its size";
  const Image small = read_image(common_.out / "cat/00000.png");
  EXPECT_EQ(small.width, 16);
  EXPECT_EQ(small.height, 16);
  EXPECT_NE(listener_.said.find("16x16 pixels"), std::string::npos) << listener_.said;
  options_.decode_shrink = 5;
  common_.out = folder_.path() / "none";
  EXPECT_THROW(run(), Error) << "32 pixels have no fifth";
  EXPECT_FALSE(fs::exists(common_.out));
}

TEST_F(GenerateSet, AnyImageCanBeMadeAgainFromItsLine) {
  run();
  const Json line = lines().at(3);
  const std::string original = bytes(line.at("file_name"));
  options_ = GenerateOptions();
  options_.model = line.at("model").get<std::string>();
  options_.prompt = line.at("prompt").get<std::string>();
  options_.steps = line.at("steps");
  options_.guidance = line.at("guidance");
  options_.sampler = line.at("sampler");
  common_.seed = line.at("seed");
  common_.out = folder_.path() / "again";
  run();
  EXPECT_EQ(bytes("00000.png"), original);
}

TEST_F(GenerateSet, SecondCallDrawsOnlyWhatIsMissing) {
  run();
  const std::string lost = bytes("dog/00001.png");
  const auto untouched = fs::last_write_time(common_.out / "cat/00000.png");
  fs::remove(common_.out / "dog/00001.png");
  const GenerateResult result = run();
  EXPECT_EQ(result.written, 1);
  EXPECT_EQ(result.present, 5);
  EXPECT_EQ(bytes("dog/00001.png"), lost);
  EXPECT_EQ(fs::last_write_time(common_.out / "cat/00000.png"), untouched);
  EXPECT_EQ(lines().size(), 6u);
}

TEST_F(GenerateSet, OtherSettingsNeedForce) {
  run();
  const std::string before = bytes("cat/00000.png");
  options_.guidance = 4;
  EXPECT_THROW(run(), Error);
  EXPECT_EQ(bytes("cat/00000.png"), before);
  common_.force = true;
  EXPECT_EQ(run().written, 6);
  EXPECT_NE(bytes("cat/00000.png"), before);
}

TEST_F(GenerateSet, StoppedSetIsWholeAndGoesOn) {
  options_.batch = 2;
  run();
  const std::string last = bytes("bag/00001.png");
  common_.out = folder_.path() / "stopped";
  // Two steps and the end of a batch are three calls, so this is the first step of the second.
  listener_.calls_left = 4;
  try {
    run();
    ADD_FAILURE() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_EQ(lines().size(), 2u);
  Listener other;
  Context context{other, other.cancel};
  const GenerateResult result = run_generate(options_, common_, context);
  EXPECT_EQ(result.present, 2);
  EXPECT_EQ(result.written, 4);
  EXPECT_EQ(bytes("bag/00001.png"), last);
}

TEST_F(GenerateSet, DryRunWritesNothing) {
  common_.dry_run = true;
  EXPECT_EQ(run().written, 0);
  EXPECT_FALSE(fs::exists(common_.out));
  EXPECT_NE(listener_.said.find("6 images"), std::string::npos) << listener_.said;
}

TEST_F(GenerateSet, LongPromptsAreCutWithAWarning) {
  options_.classes.clear();
  options_.prompt = "";
  for (int i = 0; i < 60; ++i) *options_.prompt += "a photo ";
  EXPECT_EQ(run().written, 1);
  EXPECT_NE(listener_.warned.find("77 tokens"), std::string::npos) << listener_.warned;
}

TEST_F(GenerateSet, EmptyPromptIsDrawn) {
  options_.classes.clear();
  options_.prompt = "";
  EXPECT_EQ(run().written, 1);
  EXPECT_EQ(lines().at(0).at("prompt"), "");
}

TEST_F(GenerateSet, KarrasLevelsAreTakenNotedAndRefusedWhereTheyMeanNothing) {
  options_.per_class = 1;
  options_.steps = 4;
  options_.sampler = "dpm++2m";
  run();
  const std::string plain = bytes("cat/00000.png");
  EXPECT_FALSE(lines().at(0).contains("karras"));
  options_.karras = true;
  common_.out = folder_.path() / "karras";
  run();
  EXPECT_NE(bytes("cat/00000.png"), plain);
  EXPECT_EQ(lines().at(0).at("karras"), true);
  options_.sampler = "auto";  // DDIM in this model
  common_.out = folder_.path() / "ddim";
  EXPECT_THROW(run(), Error);
}

TEST_F(GenerateSet, GuidanceIntervalChangesTheImageAndItsEndsMeanAllOrNothing) {
  options_.per_class = 1;
  options_.steps = 4;
  run();
  const std::string guided = bytes("cat/00000.png");
  const auto variant = [&](double low, double high, double guidance, const char* name) {
    options_.guidance_low = low;
    options_.guidance_high = high;
    options_.guidance = guidance;
    common_.out = folder_.path() / name;
    run();
    return bytes("cat/00000.png");
  };
  const std::string without = variant(0, 0, 1, "without");
  EXPECT_NE(without, guided);
  EXPECT_EQ(variant(0, 100, 2, "all"), guided);
  EXPECT_EQ(variant(100, 200, 2, "nothing"), without);
  const std::string part = variant(0.5, 3, 2, "part");
  EXPECT_NE(part, guided);
  EXPECT_NE(part, without);
}

TEST_F(GenerateSet, BadInputWritesNothing) {
  const auto expect_kind = [&](ErrorKind kind) {
    try {
      run();
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
    }
    EXPECT_FALSE(fs::exists(common_.out));
  };
  options_.size = "30";
  expect_kind(ErrorKind::kUsage);
  options_.size.clear();
  options_.lora = {"missing.safetensors:0.5"};
  expect_kind(ErrorKind::kInput);
  options_.lora.clear();
  options_.adapters = folder_.path();
  expect_kind(ErrorKind::kInput);
  options_.adapters.clear();
  options_.model = folder_.path() / "none";
  expect_kind(ErrorKind::kInput);
}

}  // namespace
}  // namespace dd::generate
