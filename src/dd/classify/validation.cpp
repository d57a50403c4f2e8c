// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/validation.h"

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/io/safetensors.h"

namespace dd::classify {

ValidationRecord::ValidationRecord(std::filesystem::path file, std::string identity, bool writes)
    : file_(std::move(file)), identity_(std::move(identity)), writes_(writes) {
  if (!path_exists(file_)) return;
  const io::SafetensorsFile saved(file_);
  const io::Metadata& metadata = saved.metadata();
  const auto found = metadata.find("identity");
  if (found == metadata.end() || found->second != identity_) return;
  try {
    const auto text = metadata.find("record");
    const Json record = Json::parse(text == metadata.end() ? "" : text->second);
    for (const Json& point : record.at("curve")) {
      curve_[point.at(0).get<std::int64_t>()] = point.at(1).get<double>();
    }
    best_step_ = record.at("best_step").get<std::int64_t>();
  } catch (const nlohmann::json::exception&) {
    fail_input(cat(file_.string(), " is not a record of validation; remove it or use --force"));
  }
  best_ = saved.tensor("best").clone();
}

void ValidationRecord::add(std::int64_t step, double top1, const at::Tensor& parameters) {
  const bool better = !best_step_ || top1 > curve_.at(*best_step_) ||
                      (top1 == curve_.at(*best_step_) && step < *best_step_);
  curve_[step] = top1;
  if (better) {
    best_step_ = step;
    best_ = parameters.detach().to(at::kCPU, at::kFloat, false, true);
  }
  if (writes_) save();
}

void ValidationRecord::save() const {
  Json curve = Json::array();
  for (const auto& [step, top1] : curve_) curve.push_back({step, top1});
  const Json record{{"curve", curve}, {"best_step", *best_step_}};
  io::write_safetensors(file_, {{"best", best_}},
                        {{"identity", identity_}, {"record", record.dump()}});
}

}  // namespace dd::classify
