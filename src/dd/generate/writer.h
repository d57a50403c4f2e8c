// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "dd/core/context.h"
#include "dd/core/json.h"
#include "dd/generate/plan.h"
#include "dd/image/image.h"

namespace dd::generate {

/// What a set's files say about it.
struct SetDescription {
  Json settings;            ///< everything that the pixels follow from; compared at a second call
  Json common_line;         ///< fields that all lines of metadata.jsonl share
  std::vector<Json> loras;  ///< by subject: a list of {file, scale, hash}
};

/// The folder of a generated set: images, metadata.jsonl, generate.json. Every file is whole or
/// absent, so what is there can be trusted after any interruption.
class ImageSetWriter {
 public:
  /// Looks at the folder and changes nothing. Error(kUsage) when it holds images of other settings
  /// or of other origin and `force` is not set.
  ImageSetWriter(std::filesystem::path folder, const Plan& plan, SetDescription description,
                 bool force);

  /// The planned images that are not there (all, with `force`), class by class; of those alone
  /// whose places in the plan are `wanted`.
  std::vector<PlannedImage> missing(const std::function<bool(std::int64_t place)>& wanted =
                                        [](std::int64_t) { return true; }) const;

  /// Writes generate.json; with `force`, first removes what the plan and an earlier generate.json
  /// name, and nothing else.
  void begin();

  /// For a rank that did not begin it. Error(kResource) when generate.json does not appear within a
  /// minute: then the ranks do not see the same disk.
  void check_begun(const Context& context) const;

  /// Writes one image; may be called from another thread than the rest, one at a time.
  void write(const PlannedImage& planned, const Image& image) const;

  /// Writes metadata.jsonl anew from what is there, in the order of the plan: of an earlier, longer
  /// call too. `planned_are_there` says that the planned ones need not be looked for.
  void write_metadata(bool planned_are_there = false) const;

 private:
  void check_origin() const;
  void remove_images(const Plan& plan) const;
  void remove_earlier() const;
  std::string line(const PlannedImage& planned) const;
  bool has(const PlannedImage& planned) const;

  std::filesystem::path folder_;
  Plan plan_;
  SetDescription description_;
  bool force_;
  Json earlier_;             ///< generate.json of an earlier call, or null
  std::int64_t listed_ = 0;  ///< images a subject that metadata.jsonl looks for
};

}  // namespace dd::generate
