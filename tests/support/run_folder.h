// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "dd/core/json.h"
#include "dd/image/write.h"

namespace dd::test {

/// A finished run as `run` leaves it, in small: two classes, one with a name that would break out
/// of a page, two seeds, zero-shot, real, and synthetic images of class mode, compared with real.
class RunFolder {
 public:
  static constexpr const char* kHostile = "</script><img src=x onerror=\"document.title='no'\">";

  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
    put_json(folder_ / "run.json",
             {{"version", "0.0"},
              {"settings", {{"data", "photos"}, {"shots", 2}, {"per_class", 3}}},
              {"seeds", {0, 1}},
              {"model", "model"},
              {"model_hash", "abc"},
              {"classes",
               {{{"name", "Bag"}, {"folder", "Bag"}}, {{"name", kHostile}, {"folder", "odd"}}}}});
    add("zero-shot", "none", 0, 0.5, "");
    for (const int seed : {0, 1}) {
      write_seed(seed);
      add("real", "none", seed, 0.6 + 0.1 * seed, "real");
      add("synthetic", "class", seed, 0.7 + 0.05 * seed, "synthetic-class");
    }
    for (const char* kind : {"frozen", "class"}) write_alignment(kind);
    put_json(folder_ / "seed-0/projection.json", {{"shares", {0.5, 0.25}},
                                                  {"points",
                                                   {{"real", {{0, 1}, {1, 0}, {-1, 2}}},
                                                    {"frozen", {{3, 1}, {2, 0}}},
                                                    {"class", {{0.5, 1}, {1, 0.5}}}}}});
    put_json(folder_ / "results.json", results_);
    put_json(folder_ / "stages.json", stages_);
  }

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path evaluation() const { return folder_ / "seed-0/evaluate-real"; }
  std::filesystem::path alignment() const { return folder_ / "seed-0/align-class"; }
  static std::string image_name(std::int64_t row) { return "test/" + std::to_string(row); }

 private:
  /// Without the care for the disk that write_file_atomically takes, which costs these many small
  /// files seconds.
  static void put(const std::filesystem::path& path, const std::string& bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  static void put_json(const std::filesystem::path& path, const Json& value) {
    put(path, value.dump());
  }

  static Json curve(double start) {
    Json points = Json::array();
    for (int step = 10; step <= 60; step += 10) points.push_back({step, start / step});
    return points;
  }

  void write_seed(int seed) {
    const std::filesystem::path home = folder_ / ("seed-" + std::to_string(seed));
    put_json(home / "shots.json", {{"seed", seed}});
    const std::string picture = encode_png(make_image(28, 28, 90));
    for (const char* set : {"shots", "generate-frozen", "generate-class"}) {
      for (const char* name : {"Bag", "odd"}) {
        for (const char* file : {"00000.png", "00001.png", "00002.png"}) {
          put(home / set / name / file, picture);
        }
      }
    }
    for (const char* name : {"Bag", "odd"}) {
      put_json(home / "adapt-class" / name / "adapter.json",
               {{"loss", curve(9)}, {"fixed_noise_loss", curve(8)}});
    }
  }

  void write_alignment(const std::string& kind) {
    const std::filesystem::path folder = folder_ / ("seed-0/align-" + kind);
    put_json(folder / "metrics.json", {{"n_real", 100},
                                       {"n_synthetic", 6},
                                       {"fid", kind == "class" ? 12.25 : 80.5},
                                       {"kid", nullptr},
                                       {"intervals", {{"fid", {11.5, 13.5}}}},
                                       {"cautions", {"few images & many dimensions"}},
                                       {"copies", {{"flagged", 1}}},
                                       {"features", "clip"}});
    put(folder / "nearest.csv",
        "file,class,nearest_real,nearest_class,cosine,nearest_shot,shot_cosine,near_copy\n"
        "Bag/00000.png,Bag,train/4,Bag,0.5,,,0\nodd/00001.png,odd,train/7,Bag,0.9,,,1\n");
  }

  void add(const std::string& method, const std::string& mode, int seed, double top1,
           const std::string& stage) {
    const std::string home = "seed-" + std::to_string(seed) + "/";
    const std::string evaluation =
        stage.empty() ? "evaluate-zero-shot" : home + "evaluate-" + stage;
    const std::string classifier = stage.empty() ? "" : home + "train-" + stage;
    put_json(folder_ / evaluation / "metrics.json", {{"top1", top1},
                                                     {"top5", 1.0},
                                                     {"ece", 0.125},
                                                     {"per_class", {top1, nullptr}},
                                                     {"confusion", {{3, 1}, {2, 2}}}});
    put(folder_ / evaluation / "predictions.csv",
        "file,label,predicted,Bag,\"a \"\"name\"\", quoted\"\n"
        "test/0,0,0,3,1\ntest/1,0,1,1,2\ntest/2,1,0,9,1\ntest/3,1,1,0,1\n");
    if (!stage.empty()) {
      put_json(folder_ / classifier / "classifier.json", {{"curves", {{"loss", curve(5)}}}});
      stages_[classifier] = {{"seconds", 90.5}, {"peak_memory", 3LL << 29}};
    }
    stages_[evaluation] = {{"seconds", 2.5}};
    results_.push_back({{"method", method},
                        {"mode", mode},
                        {"seed", seed},
                        {"top1", top1},
                        {"n", 8},
                        {"seconds", 12.0},
                        {"protocol", "held-out"},
                        {"evaluation", evaluation},
                        {"classifier", classifier}});
  }

  std::filesystem::path folder_;
  Json results_ = Json::array();
  Json stages_ = Json::object();
};

}  // namespace dd::test
