// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dd/core/context.h"
#include "dd/data/dataset.h"

namespace dd::run {

struct Setup;

/// What the images of a run hold, whatever their files are called from call to call.
struct RunImages {
  std::string held_out;                       ///< hash of the test and the validation images
  std::map<std::int64_t, std::string> shots;  ///< content hash by the place in the data set

  /// Hash of the shots that this draw gives; of those that are known.
  std::string shots_hash(const Dataset& data, std::int64_t seed, std::int64_t count) const;
};

/// Compares the shots of all seeds, the validation images and the test images before any work is
/// done; see check_leaks. Test images are decoded for it, but nothing is learned from them: the
/// only outcome is that the run goes on, or does not. Returns what was compared.
RunImages check_run_leaks(const Setup& setup, const Context& context);

}  // namespace dd::run
