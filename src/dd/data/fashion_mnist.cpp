// SPDX-License-Identifier: Apache-2.0
#include "dd/data/fashion_mnist.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/idx.h"

namespace dd {
namespace {

constexpr std::int64_t kSide = 28;

// One pair of files, as far as a split uses it.
struct Part {
  std::string prefix;  // of the ids
  IdxImages images;
  std::vector<std::uint8_t> labels;
};

Part read_part(const std::filesystem::path& root, const std::string& file_prefix,
               const std::string& prefix, std::int64_t expected) {
  const auto images_path = root / (file_prefix + "-images-idx3-ubyte.gz");
  const auto labels_path = root / (file_prefix + "-labels-idx1-ubyte.gz");
  Part part{prefix, read_idx_images(images_path), read_idx_labels(labels_path)};
  if (part.images.count != expected || part.images.height != kSide || part.images.width != kSide) {
    fail_input(cat(images_path.string(), " holds ", part.images.count, " images of ",
                   part.images.width, "x", part.images.height, ", not the ", expected,
                   " of 28x28 of Fashion-MNIST; is this the right folder?"));
  }
  if (std::ssize(part.labels) != expected || *std::ranges::max_element(part.labels) > 9) {
    fail_input(cat(labels_path.string(), " does not hold ", expected,
                   " labels from 0 to 9; fetch the file again"));
  }
  return part;
}

class FashionMnist final : public Dataset {
 public:
  struct Range {
    Part part;
    std::int64_t begin;
    std::int64_t end;
  };

  explicit FashionMnist(std::vector<Range> ranges) : ranges_(std::move(ranges)) {
    for (const Range& range : ranges_) size_ += range.end - range.begin;
  }

  const std::vector<std::string>& class_names() const override { return fashion_mnist_classes(); }
  std::int64_t size() const override { return size_; }

  std::int64_t label(std::int64_t index) const override {
    const auto [part, position] = find(index);
    return part->labels[static_cast<std::size_t>(position)];
  }

  std::string id(std::int64_t index) const override {
    const auto [part, position] = find(index);
    return cat(part->prefix, "/", position);
  }

  Image image(std::int64_t index) const override {
    const auto [part, position] = find(index);
    const std::uint8_t* grey = part->images.image(position);
    Image result = make_image(kSide, kSide);
    for (std::size_t i = 0; i < kSide * kSide; ++i) {
      std::fill_n(result.rgb.begin() + static_cast<std::ptrdiff_t>(i * 3), 3, grey[i]);
    }
    return result;
  }

  std::string content_hash(std::int64_t index) const override {
    const auto [part, position] = find(index);
    const auto* bytes = reinterpret_cast<const char*>(part->images.image(position));
    return sha256_of(std::string_view(bytes, kSide * kSide));
  }

 private:
  std::pair<const Part*, std::int64_t> find(std::int64_t index) const {
    ensure(index >= 0 && index < size_, "image index outside the data set");
    for (const Range& range : ranges_) {
      if (index < range.end - range.begin) return {&range.part, range.begin + index};
      index -= range.end - range.begin;
    }
    fail_internal("image index outside the data set");
  }

  std::vector<Range> ranges_;
  std::int64_t size_ = 0;
};

struct SplitRange {
  std::string_view name;
  std::int64_t train_begin, train_end, test_end;
};

constexpr SplitRange kSplits[] = {{"world", 0, 50000, 0},
                                  {"train", 50000, 58000, 0},
                                  {"val", 58000, 60000, 0},
                                  {"test", 0, 0, 10000},
                                  {"all", 0, 60000, 10000}};

}  // namespace

const std::vector<std::string>& fashion_mnist_classes() {
  static const std::vector<std::string> names{"T-shirt/top", "Trouser",   "Pullover", "Dress",
                                              "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                              "Bag",         "Ankle boot"};
  return names;
}

std::unique_ptr<Dataset> open_fashion_mnist(const std::filesystem::path& root,
                                            const std::string& split) {
  const auto* range = std::ranges::find(kSplits, split, &SplitRange::name);
  if (range == std::end(kSplits)) {
    fail_usage(
        cat("fashion-mnist has no split \"", split, "\"; choose train, val, test, world or all"));
  }
  std::vector<FashionMnist::Range> ranges;
  if (range->train_end > range->train_begin) {
    ranges.push_back(
        {read_part(root, "train", "train", 60000), range->train_begin, range->train_end});
  }
  if (range->test_end > 0) {
    ranges.push_back({read_part(root, "t10k", "test", 10000), 0, range->test_end});
  }
  return std::make_unique<FashionMnist>(std::move(ranges));
}

}  // namespace dd
