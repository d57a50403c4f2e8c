// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/run/cell.h"
#include "dd/run/effort.h"
#include "dd/run/setup.h"

namespace dd::run {

enum class Work { kShots, kAdapt, kGenerate, kTrain, kEvaluate, kAlign };

/// "adapt", as records and plans name it.
const char* work_name(Work work);

/// One step of the chain; its folder is OUT/<name>.
struct Stage {
  std::string name;  ///< "seed-0/adapt-class"
  std::string what;  ///< what it will do, for the plan
  Work work = Work::kShots;
  /// What its time is proportional to: pictures that pass through a network. 0 = no matter.
  std::int64_t units = 0;
  double flops = 0;
  std::int64_t bytes = 0;  ///< the most that it writes, where that is much: images, adapters
  /// Does the work, or finds it complete and returns false.
  std::function<bool(Context&)> run;
};

/// How much of a stage a method needs.
struct Share {
  std::string stage;
  std::int64_t units = 0;
};

/// An accuracy that the chain measures.
struct Measurement {
  Cell cell;
  std::string evaluation;           ///< the stage that holds metrics.json
  std::string classifier;           ///< the stage that holds the classifier; empty for zero-shot
  std::vector<std::string> stages;  ///< all that must be done for it, in order
  std::vector<Share> work;          ///< of these, what counts as the method's own

  std::int64_t shots() const;             ///< real images a class that were used in any way
  std::int64_t images_per_class() const;  ///< synthetic ones
};

/// A set of synthetic images that the chain compares with real ones.
struct Comparison {
  Cell cell;
  std::string kind;     ///< "frozen", "class", "dataset": what the stage's name ends with
  std::string stage;    ///< that compares
  std::string drawing;  ///< the stage that draws the images
  std::int64_t seed = 0;
  std::filesystem::path folder;  ///< of the metrics and features
  std::filesystem::path images;
};

/// Plans cells so that what they have in common is done once. Stages refer to `setup`, which must
/// outlive them.
class Chain {
 public:
  Chain(const Setup& setup, StageNames::Style style);

  /// Adds the cell's measurement and those of its stages that are not there yet. A set of images
  /// grows to what its largest user needs: smaller sets are its first images.
  void add(const Cell& cell);
  /// Adds a few images of the model as it is, which the report shows beside the adapted ones.
  void add_pictures(const Cell& cell);
  void add_shots(const Cell& cell);
  /// Compares the cell's images with real ones that are no shots, see can_compare(). After
  /// everything else of its seed: the set must not grow any more.
  void compare(const Cell& cell);

  /// In an order in which they can run.
  const std::vector<Stage>& stages() const { return stages_; }
  const Stage& stage(const std::string& name) const;
  const std::vector<Measurement>& measurements() const { return measurements_; }
  const std::vector<Comparison>& comparisons() const { return comparisons_; }

 private:
  /// Puts the stage in, unless one of its name has as much to do.
  Share put(Stage stage);
  Share add_adapters(const Cell& cell);
  Share add_images(const Cell& cell, const std::string& adapters, std::int64_t each);
  Share add_classifier(const Cell& cell, const std::string& images);
  Share add_evaluation(const Cell& cell, const std::string& classifier);
  std::filesystem::path folder(const std::string& stage) const;
  Effort effort(const Cell& cell) const;

  const Setup& setup_;
  StageNames names_;
  bool predictions_;
  std::vector<Stage> stages_;
  std::map<std::string, std::size_t> places_;
  std::vector<Measurement> measurements_;
  std::vector<Comparison> comparisons_;
};

/// Whether there are real images of every class besides the shots.
bool can_compare(const Setup& setup);

/// Everything that `run` does.
Chain plan_chain(const Setup& setup);

}  // namespace dd::run
