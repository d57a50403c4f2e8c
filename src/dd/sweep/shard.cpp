// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/shard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <numeric>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd::sweep {
namespace {

using run::Chain;
using run::Measurement;
using run::Work;

constexpr const char* kPartFile = ".lock-";
constexpr const char* kTurnFile = ".lock-table";

/// Measurements that share stages, as disjoint sets.
class Groups {
 public:
  explicit Groups(const Chain& chain) : parent_(chain.measurements().size()) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
    std::map<std::string, std::size_t> user;
    for (std::size_t i = 0; i < parent_.size(); ++i) {
      for (const std::string& stage : chain.measurements()[i].stages) {
        // Any process may draw the shots: they come out the same and their file appears whole.
        if (chain.stage(stage).work == Work::kShots) continue;
        parent_[root(i)] = root(user.emplace(stage, i).first->second);
      }
    }
  }

  std::size_t root(std::size_t i) const {
    while (parent_[i] != i) i = parent_[i];
    return i;
  }

 private:
  std::vector<std::size_t> parent_;
};

/// By group: what its stages cost, each counted once.
std::map<std::size_t, double> group_costs(const Chain& chain, const Groups& groups) {
  std::map<std::size_t, double> costs;
  std::map<std::string, bool> counted;
  for (std::size_t i = 0; i < chain.measurements().size(); ++i) {
    double& cost = costs[groups.root(i)];
    for (const std::string& stage : chain.measurements()[i].stages) {
      if (counted.emplace(stage, true).second) cost += chain.stage(stage).flops;
    }
  }
  return costs;
}

/// What all parts of one division write into the file that they share.
std::string division_text(const Shard& shard) {
  return cat("a sweep in ", shard.of, " part(s)");
}

/// On a disk without locks there is nothing to wait for; the user is warned.
int locked_or_closed(const LockFile& lock, const std::filesystem::path& file) {
  if (lock.problem == 0 || lock.is_without_locks()) return lock.descriptor;
  ::close(lock.descriptor);
  if (lock.problem == EWOULDBLOCK) return -1;
  fail_resource(cat("cannot lock ", file.string(), ": ", std::strerror(lock.problem),
                    "; choose an --out on a disk that knows locks"));
}

/// What killed sweeps left in OUT, whatever their division was; no other one is at work.
void remove_left_over(const std::filesystem::path& out) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    if (entry.path().filename().string().starts_with(kPartFile)) files.push_back(entry.path());
  }
  for (const auto& file : files) FolderLock(out, file);
}

}  // namespace

std::vector<const Measurement*> measurements_of(const Chain& chain, const Shard& shard) {
  const Groups groups(chain);
  std::vector<std::pair<std::size_t, double>> costs;
  for (const auto& group : group_costs(chain, groups)) costs.push_back(group);
  std::ranges::stable_sort(costs, std::greater(), [](const auto& group) { return group.second; });
  // The most expensive first, each to the part that has least.
  std::vector<double> load(static_cast<std::size_t>(shard.of), 0);
  std::map<std::size_t, std::int64_t> part_of;
  for (const auto& [group, cost] : costs) {
    const auto least = std::ranges::min_element(load);
    *least += cost;
    part_of[group] = least - load.begin() + 1;
  }
  std::vector<const Measurement*> mine;
  for (std::size_t i = 0; i < chain.measurements().size(); ++i) {
    if (part_of.at(groups.root(i)) == shard.number) mine.push_back(&chain.measurements()[i]);
  }
  return mine;
}

OutLock::OutLock(const std::filesystem::path& out, const Shard& shard)
    : out_(out), file_(out / ".lock") {
  std::error_code ignored;
  for (auto path = out; !path.empty() && !std::filesystem::exists(path, ignored);
       path = path.parent_path()) {
    made_.push_back(path);
  }
  try {
    make_folder(out);
    share_with_parts(out, shard);
    part_.emplace(out, out / cat(kPartFile, shard.number, "-of-", shard.of));
  } catch (...) {
    release();
    throw;
  }
}

/// Who comes first says in how many parts the work is done.
void OutLock::share_with_parts(const std::filesystem::path& out, const Shard& shard) {
  const LockFile first = open_lock_file(out, file_, LOCK_EX);
  division_ = locked_or_closed(first, file_);
  if (first.is_without_locks()) return;
  if (division_ >= 0) {
    remove_left_over(out);
    if (!write_lock_holder(division_, division_text(shard)))
      fail_resource(cat("cannot write ", file_.string(), ": ", std::strerror(errno),
                        "; free some space, or choose another --out"));
    ::flock(division_, LOCK_SH);
    return;
  }
  const LockFile shared = open_lock_file(out, file_, LOCK_SH);
  const std::string holder = lock_holder(shared.descriptor);
  division_ = locked_or_closed(shared, file_);
  if (division_ >= 0 && holder == division_text(shard)) return;
  fail_usage(cat(holder, " works in ", out.string(), ", and this one is part ", shard.text(),
                 "; wait for it, or give all processes the same N in --shard I/N"));
}

OutLock::~OutLock() {
  release();
}

std::string OutLock::warning() const {
  return part_->warning();
}

void OutLock::in_turn(const std::function<void()>& work) const {
  const int turn = ::open((out_ / kTurnFile).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  // Without it, a table may lack another part's last cell, as before that cell was there.
  if (turn >= 0) ::flock(turn, LOCK_EX);
  try {
    work();
  } catch (...) {
    if (turn >= 0) ::close(turn);
    throw;
  }
  if (turn >= 0) ::close(turn);
}

void OutLock::release() noexcept {
  part_.reset();
  std::error_code ignored;
  // The last one takes the files along.
  if (division_ >= 0 && ::flock(division_, LOCK_EX | LOCK_NB) == 0) {
    std::filesystem::remove(out_ / kTurnFile, ignored);
    std::filesystem::remove(file_, ignored);
  }
  if (division_ >= 0) ::close(division_);
  for (const auto& folder : made_) std::filesystem::remove(folder, ignored);  // where it is empty
}

}  // namespace dd::sweep
