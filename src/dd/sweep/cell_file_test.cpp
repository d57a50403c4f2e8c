// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/cell_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dd/core/files.h"
#include "dd/data/dataset.h"
#include "dd/data/shots.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace {

using dd::Json;
using dd::run::Measurement;

Measurement measurement(const char* method = "frozen") {
  dd::run::RunOptions settings;
  settings.shots = 1;
  dd::run::Cell cell{.settings = settings, .method = dd::run::method_named(method), .seed = 3};
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

class CellFiles : public testing::Test {
 protected:
  CellFiles() {
    dd::test::write_photos(folder_.path() / "photos", {"Bag", "Dress"}, 2, 8, 8);
    setup_.common.out = folder_.path() / "out";
    setup_.data = dd::open_dataset({"folder", folder_.path() / "photos"}, "train");
    for (std::int64_t i = 0; i < setup_.data->size(); ++i) setup_.images.shots[i] = "content";
    setup_.images.held_out = "held out";
  }

  dd::test::TemporaryFolder folder_;
  dd::run::Setup setup_;
};

TEST_F(CellFiles, WorkOfEarlierProgramsStaysKnown) {
  Measurement measured = measurement();
  dd::write_json(setup_.common.out / "e" / "cell.json",
                 {{"key", earlier_key(measured, "same")},
                  {"result", {{"top1", 0.5}, {"n", 12}, {"seconds", 1.5}}}});
  const dd::sweep::CellFiles files(setup_, "same");
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
  EXPECT_FALSE(dd::sweep::CellFiles(setup_, "other").find(measurement()));
}

TEST_F(CellFiles, AreOfTheImagesTheyWereMeasuredOn) {
  const dd::Json entry{{"top1", 0.5}, {"n", 12}, {"seconds", 1.5}};
  const auto find = [](const dd::run::Setup& setup, const char* method) {
    return dd::sweep::CellFiles(setup, "same").find(measurement(method));
  };
  for (const char* method : {"real", "frozen"}) {
    dd::sweep::CellFiles(setup_, "same").write(measurement(method), entry);
    EXPECT_EQ(find(setup_, method), entry);
    dd::run::Setup other = setup_;
    other.images.held_out = "others";
    EXPECT_FALSE(find(other, method));
    const auto shots = dd::draw_shots(*setup_.data, 1, 3);
    other = setup_;
    other.images.shots.at(shots.front()) = "changed";
    EXPECT_EQ(find(other, method).has_value(), method == std::string("frozen"));
    other = setup_;
    for (auto& [index, content] : other.images.shots) {
      if (std::ranges::find(shots, index) == shots.end()) content = "not drawn";
    }
    EXPECT_TRUE(find(other, method));
  }
}

}  // namespace
