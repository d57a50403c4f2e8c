// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/schedule_config.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "dd/core/files.h"
#include "dd/core/json_text.h"

namespace dd {
namespace {

constexpr std::int64_t kMaxTimesteps = 1'000'000;

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, const char*>, N>;

constexpr Names<PredictionType, 3> kPredictionNames{{{PredictionType::kEpsilon, "epsilon"},
                                                     {PredictionType::kVelocity, "v_prediction"},
                                                     {PredictionType::kSample, "sample"}}};
constexpr Names<BetaSchedule, 3> kBetaNames{{{BetaSchedule::kLinear, "linear"},
                                             {BetaSchedule::kScaledLinear, "scaled_linear"},
                                             {BetaSchedule::kSquaredCosine, "squaredcos_cap_v2"}}};
constexpr Names<TimestepSpacing, 3> kSpacingNames{{{TimestepSpacing::kLeading, "leading"},
                                                   {TimestepSpacing::kTrailing, "trailing"},
                                                   {TimestepSpacing::kLinspace, "linspace"}}};

template <class Enum, std::size_t N>
std::string name_of(Enum value, const Names<Enum, N>& names) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  fail_internal("enum value without a name");
}

/// Reads fields of one object; every complaint carries the file and the key.
class Reader {
 public:
  Reader(const Json& object, const std::string& where) : object_(object), where_(where) {
    if (!object.is_object()) {
      fail_input(cat(where, ": not a JSON object; is this a scheduler_config.json?"));
    }
  }

  template <class T>
  void read(const char* key, T& value) const {
    value = json_value<T>(object_, key, value, where_);
  }
  template <class T>
  void read(const char* key, std::optional<T>& value) const {
    if (has(key)) value = json_value<T>(object_, key, T{}, where_);
  }
  bool has(const char* key) const {
    const auto found = object_.find(key);
    return found != object_.end() && !found->is_null();
  }
  template <class Enum, std::size_t N>
  std::optional<Enum> choice(const char* key, const Names<Enum, N>& names) const {
    std::optional<std::string> text;
    read(key, text);
    if (!text) return std::nullopt;
    for (const auto& [value, name] : names) {
      if (*text == name) return value;
    }
    refuse(key, *text);
  }
  void require(const char* key, bool holds, const std::string& rule) const {
    if (!holds) fail_input(cat(where_, ": \"", key, "\" must be ", rule, "; mend the file"));
  }
  void refuse_if_true(const char* key) const {
    if (json_value<bool>(object_, key, false, where_)) refuse(key, "true");
  }
  [[noreturn]] void refuse(const char* key, const std::string& value) const {
    fail_input(cat(where_, ": \"", key, "\" is ", value,
                   ", which is not supported; use a scheduler without it"));
  }

 private:
  const Json& object_;
  const std::string& where_;
};

void read_schedule(const Reader& reader, ScheduleConfig& config) {
  reader.read("_class_name", config.class_name);
  reader.read("num_train_timesteps", config.num_train_timesteps);
  reader.read("beta_start", config.beta_start);
  reader.read("beta_end", config.beta_end);
  reader.read("trained_betas", config.trained_betas);
  reader.read("rescale_betas_zero_snr", config.rescale_betas_zero_snr);
  reader.read("steps_offset", config.steps_offset);
  reader.read("clip_sample", config.clip_sample);
  reader.read("set_alpha_to_one", config.set_alpha_to_one);
  config.beta_schedule = reader.choice("beta_schedule", kBetaNames).value_or(config.beta_schedule);
  config.prediction_type =
      reader.choice("prediction_type", kPredictionNames).value_or(config.prediction_type);
  config.timestep_spacing = reader.choice("timestep_spacing", kSpacingNames);

  const std::int64_t count = config.num_train_timesteps;
  reader.require("num_train_timesteps", count >= 2 && count <= kMaxTimesteps, "2 … 1000000");
  reader.require("beta_start", config.beta_start > 0 && config.beta_start < 1, "between 0 and 1");
  reader.require("beta_end", config.beta_end >= config.beta_start && config.beta_end < 1,
                 "between beta_start and 1");
  reader.require("steps_offset", config.steps_offset >= 0 && config.steps_offset < count,
                 "0 … num_train_timesteps − 1");
  const auto betas = static_cast<std::int64_t>(config.trained_betas.size());
  reader.require("trained_betas", betas == 0 || betas == count,
                 "a list of num_train_timesteps values");
  for (const float beta : config.trained_betas) {
    reader.require("trained_betas", beta > 0 && beta < 1, "between 0 and 1 in each place");
  }
}

void read_sampler_fields(const Reader& reader, ScheduleConfig& config) {
  reader.read("skip_prk_steps", config.skip_prk_steps);
  reader.read("solver_order", config.solver_order);
  reader.read("algorithm_type", config.algorithm_type);
  reader.read("solver_type", config.solver_type);
  reader.read("lower_order_final", config.lower_order_final);
  reader.read("euler_at_final", config.euler_at_final);
  reader.read("final_sigmas_type", config.final_sigmas_type);
  reader.read("use_karras_sigmas", config.use_karras_sigmas);
  reader.read("lambda_min_clipped", config.lambda_min_clipped);
  reader.read("sigma_min", config.sigma_min);
  reader.read("sigma_max", config.sigma_max);
  reader.read("disable_corrector", config.disable_corrector);
  reader.require("solver_order", config.solver_order >= 1 && config.solver_order <= 3, "1, 2 or 3");
  reader.require("final_sigmas_type",
                 config.final_sigmas_type == "zero" || config.final_sigmas_type == "sigma_min",
                 "zero or sigma_min");
  reader.require("sigma_min", !config.sigma_min || *config.sigma_min > 0, "positive");
  reader.require("sigma_max", !config.sigma_max || *config.sigma_max > 0, "positive");
}

/// What would change the images if it were passed over.
void refuse_unsupported(const Reader& reader) {
  for (const char* key : {"thresholding", "use_exponential_sigmas", "use_beta_sigmas",
                          "use_lu_lambdas", "use_flow_sigmas"}) {
    reader.refuse_if_true(key);
  }
  const std::pair<const char*, std::string_view> refused[] = {{"interpolation_type", "log_linear"},
                                                              {"timestep_type", "continuous"},
                                                              {"variance_type", "learned"},
                                                              {"variance_type", "learned_range"}};
  for (const auto& [key, value] : refused) {
    std::optional<std::string> given;
    reader.read(key, given);
    if (given == value) reader.refuse(key, *given);
  }
  if (reader.has("solver_p")) reader.refuse("solver_p", "set");
  bool predict_x0 = true;
  reader.read("predict_x0", predict_x0);
  if (!predict_x0) reader.refuse("predict_x0", "false");
}

/// Python's json module writes infinite numbers as bare words, which JSON does not have: null takes
/// their place, since an infinite bound is the same as none.
std::string replace_bare_infinities(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\' && i + 1 < text.size()) {
      result += text[i++];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      const std::string_view rest = std::string_view(text).substr(i);
      const std::size_t sign = rest.starts_with("-") ? 1 : 0;
      if (rest.substr(sign).starts_with("Infinity")) {
        result += "null";
        i += sign + 7;
        continue;
      }
    }
    result += text[i];
  }
  return result;
}

template <class T>
void put(Json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

}  // namespace

std::string to_string(PredictionType type) {
  return name_of(type, kPredictionNames);
}
std::string to_string(BetaSchedule schedule) {
  return name_of(schedule, kBetaNames);
}
std::string to_string(TimestepSpacing spacing) {
  return name_of(spacing, kSpacingNames);
}

ScheduleConfig ScheduleConfig::from_json(const Json& object, const std::string& where) {
  const Reader reader(object, where);
  ScheduleConfig config;
  refuse_unsupported(reader);
  read_schedule(reader, config);
  read_sampler_fields(reader, config);
  return config;
}

ScheduleConfig ScheduleConfig::from_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "scheduler_config.json";
  constexpr std::uintmax_t kLimit = std::uintmax_t{64} << 20;
  const std::string text = replace_bare_infinities(read_file(path, kLimit));
  constexpr std::string_view kRemedy = "mend the file or fetch it again";
  return from_json(parse_document<Json>(text, path.string(), kRemedy), path.string());
}

ScheduleConfig ScheduleConfig::stable_diffusion() {
  ScheduleConfig config;
  config.beta_start = 0.00085;
  config.beta_end = 0.012;
  config.beta_schedule = BetaSchedule::kScaledLinear;
  config.steps_offset = 1;
  config.set_alpha_to_one = false;
  config.skip_prk_steps = true;
  return config;
}

Json ScheduleConfig::to_json() const {
  const ScheduleConfig defaults;
  Json object;
  object["_class_name"] = class_name;
  object["_diffusers_version"] = "0.42.0";
  object["beta_end"] = beta_end;
  object["beta_schedule"] = to_string(beta_schedule);
  object["beta_start"] = beta_start;
  object["clip_sample"] = clip_sample;
  object["num_train_timesteps"] = num_train_timesteps;
  object["prediction_type"] = to_string(prediction_type);
  object["rescale_betas_zero_snr"] = rescale_betas_zero_snr;
  put(object, "set_alpha_to_one", set_alpha_to_one);
  object["skip_prk_steps"] = skip_prk_steps;
  object["steps_offset"] = steps_offset;
  if (timestep_spacing) object["timestep_spacing"] = to_string(*timestep_spacing);
  object["trained_betas"] = trained_betas.empty() ? Json(nullptr) : Json(trained_betas);
  // Fields of single samplers are written where they differ from their default, so that a plain
  // schedule stays as short as published ones are.
  const auto put_if = [&object](const char* key, const auto& value, const auto& standard) {
    if (value != standard) object[key] = value;
  };
  put_if("solver_order", solver_order, defaults.solver_order);
  put_if("algorithm_type", algorithm_type, defaults.algorithm_type);
  put(object, "solver_type", solver_type);
  put_if("lower_order_final", lower_order_final, defaults.lower_order_final);
  put_if("euler_at_final", euler_at_final, defaults.euler_at_final);
  put_if("final_sigmas_type", final_sigmas_type, defaults.final_sigmas_type);
  put_if("use_karras_sigmas", use_karras_sigmas, defaults.use_karras_sigmas);
  put(object, "lambda_min_clipped", lambda_min_clipped);
  put(object, "sigma_min", sigma_min);
  put(object, "sigma_max", sigma_max);
  put_if("disable_corrector", disable_corrector, defaults.disable_corrector);
  return object;
}

void ScheduleConfig::write(const std::filesystem::path& folder) const {
  write_json(folder / "scheduler_config.json", to_json());
}

}  // namespace dd
