// SPDX-License-Identifier: Apache-2.0
#include "dd/data/image_cache.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "dd/core/error.h"
#include "dd/data/parallel.h"

namespace dd {
namespace {

Image prepare(Image image, const CacheOptions& options) {
  if (options.short_side > 0) {
    image = resize_short_side(image, options.short_side, options.filter);
  }
  return options.square ? center_crop(image, std::min(image.width, image.height)) : image;
}

}  // namespace

ImageCache::ImageCache(std::shared_ptr<const Dataset> source, const CacheOptions& options,
                       const Context& context)
    : source_(std::move(source)),
      file_(options.file.empty() ? nullptr : std::make_unique<PixelFile>(options.file)),
      entries_(static_cast<std::size_t>(source_->size())) {
  std::atomic<std::int64_t> bytes{0};
  for_each_parallel(size(), options.threads, context, "read images", [&](std::int64_t index) {
    Image image = prepare(source_->image(index), options);
    Entry& entry = entries_[static_cast<std::size_t>(index)];
    entry.width = image.width;
    entry.height = image.height;
    if (file_) {
      entry.begin = file_->add(image.rgb);
      return;
    }
    const std::int64_t total = bytes += std::ssize(image.rgb);
    if (total > options.max_bytes) {
      fail_resource(cat("the ", size(), " images need more than ", options.max_bytes >> 20,
                        " MiB of memory at short side ", options.short_side,
                        "; choose a smaller size or fewer images"));
    }
    entry.own = std::move(image.rgb);
  });
  if (file_) file_->map();
}

Image ImageCache::image(std::int64_t index) const {
  ensure(index >= 0 && index < size(), "image index outside the data set");
  const Entry& entry = entries_[static_cast<std::size_t>(index)];
  if (!file_) return {entry.width, entry.height, entry.own};
  const auto pixels = file_->bytes(entry.begin, std::int64_t{3} * entry.width * entry.height);
  return {entry.width, entry.height, {pixels.begin(), pixels.end()}};
}

std::vector<DamagedImage> find_damaged(const Dataset& dataset, std::int64_t threads,
                                       const Context& context) {
  std::vector<std::string> problems(static_cast<std::size_t>(dataset.size()));
  for_each_parallel(dataset.size(), threads, context, "check images", [&](std::int64_t index) {
    try {
      dataset.image(index);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      problems[static_cast<std::size_t>(index)] = error.what();
    }
  });
  std::vector<DamagedImage> damaged;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    std::string& problem = problems[static_cast<std::size_t>(i)];
    if (!problem.empty()) damaged.push_back({i, std::move(problem)});
  }
  return damaged;
}

}  // namespace dd
