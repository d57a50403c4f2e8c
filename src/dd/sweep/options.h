// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/core/fields.h"
#include "dd/run/options.h"

namespace dd::sweep {

/// A grid of measurements: every combination of the lists, for each method as far as they mean
/// something to it. What is no list is set as for `run`.
struct SweepOptions final : Options {
  SweepOptions();  ///< each list holds what `run` takes

  run::RunOptions base;
  std::vector<std::int64_t> shots;
  std::vector<std::int64_t> per_class;  ///< 0 stands for the method without synthetic images
  std::vector<std::int64_t> adapt_steps;
  std::vector<std::string> samplers;
  std::vector<std::int64_t> sample_steps;
  std::vector<std::string> guidance;            ///< numbers, see core/number_text.h
  std::vector<std::string> guidance_intervals;  ///< see run::GuidanceInterval
  std::vector<std::int64_t> cache_every;
  std::vector<std::int64_t> decode_shrink;
  std::vector<std::string> lambda;  ///< numbers
  std::string shard = "1/1";        ///< I/N: this process does the I-th of N parts

  void visit(FieldVisitor& visitor) override;
  /// Ranges, and that the choices fit together; Error(kUsage) names the flag.
  void check() const;

  /// Settings that say nothing about the work already done, as keys.
  static std::vector<std::string> free_settings();
};

}  // namespace dd::sweep
