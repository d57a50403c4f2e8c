// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "dd/adapt/adapt_size.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/lora/lora_file.h"
#include "dd/lora/merged_lora.h"
#include "dd/models/model_size.h"
#include "dd/models/stable_diffusion.h"
#include "support/lora_gap.h"
#include "support/oracle.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace dd::adapt {
namespace {

namespace fs = std::filesystem;

/// Asks for a stop once a task has done so many steps.
class StoppingReporter final : public Reporter {
 public:
  StoppingReporter(CancelToken& cancel, std::string task, std::int64_t step)
      : cancel_(cancel), task_(std::move(task)), step_(step) {}
  void info(const std::string&) override {}
  void warn(const std::string& text) override { ADD_FAILURE() << text; }
  void progress(const std::string& task, std::int64_t done, std::int64_t,
                const std::string&) override {
    if (task == task_ && done == step_) cancel_.request();
  }

 private:
  CancelToken& cancel_;
  std::string task_;
  std::int64_t step_;
};

class AdaptTest : public ::testing::Test {
 protected:
  AdaptTest() {
    test::write_photos(folder_.path() / "data", {"ankle_boot", "bag"}, 3, 40, 32);
    options_.model = model_;
    options_.data = (folder_.path() / "data").string();
    options_.shots = 3;
    options_.rank = 2;
    options_.alpha = 4;
    options_.batch = 2;
    options_.steps = 12;
    options_.flip = true;
    options_.resolution = 32;
    options_.optimizer.learning_rate = 1e-3;
    common_.device = "cpu";
    common_.out = folder_.path() / "out";
  }

  AdaptResult run(const fs::path& out) {
    NullReporter reporter;
    const CancelToken cancel;
    Context context{reporter, cancel};
    common_.out = out;
    return run_adapt(options_, common_, context);
  }
  void run_until(const fs::path& out, const std::string& task, std::int64_t step) {
    CancelToken cancel;
    StoppingReporter reporter(cancel, task, step);
    Context context{reporter, cancel};
    common_.out = out;
    try {
      run_adapt(options_, common_, context);
      FAIL() << "the run was not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled) << error.what();
    }
  }
  ErrorKind refusal(const fs::path& out) {
    try {
      run(out);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  }
  /// The adapters of two folders agree but for rounding.
  static void expect_close(const fs::path& actual, const fs::path& expected) {
    EXPECT_LE(test::lora_gap(actual / lora::kLoraFileName, expected / lora::kLoraFileName),
              test::kRoundingGap)
        << actual;
  }
  static std::string weights(const fs::path& folder) {
    return read_file(folder / lora::kLoraFileName);
  }
  fs::path out(const std::string& name) const { return folder_.path() / name; }

  fs::path model_ = test::oracle_path("models") / "sd1";
  test::TemporaryFolder folder_;
  AdaptOptions options_;
  CommonOptions common_;
};

TEST_F(AdaptTest, TrainsOneAdapterForTheDataSet) {
  const AdaptResult result = run(out("a"));
  EXPECT_EQ(result.adapters, 1);
  EXPECT_EQ(result.steps, 12);
  const Json record = read_json(out("a") / "adapter.json");
  EXPECT_EQ(record.at("steps"), 12);
  EXPECT_EQ(record.at("prompts").size(), 2U);
  EXPECT_EQ(record.at("shots").size(), 6U);
  EXPECT_EQ(record.at("fixed_noise_loss_on"), "training shots");
  EXPECT_EQ(record.at("fixed_noise_loss").size(), 2U);
  EXPECT_EQ(record.at("settings").at("rank"), 2);
  EXPECT_TRUE(fs::exists(out("a") / "shots.json"));
  EXPECT_FALSE(fs::exists(out("a") / "adapter-state.safetensors"));

  const auto model = models::StableDiffusion::load(model_, {});
  const lora::ModelPart parts[] = {{"unet", &model.unet.parameters()},
                                   {"text_encoder", &model.text_encoder.parameters()}};
  const lora::LoraFile file = lora::read_lora(out("a") / lora::kLoraFileName, parts);
  EXPECT_EQ(file.record.base_model, model.fingerprint);
  EXPECT_EQ(file.record.prompt_template, "a photo of a {}");
  bool has_text = false;
  for (const lora::LoraPair& pair : file.weights.pairs) {
    EXPECT_EQ(pair.scale, 2);
    EXPECT_GT(pair.up.abs().max().item<double>(), 0) << pair.layer << " was not trained";
    has_text = has_text || pair.layer.starts_with("text_encoder.");
  }
  EXPECT_TRUE(has_text);
}

TEST_F(AdaptTest, FitsTheShots) {
  options_.steps = 60;
  options_.rank = 8;
  options_.alpha = 8;
  options_.optimizer.learning_rate = 1e-2;
  run(out("a"));
  const Json curve = read_json(out("a") / "adapter.json").at("fixed_noise_loss");
  EXPECT_LT(curve.back().at(1).get<double>(), 0.97 * curve.front().at(1).get<double>());
}

TEST_F(AdaptTest, TrainsAnAdapterForEachClass) {
  options_.mode = "class";
  options_.validation_shots = 1;
  options_.text_encoder = false;
  const AdaptResult result = run(out("a"));
  EXPECT_EQ(result.adapters, 2);
  EXPECT_EQ(result.steps, 6);
  for (const char* name : {"ankle_boot", "bag"}) {
    const Json record = read_json(out("a") / name / "adapter.json");
    EXPECT_EQ(record.at("class"), name);
    EXPECT_EQ(record.at("shots").size(), 2U);
    EXPECT_EQ(record.at("held_out").size(), 1U);
    EXPECT_EQ(record.at("fixed_noise_loss_on"), "held-out shots");
    EXPECT_EQ(weights(out("a") / name).find("text_encoder.text_model"), std::string::npos);
  }
  EXPECT_NE(weights(out("a") / "ankle_boot"), weights(out("a") / "bag"));
  EXPECT_EQ(run(out("a")).skipped, 2);
}

TEST_F(AdaptTest, AnAdapterDoesNotDependOnWhatWasTrainedBefore) {
  options_.mode = "class";
  run(out("a"));
  const std::string second = weights(out("a") / "bag");
  fs::remove(out("a") / "bag" / "adapter.json");
  const AdaptResult again = run(out("a"));
  EXPECT_EQ(again.adapters, 1);
  EXPECT_EQ(again.skipped, 1);
  EXPECT_EQ(weights(out("a") / "bag"), second);
}

TEST_F(AdaptTest, StoppedRunsGoOnBitForBit) {
  for (const std::string mode : {"dataset", "class"}) {
    options_.mode = mode;
    run(out(mode));
    const std::string last = mode == "class" ? "bag" : "";
    run_until(out(mode + "-stopped"), mode == "class" ? "adapt bag" : "adapt", 4);
    EXPECT_FALSE(fs::exists(out(mode + "-stopped") / last / lora::kLoraFileName));
    const AdaptResult rest = run(out(mode + "-stopped"));
    EXPECT_EQ(rest.skipped, mode == "class" ? 1 : 0);
    EXPECT_EQ(weights(out(mode + "-stopped") / last), weights(out(mode) / last)) << mode;
    EXPECT_EQ(read_json(out(mode + "-stopped") / last / "adapter.json").at("loss"),
              read_json(out(mode) / last / "adapter.json").at("loss"));
  }
}

TEST_F(AdaptTest, PartsAndRecomputingGiveTheSameAdapter) {
  run(out("a"));
  options_.checkpoint_activations = true;
  run(out("recomputed"));
  EXPECT_EQ(weights(out("recomputed")), weights(out("a")));
  EXPECT_EQ(run(out("a")).skipped, 1) << "it is the same adapter";
  options_.accumulate = 2;
  run(out("parts"));
  expect_close(out("parts"), out("a"));
  options_.accumulate = 3;
  EXPECT_EQ(refusal(out("refused")), ErrorKind::kUsage) << "a batch has two images";
}

TEST_F(AdaptTest, ClassesTrainedTogetherEqualThoseTrainedOneByOne) {
  options_.mode = "class";
  options_.validate_every = 3;
  const AdaptResult alone = run(out("alone"));
  options_.adapters_per_batch = 2;
  const AdaptResult together = run(out("together"));
  EXPECT_EQ(together.adapters, 2);
  EXPECT_NEAR(together.last_loss, alone.last_loss, 1e-4 * alone.last_loss);
  for (const char* name : {"ankle_boot", "bag"}) {
    expect_close(out("together") / name, out("alone") / name);
    const Json record = read_json(out("together") / name / "adapter.json");
    const Json expected = read_json(out("alone") / name / "adapter.json");
    for (const char* key : {"class", "steps", "parameters", "identity", "settings", "shots"}) {
      EXPECT_EQ(record.at(key), expected.at(key)) << key;
    }
    for (const char* key : {"loss", "fixed_noise_loss"}) {
      ASSERT_EQ(record.at(key).size(), expected.at(key).size()) << key;
      for (std::size_t i = 0; i < expected.at(key).size(); ++i) {
        const double want = expected.at(key)[i][1].get<double>();
        EXPECT_NEAR(record.at(key)[i][1].get<double>(), want, 1e-4 * want) << key;
      }
    }
    EXPECT_FALSE(fs::exists(out("together") / name / "adapter-state.safetensors"));
  }
  options_.adapters_per_batch = 1;
  EXPECT_EQ(run(out("together")).skipped, 2) << "they count as the same";
}

TEST_F(AdaptTest, StoppedGroupsGoOnBitForBitAndInOtherGroupsToo) {
  test::write_photos(folder_.path() / "data", {"coat"}, 3, 32, 40);
  options_.mode = "class";
  options_.steps = 18;
  run(out("alone"));
  options_.adapters_per_batch = 2;
  run(out("whole"));
  run_until(out("stopped"), "adapt ankle_boot to bag", 4);
  EXPECT_FALSE(fs::exists(out("stopped") / "bag" / lora::kLoraFileName));
  fs::copy(out("stopped"), out("other"), fs::copy_options::recursive);
  EXPECT_EQ(run(out("stopped")).adapters, 3);
  // Of the two that were begun one is left alone, the other is at another step than the third.
  fs::remove(out("other") / "bag" / "adapter-state.safetensors");
  EXPECT_EQ(run(out("other")).adapters, 3);
  for (const char* name : {"ankle_boot", "bag", "coat"}) {
    EXPECT_EQ(weights(out("stopped") / name), weights(out("whole") / name)) << name;
    expect_close(out("stopped") / name, out("alone") / name);
    expect_close(out("other") / name, out("alone") / name);
  }
  fs::remove(out("whole") / "coat" / "adapter.json");
  const std::string coat = weights(out("whole") / "coat");
  const AdaptResult again = run(out("whole"));
  EXPECT_EQ(again.skipped, 2);
  EXPECT_EQ(again.adapters, 1);
  EXPECT_EQ(weights(out("whole") / "coat"), coat) << "it was alone in its group before too";
}

// With records of some hundred kilobytes each, small adapters would always fit.
TEST_F(AdaptTest, AStoppedGroupKeepsToTheSpaceThatWasSaid) {
  options_.mode = "class";
  options_.steps = 18;
  options_.rank = 64;
  options_.adapters_per_batch = 2;
  run_until(out("stopped"), "adapt ankle_boot to bag", 4);
  std::int64_t states = 0;
  for (const auto& entry : fs::recursive_directory_iterator(out("stopped"))) {
    if (entry.path().filename() == "adapter-state.safetensors")
      states += static_cast<std::int64_t>(entry.file_size());
  }
  const std::int64_t numbers =
      adapter_numbers(models::model_tensors(model_), options_.rank, options_.text_encoder);
  ASSERT_GT(states, 24 * numbers) << "two states of a number and two moments in float32";
  // While it replaces one of them.
  EXPECT_LE(states * 3 / 2, adapter_bytes(numbers, 2, 2));
}

TEST_F(AdaptTest, GroupsAreOfClasses) {
  options_.adapters_per_batch = 2;
  EXPECT_EQ(refusal(out("a")), ErrorKind::kUsage);
  EXPECT_FALSE(fs::exists(out("a")));
}

TEST_F(AdaptTest, RefusesOtherSettingsUnlessForced) {
  run(out("a"));
  const std::string first = weights(out("a"));
  EXPECT_EQ(run(out("a")).skipped, 1);
  common_.seed = 5;
  EXPECT_EQ(refusal(out("a")), ErrorKind::kUsage);
  EXPECT_EQ(weights(out("a")), first);
  options_.mode = "class";
  EXPECT_EQ(refusal(out("a")), ErrorKind::kUsage);
  common_.force = true;
  EXPECT_EQ(run(out("a")).adapters, 2);
  EXPECT_FALSE(fs::exists(out("a") / lora::kLoraFileName)) << "the old adapter is still there";
}

TEST_F(AdaptTest, BadInputLeavesNothingBehind) {
  options_.resolution = 30;
  EXPECT_EQ(refusal(out("a")), ErrorKind::kUsage);
  options_.resolution = 32;
  options_.model = folder_.path() / "nowhere";
  EXPECT_EQ(refusal(out("a")), ErrorKind::kInput);
  options_.model = model_;
  options_.shots = 4;
  EXPECT_EQ(refusal(out("a")), ErrorKind::kInput);
  EXPECT_FALSE(fs::exists(out("a")));
  options_.shots = 3;
  common_.dry_run = true;
  EXPECT_EQ(run(out("a")).steps, 12);
  EXPECT_FALSE(fs::exists(out("a")));
}

TEST_F(AdaptTest, ADamagedShotIsNamedBeforeAnythingIsWritten) {
  write_file_atomically(folder_.path() / "data" / "bag" / "1.png", std::string("no picture"));
  EXPECT_EQ(refusal(out("a")), ErrorKind::kInput);
  EXPECT_FALSE(fs::exists(out("a")));
}

TEST_F(AdaptTest, TrainsFloat32OnAModelInHalfPrecision) {
  common_.dtype = "bf16";
  run(out("a"));
  const io::SafetensorsFile file(out("a") / lora::kLoraFileName);
  for (const io::TensorEntry& entry : file.entries()) {
    EXPECT_EQ(entry.dtype, at::kFloat);
    EXPECT_GT(file.tensor(entry.name).abs().max().item<double>(), 0) << entry.name;
  }
}

}  // namespace
}  // namespace dd::adapt
