// SPDX-License-Identifier: Apache-2.0
// Inside of the folder only: the constructors behind make_sampler(), one a source file.
#pragma once

#include <memory>

#include "dd/diffusion/sampler.h"

namespace dd {

/// DDIM with eta 0 (arXiv 2010.02502).
std::unique_ptr<Sampler> make_ddim(const ScheduleConfig& config);
/// PNDM, with or without its Runge-Kutta start (arXiv 2202.09778).
std::unique_ptr<Sampler> make_pndm(const ScheduleConfig& config);
/// Multistep DPM-Solver++ of order 1 … 3 (arXiv 2211.01095).
std::unique_ptr<Sampler> make_dpm_solver(const ScheduleConfig& config);
/// Euler's method on the ODE of arXiv 2206.00364.
std::unique_ptr<Sampler> make_euler(const ScheduleConfig& config);
/// UniPC, predictor and corrector of order 1 … 3 (arXiv 2302.04867).
std::unique_ptr<Sampler> make_unipc(const ScheduleConfig& config);

}  // namespace dd
