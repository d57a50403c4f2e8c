// SPDX-License-Identifier: Apache-2.0
// `sweep` as a user calls it, with the embedded base on a small folder of pictures.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/datadream.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::Json;
using dd::test::ProcessOptions;
using dd::test::ProcessResult;

class Sweep : public testing::Test {
 protected:
  Sweep() {
    dd::test::write_photos(photos() / "train", {"Bag", "Dress"}, 3, 40, 36);
    dd::test::write_photos(photos() / "test", {"Bag", "Dress"}, 4, 40, 36);
  }

  fs::path photos() const { return folder_.path() / "photos"; }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  ProcessResult sweep(const fs::path& out, std::vector<std::string> more,
                      const ProcessOptions& options = {}) const {
    const std::string base = std::string(DD_SOURCE_DIR) + "/assets/base/";
    std::vector<std::string> words{"sweep",
                                   "--model",
                                   base + "stable-diffusion",
                                   "--clip",
                                   base + "clip",
                                   "--data",
                                   photos().string(),
                                   "--out",
                                   out.string(),
                                   "--threads",
                                   "1",
                                   "--adapt-batch",
                                   "2",
                                   "--classifier-steps",
                                   "2",
                                   "--classifier-batch",
                                   "4"};
    words.insert(words.end(), more.begin(), more.end());
    return dd::test::datadream(words, options);
  }

  dd::test::TemporaryFolder folder_;
};

/// By evaluation, what should not depend on how the sweep went.
std::map<std::string, Json> cells_of(const fs::path& out) {
  std::map<std::string, Json> cells;
  const Json saved = dd::read_json(out / "sweep.json");
  for (Json cell : saved.at("cells")) {
    cell.erase("seconds");
    cells[cell.at("evaluation").get<std::string>()] = cell;
  }
  return cells;
}

std::string weights(const fs::path& out, const Json& cell) {
  return dd::read_file(out / cell.at("classifier").get<std::string>() /
                       "adapter_model.safetensors");
}

TEST_F(Sweep, GoesOnAfterAKillAndDoesNotDependOnTheOrder) {
  dd::write_file_atomically(path("grid.toml"),
                            "[sweep]\nmethods = [\"zero-shot\", \"real\", \"frozen\", "
                            "\"synthetic+real\"]\nmode = \"dataset\"\nshots = [2]\n"
                            "per_class = [0, 1, 2]\nadapt_steps = [2]\nsample_steps = [2]\n"
                            "lambda = [0.5]\n");
  const std::vector<std::string> grid{"--config", path("grid.toml").string()};
  const ProcessResult killed =
      sweep(path("a"), grid, {.signal = SIGKILL, .signal_after_text = "cell 4/6"});
  EXPECT_EQ(killed.status, 128 + SIGKILL) << killed.err;
  const ProcessResult rest = sweep(path("a"), grid);
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_NE(rest.err.find("3 cells measured, 3 kept"), std::string::npos) << rest.err;
  EXPECT_NE(dd::read_file(path("a") / "report.html").find("6 of 6 cells measured"),
            std::string::npos);

  const ProcessResult other =
      sweep(path("b"),
            {"--methods", "synthetic+real,frozen,real,zero-shot", "--mode", "dataset", "--shots",
             "2", "--per-class", "2,1", "--adapt-steps", "2", "--sample-steps", "2"});
  ASSERT_EQ(other.status, 0) << other.err;
  const auto cells = cells_of(path("a"));
  EXPECT_EQ(cells.size(), 6);
  EXPECT_EQ(cells, cells_of(path("b")));
  for (const auto& [name, cell] : cells) {
    if (cell.at("method") == "zero-shot") continue;
    EXPECT_EQ(weights(path("a"), cell), weights(path("b"), cell)) << name;
  }
  EXPECT_NE(other.out.find("synthetic+real (dataset)"), std::string::npos) << other.out;

  const ProcessResult again = sweep(path("b"), {"--methods", "real", "--shots", "2"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.err.find("0 cells measured, 1 kept"), std::string::npos) << again.err;
  const ProcessResult changed =
      sweep(path("b"), {"--methods", "real", "--shots", "2", "--classifier-lr", "0.5"});
  EXPECT_EQ(changed.status, 2) << "other settings of the same cells need another folder";
}

TEST_F(Sweep, DoesNotTakeOldAccuraciesForThoseOfOtherImages) {
  const std::vector<std::string> grid{"--methods", "zero-shot,real", "--shots", "1"};
  const ProcessResult first = sweep(path("out"), grid);
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.err.find("2 cells measured, 0 kept"), std::string::npos) << first.err;
  fs::remove(photos() / "test" / "Bag" / "0.png");
  const ProcessResult other = sweep(path("out"), grid);
  EXPECT_EQ(other.status, 2) << other.err;
  EXPECT_NE(dd::test::last_line(other.err).find("other test or validation images"),
            std::string::npos)
      << other.err;
  std::vector<std::string> forced = grid;
  forced.emplace_back("--force");
  const ProcessResult anew = sweep(path("out"), forced);
  EXPECT_EQ(anew.status, 0) << anew.err;
  EXPECT_NE(anew.err.find("2 cells measured, 0 kept"), std::string::npos) << anew.err;
  for (const auto& [name, cell] : cells_of(path("out"))) EXPECT_EQ(cell.at("n"), 7) << name;
}

TEST_F(Sweep, CheaperWaysOfDrawingShareTheAdaptersAndSayWhatAnImageCost) {
  const ProcessResult result = sweep(
      path("out"), {"--methods", "synthetic", "--mode", "dataset", "--shots", "2", "--per-class",
                    "2", "--adapt-steps", "2", "--sample-steps", "4", "--guidance-interval",
                    "all,:2", "--cache-every", "1,2", "--decode-shrink", "1,2"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("FLOPs an image"), std::string::npos) << result.out;
  const fs::path home = path("out") / "seed-0/shots-2";
  const std::string set = "generate-dataset-2-dpm++2m-4-g3";
  std::map<std::string, Json> draws;
  for (const auto& [name, cell] : cells_of(path("out"))) {
    draws[name.substr(name.find("-g3"))] = cell.at("effort").at("draw");
  }
  ASSERT_EQ(draws.size(), 8);
  const auto flops = [&](const std::string& way) {
    return draws.at("-g3" + way + "-n2").at("image_flops").get<double>();
  };
  EXPECT_EQ(draws.at("-g3-n2").at("passes"), 8);
  EXPECT_EQ(draws.at("-g3-ito2-n2").at("passes"), 6) << "two of four levels are above 2";
  EXPECT_EQ(draws.at("-g3-c2-n2").at("shallow_passes"), 4);
  EXPECT_LT(flops("-ito2"), flops(""));
  EXPECT_LT(flops("-c2"), flops(""));
  EXPECT_LT(flops("-d2"), flops(""));
  EXPECT_LT(flops("-ito2-c2-d2"), flops("-ito2-c2"));
  EXPECT_EQ(dd::read_file(home / (set + "-d2") / "Bag/00000.png").substr(16, 8),
            std::string("\0\0\0\x10\0\0\0\x10", 8))
      << "16 pixels in place of 32";
  const auto adapters = std::ranges::count_if(fs::directory_iterator(home), [](const auto& entry) {
    return entry.path().filename().string().starts_with("adapt-");
  });
  EXPECT_EQ(adapters, 1);
  const std::string report = dd::read_file(path("out") / "report.html");
  EXPECT_NE(report.find("FLOPs of drawing an image"), std::string::npos);
  EXPECT_EQ(sweep(path("other"), {"--methods", "frozen", "--decode-shrink", "3"}).status, 2)
      << "8 latent cells have no third";
  EXPECT_FALSE(fs::exists(path("other")));
}

TEST_F(Sweep, PartsMakeAWhole) {
  const auto part = [&](const std::string& shard) {
    return sweep(path("out"), {"--methods", "zero-shot,real", "--shots", "1,2", "--seeds", "0,1",
                               "--shard", shard});
  };
  const ProcessResult first = part("1/2");
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_LT(cells_of(path("out")).size(), 5);
  const ProcessResult second = part("2/2");
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(cells_of(path("out")).size(), 5);
  const Json saved = dd::read_json(path("out") / "sweep.json");
  for (const Json& row : saved.at("rows")) {
    EXPECT_EQ(row.at("seeds").size(), row.at("method") == "real" ? 2 : 1);
  }
}

TEST_F(Sweep, DrawsFromShotsByTheOfficialCodesProtocol) {
  const ProcessResult result =
      sweep(path("out"), {"--methods", "disef,disef+real", "--shots", "2", "--per-class", "3",
                          "--strength", "0.5", "--sample-steps", "4", "--protocol", "paper-code"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("paper-code chose the best epoch"), std::string::npos) << result.err;
  const auto cells = cells_of(path("out"));
  EXPECT_EQ(cells.size(), 2);
  for (const auto& [name, cell] : cells) {
    EXPECT_EQ(cell.at("protocol"), "paper-code");
    EXPECT_EQ(cell.at("effort").at("draw").at("evaluations"), 2) << "half of the steps";
    EXPECT_EQ(cell.at("effort").at("train").at("images"), 2 * 4);
    EXPECT_EQ(dd::read_json(path("out") / name / "metrics.json").at("protocol"), "paper-code");
    const Json record =
        dd::read_json(path("out") / cell.at("classifier").get<std::string>() / "classifier.json");
    EXPECT_EQ(record.at("settings").at("targets"), "qv");
    EXPECT_EQ(record.at("settings").at("dropout"), 0.1);
  }
  const std::string lines =
      dd::read_file(path("out") / "seed-0/shots-2/generate-disef-dpm++2m-4-g3/metadata.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2 * 3);
  EXPECT_NE(lines.find("\"start\""), std::string::npos) << lines;
}

TEST_F(Sweep, ComparesEachSetOfImagesOnceWithRealOnes) {
  const std::vector<std::string> grid{"--methods",      "frozen,synthetic,synthetic+real",
                                      "--mode",         "dataset",
                                      "--shots",        "2",
                                      "--per-class",    "2,3",
                                      "--adapt-steps",  "2",
                                      "--sample-steps", "2",
                                      "--align"};
  const ProcessResult first = sweep(path("out"), grid);
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.out.find("kid"), std::string::npos) << first.out;
  const Json rows = dd::read_json(path("out") / "sweep.json").at("alignment_rows");
  ASSERT_EQ(rows.size(), 2);
  for (const Json& row : rows) {
    EXPECT_EQ(row.at("images_per_class"), 3);
    EXPECT_EQ(row.at("n_synthetic"), 2 * 3);
    EXPECT_EQ(row.at("n_real"), 2 * (3 - 2)) << "the shots are left out";
    EXPECT_TRUE(row.at("kid").at("mean").is_number());
  }
  EXPECT_NE(dd::read_file(path("out") / "report.html").find("Alignment with real images"),
            std::string::npos);
  const ProcessResult all =
      sweep(path("all"), {"--methods", "frozen", "--shots", "3", "--per-class", "2",
                          "--sample-steps", "2", "--align"});
  ASSERT_EQ(all.status, 0) << all.err;
  EXPECT_NE(all.err.find("no real images besides"), std::string::npos) << all.err;
}

TEST_F(Sweep, DryRunSaysWhatItCostsAndWritesNothing) {
  const ProcessResult plan =
      sweep(path("out"), {"--shots", "1,2", "--seeds", "0,1,2", "--dry-run"});
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_NE(plan.out.find("cells of 3 seed(s)"), std::string::npos) << plan.out;
  EXPECT_FALSE(fs::exists(path("out")));
  EXPECT_EQ(sweep(path("out"), {"--shots", "1,9"}).status, 2) << "there are 3 images a class";
  EXPECT_EQ(sweep(path("out"), {"--lambda", "0.5,x"}).status, 2);
  EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
