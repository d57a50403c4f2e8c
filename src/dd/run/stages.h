// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/run/setup.h"

namespace dd::run {

/// One step of the chain; its folder is OUT/<name>.
struct Stage {
  std::string name;  ///< "seed-0/adapt-class"
  std::string what;  ///< what it will do, for the plan
  /// Does the work, or finds it complete and returns false.
  std::function<bool(Context&)> run;
};

/// An accuracy that the chain measures.
struct Measurement {
  std::string method;
  std::string mode;  ///< "class", "dataset", or "none" where nothing was adapted
  std::int64_t seed = 0;
  std::int64_t shots = 0;  ///< real images a class that were used in any way
  std::int64_t images_per_class = 0;
  std::string evaluation;         ///< the stage that holds metrics.json
  std::string classifier;         ///< the stage that holds the classifier; empty for zero-shot
  std::vector<std::string> work;  ///< stages whose time counts as the method's own
};

/// Everything a run does, in order. Stages refer to `setup`, which must outlive them.
struct Chain {
  std::vector<Stage> stages;
  std::vector<Measurement> measurements;
};

Chain plan_chain(const Setup& setup);

}  // namespace dd::run
