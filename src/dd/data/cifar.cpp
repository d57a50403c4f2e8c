// SPDX-License-Identifier: Apache-2.0
// CIFAR-10 and CIFAR-100 in their binary layout.
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFine[] = {
#include "dd/data/cifar100_names.inc"
};

constexpr std::uint64_t kPixels = std::uint64_t{3} * 32 * 32;

/// A file of records: `label_bytes` labels, of which the last counts, and the pixels.
void read_batch(const fs::path& base, const std::string& file, std::uint64_t label_bytes,
                Split split, ImageList& list) {
  constexpr std::uintmax_t kMaxBytes = std::uintmax_t{1} << 30;
  const std::string bytes = read_file(base / file, kMaxBytes);
  const std::uint64_t record = label_bytes + kPixels;
  if (bytes.empty() || bytes.size() % record != 0) {
    fail_input(cat((base / file).string(), " has ", bytes.size(),
                   " bytes, which are no records of ", record, "; fetch the file again"));
  }
  for (std::uint64_t i = 0; i < bytes.size() / record; ++i) {
    const std::uint64_t pixels = i * record + label_bytes;
    list.images.push_back({.id = cat(file, "/", i),
                           .label = static_cast<unsigned char>(bytes[pixels - 1]),
                           .split = split,
                           .file = file,
                           .offset = pixels,
                           .bytes = kPixels});
  }
}

ImageList read_cifar10(const fs::path& base) {
  ImageList list{.class_names = cifar10_names(), .stored = Stored::kPlanes32x32};
  for (int batch = 1; batch <= 5; ++batch) {
    read_batch(base, cat("data_batch_", batch, ".bin"), 1, Split::kTrain, list);
  }
  read_batch(base, "test_batch.bin", 1, Split::kTest, list);
  hold_out_validation(list);
  return list;
}

// The first label byte is the superclass.
ImageList read_cifar100(const fs::path& base) {
  ImageList list{.class_names = cifar100_names(), .stored = Stored::kPlanes32x32};
  read_batch(base, "train.bin", 2, Split::kTrain, list);
  read_batch(base, "test.bin", 2, Split::kTest, list);
  hold_out_validation(list);
  return list;
}

}  // namespace

std::vector<std::string> cifar10_names() {
  return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
}

std::vector<std::string> cifar100_names() {
  return to_names(kFine);
}

std::unique_ptr<Dataset> open_cifar10(const fs::path& root, const std::string& split,
                                      const ReadOptions& reading) {
  return open_official({.set = "cifar10",
                        .bases = {"", "cifar-10-batches-bin"},
                        .marker = "data_batch_1.bin",
                        .read = read_cifar10},
                       root, split, reading);
}

std::unique_ptr<Dataset> open_cifar100(const fs::path& root, const std::string& split,
                                       const ReadOptions& reading) {
  return open_official({.set = "cifar100",
                        .bases = {"", "cifar-100-binary"},
                        .marker = "train.bin",
                        .read = read_cifar100},
                       root, split, reading);
}

}  // namespace dd
