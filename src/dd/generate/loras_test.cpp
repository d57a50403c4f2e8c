// SPDX-License-Identifier: Apache-2.0
// Sets drawn with LoRAs, with the small model and LoRA of tests/oracle.
#include "dd/generate/loras.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/generate/generate.h"
#include "dd/lora/lora_file.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

namespace fs = std::filesystem;

class GenerateWithLoras : public ::testing::Test {
 protected:
  GenerateWithLoras() {
    write_file_atomically(folder_.path() / "classes.txt", "cat\nT-shirt/top\n");
    options_.model = oracle_ / "models/sd1";
    options_.classes = (folder_.path() / "classes.txt").string();
    options_.per_class = 1;
    options_.steps = 2;
    options_.batch = 8;
  }
  void put_adapter(const std::string& below) const {
    make_folder(adapters_ / below);
    fs::copy_file(lora_, adapters_ / below / lora::kLoraFileName);
  }
  /// Draws into a folder of its own and gives the bytes of an image.
  std::string draw(const std::string& file = "cat/00000.png") {
    CommonOptions common;
    common.device = "cpu";
    common.out = folder_.path() / std::to_string(++calls_);
    Context context{report_, cancel_};
    run_generate(model_, options_, common, context);
    return read_file(common.out / file);
  }
  ErrorKind failure(const std::string& mentioned) {
    try {
      draw();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(mentioned), std::string::npos) << error.what();
      return error.kind();
    }
    ADD_FAILURE() << "accepted, but should complain of " << mentioned;
    return ErrorKind::kInternal;
  }

  const fs::path oracle_ = fs::path(DD_SOURCE_DIR) / "tests/oracle";
  const fs::path lora_ = oracle_ / "lora/sd1/pytorch_lora_weights.safetensors";
  const models::StableDiffusion model_ = models::StableDiffusion::load(oracle_ / "models/sd1", {});
  test::TemporaryFolder folder_;
  fs::path adapters_ = folder_.path() / "adapters";
  GenerateOptions options_;
  NullReporter report_;
  CancelToken cancel_;
  int calls_ = 0;
};

TEST_F(GenerateWithLoras, ScaleSaysHowStronglyAndTheModelIsAsBefore) {
  const std::string base = draw();
  options_.lora = {lora_.string()};
  const std::string full = draw();
  options_.lora = {lora_.string() + ":0.5"};
  const std::string half = draw();
  options_.lora = {lora_.string() + ":0"};
  const std::string none = draw();
  options_.lora.clear();
  EXPECT_NE(full, base);
  EXPECT_NE(half, base);
  EXPECT_NE(half, full);
  EXPECT_EQ(none, base);
  EXPECT_EQ(draw(), base);
}

TEST_F(GenerateWithLoras, AdaptersOfClassesActOnTheirClassAlone) {
  const std::string base_cat = draw("cat/00000.png");
  const std::string base_top = draw("T-shirt_top/00000.png");
  put_adapter("cat");
  put_adapter("T-shirt_top");
  options_.adapters = adapters_;
  const std::string cat = draw("cat/00000.png");
  EXPECT_NE(cat, base_cat);
  // The same LoRA for all, in the other two ways of saying it.
  options_.adapters.clear();
  options_.lora = {lora_.string()};
  EXPECT_EQ(draw("cat/00000.png"), cat);
  const std::string top = draw("T-shirt_top/00000.png");
  EXPECT_NE(top, base_top);
  put_adapter("");
  options_.lora.clear();
  options_.adapters = adapters_;
  EXPECT_EQ(draw("T-shirt_top/00000.png"), top);
}

TEST_F(GenerateWithLoras, MissingAdaptersAndFilesAreNamed) {
  put_adapter("cat");
  options_.adapters = adapters_;
  EXPECT_EQ(failure("T-shirt/top"), ErrorKind::kInput);
  options_.adapters = folder_.path() / "nowhere";
  EXPECT_EQ(failure("nowhere"), ErrorKind::kInput);
  options_.adapters.clear();
  options_.lora = {"a:b.safetensors:0.5"};
  EXPECT_EQ(failure("a:b.safetensors;"), ErrorKind::kInput);
  options_.lora.clear();
  options_.adapters = adapters_;
  options_.classes.clear();
  options_.prompt = "a photo of a cat";
  EXPECT_EQ(failure("--lora"), ErrorKind::kUsage);
}

TEST_F(GenerateWithLoras, LoraOfAnotherModelLeavesTheModelAlone) {
  const std::string base = draw();
  options_.lora = {(oracle_ / "lora/sd2/pytorch_lora_weights.safetensors").string()};
  EXPECT_EQ(failure("pytorch_lora_weights.safetensors"), ErrorKind::kInput);
  options_.lora.clear();
  EXPECT_EQ(draw(), base);
}

}  // namespace
}  // namespace dd::generate
