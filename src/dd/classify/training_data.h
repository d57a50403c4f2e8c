// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dd/classify/preprocess.h"
#include "dd/classify/train.h"
#include "dd/data/dataset.h"

namespace dd::classify {

/// Images of one kind with their labels in the classifier's order.
struct LabelledImages {
  std::shared_ptr<const Dataset> images;  ///< null where this kind is not used
  std::vector<std::int64_t> labels;

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  bool empty() const { return labels.empty(); }
};

/// What a classifier is trained and chosen on. Classes are those of the real data where it is given
/// and those of the synthetic set otherwise.
struct TrainingData {
  std::vector<std::string> class_names;
  LabelledImages real;
  LabelledImages synthetic;
  LabelledImages validation;
  std::string hash;  ///< of classes, labels and the contents of all images
};

/// Finds and checks the images; decodes none. See run_train for errors.
TrainingData find_training_data(const TrainOptions& options, const CommonOptions& common,
                                const Context& context);

struct ImageCaching {
  bool augmented = false;
  std::int64_t threads = 1;
  std::filesystem::path folder{};               ///< for what memory does not hold
  std::int64_t memory = std::int64_t{8} << 30;  ///< bytes for each kind of images
  std::int64_t sharers = 1;  ///< processes like this one on this machine, with it
};

/// Bytes that the pictures take at most, by where cache_images would keep them now.
struct PictureRoom {
  std::int64_t memory = 0;
  std::int64_t disk = 0;
};
PictureRoom room_of_pictures(const TrainingData& data, const Preprocess& preprocess,
                             const ImageCaching& caching);

/// Decodes the images once, reduced to what training needs: exactly what CLIP sees where they are
/// not augmented, and a seventh larger at most where crops are cut from them. Sets that may take
/// more than the memory given, or half of what is available, go to a file that is mapped.
void cache_images(TrainingData& data, const Preprocess& preprocess, const ImageCaching& caching,
                  const Context& context);

/// Hash of class names, labels, names and contents of a set's images. Together with the ranks of
/// `context`, which share the files.
std::string hash_of_images(const std::vector<std::string>& class_names,
                           const LabelledImages& images, std::int64_t threads,
                           const Context& context);

}  // namespace dd::classify
