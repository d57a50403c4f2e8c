// SPDX-License-Identifier: Apache-2.0
#include "dd/report/report.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/report/mistakes.h"
#include "dd/report/neighbours.h"
#include "support/run_folder.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;

class Report : public testing::Test {
 protected:
  std::string page() const {
    dd::report::write_report(run_.path());
    return dd::read_file(run_.path() / "report.html");
  }
  void change(const char* file, const std::string& key, const dd::Json& value) const {
    dd::Json json = dd::read_json(run_.path() / file);
    json[key] = value;
    dd::write_json(run_.path() / file, json);
  }
  static dd::report::ScoredImages images() {
    return {[](std::int64_t row) { return dd::test::RunFolder::image_name(row); },
            [](std::int64_t row) {
              return dd::make_image(200, 160, static_cast<std::uint8_t>(40 * row));
            },
            4};
  }

  dd::test::TemporaryFolder folder_;
  dd::test::RunFolder run_{folder_.path() / "run"};
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Report, HoldsEverySectionOfTheRun) {
  dd::report::save_mistakes(run_.evaluation(), images());
  const std::string html = page();
  for (const char* id : {"summary", "pictures", "alignment", "curves", "classes", "confusion",
                         "mistakes", "cost", "settings"}) {
    EXPECT_TRUE(has(html, std::string("<section id=\"") + id + "\">")) << id;
    EXPECT_TRUE(has(html, std::string("<a href=\"#") + id + "\">")) << id;
  }
  // real: 0.6 and 0.7
  EXPECT_TRUE(has(html, "<b>65.00 ± 7.07</b></td><td>60.00, 70.00</td><td>2</td><td>8</td>"));
  EXPECT_TRUE(has(html, "<td>1.5 min</td><td>1.50 GiB</td>"));
  EXPECT_TRUE(has(html, dd::sha256_of_file(run_.path() / "seed-1" / "shots.json")));
}

TEST_F(Report, IsOneFileThatFetchesNothing) {
  const std::string html = page();
  EXPECT_TRUE(has(html, "default-src 'none'"));
  EXPECT_TRUE(has(html, "Released under the MIT License"));
  EXPECT_TRUE(has(html, "Permission is hereby granted"));
  for (const char* fetched :
       {"src=\"http", "href=\"http", "url(http", "<link", "@import", "src=\"//"}) {
    EXPECT_FALSE(has(html, fetched)) << fetched;
  }
}

TEST_F(Report, NamesCannotBreakOut) {
  EXPECT_FALSE(has(page(), dd::test::RunFolder::kHostile));
}

TEST_F(Report, KeepsMistakesOnceAndShowsThemWithoutTheData) {
  const fs::path record = run_.evaluation() / "mistakes.json";
  dd::report::save_mistakes(run_.evaluation(), images());
  const dd::Json kept = dd::read_json(record).at("mistakes");
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].at("file"), "test/2");
  EXPECT_EQ(kept[1].at("file"), "test/1");
  EXPECT_TRUE(fs::exists(run_.evaluation() / "mistakes" / "01.png"));
  EXPECT_TRUE(has(page(), "<b>Bag</b> 100.0 %"));

  fs::remove(run_.evaluation() / "mistakes" / "01.png");
  dd::report::save_mistakes(run_.evaluation(), images());
  EXPECT_FALSE(fs::exists(run_.evaluation() / "mistakes" / "01.png")) << "it was there already";
  dd::write_file_atomically(run_.evaluation() / "predictions.csv",
                            "file,label,predicted,Bag,b\ntest/0,0,1,1,2\n");
  dd::report::save_mistakes(run_.evaluation(), images());
  EXPECT_EQ(dd::read_json(record).at("mistakes").size(), 1U) << "other predictions";
}

TEST_F(Report, ComparesSyntheticImagesWithRealOnes) {
  std::vector<std::string> asked;
  const auto grey = [&](const std::string& name) {
    asked.push_back(name);
    return dd::make_image(30, 30, 80);
  };
  dd::report::save_neighbours(run_.alignment(), grey, grey);
  const std::vector<std::string> nearest_first{"odd/00001.png", "train/7", "Bag/00000.png",
                                               "train/4"};
  EXPECT_EQ(asked, nearest_first);
  dd::report::save_neighbours(run_.alignment(), grey, grey);
  EXPECT_EQ(asked.size(), 4U) << "they were there already";
  const std::string html = page();
  EXPECT_TRUE(has(html,
                  "<th>adapted, class</th><td>100</td><td>6</td><td>12.25<br />"
                  "<span class=\"note\">11.50 … 13.50</span></td><td>–</td>"));
  EXPECT_TRUE(has(html, "cosine 0.900, near copy"));
  EXPECT_TRUE(has(html, "Features: real and model as it is"));
  EXPECT_TRUE(has(html, "axis 1 (50 %)"));
  EXPECT_TRUE(has(html, "few images &amp; many dimensions"));
}

TEST_F(Report, NamesDamagedTablesOfNeighbours) {
  const auto never = [](const std::string&) { return dd::make_image(1, 1); };
  const fs::path file = run_.alignment() / "nearest.csv";
  const std::string whole = dd::read_file(file);
  for (const std::string& bad :
       {std::string("file,class\n"), whole + "a,b\n", whole + "a,b,c,d,near,,,0\n"}) {
    dd::write_file_atomically(file, bad);
    EXPECT_THROW(dd::report::save_neighbours(run_.alignment(), never, never), dd::Error) << bad;
  }
}

TEST_F(Report, RefusesPredictionsOfOtherImages) {
  dd::report::ScoredImages others = images();
  others.name = [](std::int64_t) { return std::string("elsewhere"); };
  EXPECT_THROW(dd::report::save_mistakes(run_.evaluation(), others), dd::Error);
  others = images();
  others.size = 1;
  EXPECT_THROW(dd::report::save_mistakes(run_.evaluation(), others), dd::Error);
  EXPECT_FALSE(fs::exists(run_.evaluation() / "mistakes.json"));
}

TEST_F(Report, LeavesOutWhatTheRunDoesNotHave) {
  fs::remove(run_.path() / "stages.json");
  const std::string html = page();
  EXPECT_FALSE(has(html, "id=\"cost\""));
  EXPECT_FALSE(has(html, "id=\"mistakes\""));
}

TEST_F(Report, NamesDamagedFiles) {
  change("seed-0/evaluate-real/metrics.json", "confusion", {{1, 2}});
  EXPECT_THROW(page(), dd::Error);
  change("seed-0/evaluate-real/metrics.json", "confusion", {{1, 2}, {3, 4}});
  EXPECT_NO_THROW(page());
  change("seed-0/evaluate-real/metrics.json", "per_class", {1});
  EXPECT_THROW(page(), dd::Error);
}

TEST_F(Report, RefusesPathsThatLeaveTheRun) {
  dd::Json results = dd::read_json(run_.path() / "results.json");
  results[1]["evaluation"] = "../elsewhere";
  dd::write_json(run_.path() / "results.json", results);
  try {
    page();
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_TRUE(has(error.what(), "../elsewhere")) << error.what();
  }
}

TEST_F(Report, SaysThatAFolderHoldsNoRun) {
  EXPECT_THROW(dd::report::write_report(folder_.path()), dd::Error);
}

}  // namespace
