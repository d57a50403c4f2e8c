// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace dd::run {

/// How long each stage worked, over all calls that it took, the most memory it had
/// resident, and how much it had to do: OUT/stages.json.
class StageRecord {
 public:
  /// A finished stage's kind of work, and what its time is proportional to.
  struct Amount {
    std::string work{};
    std::int64_t units = 0;
  };

  /// What a call took.
  struct Cost {
    double seconds = 0;
    std::int64_t peak_memory = 0;  ///< bytes; 0 where the system does not say
  };

  /// Takes over what the file holds. Error(kInput) when it is no such record.
  explicit StageRecord(std::filesystem::path file);
  /// Knows also what another process noted; only what is added here is saved here.
  void know(const std::filesystem::path& file);

  /// Of `units` of what the stage did (of a large set of images, one method may use a part); 0 for
  /// a stage that never ran.
  double seconds(const std::string& stage, std::int64_t units) const;
  /// Nothing to do any more: it was done with at least as many units.
  bool is_complete(const std::string& stage, std::int64_t units) const;
  /// Seconds a unit of a kind of work, over all finished stages; 0 where there is none.
  double rate(const std::string& work) const;

  /// Adds to what an interrupted call took, and saves.
  void add(const std::string& stage, const Cost& cost);
  /// Notes that a stage is finished, and saves.
  void complete(const std::string& stage, const Amount& amount);
  /// Forgets a stage that starts over.
  void clear(const std::string& stage);

 private:
  struct Entry {
    Cost cost{};
    bool complete = false;
    Amount amount{};
  };
  using Entries = std::map<std::string, Entry>;

  static Entries read(const std::filesystem::path& file);
  const Entry* find(const std::string& stage) const;
  void save() const;

  std::filesystem::path file_;
  Entries own_;
  Entries others_;
};

}  // namespace dd::run
