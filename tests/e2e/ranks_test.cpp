// SPDX-License-Identifier: Apache-2.0
// Several ranks under mpirun, or shards one after the other, give what one process gives.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <tuple>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/image/read.h"
#include "dd/io/safetensors.h"
#include "support/ranks_case.h"
#include "support/same_picture.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::difference;
using dd::test::on_ranks;
using dd::test::ProcessResult;
using dd::test::Ranks;
using dd::test::results_in;
using dd::test::UnderMpi;
using dd::test::Words;

TEST_F(UnderMpi, GenerateDrawsTheSameImagesWithTheSameRecords) {
  alone(drawing(), "one");
  for (const int ranks : {2, 3, 4}) {
    const std::string out = "by-" + std::to_string(ranks);
    together(ranks, drawing(), out);
    EXPECT_EQ(results_in(path(out)), results_in(path("one"))) << ranks << " ranks";
  }
  EXPECT_EQ(results_in(path("one")).size(), 16U);
}

TEST_F(UnderMpi, AdaptersOfClassesAreTheSameBytes) {
  alone(adapting("class", "12"), "one");
  together(2, adapting("class", "12"), "two");
  EXPECT_EQ(results_in(path("two")), results_in(path("one")));
  EXPECT_EQ(dd::read_file(path("two") + "/shots.json"), dd::read_file(path("one") + "/shots.json"));
  const ProcessResult again = on_ranks(2, complete(adapting("class", "12"), "two"));
  EXPECT_NE(again.out.find("adapters 0  skipped 3"), std::string::npos) << again.out;
  // Rank 0 alone finds this, while the other waits for it.
  Words other = adapting("class", "12");
  other.insert(other.end(), {"--rank", "5"});
  expect_one_line(on_ranks(2, complete(other, "two")), 2, "other settings");
}

TEST_F(UnderMpi, AdaptersTrainedInGroupsAreTheSameBytes) {
  Words words = adapting("class", "12");
  words.insert(words.end(), {"--adapters-per-batch", "2"});
  alone(words, "one");
  together(2, words, "two");
  EXPECT_EQ(results_in(path("two")), results_in(path("one")));
}

TEST_F(UnderMpi, OneAdapterOfAllIsTheSameToFloatTolerance) {
  const std::string file = "/pytorch_lora_weights.safetensors";
  alone(adapting("dataset", "8"), "one");
  for (const int ranks : {2, 3, 4}) {
    const std::string out = "by-" + std::to_string(ranks);
    together(ranks, adapting("dataset", "8"), out);
    // Adam makes whole steps of gradients that are near to rounding errors.
    EXPECT_LT(difference(path("one") + file, path(out) + file), 1e-3) << ranks << " ranks";
    const dd::Json one = dd::read_json(path("one") + "/adapter.json");
    const dd::Json other = dd::read_json(path(out) + "/adapter.json");
    EXPECT_EQ(one.at("loss").size(), other.at("loss").size());
    EXPECT_NEAR(one.at("loss").at(0).at(1), other.at("loss").at(0).at(1), 1e-5);
    EXPECT_NEAR(one.at("fixed_noise_loss").back().at(1), other.at("fixed_noise_loss").back().at(1),
                1e-5);
  }
}

TEST_F(UnderMpi, ATrainingBegunByOneIsEndedByTwo) {
  const std::string file = "/pytorch_lora_weights.safetensors";
  const Words words = adapting("dataset", "60");
  const ProcessResult first =
      datadream(complete(words, "part"), {.signal = SIGTERM, .signal_after_text = "adapt 1/"});
  ASSERT_EQ(first.status, 130) << first.err;
  ASSERT_TRUE(fs::exists(path("part") + "/adapter-state.safetensors"));
  const ProcessResult second = on_ranks(2, complete(words, "part"));
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_NE(second.err.find("resumed at step"), std::string::npos) << second.err;
  alone(words, "one");
  EXPECT_LT(difference(path("one") + file, path("part") + file), 1e-3);
}

TEST_F(UnderMpi, AClassifierIsTheSameToFloatTolerance) {
  alone(training(), "one");
  for (const int ranks : {2, 3, 4}) {
    const std::string out = "by-" + std::to_string(ranks);
    together(ranks, training(), out);
    const std::string file = "/adapter_model.safetensors";
    EXPECT_LT(difference(path("one") + file, path(out) + file), 1e-4) << ranks << " ranks";
    const dd::Json one = dd::read_json(path("one") + "/classifier.json");
    const dd::Json other = dd::read_json(path(out) + "/classifier.json");
    for (const char* key : {"identity", "chosen_step", "validation_top1"})
      EXPECT_EQ(one.at(key), other.at(key)) << key;
    EXPECT_FALSE(fs::exists(path(out) + "/training_state.safetensors"));
  }
}

TEST_F(UnderMpi, ScoresAndFeaturesAreTheSameBytes) {
  const Words scoring{"evaluate", "--clip", model("clip"), "--data", path("photos"),
                      "--batch",  "5"};
  const Words comparing{"align",
                        "--clip",
                        model("clip"),
                        "--real",
                        path("photos"),
                        "--synthetic",
                        path("images"),
                        "--bootstrap",
                        "5",
                        "--batch",
                        "4"};
  for (const Words& words : {scoring, comparing}) {
    const std::string& name = words.front();
    alone(words, name + "-one");
    together(3, words, name + "-three");
    EXPECT_EQ(results_in(path(name + "-three")), results_in(path(name + "-one"))) << name;
    dd::Json one = dd::read_json(path(name + "-one") + "/metrics.json");
    dd::Json three = dd::read_json(path(name + "-three") + "/metrics.json");
    one.erase("seconds");
    three.erase("seconds");
    EXPECT_EQ(one, three) << name;
  }
}

// A network disk may show one rank what was there a minute ago: rank 0 decides for all.
TEST_F(UnderMpi, RanksThatSeeAnotherFolderDoAsTheFirstDoes) {
  if (!dd::test::starts_unlike_ranks()) GTEST_SKIP() << "not with this launcher";
  const std::map<std::string, Words> stages{
      {"evaluate", {"evaluate", "--clip", model("clip"), "--data", path("photos")}},
      {"align",
       {"align", "--clip", model("clip"), "--real", path("photos"), "--synthetic", path("images"),
        "--bootstrap", "2"}},
      {"train", training()}};
  for (const auto& stage : stages) {
    const std::string& name = stage.first;
    const Words& words = stage.second;
    alone(words, name + "-done");
    const auto expected = results_in(path(name + "-done"));
    const auto mixed = [&](const std::string& first, const std::string& second) {
      const ProcessResult result = dd::test::on_unlike_ranks(
          {complete(words, first), complete(words, second)}, {.limit_seconds = 60});
      EXPECT_EQ(result.status, 0) << name << ": " << result.err;
    };
    // The first sees a finished stage, the other nothing; then the other way round.
    mixed(name + "-done", name + "-empty");
    EXPECT_FALSE(fs::exists(root() / (name + "-empty") / "metrics.json"));
    mixed(name + "-fresh", name + "-done");
    EXPECT_EQ(results_in(path(name + "-done")), expected);
    EXPECT_FALSE(results_in(path(name + "-fresh")).empty());
  }
}

TEST_F(UnderMpi, ARankThatSeesTheSetLateWaits) {
  if (!dd::test::starts_unlike_ranks()) GTEST_SKIP() << "not with this launcher";
  alone(drawing(), "whole");
  const fs::path late = root() / "late";
  std::thread disk([&] {
    const fs::path record = root() / "early" / "generate.json";
    for (int i = 0; i < 1000 && !fs::exists(record); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    if (fs::exists(record)) {
      dd::write_file_atomically(late / "generate.json", dd::read_file(record));
    }
  });
  const ProcessResult result = dd::test::on_unlike_ranks(
      {complete(drawing(), "early"), complete(drawing(), "late")}, {.limit_seconds = 100});
  disk.join();
  EXPECT_EQ(result.status, 0) << result.err;
  auto drawn = results_in(root() / "early");
  drawn.merge(results_in(late));
  for (const auto& [name, hash] : results_in(root() / "whole")) {
    EXPECT_TRUE(!name.ends_with(".png") || drawn.contains(name)) << name;
  }
}

TEST_F(Ranks, ShardsAreCopiedTogether) {
  for (const auto& [name, words] :
       {std::pair{"set", drawing()}, std::pair{"adapters", adapting("class", "6")}}) {
    alone(words, std::string(name) + "-whole");
    fs::create_directories(root() / name);
    const auto merged = root() / name;
    std::size_t files = 0;
    for (const char* shard : {"1/2", "2/2"}) {
      Words own = words;
      own.insert(own.end(), {"--shard", shard});
      const std::string out = dd::cat(name, "-", shard[0]);
      alone(own, out);
      files += results_in(path(out)).size();
      fs::copy(path(out), merged,
               fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }
    const auto whole = results_in(path(std::string(name) + "-whole"));
    EXPECT_EQ(files, whole.size() + 1) << "each has the file of names; no image is drawn twice";
    // As a copy that broke off leaves one of them.
    const bool is_drawing = words.front() == "generate";
    fs::resize_file(
        merged / "green_bag" / (is_drawing ? "00003.png" : "pytorch_lora_weights.safetensors"),
        is_drawing ? 100 : 3000);
    const ProcessResult last = datadream(complete(words, name));
    ASSERT_EQ(last.status, 0) << last.err;
    const std::string found =
        is_drawing ? "1 images drawn, 14 were there" : "adapters 1  skipped 2";
    EXPECT_NE(last.out.find(found), std::string::npos) << last.out;
    // The end of a part may divide a batch, which changes the last bits.
    for (const auto& [file, hash] : whole) {
      if (file.ends_with(".png")) {
        const dd::Image drawn = dd::read_image(merged / file);
        const dd::Image whole_one = dd::read_image(root() / (std::string(name) + "-whole") / file);
        EXPECT_LE(dd::test::largest_difference(drawn, whole_one), 1) << file;
      } else {
        EXPECT_EQ(results_in(merged).at(file), hash) << file;
      }
    }
    EXPECT_EQ(results_in(merged).size(), whole.size());
  }
}

}  // namespace
