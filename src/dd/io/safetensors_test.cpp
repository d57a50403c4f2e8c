// SPDX-License-Identifier: Apache-2.0
#include "dd/io/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "support/temporary_folder.h"

namespace {

using dd::io::SafetensorsFile;

std::string file_bytes(const std::string& header, std::size_t data_size) {
  std::string bytes;
  std::uint64_t length = header.size();
  for (int i = 0; i < 8; ++i, length >>= 8) bytes += static_cast<char>(length & 255);
  return bytes + header + std::string(data_size, '\0');
}

std::string error_of(const std::string& bytes) {
  try {
    dd::io::parse_safetensors_header(bytes, bytes.size(), "bad.safetensors");
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("bad.safetensors"), std::string::npos) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  const dd::test::TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const at::Tensor numbers = at::arange(6, at::kFloat).view({2, 3});
  const at::Tensor halves = at::ones({3}, at::kHalf);
  const at::Tensor odd = at::ones({1}, at::kByte);
  dd::io::write_safetensors(path, {{"odd", odd}, {"numbers", numbers}, {"halves", halves}},
                            {{"rank", "4"}});
  at::Tensor kept;
  {
    const SafetensorsFile file(path);
    EXPECT_EQ(file.metadata().at("rank"), "4");
    EXPECT_TRUE(at::equal(file.tensor("numbers"), numbers));
    kept = file.tensor("halves");
    EXPECT_THROW(file.tensor("other"), dd::Error);
  }
  EXPECT_TRUE(at::equal(kept, halves)) << "a tensor must outlive its file object";
  kept.zero_();
  EXPECT_TRUE(at::equal(SafetensorsFile(path).tensor("halves"), halves))
      << "the file must not change";
}

TEST(Safetensors, DeepHeadersAreRefused) {
  const std::string deep(1'000'000, '[');
  const std::string closed(1'000'000, ']');
  const std::string metadata = R"({"__metadata__":{"a":)" + deep + closed + "}}";
  EXPECT_NE(error_of(file_bytes(metadata, 0)).find("too deeply"), std::string::npos);
}

// Lists of names that are searched from the front would take minutes.
TEST(Safetensors, VeryManyTensorsAreNoTrouble) {
  std::string header = "{";
  for (int i = 0; i < 200'000; ++i) {
    header += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) +
              R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  }
  const std::string bytes = file_bytes(header + "}", 0);
  const auto parsed = dd::io::parse_safetensors_header(bytes, bytes.size(), "many.safetensors");
  EXPECT_EQ(parsed.entries.size(), 200'000U);
}

TEST(Safetensors, BrokenHeadersAreRefused) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(error_of(file_bytes(good, 8)), "no error");
  EXPECT_NE(error_of(file_bytes(good, 7)).find("cut off"), std::string::npos);
  EXPECT_NE(error_of("abc").find("shorter"), std::string::npos);
  EXPECT_NE(error_of(std::string(8, '\xff')).find("claims"), std::string::npos);
  EXPECT_NE(error_of(file_bytes("{\"a\":", 8)).find("JSON"), std::string::npos);
  EXPECT_NE(error_of(file_bytes("[1]", 8)).find("object"), std::string::npos);
  EXPECT_NE(error_of(file_bytes(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8))
                .find("does not fit"),
            std::string::npos);
  EXPECT_NE(error_of(file_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8))
                .find("offsets"),
            std::string::npos);
  EXPECT_NE(error_of(file_bytes(R"({"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", 8))
                .find("Q4"),
            std::string::npos);
  EXPECT_NE(
      error_of(
          file_bytes(
              R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 8))
          .find("does not fit"),
      std::string::npos);
  EXPECT_NE(error_of(file_bytes(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 8))
                .find("does not fit"),
            std::string::npos);
  EXPECT_NE(error_of(file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                                8))
                .find("overlaps"),
            std::string::npos);
  EXPECT_NE(error_of(file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                8))
                .find("twice"),
            std::string::npos);
}

}  // namespace
