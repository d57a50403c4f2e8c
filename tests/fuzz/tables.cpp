// SPDX-License-Identifier: Apache-2.0
// What the program reads back to report on it (records, tables of predictions and of neighbours),
// its configurations in TOML, and CIFAR's files. The first byte of an input says which of them the
// rest is.
#include <array>

#include "dd/cli/config_file.h"
#include "dd/core/files.h"
#include "dd/data/named_sets.h"
#include "dd/report/predictions.h"
#include "dd/report/report.h"
#include "dd/report/sweep_report.h"
#include "fuzz_input.h"
#include "support/run_folder.h"

namespace {

namespace fs = std::filesystem;

void put(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A sound run, of which one file at a time is replaced.
class Run {
 public:
  explicit Run(const fs::path& folder) : run_(folder) {
    for (const char* file : kFiles) sound_.push_back(dd::read_file(folder / file));
  }

  void report_with(std::size_t which, std::string_view bytes) const {
    const fs::path file = run_.path() / kFiles.at(which);
    put(file, bytes);
    dd::fuzz::may_refuse([&] { dd::report::write_report(run_.path()); });
    put(file, sound_.at(which));
  }

  static constexpr std::array kFiles{"run.json",
                                     "results.json",
                                     "stages.json",
                                     "seed-0/projection.json",
                                     "seed-0/align-class/metrics.json",
                                     "seed-0/align-class/nearest.csv",
                                     "seed-0/adapt-class/Bag/adapter.json",
                                     "seed-0/evaluate-real/metrics.json",
                                     "seed-0/train-real/classifier.json"};

 private:
  dd::test::RunFolder run_;
  std::vector<std::string> sound_;
};

struct Paint final : dd::Options {
  double width = 0.5;
  bool glossy = true;
  std::string colour = "red";
  std::vector<std::int64_t> seeds{0};
  void visit(dd::FieldVisitor& visitor) override {
    visitor.field("width", width, {.help = "width"});
    visitor.field("glossy", glossy, {.help = "gloss"});
    visitor.field("colour", colour, {.help = "colour", .choices = {"red", "blue"}});
    visitor.field("seeds", seeds, {.help = "seeds"});
  }
};

void read_configuration(std::string_view bytes) {
  const dd::fuzz::MemoryFile file(bytes);
  dd::fuzz::may_refuse([&] {
    dd::CommonOptions common;
    Paint paint;
    dd::cli::read_config(file.path(), "paint", {"paint", "data check"}, common, paint);
  });
}

void read_predictions(std::string_view bytes) {
  const dd::fuzz::MemoryFile file(bytes);
  dd::fuzz::may_refuse([&] { dd::report::worst_mistakes(file.path(), 3); });
}

void read_sweep(const fs::path& folder, std::string_view bytes) {
  put(folder / "sweep.json", bytes);
  dd::fuzz::may_refuse([&] { dd::report::write_sweep_report(folder); });
}

void read_cifar(const fs::path& folder, std::string_view bytes) {
  for (int batch = 1; batch <= 5; ++batch)
    put(folder / dd::cat("data_batch_", batch, ".bin"), bytes);
  for (const char* file : {"test_batch.bin", "train.bin", "test.bin"}) put(folder / file, bytes);
  dd::fuzz::may_refuse([&] { dd::open_cifar10(folder, "all", {})->image(0); });
  dd::fuzz::may_refuse([&] { dd::open_cifar100(folder, "all", {})->image(0); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dd::fuzz::InputFolder folder;
  static const Run run(folder.path() / "run");
  if (size == 0) return 0;
  const std::string_view bytes = dd::fuzz::text_of(data + 1, size - 1);
  // Letters, so that the seeds can be read.
  switch (*data) {
    case 'c':
      read_cifar(folder.path(), bytes);
      break;
    case 'p':
      read_predictions(bytes);
      break;
    case 's':
      read_sweep(folder.path(), bytes);
      break;
    case 't':
      read_configuration(bytes);
      break;
    default:
      run.report_with(*data % Run::kFiles.size(), bytes);
  }
  return 0;
}
