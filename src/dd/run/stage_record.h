// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace dd::run {

/// How long each stage worked, over all calls that it took: OUT/stages.json.
class StageRecord {
 public:
  /// Takes over what the file holds. Error(kInput) when it is no such record.
  explicit StageRecord(std::filesystem::path file);

  /// 0 for a stage that never ran.
  double seconds(const std::string& stage) const;
  /// Adds to what an interrupted call took, and saves.
  void add(const std::string& stage, double seconds);
  /// Forgets a stage that starts over.
  void clear(const std::string& stage);

 private:
  std::filesystem::path file_;
  std::map<std::string, double> seconds_;
};

}  // namespace dd::run
