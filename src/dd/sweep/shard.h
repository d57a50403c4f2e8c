// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dd/core/folder_lock.h"
#include "dd/core/shard.h"
#include "dd/run/stages.h"

namespace dd::sweep {

/// The measurements of this part, in their order. Those that share a stage are in one part, so that
/// no two processes work in one folder; the parts are about equal in cost. Follows from the grid
/// alone.
std::vector<const run::Measurement*> measurements_of(const run::Chain& chain, const Shard& shard);

/// Holds OUT for a part as long as it lives, against other commands too. Error(kUsage) when another
/// process works on the same part, or divides the work otherwise. The system frees it when a
/// process dies.
class OutLock {
 public:
  OutLock(const std::filesystem::path& out, const Shard& shard);
  ~OutLock();
  OutLock(const OutLock&) = delete;
  OutLock& operator=(const OutLock&) = delete;

  /// What the user should know of the lock (FolderLock::warning).
  std::string warning() const;
  /// Does work on a file that all parts write, such as the table, while no other part is at it.
  void in_turn(const std::function<void()>& work) const;

 private:
  void share_with_parts(const std::filesystem::path& out, const Shard& shard);
  void release() noexcept;

  std::filesystem::path out_;
  std::vector<std::filesystem::path> made_;  ///< what was not there before, innermost first
  std::filesystem::path file_;               ///< shared by all parts of one division
  int division_ = -1;                        ///< the same, open
  std::optional<FolderLock> part_;           ///< of this process alone
};

}  // namespace dd::sweep
