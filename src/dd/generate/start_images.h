// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/data/dataset.h"
#include "dd/image/image.h"

namespace dd::generate {

/// A picture that images are drawn from rather than from noise alone.
struct StartImage {
  std::int64_t index = 0;               ///< in the data set
  std::string id;                       ///< see data/dataset.h
  std::string hash;                     ///< of its content
  std::vector<std::string> captions{};  ///< prompts of its own; none = the class's
};

/// Captions by the id of a picture, from a file with a JSON object a line,
/// {"id": "…", "caption": "…"}; a picture may have several. Error(kInput) names file and line.
std::map<std::string, std::vector<std::string>> read_captions(const std::filesystem::path& file);

/// The pictures of each class that image-to-image starts from (DISEF, arXiv 2312.03046).
class StartImages {
 public:
  /// `source` is a shots.json of `adapt`, `run` or `sweep`, or DATA (all its training images);
  /// `captions` may be empty, as may be a picture's list in it. Error(kInput) for a class without
  /// pictures.
  static StartImages open(const std::string& source, const std::filesystem::path& captions,
                          const std::vector<std::string>& class_names,
                          const CancelToken& cancel = never_stopped());

  /// Of a class, in the order of the names given.
  const std::vector<StartImage>& of_class(std::size_t label) const { return by_class_.at(label); }

  /// Resized until it covers width × height, its middle cut out.
  Image picture(const StartImage& start, std::int64_t width, std::int64_t height) const;

  /// Equal for equal pictures and captions in the same order.
  std::string hash() const;
  /// Pictures without a caption of their own.
  std::int64_t without_caption() const;

 private:
  std::shared_ptr<const Dataset> images_;
  std::vector<std::vector<StartImage>> by_class_;
};

}  // namespace dd::generate
