// SPDX-License-Identifier: Apache-2.0
#include "dd/io/checkpoint.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/io/safetensors.h"
#include "support/hostile_bytes.h"
#include "support/temporary_folder.h"

namespace {

using dd::io::Checkpoint;
using dd::test::expect_input_error;
using dd::test::input_error;

class CheckpointFolder : public testing::Test {
 protected:
  /// One number under the name "a", or another.
  void write(const std::string& file, float value, const std::string& name = "a") {
    dd::io::write_safetensors(path() / file, {{name, at::full({1}, value)}});
  }
  void write_index(const std::string& file, const std::string& map) {
    dd::write_file_atomically(path() / file, R"({"weight_map": {)" + map + "}}");
  }
  float read(const std::string& stem) {
    return Checkpoint::open(path(), stem).tensor("a").item<float>();
  }
  std::string error_of(const std::string& stem) {
    return input_error([&] { Checkpoint::open(path(), stem); });
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  dd::test::TemporaryFolder folder_;
};

TEST_F(CheckpointFolder, FullPrecisionAndSafetensorsComeFirst) {
  expect_input_error(error_of("model"), "pytorch_model.fp16.bin");
  // From the last choice to the first. Content, not the ending, says which format a file has.
  write("shard", 7);
  write_index("model.fp16.safetensors.index.json", R"("a": "shard")");
  EXPECT_EQ(read("model"), 7);
  write_index("model.safetensors.index.fp16.json", R"("a": "shard")");
  EXPECT_EQ(read("model"), 7);
  write("model.fp16.safetensors", 1);
  EXPECT_EQ(read("model"), 1);
  write("bin-shard", 2);
  write_index("pytorch_model.bin.index.json", R"("a": "bin-shard")");
  EXPECT_EQ(read("model"), 2);
  write("pytorch_model.bin", 3);
  EXPECT_EQ(read("model"), 3);
  write_index("model.safetensors.index.json", R"("a": "shard")");
  EXPECT_EQ(read("model"), 7);
  write("model.safetensors", 5);
  EXPECT_EQ(read("model"), 5);
  write("diffusion_pytorch_model.bin", 6);
  EXPECT_EQ(read("diffusion_pytorch_model"), 6);
}

TEST_F(CheckpointFolder, ShardsAreOneCheckpoint) {
  write("1", 1);
  write("2", 2, "b");
  write_index("model.safetensors.index.json", R"("a": "1", "b": "2")");
  const Checkpoint checkpoint = Checkpoint::open(path(), "model");
  EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(checkpoint.tensor("b").item<float>(), 2);
  EXPECT_EQ(checkpoint.info("b").shape, std::vector<std::int64_t>{1});
  EXPECT_EQ(checkpoint.files().size(), 2);
  expect_input_error(input_error([&] { checkpoint.tensor("c"); }), "no tensor c");
}

TEST_F(CheckpointFolder, BadIndexesAreRefused) {
  write("1", 1);
  write("2", 2);
  const std::string index = "model.safetensors.index.json";
  write_index(index, R"("a": "../1")");
  expect_input_error(error_of("model"), "leaves the folder");
  write_index(index, R"("a": "..")");
  expect_input_error(error_of("model"), "leaves the folder");
  write_index(index, R"("a": "/etc/passwd")");
  expect_input_error(error_of("model"), "leaves the folder");
  write_index(index, R"("a": "1", "b": "2")");
  expect_input_error(error_of("model"), "another shard");
  write_index(index, R"("b": "1")");
  expect_input_error(error_of("model"), "the tensor b is not in 1");
  write_index(index, R"("a": "3")");
  expect_input_error(error_of("model"), "cannot open");
  write_index(index, "");
  expect_input_error(error_of("model"), "is empty");
  dd::write_file_atomically(path() / index, R"({"weight_map": [)");
  expect_input_error(error_of("model"), index);
}

TEST_F(CheckpointFolder, ReleasedTensorsAreReadAgain) {
  dd::io::write_safetensors(path() / "model.safetensors", {{"a", at::full({100'000}, 3.F)}});
  const Checkpoint checkpoint = Checkpoint::open(path(), "model");
  const at::Tensor view = checkpoint.tensor("a");
  EXPECT_EQ(view.sum().item<float>(), 300'000);
  checkpoint.release("a");
  EXPECT_EQ(view.sum().item<float>(), 300'000);
}

}  // namespace
