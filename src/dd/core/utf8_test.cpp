// SPDX-License-Identifier: Apache-2.0
#include "dd/core/utf8.h"

#include <gtest/gtest.h>

namespace {

using dd::escaped_bytes;
using dd::is_utf8;
using namespace std::string_view_literals;

TEST(Utf8, TellsTextFromOtherBytes) {
  for (const auto text : {""sv, "plain \"quoted\" \\ \n"sv, "Café"sv, "\U0001f600"sv, "a\0b"sv}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  // Latin-1, a letter cut off, a surrogate, a longer form than needed, beyond the last one.
  for (const auto text :
       {"Caf\xe9"sv, "\xc3"sv, "\xed\xa0\x80"sv, "\xc0\xaf"sv, "\xf4\x90\x80\x80"sv}) {
    EXPECT_FALSE(is_utf8(text)) << escaped_bytes(text);
  }
}

TEST(Utf8, ShowsBytesThatCanBeTyped) {
  EXPECT_EQ(escaped_bytes("a Caf\xe9\n"), "a Caf\\xe9\\x0a");
  EXPECT_EQ(escaped_bytes(std::string(200, 'a')), std::string(200, 'a'));
  EXPECT_EQ(escaped_bytes(std::string(5000, '\xff')).size(), 4 * 200 + 3);
}

}  // namespace
