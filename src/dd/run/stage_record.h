// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace dd::run {

/// How long each stage worked, over all calls that it took, and the most memory it had resident:
/// OUT/stages.json.
class StageRecord {
 public:
  /// Takes over what the file holds. Error(kInput) when it is no such record.
  explicit StageRecord(std::filesystem::path file);

  /// 0 for a stage that never ran.
  double seconds(const std::string& stage) const;
  struct Cost {
    double seconds = 0;
    std::int64_t peak_memory = 0;  ///< bytes; 0 where the system does not say
  };
  /// Adds to what an interrupted call took, and saves.
  void add(const std::string& stage, const Cost& cost);
  /// Forgets a stage that starts over.
  void clear(const std::string& stage);

 private:
  std::filesystem::path file_;
  std::map<std::string, Cost> costs_;
};

}  // namespace dd::run
