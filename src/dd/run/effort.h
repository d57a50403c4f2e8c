// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "dd/core/json.h"
#include "dd/run/cell.h"
#include "dd/run/model_costs.h"

namespace dd::run {

/// What drawing one image asks of the networks.
struct DrawingWork {
  std::int64_t evaluations = 0;  ///< of the U-Net, for each of which …
  std::int64_t passes = 0;       ///< … rows go through it: two where guidance acts; of these …
  std::int64_t shallow_passes = 0;  ///< … some take the deeper levels from an earlier evaluation
  double flops = 0;                 ///< with decoding, without the prompt's encoding
};
DrawingWork drawing_work(const Cell& cell, const ModelCosts& costs);

/// How much work a method was given: results.json and the tables carry it, so that one sees whether
/// methods were compared at equal cost.
struct Effort {
  std::int64_t adapt_steps = 0;   ///< of all adapters together
  std::int64_t adapt_images = 0;  ///< seen, repeats counted
  double adapt_flops = 0;
  std::int64_t drawn_images = 0;
  DrawingWork draw{};  ///< of one image
  double draw_flops = 0;
  std::int64_t train_steps = 0;   ///< of all trainings together
  std::int64_t train_images = 0;  ///< seen, repeats counted
  double train_flops = 0;

  double flops() const { return adapt_flops + draw_flops + train_flops; }
  Json to_json() const;
};

/// Follows from the cell's settings: what it would cost alone.
Effort effort_of(const Cell& cell, const ModelCosts& costs, std::int64_t classes);

/// A sentence when the classifiers of these results saw unequal numbers of images; empty otherwise.
std::string unequal_training(const Json& results);

}  // namespace dd::run
