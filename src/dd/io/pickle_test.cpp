// SPDX-License-Identifier: Apache-2.0
#include "dd/io/pickle.h"

#include <gtest/gtest.h>

#include "support/hostile_bytes.h"

namespace {

using dd::io::Pickle;
using dd::test::expect_input_error;
using dd::test::input_error;
using Kind = dd::io::PickleNode::Kind;
using namespace std::string_literals;

std::string error_of(const std::string& bytes) {
  return input_error([&] { Pickle::parse(bytes, "bad.pkl"); });
}

TEST(Pickle, ReadsNumbersTextsAndContainers) {
  // pickle.dumps({"a": [1, -2, 2.5, None, True], "b": (3, b"xy", "é")}, 2), and two bytes after it.
  const std::string bytes =
      "\x80\x02}q\x00(X\x01\x00\x00\x00"s
      "aq\x01]q\x02(K\x01J\xfe\xff\xff\xffG\x40\x04\x00\x00\x00\x00\x00\x00N\x88"
      "eX\x01\x00\x00\x00"s
      "bK\x03"
      "C\x02xy\x8c\x02\xc3\xa9\x87u.zz"s;
  const Pickle pickle = Pickle::parse(bytes, "good.pkl");
  EXPECT_EQ(pickle.size(), bytes.size() - 2);
  const auto* list = pickle.root().find("a");
  ASSERT_TRUE(list && list->is(Kind::kList));
  ASSERT_EQ(list->items.size(), 5);
  EXPECT_EQ(list->items[0]->integer, 1);
  EXPECT_EQ(list->items[1]->integer, -2);
  EXPECT_EQ(list->items[2]->real, 2.5);
  EXPECT_TRUE(list->items[3]->is(Kind::kNone));
  EXPECT_EQ(list->items[4]->integer, 1);
  const auto* tuple = pickle.root().find("b");
  ASSERT_TRUE(tuple && tuple->is(Kind::kTuple));
  EXPECT_EQ(tuple->items[1]->text, "xy");
  EXPECT_EQ(tuple->items[2]->text, "é");
  EXPECT_EQ(pickle.root().find("c"), nullptr);
  dd::test::refuse_every_beginning(bytes.substr(0, bytes.size() - 2),
                                   [](const std::string& part) { Pickle::parse(part, "bad.pkl"); });
  dd::test::survive_every_change(bytes, error_of);
}

TEST(Pickle, LongIntegersKeepTheirSignOrTheirBytes) {
  EXPECT_EQ(Pickle::parse("\x80\x02\x8a\x02\x00\xff."s, "a").root().integer, -256);
  EXPECT_EQ(Pickle::parse("\x80\x02\x8a\x00."s, "a").root().integer, 0);
  const Pickle big = Pickle::parse("\x80\x02\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09."s, "a");
  EXPECT_TRUE(big.root().is(Kind::kBigInteger));
  EXPECT_EQ(big.root().text.size(), 9);
}

TEST(Pickle, CallsAreRecordedNotMade) {
  // module.Class.__new__(Class, 5), with a state and an item, recalled from the memo; an ordered
  // dict made from pairs; a persistent id.
  const Pickle pickle = Pickle::parse(
      "\x80\x02(cmodule\nClass\nK\x05\x85\x81q\x07}b\x8c\x01kK\x06sh\x07"
      "ccollections\nOrderedDict\n]\x8c\x01nK\x08\x86"
      "a\x85R\x8c\x02idQt."s,
      "good.pkl");
  const auto& items = pickle.root().items;
  ASSERT_EQ(items.size(), 4);
  EXPECT_EQ(items[0], items[1]);
  EXPECT_EQ(items[0]->made_by(), "module.Class");
  EXPECT_EQ(items[0]->arguments->items[0]->integer, 5);
  EXPECT_TRUE(items[0]->state->is(Kind::kDict));
  EXPECT_EQ(items[0]->items[1]->integer, 6);
  EXPECT_EQ(items[2]->find("n")->integer, 8);
  EXPECT_TRUE(items[3]->is(Kind::kPersistent));
  EXPECT_EQ(items[3]->arguments->text, "id");
}

TEST(Pickle, AttacksAreNamed) {
  expect_input_error(error_of("\x80\x02"s
                              "cos\nsystem\nX\x02\x00\x00\x00ls\x85R."s),
                     "wants to run os.system");
  expect_input_error(error_of("\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R."s),
                     "wants to run posix.system");
  expect_input_error(error_of("\x80\x02"s
                              "c__builtin__\neval\nU\x01"
                              "1\x85R."s),
                     "eval");
  EXPECT_EQ(error_of("\x80\x02"s
                     "c__builtin__\nset\n]\x85R."s),
            "no error");
  // Only named, not called: an opaque value.
  EXPECT_EQ(error_of("\x80\x02"s
                     "cos\nsystem\n."s),
            "no error");
}

TEST(Pickle, DamageIsRefusedInOneLine) {
  expect_input_error(error_of(""), "cut off");
  expect_input_error(error_of("\x80\x02."s), "not there");
  expect_input_error(error_of("\x80\x02Z."s), "not an instruction");
  expect_input_error(error_of("\x80\x02X\xff\xff\xff\xff"s + "a."), "cut off");
  expect_input_error(error_of("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff"s + "a."), "cut off");
  expect_input_error(error_of("\x80\x02h\x05."s), "recalls");
  expect_input_error(error_of("\x80\x02t."s), "mark");
  expect_input_error(error_of("\x80\x02}(K\x01u."s), "no value");
  expect_input_error(error_of("\x80\x02K\x01K\x02"s
                              "a."s),
                     "no container");
  expect_input_error(error_of("\x80\x02K\x01}b."s), "no object");
  expect_input_error(error_of("\x80\x02(K\x01\x85\x86."s), "not there");
  expect_input_error(error_of(std::string(5'000'000, ']') + "."), "too many values");
}

TEST(Pickle, WhatIsSharedCannotBeMultiplied) {
  // Names of two recalled texts of 100 kB, ten thousand times: 2 GB of a file of 260 kB.
  const std::string letters(100'000, 'a');
  const std::string text = "X" + dd::test::low_first(letters.size(), 4) + letters;
  std::string names = "\x80\x04"s + text + "q\x00"s + text + "q\x01"s;
  for (int i = 0; i < 10'000; ++i) names += "h\x00h\x01\x93"s;
  expect_input_error(error_of(names + "."), "too long");
  // One list of 10,000 pairs, unfolded 10,000 times.
  std::string dicts = "\x80\x02K\x01K\x02\x86q\x00]("s;
  for (int i = 0; i < 10'000; ++i) dicts += "h\x00"s;
  dicts += "e\x85q\x01"s;
  for (int i = 0; i < 10'000; ++i) dicts += "ccollections\nOrderedDict\nh\x01R"s;
  expect_input_error(error_of(dicts + "."), "too many values");
}

TEST(Pickle, DepthTakesNoStack) {
  std::string bytes = "\x80\x02N"s + std::string(1'000'000, '\x85') + ".";
  EXPECT_EQ(error_of(bytes), "no error");
  // A list that contains itself.
  EXPECT_EQ(error_of("\x80\x02]q\x00h\x00"s
                     "a."s),
            "no error");
}

}  // namespace
