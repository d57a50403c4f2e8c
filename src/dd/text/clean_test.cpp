// SPDX-License-Identifier: Apache-2.0
#include "dd/text/clean.h"

#include <gtest/gtest.h>

#include "dd/text/html_entities.h"
#include "dd/text/unicode.h"
#include "dd/text/words.h"

namespace {

std::string cleaned(std::string_view text) {
  return dd::to_utf8(dd::clean_prompt(text));
}

TEST(Clean, TypographyBecomesPlain) {
  EXPECT_EQ(cleaned("  Don\u2019t \u201Cshout\u201D\t\n "), "don't \"shout\"");
  EXPECT_EQ(cleaned("\uFF2C\uFF2F\uFF35\uFF24\u3000\uFB01sh"), "loud fish");
  EXPECT_EQ(cleaned("a\x07 \x1b[1;31mred\x1b[0m \uFEFF"), "a red");
  EXPECT_EQ(cleaned("cafe\u0301"), "caf\u00E9");
}

TEST(Clean, EntitiesAreReadUntilHtmlShows) {
  EXPECT_EQ(cleaned("a &amp;amp;amp;amp; b"), "a & b");
  // A literal `<` leaves the two rounds of HTML5 rules alone.
  EXPECT_EQ(cleaned("< &amp;amp;amp;amp; b"), "< &amp;amp; b");
  EXPECT_EQ(cleaned("AT&T &notit; &copy2021"), "at&t \u00ACit; \u00A92021");
}

TEST(Clean, LowerCaseIsFullUnicode) {
  EXPECT_EQ(cleaned("\u039F\u0394\u039F\u03A3 \u03A3"), "\u03BF\u03B4\u03BF\u03C2 \u03C3");
  EXPECT_EQ(cleaned("\u0130"), "i\u0307");
}

TEST(Clean, BrokenUtf8IsReplacedNotRefused) {
  EXPECT_EQ(cleaned("a\xFF\xC3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(cleaned(""), "");
}

TEST(HtmlEntities, CertainReferencesOnly) {
  EXPECT_EQ(dd::unescape_certain_html(U"&amp x &EACUTE; &eacute; &nosuch; &#59; &#65; &#x41g;"),
            U"&amp x \u00C9 \u00E9 &nosuch; &#59; A &#x41g;");
}

TEST(HtmlEntities, NumbersBeyondUnicodeAndControls) {
  EXPECT_EQ(dd::unescape_html(U"&#0;&#xD800;&#99999999999;|&#1;&#xFFFE;|&#128;&#10;"),
            U"\uFFFD\uFFFD\uFFFD||\u20AC\n");
  EXPECT_EQ(dd::unescape_html(U"&&#&#x&#;&;"), U"&&#&#x&#;&;");
}

TEST(Words, FollowClipsPattern) {
  using Words = std::vector<std::u32string_view>;
  EXPECT_EQ(dd::clip_words(U"it's 12 caf\u00E9s!?"),
            (Words{U"it", U"'s", U"1", U"2", U"caf\u00E9s", U"!?"}));
  EXPECT_EQ(dd::clip_words(U"!'s 'sx 'll'"), (Words{U"!'", U"s", U"'s", U"x", U"'ll", U"'"}));
  EXPECT_TRUE(dd::clip_words(U"  \u00A0").empty());
}

}  // namespace
