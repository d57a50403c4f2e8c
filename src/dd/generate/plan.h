// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dd/generate/options.h"
#include "dd/generate/start_images.h"

namespace dd::generate {

/// What images are drawn of: a class, or the one prompt.
struct Subject {
  std::string name;    ///< class name; empty for a prompt
  std::string folder;  ///< below OUT; empty for a prompt
  std::string prompt;
};

struct PlannedImage {
  std::size_t subject;  ///< index into the plan's subjects; the label of a class
  std::int64_t number;
  std::uint64_t seed;  ///< of the generator that draws the noise
  std::string file;    ///< below OUT, with forward slashes
  std::string prompt;
  const StartImage* start = nullptr;  ///< what it is drawn from; null = noise alone
};

/// Which images a call makes. Every image follows from its identity alone, so that sets can be cut,
/// completed and extended without changing what is there.
struct Plan {
  std::vector<Subject> subjects;
  std::int64_t each = 0;                ///< images of each subject
  std::uint64_t seed = 0;               ///< --seed
  bool labelled = false;                ///< classes rather than a prompt
  bool shared_noise = false;            ///< image i of every class starts from the same noise
  std::optional<StartImages> starts{};  ///< of image-to-image

  std::int64_t total() const { return static_cast<std::int64_t>(subjects.size()) * each; }

  /// All images have places, 0 … total() − 1: subject by subject, by their numbers.
  std::size_t subject_at(std::int64_t place) const {
    return static_cast<std::size_t>(place / each);
  }
  PlannedImage at(std::int64_t place) const { return image(subject_at(place), place % each); }
  std::int64_t place_of(const PlannedImage& planned) const {
    return static_cast<std::int64_t>(planned.subject) * each + planned.number;
  }

  /// The result refers to the plan. Image `number` of a prompt has the seed S + number, as one
  /// would call diffusers with it. Image `number` of a class has mix_seed(S, "generate/" + name,
  /// {number}): classes share no noise, and a class keeps its images whatever other classes are
  /// drawn and in whatever order.
  ///
  /// Pictures to start from take turns: image `number` of K starts from picture number mod K, with
  /// the picture's captions in turn too.
  PlannedImage image(std::size_t subject, std::int64_t number) const;
};

/// The number of the image that the file, named without its folder, is; -1 for other files.
std::int64_t image_number(const std::string& file_name);

/// Finds the classes. Error(kInput) when the file or data set has none, Error(kUsage) for a
/// template without a place for the name. Pictures to start from are read for it, so it may be
/// stopped.
Plan make_plan(const GenerateOptions& options, std::uint64_t seed,
               const CancelToken& cancel = never_stopped());

}  // namespace dd::generate
