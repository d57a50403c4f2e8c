// SPDX-License-Identifier: Apache-2.0
#include "dd/io/npy.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <vector>

#include "dd/core/files.h"
#include "support/hostile_bytes.h"
#include "support/temporary_folder.h"

namespace dd::io {
namespace {

using test::expect_input_error;
using test::input_error;

/// A file as NumPy lays it out, whatever the header says.
std::string npy_of(const std::string& header, const std::string& content, char version = 1) {
  return "\x93NUMPY" + std::string{version, '\0'} +
         test::low_first(header.size(), version == 1 ? 2 : 4) + header + content;
}

std::string floats(std::initializer_list<float> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(float)};
}

at::Tensor parse(const std::string& bytes) {
  return parse_npy(Bytes::own(bytes), "bad.npy");
}

std::string error_of(const std::string& bytes) {
  return input_error([&] { parse(bytes); });
}

const std::string kHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
const std::string kSix = floats({0, 1, 2, 3, 4, 5});

TEST(Npy, WhatIsWrittenIsRead) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.npy";
  for (const at::ScalarType dtype :
       {at::kHalf, at::kFloat, at::kDouble, at::kLong, at::kInt, at::kByte}) {
    for (const auto& shape :
         std::vector<std::vector<std::int64_t>>{{6}, {2, 3}, {3, 1, 2}, {6, 0}}) {
      const at::Tensor wrote =
          shape.back() == 0 ? at::empty(shape, dtype) : at::arange(6, dtype).view(shape);
      write_npy(path, wrote);
      const at::Tensor read = read_npy(path);
      EXPECT_EQ(read.scalar_type(), dtype);
      EXPECT_TRUE(at::equal(read, wrote)) << at::IntArrayRef(shape);
    }
  }
  // What numpy.save writes for this array, byte by byte.
  write_npy(path, at::arange(6, at::kFloat).view({2, 3}));
  EXPECT_EQ(read_file(path), npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" +
                                        std::string(58, ' ') + "\n",
                                    kSix));
}

TEST(Npy, EveryVersionAndBothOrdersAreRead) {
  const at::Tensor rows = at::arange(6, at::kFloat).view({2, 3});
  for (const char version : {'\x01', '\x02', '\x03'}) {
    EXPECT_TRUE(at::equal(parse(npy_of(kHeader, kSix, version)), rows));
  }
  const std::string fortran = "{'fortran_order': True, \"shape\": (2,3), 'descr':'<f4'}";
  EXPECT_TRUE(at::equal(parse(npy_of(fortran, floats({0, 3, 1, 4, 2, 5}))), rows));
}

TEST(Npy, BrokenFilesAreRefused) {
  EXPECT_EQ(error_of(npy_of(kHeader, kSix)), "no error");
  expect_input_error(error_of("PK\x03\x04 and so on"), "does not begin");
  expect_input_error(error_of(npy_of(kHeader, kSix, 9)), "version is 9");
  expect_input_error(error_of(npy_of(kHeader, kSix.substr(1))), "needs more numbers");
  expect_input_error(error_of(npy_of(kHeader, kSix + "x")), "follows its numbers");
  expect_input_error(error_of("\x93NUMPY\x02" + std::string(1, '\0') + "\xff\xff\xff\x7f{"),
                     "claims 2147483647");
  expect_input_error(error_of("\x93NUMPY\x01" + std::string(1, '\0') + "\xff\x7f{"), "cut off");
}

TEST(Npy, BrokenHeadersAreRefused) {
  const auto with = [](const std::string& descr, const std::string& order,
                       const std::string& shape) {
    return error_of(
        npy_of("{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }",
               kSix));
  };
  expect_input_error(with("'>f4'", "False", "(2, 3)"), "big-endian");
  expect_input_error(with("'|O'", "False", "(2, 3)"), "Python objects");
  expect_input_error(with("'<c8'", "False", "(3,)"), "<c8");
  expect_input_error(with("[('x', '<f4')]", "False", "(6,)"), "records");
  expect_input_error(with("'<f4", "False", "(2, 3)"), "");
  expect_input_error(with("'<f4'", "Maybe", "(2, 3)"), "neither True nor False");
  expect_input_error(with("'<f4'", "False", "(-2, -3)"), "tuple of numbers");
  expect_input_error(with("'<f4'", "False", "(2; 3)"), "tuple of numbers");
  expect_input_error(with("'<f4'", "False", "(4611686018427387904, 4)"), "needs more numbers");
  expect_input_error(with("'<f4'", "False", "(99999999999999999999,)"), "tuple of numbers");
  expect_input_error(with("'<f4'", "True", "(0, 4611686018427387904, 8)"), "needs more numbers");
  expect_input_error(with("'<f4'", "False", "(1,1,1,1,1,1,1,1,1,6)"), "more than 8 dimensions");
  expect_input_error(error_of(npy_of("{'descr': '<f4', 'shape': (2, 3)}", kSix)), "lacks descr");
  expect_input_error(error_of(npy_of("{'code': '__import__'}", kSix)), "unknown entry \"code\"");
  expect_input_error(error_of(npy_of(kHeader + "()", kSix)), "follows the header");
}

TEST(Npy, NoBeginningAndNoChangedByteDoesWorseThanARefusal) {
  const std::string whole = npy_of(kHeader, kSix);
  test::refuse_every_beginning(whole, parse);
  test::survive_every_change(whole, parse);
}

}  // namespace
}  // namespace dd::io
