// SPDX-License-Identifier: Apache-2.0
// The report in a real browser: Chromium without a window. Skipped where it is not installed.
#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/report/mistakes.h"
#include "dd/report/neighbours.h"
#include "dd/report/report.h"
#include "support/process.h"
#include "support/run_folder.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;

std::string find_browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    const fs::path path = fs::path("/usr/bin") / name;
    if (fs::exists(path)) return path.string();
  }
  return {};
}

/// A page of frames that, once all are loaded, says in #seen what each holds. Frames, because a
/// window cannot be as narrow as a phone; `frames` is their markup.
std::string frame_page(const std::string& frames) {
  return "<!DOCTYPE html><meta charset=\"utf-8\">" + frames + R"html(<pre id="seen"></pre><script>
const painted = (canvas) => {
  const size = [canvas.width, canvas.height];
  const pixels = canvas.getContext('2d').getImageData(0, 0, ...size).data;
  return pixels.some((value) => value !== 0);
};
const look = (frame) => {
  const page = frame.contentDocument;
  const root = page.documentElement;
  return {
    charts: Number(root.dataset.charts ?? -1),
    figures: page.querySelectorAll('figure.chart').length,
    unpainted: [...page.querySelectorAll('canvas')].filter((one) => !painted(one)).length,
    folded: [...page.querySelectorAll('details.numbers')].filter((one) => !one.open).length,
    plots: [...page.querySelectorAll('.plot')].filter((one) => one.offsetHeight > 0).length,
    width: root.clientWidth,
    overflow: root.scrollWidth - root.clientWidth,
    broken: [...page.images].filter((one) => !one.naturalWidth).length,
    images: page.images.length,
    fetched: frame.contentWindow.performance.getEntriesByType('resource').length,
    ground: getComputedStyle(page.body).backgroundColor,
    title: page.title,
  };
};
addEventListener('load', () => {
  const seen = [...document.querySelectorAll('iframe')].map(look);
  document.getElementById('seen').textContent = JSON.stringify(seen);
});
</script>)html";
}

class Browser : public testing::Test {
 protected:
  void SetUp() override {
    if (browser_.empty()) {
      GTEST_SKIP() << "chromium is not installed, so the report is not opened in a browser; "
                      "apt-get install chromium";
    }
    dd::report::save_mistakes(
        run_.evaluation(), {[](std::int64_t row) { return dd::test::RunFolder::image_name(row); },
                            [](std::int64_t) { return dd::make_image(40, 40, 90); }, 4});
    const auto grey = [](const std::string&) { return dd::make_image(40, 40, 160); };
    dd::report::save_neighbours(run_.alignment(), grey, grey);
    dd::report::write_report(run_.path());
  }

  /// What the frames hold, and what the console said.
  dd::Json open(const std::string& frames, const std::vector<std::string>& flags,
                std::string* console = nullptr) const {
    const fs::path page = run_.path() / "frames.html";
    dd::write_file_atomically(page, frame_page(frames));
    std::vector<std::string> words{browser_,
                                   "--headless",
                                   "--no-sandbox",
                                   "--disable-gpu",
                                   "--disable-dev-shm-usage",
                                   "--allow-file-access-from-files",
                                   "--user-data-dir=" + (folder_.path() / "profile").string(),
                                   "--window-size=1400,1000",
                                   "--virtual-time-budget=20000",
                                   "--enable-logging=stderr",
                                   "--dump-dom"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back("file://" + page.string());
    const dd::test::ProcessResult result = dd::test::run_process(words, {.limit_seconds = 120});
    EXPECT_EQ(result.status, 0) << result.err;
    if (console) *console = result.err;
    const std::string mark = "<pre id=\"seen\">";
    const std::size_t start = result.out.find(mark);
    if (start == std::string::npos) return dd::Json::array();
    const std::size_t first = start + mark.size();
    return dd::Json::parse(result.out.substr(first, result.out.find("</pre>", first) - first));
  }

  std::string browser_ = find_browser();
  dd::test::TemporaryFolder folder_;
  dd::test::RunFolder run_{folder_.path() / "run"};
};

TEST_F(Browser, DrawsEveryChartOnPhoneAndDesktopWithoutErrors) {
  std::string console;
  const dd::Json seen = open(
      "<iframe src=\"report.html\" style=\"width:390px;height:844px\"></iframe>"
      "<iframe src=\"report.html\" style=\"width:1280px;height:900px\"></iframe>",
      {}, &console);
  EXPECT_EQ(console.find(":CONSOLE"), std::string::npos) << console;
  ASSERT_EQ(seen.size(), 2U);
  for (const dd::Json& page : seen) {
    EXPECT_EQ(page.at("figures"), 7) << page;
    EXPECT_EQ(page.at("charts"), page.at("figures")) << page;
    EXPECT_EQ(page.at("plots"), page.at("figures")) << page;
    EXPECT_EQ(page.at("folded"), 5) << "clouds have no table: " << page;
    EXPECT_EQ(page.at("unpainted"), 0) << page;
    EXPECT_EQ(page.at("overflow"), 0) << page;
    EXPECT_EQ(page.at("images"), 24) << page;
    EXPECT_EQ(page.at("broken"), 0) << page;
    EXPECT_EQ(page.at("fetched"), 0) << page;
    EXPECT_EQ(page.at("ground"), "rgb(252, 252, 250)") << page;
    EXPECT_EQ(page.at("title"), "DataDream report") << "the hostile class name ran";
  }
  EXPECT_LT(seen[0].at("width"), 400);
  EXPECT_GT(seen[1].at("width"), 1200);
}

TEST_F(Browser, IsDarkWhereTheSystemIsAndReadableWithoutScripts) {
  const dd::Json seen = open(
      "<iframe src=\"report.html\" style=\"width:900px;height:900px\"></iframe>"
      "<iframe sandbox=\"allow-same-origin\" src=\"report.html\"></iframe>",
      {"--blink-settings=preferredColorScheme=0"});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].at("ground"), "rgb(22, 24, 27)") << seen[0];
  EXPECT_EQ(seen[0].at("unpainted"), 0) << seen[0];
  const dd::Json& plain = seen[1];
  EXPECT_EQ(plain.at("charts"), -1) << "scripts were on";
  EXPECT_EQ(plain.at("plots"), 0) << plain;
  EXPECT_EQ(plain.at("folded"), 0) << plain;
  EXPECT_EQ(plain.at("overflow"), 0) << plain;
}

}  // namespace
