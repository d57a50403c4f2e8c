// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stage_record.h"

#include <algorithm>

#include "dd/core/json.h"

namespace dd::run {

StageRecord::StageRecord(std::filesystem::path file) : file_(std::move(file)) {
  if (!std::filesystem::exists(file_)) return;
  const Json saved = read_json(file_);
  for (const auto& [stage, entry] : saved.items()) {
    costs_[stage] = {json_required<double>(entry, "seconds", file_.string()),
                     json_value<std::int64_t>(entry, "peak_memory", 0, file_.string())};
  }
}

double StageRecord::seconds(const std::string& stage) const {
  const auto found = costs_.find(stage);
  return found == costs_.end() ? 0 : found->second.seconds;
}

void StageRecord::add(const std::string& stage, const Cost& cost) {
  Cost& own = costs_[stage];
  own.seconds += cost.seconds;
  own.peak_memory = std::max(own.peak_memory, cost.peak_memory);
  Json saved = Json::object();
  for (const auto& [name, value] : costs_) {
    saved[name] = {{"seconds", value.seconds}};
    if (value.peak_memory > 0) saved[name]["peak_memory"] = value.peak_memory;
  }
  write_json(file_, saved);
}

void StageRecord::clear(const std::string& stage) {
  costs_.erase(stage);
}

}  // namespace dd::run
