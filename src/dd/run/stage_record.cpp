// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stage_record.h"

#include "dd/core/json.h"

namespace dd::run {

StageRecord::StageRecord(std::filesystem::path file) : file_(std::move(file)) {
  if (!std::filesystem::exists(file_)) return;
  const Json saved = read_json(file_);
  for (const auto& [stage, entry] : saved.items()) {
    seconds_[stage] = json_required<double>(entry, "seconds", file_.string());
  }
}

double StageRecord::seconds(const std::string& stage) const {
  const auto found = seconds_.find(stage);
  return found == seconds_.end() ? 0 : found->second;
}

void StageRecord::add(const std::string& stage, double seconds) {
  seconds_[stage] += seconds;
  Json saved = Json::object();
  for (const auto& [name, value] : seconds_) saved[name] = {{"seconds", value}};
  write_json(file_, saved);
}

void StageRecord::clear(const std::string& stage) {
  seconds_.erase(stage);
}

}  // namespace dd::run
