// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/run/options.h"

namespace dd::run {

/// Where a method's synthetic images come from.
enum class ImageSource {
  kNone,     ///< it uses none
  kFrozen,   ///< the model as it is, prompted with class names
  kShots,    ///< the same, drawn from noised shots (DISEF)
  kAdapted,  ///< the model with a LoRA of the shots (DataDream)
};

struct Method {
  std::string name;
  ImageSource images = ImageSource::kNone;
  bool real = false;  ///< trains on the shots too

  bool zero_shot() const { return images == ImageSource::kNone && !real; }
  bool mixes() const { return images != ImageSource::kNone && real; }
};

/// Every method, in the order in which tables list them.
const std::vector<Method>& all_methods();
std::vector<std::string> method_names();
/// The method of a name that was checked already.
const Method& method_named(const std::string& name);

/// One accuracy to be measured: a method with its settings and seed.
struct Cell {
  RunOptions settings;  ///< of its lists, only `lambdas` counts
  Method method;
  std::string mode = "none";  ///< "class" or "dataset" where something was adapted
  std::int64_t seed = 0;

  bool adapted() const { return method.images == ImageSource::kAdapted; }
  /// Whether anything in it follows from the shots.
  bool needs_shots() const {
    return method.real || adapted() || method.images == ImageSource::kShots;
  }
  /// Of the classifier: one for each λ of `lambdas` where λ means something.
  std::int64_t trainings() const;
};

/// The folders of a cell's stages, below OUT. Cells share a stage where its name is the same, so a
/// name must hold all that a stage depends on and that differs between the cells of one OUT.
class StageNames {
 public:
  enum class Style {
    kShort,  ///< one setting of everything but seed, method and mode (`run`)
    kFull,   ///< every setting that a sweep varies, such as
             ///< seed-0/shots-16/train-synthetic+real-class-400-dpm++2m-15-g3-n100-l0.5
  };
  explicit StageNames(Style style) : full_(style == Style::kFull) {}

  std::string shots(const Cell& cell) const;
  std::string shots_file(const Cell& cell) const { return shots(cell) + ".json"; }
  std::string adapt(const Cell& cell) const;
  std::string images(const Cell& cell) const;
  std::string align(const Cell& cell) const;
  std::string train(const Cell& cell) const;
  std::string evaluate(const Cell& cell) const;

 private:
  std::string home(const Cell& cell, bool with_shots) const;
  std::string adaptation(const Cell& cell) const;
  std::string sampling(const Cell& cell) const;
  std::string training(const Cell& cell) const;

  bool full_;
};

}  // namespace dd::run
