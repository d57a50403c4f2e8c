// SPDX-License-Identifier: Apache-2.0
#include "dd/io/torch_file.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "support/hostile_bytes.h"

namespace {

using dd::io::Bytes;
using dd::io::TorchFile;
using dd::test::expect_input_error;
using dd::test::input_error;
using dd::test::low_first;
using dd::test::zip_of;
using namespace std::string_literals;

std::string text(const std::string& value) {
  return "X" + low_first(value.size(), 4) + value;
}
std::string integer(std::uint64_t value) {
  return "J" + low_first(value, 4);
}
std::string tuple(const std::vector<std::uint64_t>& values) {
  std::string code = "(";
  for (const std::uint64_t value : values) code += integer(value);
  return code + "t";
}

struct TensorCode {
  std::string function = "torch._utils\n_rebuild_tensor_v2";
  std::string storage_class = "torch\nFloatStorage";
  std::uint64_t count = 6;
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> shape{2, 3};
  std::vector<std::uint64_t> strides{3, 1};
};

/// As torch.save writes a tensor on storage "0".
std::string tensor_code(const TensorCode& code) {
  return "c" + code.function + "\n((" + text("storage") + "c" + code.storage_class + "\n" +
         text("0") + text("cpu") + integer(code.count) + "tQ" + integer(code.offset) +
         tuple(code.shape) + tuple(code.strides) + "\x89NtR";
}

std::string dict_of(const std::string& name, const std::string& value) {
  return "\x80\x02}"s + text(name) + value + "s.";
}

std::string numbers() {
  std::string bytes;
  for (const float value : {0.F, 1.F, 2.F, 3.F, 4.F, 5.F})
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

std::string archive_of(const std::string& pickle, bool deflated = false) {
  return zip_of({{"m/data.pkl", pickle, deflated}, {"m/data/0", numbers(), deflated}});
}

std::string legacy_of(const std::string& pickle) {
  return "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}"s +
         text("little_endian") + "\x88s." + pickle + "\x80\x02]" + text("0") + "a." +
         low_first(6, 8) + numbers();
}

TorchFile opened(const std::string& bytes) {
  return {Bytes::own(bytes), "bad.pt"};
}

std::string error_of(const std::string& bytes) {
  return input_error([&] {
    const TorchFile file = opened(bytes);
    for (const auto& info : file.infos()) file.tensor(info.name).sum();
  });
}

TEST(TorchFile, AllFormatsGiveTheSameTensor) {
  const std::string pickle = dict_of("w", tensor_code({}));
  const at::Tensor expected = at::tensor({0.F, 1.F, 2.F, 3.F, 4.F, 5.F}).view({2, 3});
  for (const std::string& bytes :
       {archive_of(pickle), archive_of(pickle, true), legacy_of(pickle)}) {
    ASSERT_TRUE(TorchFile::looks_like_torch(bytes));
    const TorchFile file = opened(bytes);
    ASSERT_EQ(file.infos().size(), 1);
    EXPECT_EQ(file.infos()[0].shape, (std::vector<std::int64_t>{2, 3}));
    const at::Tensor read = file.tensor("w");
    file.release("w");
    EXPECT_TRUE(at::equal(read, expected));
    EXPECT_TRUE(at::equal(file.tensor("w"), expected));
    expect_input_error(input_error([&] { file.tensor("v"); }), "no tensor v in bad.pt");
  }
}

TEST(TorchFile, StridesAndOffsetsAreKept) {
  const std::string code = tensor_code({.offset = 1, .shape = {2, 2}, .strides = {1, 3}});
  const at::Tensor read = opened(archive_of(dict_of("w", code))).tensor("w");
  EXPECT_TRUE(at::equal(read, at::tensor({1.F, 4.F, 2.F, 5.F}).view({2, 2})));
}

TEST(TorchFile, StateDictsAndModulesAreEntered) {
  const std::string weights = "}" + text("a.w") + tensor_code({}) + "s";
  const TorchFile lightning = opened(
      archive_of("\x80\x02}("s + text("global_step") + integer(875000) + text("optimizer") + "}" +
                 text("w") + tensor_code({}) + "s" + text("state_dict") + weights + "u."));
  ASSERT_EQ(lightning.infos().size(), 1);
  EXPECT_EQ(lightning.infos()[0].name, "a.w");
  EXPECT_EQ(lightning.metadata().at("global_step"), "875000");
  const std::string inner = "c__torch__\nInner\n)\x81}" + text("weight") + tensor_code({}) + "sb";
  const TorchFile script =
      opened(archive_of("\x80\x02"s + "c__torch__\nOuter\n)\x81}" + text("inner") + inner + "sb."));
  EXPECT_EQ(script.infos()[0].name, "inner.weight");
  const std::string module = "ctorch.nn\nLinear\n)\x81}(" + text("_parameters") + "}" +
                             text("weight") + tensor_code({}) + "s" + text("_modules") + "}ub";
  EXPECT_EQ(opened(archive_of(dict_of("part", module))).infos()[0].name, "part.weight");
}

TEST(TorchFile, WhatATensorNeedsIsNamed) {
  const auto refused = [](const TensorCode& code) {
    return error_of(archive_of(dict_of("w", tensor_code(code))));
  };
  expect_input_error(refused({.function = "torch._utils\n_rebuild_qtensor"}),
                     "the tensor w is made by torch._utils._rebuild_qtensor");
  expect_input_error(refused({.storage_class = "torch\nQInt8Storage"}), "torch.QInt8Storage");
  expect_input_error(refused({.storage_class = "evil\nFloatStorage"}), "evil.FloatStorage");
  expect_input_error(
      error_of(archive_of(dict_of("w", "ctorch._utils\n_rebuild_tensor_v2\n(cevil\nrun\n)R" +
                                           integer(0) + tuple({1}) + tuple({1}) + "tR"))),
      "evil.run");
  expect_input_error(error_of(archive_of("\x80\x02"s + "cmodels\nNet\n)\x81.")), "one models.Net");
  expect_input_error(error_of(archive_of("\x80\x02"s + "cos\nsystem\n" + text("ls") + "\x85R.")),
                     "wants to run os.system");
}

TEST(TorchFile, DamageIsRefusedInOneLine) {
  const auto refused = [](const TensorCode& code) {
    return error_of(archive_of(dict_of("w", tensor_code(code))));
  };
  expect_input_error(refused({.count = 7}), "has 24 bytes where 28 are needed");
  expect_input_error(refused({.count = 0xffffffff}), "claims");
  expect_input_error(refused({.offset = 1}), "past its storage");
  expect_input_error(refused({.shape = {2, 4}}), "past its storage");
  expect_input_error(refused({.strides = {4, 1}}), "past its storage");
  expect_input_error(refused({.strides = {1}}), "past its storage");
  expect_input_error(refused({.offset = 0xffffffff}), "past its storage");
  expect_input_error(refused({.shape = {0xffffffff, 3}}), "past its storage");
  const std::string pickle = dict_of("w", tensor_code({}));
  expect_input_error(error_of(zip_of({{"m/data.pkl", pickle}})), "m/data/0 is missing");
  expect_input_error(error_of(zip_of({{"readme", "hello"}})), "PyTorch did not write it");
  expect_input_error(
      error_of(zip_of({{"m/byteorder", "big"}, {"m/data.pkl", pickle}, {"m/data/0", numbers()}})),
      "big endian");
  expect_input_error(error_of("\x80\x02}."s + std::string(20, 'x')), "not one of PyTorch");
  const std::string twice = "\x80\x02}("s + text("a.b") + tensor_code({}) + text("a") + "}" +
                            text("b") + tensor_code({}) + "su.";
  expect_input_error(error_of(archive_of(twice)), "the name a.b stands twice");
}

TEST(TorchFile, NestingIsBounded) {
  // A dict in a dict in a dict …
  std::string deep = "\x80\x02"s;
  for (int i = 0; i < 1000; ++i) deep += "}" + text("x");
  deep += "N" + std::string(1000, 's') + ".";
  expect_input_error(error_of(archive_of(deep)), "nested");
  // Each dict holds the one before it twice: 2^40 paths.
  std::string wide = "\x80\x02}q\x00"s;
  for (int i = 1; i < 40; ++i) {
    const std::string before = "h" + low_first(static_cast<std::uint64_t>(i - 1), 1);
    wide += "}(" + text("a") + before + text("b") + before + "uq" +
            low_first(static_cast<std::uint64_t>(i), 1);
  }
  expect_input_error(error_of(archive_of(wide + ".")), "nested");
}

TEST(TorchFile, WhatIsSharedCannotBeMultiplied) {
  const auto refused = [](const TensorCode& code) {
    return error_of(archive_of(dict_of("w", tensor_code(code))));
  };
  expect_input_error(refused({.shape = {1 << 30, 1 << 10}, .strides = {0, 0}}), "than its storage");
  EXPECT_EQ(refused({.shape = {1000, 6}, .strides = {0, 1}}), "no error") << "expanded, in measure";
  expect_input_error(refused({.shape = std::vector<std::uint64_t>(65, 1),
                              .strides = std::vector<std::uint64_t>(65, 0)}),
                     "more than 64 dimensions");
  // A long key, recalled on each of 60 levels.
  const std::string letters(10'000, 'a');
  std::string deep = "\x80\x02"s + text(letters) + "q\x00"s + "0";
  for (int i = 0; i < 60; ++i) deep += "}h\x00"s;
  deep += tensor_code({}) + std::string(60, 's') + ".";
  expect_input_error(error_of(archive_of(deep)), "name of a tensor is too long");
  // A text of 1 MB under 100 keys.
  std::string texts = "\x80\x02"s + text(std::string(1 << 20, 'a')) + "q\x00"s + "0}";
  for (int i = 0; i < 100; ++i) texts += text(std::to_string(i)) + "h\x00s"s;
  texts += text("w") + tensor_code({}) + "s.";
  expect_input_error(error_of(archive_of(texts)), "texts are too long");
}

TEST(TorchFile, AnyDamageIsSurvived) {
  const std::string pickle = dict_of("w", tensor_code({}));
  dd::test::survive_every_change(archive_of(pickle), error_of);
  dd::test::survive_every_change(legacy_of(pickle), error_of);
  dd::test::refuse_every_beginning(legacy_of(pickle),
                                   [](const std::string& bytes) { opened(bytes); });
}

}  // namespace
