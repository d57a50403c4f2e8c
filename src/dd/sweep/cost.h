// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/run/stage_record.h"
#include "dd/run/stages.h"

namespace dd::sweep {

/// What the stages that these measurements need, and that are not done, will cost, a line for each
/// kind of work: stages, pictures through the network (a picture in one step of training, or of
/// sampling), floating-point operations, the most that images and adapters take on disk, and
/// seconds where a finished stage of OUT tells the speed.
std::string cost_text(const run::Chain& chain, const std::vector<const run::Measurement*>& todo,
                      const run::StageRecord& record);

/// The most that those stages' images and adapters take on disk.
std::int64_t bytes_to_write(const run::Chain& chain,
                            const std::vector<const run::Measurement*>& todo,
                            const run::StageRecord& record);

}  // namespace dd::sweep
