// SPDX-License-Identifier: Apache-2.0
#include "dd/data/links.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::expect_input_error;
using dd::test::input_error;

class LinksTest : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  fs::path link(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, path(name));
    return path(name);
  }
  /// What all three say, which must be the same.
  static std::string refusal(const fs::path& at) {
    const std::string said = input_error([&] { dd::is_there(at); });
    EXPECT_EQ(input_error([&] { dd::is_folder(at); }), said);
    EXPECT_EQ(input_error([&] { dd::check_plain_file(at); }), said);
    return said;
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(LinksTest, LinksThatLeadSomewhereAreWhatTheyLeadTo) {
  dd::test::put(path("store/a.png"), "a");
  EXPECT_TRUE(dd::is_there(link("a", "store/a.png")));
  EXPECT_FALSE(dd::is_folder(path("a")));
  EXPECT_NO_THROW(dd::check_plain_file(link("b", "a")));
  EXPECT_TRUE(dd::is_folder(link("folder", "store")));
  EXPECT_TRUE(dd::is_folder(path("store")));
}

TEST_F(LinksTest, WhatIsNotThereIsNoFault) {
  EXPECT_FALSE(dd::is_there(path("nothing")));
  EXPECT_FALSE(dd::is_folder(path("nothing/below")));
  expect_input_error(input_error([&] { dd::check_plain_file(path("nothing")); }), "no such file");
}

TEST_F(LinksTest, LinksThatLeadNowhereAreRefusedWithTheirTarget) {
  const std::string said = refusal(link("a.png", "/gone/store/7.png"));
  expect_input_error(said, path("a.png").string() + " to /gone/store/7.png: it leads nowhere");
  expect_input_error(said, "; mount the store that it links to, or remove the link");
  expect_input_error(refusal(link("chain", "a.png")), "chain to a.png: it leads nowhere");
  expect_input_error(refusal(link("old", "Caf\xe9")), R"(old to Caf\xe9: it leads nowhere)");
}

TEST_F(LinksTest, LinksThatLeadInACircleAreRefused) {
  link("a", "b");
  expect_input_error(refusal(link("b", "a")), "b to a: it leads in a circle; ");
  expect_input_error(refusal(link("self", "self")), "it leads in a circle; ");
}

TEST_F(LinksTest, WhatCannotBeReachedIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reaches everything";
  dd::test::put(path("closed/a.png"), "a");
  const fs::path through = link("through", "closed/a.png");
  fs::permissions(path("closed"), fs::perms::none);
  expect_input_error(refusal(path("closed/a.png")), "check the permissions");
  expect_input_error(refusal(through), "through to closed/a.png: ");
  fs::permissions(path("closed"), fs::perms::owner_all);
}

TEST_F(LinksTest, OnlyPlainFilesAreFiles) {
  ASSERT_EQ(::mkfifo(path("pipe.png").c_str(), 0600), 0);
  fs::create_directories(path("folder.png"));
  link("device.png", "/dev/null");
  link("linked.png", "pipe.png");
  for (const auto& [name, kind] : {std::pair("pipe.png", "it is a pipe, no plain file; "),
                                   {"linked.png", "it is a pipe, "},
                                   {"folder.png", "it is a folder, "},
                                   {"device.png", "it is a device, "}}) {
    EXPECT_TRUE(dd::is_there(path(name)));
    const std::string said = input_error([&] { dd::check_plain_file(path(name)); });
    expect_input_error(said, "cannot read " + path(name).string() + ": " + kind);
  }
}

}  // namespace
