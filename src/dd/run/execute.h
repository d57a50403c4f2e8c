// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "dd/core/json.h"
#include "dd/run/stage_record.h"
#include "dd/run/stages.h"

namespace dd::run {

/// Runs one stage and notes its time and memory: on the way, as often as said, where it reports
/// progress, and at the end, also when it was stopped. False when it was found complete.
bool run_stage(const Stage& stage, StageRecord& record, Context& context,
               std::chrono::seconds note_every = std::chrono::seconds(30));

/// What an entry of results.json says besides its figures: settings and effort of the cell.
Json description_of(const Setup& setup, const Measurement& measured);

/// An entry of results.json, from the metrics that the evaluation saved and the times of the
/// method's own stages. What has no meaning for the method is null.
Json result_of(const Setup& setup, const Measurement& measured, const StageRecord& record);

/// Warns of what a reader of the results must know: a protocol that looks at test images, methods
/// that were not trained alike.
void warn_of_results(const RunOptions& options, const Json& results, Reporter& report);

}  // namespace dd::run
