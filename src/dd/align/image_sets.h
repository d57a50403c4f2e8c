// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dd/align/options.h"
#include "dd/core/context.h"
#include "dd/data/dataset.h"

namespace dd::align {

/// Chosen images of a data set.
struct ImageSet {
  std::shared_ptr<const Dataset> images;  ///< the chosen ones alone; null where there are none
  std::vector<std::int64_t> labels;       ///< into ImageSets::class_names; 0 where there are none
  std::vector<std::int64_t> places;       ///< of each in the whole split
  std::int64_t whole = 0;                 ///< images of the whole split

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

/// What is compared with what.
struct ImageSets {
  std::vector<std::string> class_names;  ///< of the real data; empty when sets share no class
  ImageSet real;
  ImageSet synthetic;
  ImageSet shots;  ///< empty without a shots file
};

/// Finds the images and draws `per_class` of each class of either set by the seed; decodes none.
/// Classes are those of the synthetic set; real images of other classes are left out, with a
/// message. Where no class name is shared, all images are compared as if of one class, with a
/// warning. Shots are never among the real images. Error(kInput): no images, damaged files, some
/// classes that the real data lacks.
ImageSets find_image_sets(const AlignOptions& options, std::uint64_t seed, Context& context);

}  // namespace dd::align
