// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/shard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

/// Opens or makes the file and locks it; −1 when another process holds it.
int lock_file(const std::filesystem::path& file, int how) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor >= 0 && ::flock(descriptor, how | LOCK_NB) == 0) return descriptor;
  const int problem = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (descriptor >= 0 && problem == EWOULDBLOCK) return -1;
  fail_resource(cat("cannot lock ", file.string(), ": ", std::strerror(problem),
                    "; choose an --out on a disk that knows locks"));
}

std::string content_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  return {text.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

void set_content(int descriptor, const std::string& text) {
  const bool done = ::ftruncate(descriptor, 0) == 0 &&
                    ::pwrite(descriptor, text.data(), text.size(), 0) == std::ssize(text);
  if (!done) fail_resource(cat("cannot write the lock file: ", std::strerror(errno)));
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

OutLock::OutLock(const std::filesystem::path& out, const Shard& shard) {
  make_folder(out);
  const std::filesystem::path file = out / "lock";
  try {
    // Who comes first says in how many parts the work is done.
    division_ = lock_file(file, LOCK_EX);
    if (division_ >= 0) {
      set_content(division_, std::to_string(shard.of));
      ::flock(division_, LOCK_SH);
    } else {
      division_ = lock_file(file, LOCK_SH);
    }
    if (division_ < 0 || content_of(division_) != std::to_string(shard.of)) {
      fail_usage(cat("another sweep works in ", out.string(),
                     " and divides the work otherwise than ", shard.text(),
                     "; wait for it, or give all processes the same N in --shard I/N"));
    }
    part_ = lock_file(out / cat("lock-", shard.number, "-of-", shard.of), LOCK_EX);
    if (part_ < 0) {
      fail_usage(cat("another sweep works on part ", shard.text(), " of ", out.string(),
                     "; wait for it, or give each process a part of its own with --shard I/N"));
    }
  } catch (...) {
    release();
    throw;
  }
}

OutLock::~OutLock() {
  release();
}

void OutLock::release() noexcept {
  for (const int descriptor : {part_, division_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

}  // namespace dd::sweep
