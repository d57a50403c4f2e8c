// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/schedule_config.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/temporary_folder.h"

namespace dd {
namespace {

ScheduleConfig parse(const std::string& text) {
  return ScheduleConfig::from_json(Json::parse(text), "scheduler_config.json");
}

void expect_refused(const std::string& text, const std::string& mentioned) {
  try {
    parse(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find(mentioned), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("scheduler_config.json"), std::string::npos)
        << error.what();
  }
}

TEST(ScheduleConfig, AbsentAndNullFieldsAreDefaults) {
  const ScheduleConfig config = parse(R"({"trained_betas": null, "set_alpha_to_one": null})");
  EXPECT_EQ(config.num_train_timesteps, 1000);
  EXPECT_EQ(config.prediction_type, PredictionType::kEpsilon);
  EXPECT_EQ(config.beta_schedule, BetaSchedule::kLinear);
  EXPECT_FALSE(config.timestep_spacing.has_value());
  EXPECT_FALSE(config.set_alpha_to_one.has_value());
  EXPECT_TRUE(config.trained_betas.empty());
}

TEST(ScheduleConfig, WrittenFileReadsBackTheSame) {
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  config.class_name = "DPMSolverMultistepScheduler";
  config.prediction_type = PredictionType::kVelocity;
  config.timestep_spacing = TimestepSpacing::kTrailing;
  config.use_karras_sigmas = true;
  config.solver_order = 3;
  config.lambda_min_clipped = -5.1;
  config.disable_corrector = {0, 2};
  const test::TemporaryFolder folder;
  config.write(folder.path());
  const ScheduleConfig read = ScheduleConfig::from_folder(folder.path());
  EXPECT_EQ(read.to_json(), config.to_json());
  EXPECT_EQ(read.class_name, config.class_name);
  EXPECT_EQ(read.beta_end, 0.012);
  EXPECT_EQ(read.timestep_spacing, TimestepSpacing::kTrailing);
  EXPECT_EQ(read.set_alpha_to_one, false);
  EXPECT_EQ(read.disable_corrector, config.disable_corrector);
}

TEST(ScheduleConfig, BareInfinityOfPythonIsRead) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "scheduler_config.json",
                        R"({"_class_name": "a \" -Infinity", "lambda_min_clipped": -Infinity,
                            "beta_end": 0.012})");
  const ScheduleConfig config = ScheduleConfig::from_folder(folder.path());
  EXPECT_FALSE(config.lambda_min_clipped.has_value());
  EXPECT_EQ(config.class_name, "a \" -Infinity");
  EXPECT_EQ(config.beta_end, 0.012);
}

TEST(ScheduleConfig, DamagedFileIsNamed) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(ScheduleConfig::from_folder(folder.path()), Error);
  write_file_atomically(folder.path() / "scheduler_config.json", R"({"beta_end": )");
  try {
    ScheduleConfig::from_folder(folder.path());
    ADD_FAILURE() << "half a file was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("scheduler_config.json"), std::string::npos);
  }
}

TEST(ScheduleConfig, UnsupportedAndAbsurdValuesAreRefusedByName) {
  expect_refused(R"({"thresholding": true})", "thresholding");
  expect_refused(R"({"solver_p": {"_class_name": "DDIMScheduler"}})", "solver_p");
  expect_refused(R"({"use_beta_sigmas": true})", "use_beta_sigmas");
  expect_refused(R"({"prediction_type": "flow_prediction"})", "flow_prediction");
  expect_refused(R"({"beta_schedule": "laplace"})", "laplace");
  expect_refused(R"({"variance_type": "learned_range"})", "variance_type");
  expect_refused(R"({"num_train_timesteps": 999999999999})", "num_train_timesteps");
  expect_refused(R"({"num_train_timesteps": "many"})", "num_train_timesteps");
  expect_refused(R"({"trained_betas": [0.1, 0.2]})", "trained_betas");
  expect_refused(R"({"beta_start": 0.5, "beta_end": 0.1})", "beta_end");
  expect_refused(R"({"solver_order": 4})", "solver_order");
  expect_refused(R"({"final_sigmas_type": "two"})", "final_sigmas_type");
  expect_refused("[1]", "object");
}

}  // namespace
}  // namespace dd
