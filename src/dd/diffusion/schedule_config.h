// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace dd {

using Json = nlohmann::ordered_json;

/// What the U-Net's output means.
enum class PredictionType {
  kEpsilon,   ///< the noise
  kVelocity,  ///< sqrt(a)·noise − sqrt(1−a)·latents, "v_prediction"
  kSample,    ///< the clean latents
};

enum class BetaSchedule { kLinear, kScaledLinear, kSquaredCosine };

/// How a sampler picks its timesteps (Table 2 of arXiv 2305.08891).
enum class TimestepSpacing { kLeading, kTrailing, kLinspace };

/// `scheduler_config.json` of a diffusers model folder. An absent field is diffusers' default;
/// where that default differs from sampler to sampler, the field is optional and each sampler fills
/// in its own.
struct ScheduleConfig {
  std::string class_name = "DDIMScheduler";
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.0001;
  double beta_end = 0.02;
  BetaSchedule beta_schedule = BetaSchedule::kLinear;
  std::vector<float> trained_betas;  ///< empty, or one a timestep in place of the schedule
  PredictionType prediction_type = PredictionType::kEpsilon;
  bool rescale_betas_zero_snr = false;
  std::int64_t steps_offset = 0;
  bool clip_sample = false;
  std::optional<TimestepSpacing> timestep_spacing;
  std::optional<bool> set_alpha_to_one;

  // Fields of single samplers; the others ignore them.
  bool skip_prk_steps = false;                 ///< PNDM
  std::int64_t solver_order = 2;               ///< DPM-Solver++, UniPC: 1 … 3
  std::string algorithm_type = "dpmsolver++";  ///< DPM-Solver++
  std::optional<std::string> solver_type;      ///< midpoint, heun; bh1, bh2
  bool lower_order_final = true;               ///< DPM-Solver++, UniPC
  bool euler_at_final = false;                 ///< DPM-Solver++
  std::string final_sigmas_type = "zero";      ///< zero, sigma_min
  bool use_karras_sigmas = false;              ///< DPM-Solver++, Euler, UniPC
  std::optional<double> lambda_min_clipped;    ///< DPM-Solver++; absent = −infinity
  std::optional<double> sigma_min;             ///< Euler, UniPC, with Karras sigmas
  std::optional<double> sigma_max;
  std::vector<std::int64_t> disable_corrector;  ///< UniPC: steps after which it is left out

  /// Reads the object. Error(kInput) names `where` and the field when a value has the wrong type,
  /// is out of range, or asks for something that is not supported (thresholding, stochastic or flow
  /// solvers, a solver within the solver, other sigma spacings). Unknown keys are passed over, as
  /// diffusers does.
  static ScheduleConfig from_json(const Json& object, const std::string& where);

  /// Reads FOLDER/scheduler_config.json, where FOLDER is the `scheduler` folder of a model. Accepts
  /// the bare `-Infinity` that Python writes there.
  static ScheduleConfig from_folder(const std::filesystem::path& folder);

  /// Stable Diffusion's own schedule: scaled linear 0.00085 … 0.012 over 1000 steps, offset 1.
  static ScheduleConfig stable_diffusion();

  /// The object as diffusers' `from_pretrained` reads it. Unset optional fields are left out.
  Json to_json() const;

  /// Writes FOLDER/scheduler_config.json, whole or not at all.
  void write(const std::filesystem::path& folder) const;
};

std::string to_string(PredictionType type);
std::string to_string(BetaSchedule schedule);
std::string to_string(TimestepSpacing spacing);

}  // namespace dd
