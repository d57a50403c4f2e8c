// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/run/setup.h"
#include "dd/run/stages.h"

namespace dd::run {

/// Saves what the report shows of the first seed and no stage keeps: pictures of the worst mistakes
/// and of nearest neighbours (report/mistakes.h, report/neighbours.h), and seed-N/projection.json,
/// the features of all compared images in two dimensions: `shares` of the variance along both axes,
/// `points` by kind of image ("real", "frozen", "class", …). What is there already is kept.
void save_report_inputs(const Setup& setup, const Chain& chain);

}  // namespace dd::run
