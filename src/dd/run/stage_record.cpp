// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stage_record.h"

#include <algorithm>

#include "dd/core/files.h"
#include "dd/core/json.h"

namespace dd::run {

StageRecord::StageRecord(std::filesystem::path file) : file_(std::move(file)) {
  if (path_exists(file_)) own_ = read(file_);
}

StageRecord::Entries StageRecord::read(const std::filesystem::path& file) {
  Entries entries;
  const Json saved = read_json(file);
  for (const auto& [stage, json] : saved.items()) {
    const std::string where = file.string();
    Entry& entry = entries[stage];
    entry.cost = {json_required<double>(json, "seconds", where),
                  json_value<std::int64_t>(json, "peak_memory", 0, where)};
    entry.complete = json.contains("units");
    entry.amount.work = json_value<std::string>(json, "work", "", where);
    entry.amount.units = json_value<std::int64_t>(json, "units", 0, where);
  }
  return entries;
}

void StageRecord::know(const std::filesystem::path& file) {
  if (file != file_) others_.merge(read(file));
}

const StageRecord::Entry* StageRecord::find(const std::string& stage) const {
  for (const Entries* entries : {&own_, &others_}) {
    const auto found = entries->find(stage);
    if (found != entries->end()) return &found->second;
  }
  return nullptr;
}

double StageRecord::seconds(const std::string& stage, std::int64_t units) const {
  const Entry* entry = find(stage);
  if (entry == nullptr) return 0;
  const std::int64_t all = std::max(entry->amount.units, units);
  const double spent = entry->cost.seconds;
  return all > 0 ? spent * static_cast<double>(units) / static_cast<double>(all) : spent;
}

bool StageRecord::is_complete(const std::string& stage, std::int64_t units) const {
  const Entry* entry = find(stage);
  return entry != nullptr && entry->complete && entry->amount.units >= units;
}

double StageRecord::rate(const std::string& work) const {
  double seconds = 0;
  double units = 0;
  for (const Entries* entries : {&own_, &others_}) {
    for (const auto& [stage, entry] : *entries) {
      // Work found done, by a program that kept no times, tells nothing.
      if (!entry.complete || entry.amount.work != work || entry.cost.seconds == 0) continue;
      seconds += entry.cost.seconds;
      units += static_cast<double>(entry.amount.units);
    }
  }
  return units > 0 ? seconds / units : 0;
}

void StageRecord::add(const std::string& stage, const Cost& cost) {
  Cost& own = own_[stage].cost;
  own.seconds += cost.seconds;
  own.peak_memory = std::max(own.peak_memory, cost.peak_memory);
  save();
}

void StageRecord::complete(const std::string& stage, const Amount& amount) {
  // What another process did keeps its entry there.
  if (!own_.contains(stage) && is_complete(stage, amount.units)) return;
  Entry& entry = own_[stage];
  entry.complete = true;
  entry.amount.work = amount.work;
  entry.amount.units = std::max(entry.amount.units, amount.units);
  save();
}

void StageRecord::clear(const std::string& stage) {
  own_.erase(stage);
}

void StageRecord::save() const {
  Json saved = Json::object();
  for (const auto& [name, entry] : own_) {
    Json& json = saved[name] = {{"seconds", entry.cost.seconds}};
    if (entry.cost.peak_memory > 0) json["peak_memory"] = entry.cost.peak_memory;
    if (!entry.complete) continue;
    json["work"] = entry.amount.work;
    json["units"] = entry.amount.units;
  }
  write_json(file_, saved);
}

}  // namespace dd::run
