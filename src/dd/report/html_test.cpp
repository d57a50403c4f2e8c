// SPDX-License-Identifier: Apache-2.0
#include "dd/report/html.h"

#include <gtest/gtest.h>

namespace {

using dd::report::base64;
using dd::report::escape;

TEST(Html, TextCannotBecomeMarkup) {
  EXPECT_EQ(escape("<b a=\"1\" c='2'>&</b>"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;&lt;/b&gt;");
  EXPECT_EQ(escape(std::string("a\0b\x1F\n", 5)), "a b \n");
  EXPECT_EQ(escape("é"), "é");
}

TEST(Html, JsonCannotEndItsScript) {
  const dd::Json json{{"name", "</script><!--"}, {"bytes", "\xFF"}};
  const std::string text = dd::report::in_script(json);
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(dd::Json::parse(text).at("name"), "</script><!--");
}

TEST(Html, Base64IsThatOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE\xFD"), "//79");
}

TEST(Html, BytesAreReadable) {
  EXPECT_EQ(dd::report::bytes_text(36700160), "35 MiB");
  EXPECT_EQ(dd::report::bytes_text(1610612736), "1.50 GiB");
}

}  // namespace
