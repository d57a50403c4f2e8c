// SPDX-License-Identifier: Apache-2.0
#include "dd/text/prompt.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

TEST(Prompt, ClassNamesReadAsWords) {
  EXPECT_EQ(dd::prompt_class_name("ankle_boot"), "ankle boot");
  EXPECT_EQ(dd::prompt_class_name("__T-shirt__top_ "), "T-shirt top");
  EXPECT_EQ(dd::prompt_class_name("_"), "");
}

TEST(Prompt, EveryPlaceIsFilled) {
  EXPECT_EQ(dd::fill_template("a photo of a {}", "ankle_boot"), "a photo of a ankle boot");
  EXPECT_EQ(dd::fill_template("{}: the {}, in_place", "{}"), "{}: the {}, in_place");
  EXPECT_EQ(dd::fill_template("{}{}", "a_b"), "a ba b");
}

TEST(Prompt, TemplateWithoutPlaceIsRefused) {
  try {
    dd::fill_template("a photo of a { }", "cat");
    FAIL() << "no error";
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("a photo of a { }"), std::string::npos);
  }
}

TEST(Prompt, PlacesThatNobodyFillsAreRefused) {
  for (const char* text : {"a {class} photo of a {}", "{}, {Name}", "{}{a}"})
    EXPECT_THROW(dd::fill_template(text, "cat"), dd::Error) << text;
  EXPECT_EQ(dd::fill_template("{} {", "cat"), "cat {");
  EXPECT_EQ(dd::fill_template("a } {}", "{name}"), "a } {name}");
}

TEST(Prompt, TheDomainWordHasAPlaceOfItsOwn) {
  const std::string with = "a {domain} photo of a {}, a {domain}";
  EXPECT_EQ(dd::fill_domain(with, "pet"), "a pet photo of a {}, a pet");
  EXPECT_EQ(dd::fill_domain("a {domain} photo of a {}", ""), "a photo of a {}");
  EXPECT_EQ(dd::fill_domain("a photo of a {}", std::nullopt), "a photo of a {}");
  EXPECT_THROW(dd::fill_domain(with, std::nullopt), dd::Error);
}

}  // namespace
