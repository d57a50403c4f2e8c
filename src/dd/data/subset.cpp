// SPDX-License-Identifier: Apache-2.0
#include "dd/data/subset.h"

#include <utility>

#include "dd/core/error.h"

namespace dd {
namespace {

class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices)
      : dataset_(std::move(dataset)), indices_(std::move(indices)) {
    for (const std::int64_t index : indices_) {
      ensure(index >= 0 && index < dataset_->size(), "subset index outside the data set");
    }
  }

  const std::vector<std::string>& class_names() const override { return dataset_->class_names(); }
  std::int64_t size() const override { return std::ssize(indices_); }
  std::int64_t label(std::int64_t index) const override { return dataset_->label(at(index)); }
  std::string id(std::int64_t index) const override { return dataset_->id(at(index)); }
  Image image(std::int64_t index) const override { return dataset_->image(at(index)); }
  std::string content_hash(std::int64_t index) const override {
    return dataset_->content_hash(at(index));
  }
  std::filesystem::path file(std::int64_t index) const override {
    return dataset_->file(at(index));
  }

 private:
  std::int64_t at(std::int64_t index) const {
    ensure(index >= 0 && index < size(), "image index outside the data set");
    return indices_[static_cast<std::size_t>(index)];
  }

  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::int64_t> indices_;
};

}  // namespace

std::unique_ptr<Dataset> make_subset(std::shared_ptr<const Dataset> dataset,
                                     std::vector<std::int64_t> indices) {
  return std::make_unique<Subset>(std::move(dataset), std::move(indices));
}

}  // namespace dd
