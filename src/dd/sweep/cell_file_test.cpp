// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/cell_file.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

using dd::Json;
using dd::run::Measurement;

Measurement measurement() {
  dd::run::Cell cell{.settings = {}, .method = dd::run::method_named("frozen"), .seed = 3};
  return {.cell = cell, .evaluation = "e", .classifier = {}, .stages = {}, .work = {}};
}

/// What programs wrote before there were intervals, shared features and smaller decoding.
std::string earlier_key(const Measurement& measured, const std::string& identity) {
  Json settings = dd::options_to_json(measured.cell.settings);
  for (const char* key :
       {"model", "tokenizer", "clip", "data", "seeds", "methods", "mode", "sample_batch",
        "captions", "guidance_interval", "cache_every", "decode_shrink"}) {
    settings.erase(key);
  }
  settings["method"] = "frozen";
  settings["mode"] = "none";
  settings["seed"] = 3;
  return dd::sha256_of(identity + settings.dump());
}

TEST(CellFiles, WorkOfEarlierProgramsStaysKnown) {
  const dd::test::TemporaryFolder folder;
  Measurement measured = measurement();
  dd::write_json(folder.path() / "e" / "cell.json",
                 {{"key", earlier_key(measured, "same")},
                  {"result", {{"top1", 0.5}, {"n", 12}, {"seconds", 1.5}}}});
  const dd::sweep::CellFiles files(folder.path(), "same");
  ASSERT_TRUE(files.find(measured));
  EXPECT_EQ(files.find(measured)->at("top1"), 0.5);
  measured.cell.settings.cache_every = 2;
  EXPECT_FALSE(files.find(measured)) << "another cell";
  measured.cell.settings.cache_every = 1;
  measured.cell.settings.guidance_interval = "1:3";
  EXPECT_FALSE(files.find(measured));
  measured.cell.settings.guidance_interval = "all";
  measured.cell.settings.decode_shrink = 2;
  EXPECT_FALSE(files.find(measured));
  EXPECT_FALSE(dd::sweep::CellFiles(folder.path(), "other").find(measurement()));
}

}  // namespace
