// SPDX-License-Identifier: Apache-2.0
// The C interface alone; the C++ one, which left MPI with version 3, is not read.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <numeric>
#include <optional>
#include <sstream>
#include <thread>
#include <type_traits>

#include "dd/core/context.h"
#include "dd/core/error.h"
#include "dd/ranks/mpi_module.h"

namespace dd {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail_resource(cat("MPI: ", what, ": ", text));
}

/// Numbers in rank 0's memory that any rank reads and changes without rank 0's help.
class SharedNumbers {
 public:
  enum Slot { kNext, kStop, kLeft, kDone, kSlots };

  explicit SharedNumbers(MPI_Comm group) {
    int rank = 0;
    MPI_Comm_rank(group, &rank);
    const MPI_Aint size = rank == 0 ? kSlots * MPI_Aint{sizeof(std::int64_t)} : 0;
    std::int64_t* memory = nullptr;
    check(MPI_Win_allocate(size, sizeof(std::int64_t), MPI_INFO_NULL, group,
                           static_cast<void*>(&memory), &window_),
          "sharing memory");
    MPI_Win_lock_all(0, window_);
    if (rank == 0) {
      for (const Slot slot : {kNext, kStop, kLeft, kDone}) set(slot, 0);
    }
    MPI_Barrier(group);
  }
  ~SharedNumbers() {
    MPI_Win_unlock_all(window_);
    MPI_Win_free(&window_);
  }
  SharedNumbers(const SharedNumbers&) = delete;
  SharedNumbers& operator=(const SharedNumbers&) = delete;

  std::int64_t get(Slot slot) { return apply(slot, 0, MPI_NO_OP); }
  void set(Slot slot, std::int64_t value) { apply(slot, value, MPI_REPLACE); }
  /// Returns the number before.
  std::int64_t add(Slot slot, std::int64_t value) { return apply(slot, value, MPI_SUM); }

 private:
  std::int64_t apply(Slot slot, std::int64_t value, MPI_Op op) {
    std::int64_t before = 0;
    check(MPI_Fetch_and_op(&value, &before, MPI_INT64_T, 0, slot, op, window_), "shared memory");
    check(MPI_Win_flush(0, window_), "shared memory");
    return before;
  }

  MPI_Win window_ = MPI_WIN_NULL;
};

/// Nothing here blocks inside MPI: a rank that waits must see that another has left.
class MpiRanks final : public Ranks {
 public:
  MpiRanks() {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check(MPI_Comm_dup(MPI_COMM_WORLD, &group_), "making a group");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &farewell_), "making a group");
    MPI_Comm_rank(group_, &rank_);
    MPI_Comm_size(group_, &count_);
    numbers_ = std::make_unique<SharedNumbers>(group_);
  }

  ~MpiRanks() override {
    // Until rank 0 has told the user, none may end: launchers kill the others when one fails.
    MPI_Request request = MPI_REQUEST_NULL;
    try {
      check(MPI_Ibarrier(farewell_, &request), "ending");
      complete(request, false);
    } catch (const Error&) {
      is_broken_ = true;
    }
    // An operation that others will never join can neither be finished nor be taken back.
    if (is_broken_) {
      // Launchers pass on in their own time what ranks write, and MPICH's loses it after this.
      std::this_thread::sleep_for(std::chrono::seconds(1));
      MPI_Abort(MPI_COMM_WORLD, status_);
    }
    numbers_.reset();
    MPI_Comm_free(&group_);
    MPI_Comm_free(&farewell_);
    MPI_Finalize();
  }

  std::int64_t rank() const override { return rank_; }
  std::int64_t count() const override { return count_; }

  void meet() override {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(group_, &request), "waiting for all ranks");
    wait(request);
  }

  std::string from_first(std::string bytes) override {
    Operation& all = operations_.emplace_back();
    all.sizes = {std::ssize(bytes)};
    all.received = std::move(bytes);
    check(MPI_Ibcast(all.sizes.data(), 1, MPI_INT64_T, 0, group_, &all.request),
          "sending to all ranks");
    wait(all.request);
    all.received.resize(static_cast<std::size_t>(all.sizes.front()));
    check(MPI_Ibcast(all.received.data(), length_of(all.sizes.front()), MPI_BYTE, 0, group_,
                     &all.request),
          "sending to all ranks");
    wait(all.request);
    std::string result = std::move(all.received);
    operations_.pop_back();
    return result;
  }

  std::vector<std::string> gather(std::string bytes) override {
    Operation& all = operations_.emplace_back();
    all.sent = std::move(bytes);
    all.own_size = std::ssize(all.sent);
    all.sizes.resize(static_cast<std::size_t>(count_));
    check(MPI_Iallgather(&all.own_size, 1, MPI_INT64_T, all.sizes.data(), 1, MPI_INT64_T, group_,
                         &all.request),
          "gathering from all ranks");
    wait(all.request);
    // Before one of them, and their sum, is cut to what MPI counts with.
    const int total =
        length_of(std::accumulate(all.sizes.begin(), all.sizes.end(), std::int64_t{0}));
    for (const std::int64_t size : all.sizes) {
      all.places.push_back(all.places.empty() ? 0 : all.places.back() + all.lengths.back());
      all.lengths.push_back(length_of(size));
    }
    all.received.resize(static_cast<std::size_t>(total));
    check(MPI_Iallgatherv(all.sent.data(), length_of(all.own_size), MPI_BYTE, all.received.data(),
                          all.lengths.data(), all.places.data(), MPI_BYTE, group_, &all.request),
          "gathering from all ranks");
    wait(all.request);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < all.lengths.size(); ++i) {
      parts.push_back(all.received.substr(static_cast<std::size_t>(all.places[i]),
                                          static_cast<std::size_t>(all.lengths[i])));
    }
    operations_.pop_back();
    return parts;
  }

  void sum(std::span<double> values) override {
    Operation& all = operations_.emplace_back();
    all.values.assign(values.begin(), values.end());
    check(MPI_Iallreduce(MPI_IN_PLACE, all.values.data(), length_of(std::ssize(values)), MPI_DOUBLE,
                         MPI_SUM, group_, &all.request),
          "adding up over all ranks");
    wait(all.request);
    std::ranges::copy(all.values, values.begin());
    operations_.pop_back();
  }

  void begin_sum(std::span<const float> values) override {
    Sum& sum = sums_.emplace_back();
    sum.values.assign(values.begin(), values.end());
    check(MPI_Iallreduce(MPI_IN_PLACE, sum.values.data(), length_of(std::ssize(values)), MPI_FLOAT,
                         MPI_SUM, group_, &sum.request),
          "adding up over all ranks");
  }

  void advance_sums() override {
    for (Sum& sum : sums_) {
      int ignored = 0;
      check(MPI_Test(&sum.request, &ignored, MPI_STATUS_IGNORE), "adding up over all ranks");
    }
  }

  void finish_sum(std::span<float> into) override {
    wait(sums_.front().request);
    std::ranges::copy(sums_.front().values, into.begin());
    sums_.pop_front();
  }

  void restart_queue() override {
    meet();
    if (first()) numbers_->set(SharedNumbers::kNext, 0);
    meet();
  }

  std::int64_t take() override { return numbers_->add(SharedNumbers::kNext, 1); }

  bool share_stop(bool asked_here) override {
    // Where a network cannot reach rank 0's memory by itself, rank 0 answers when it is in MPI.
    int ignored = 0;
    if (first()) MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, group_, &ignored, MPI_STATUS_IGNORE);
    if (asked_here && !has_told_stop_) {
      numbers_->set(SharedNumbers::kStop, 1);
      has_told_stop_ = true;
    }
    const auto now = Clock::now();
    if (is_stop_known_ || now < next_look_) return is_stop_known_;
    next_look_ = now + milliseconds(100);
    is_stop_known_ = numbers_->get(SharedNumbers::kStop) > 0 || someone_left();
    return is_stop_known_;
  }

  Outcome settle(const Outcome& mine) override {
    // Where all failed at the same place, nobody waits, but begun sums are left.
    is_broken_ = is_broken_ || !sums_.empty() || !operations_.empty();
    try {
      numbers_->add(mine.status != 0 ? SharedNumbers::kLeft : SharedNumbers::kDone, 1);
      const Outcome agreed = agree(mine);
      status_ = agreed.status;
      return agreed;
    } catch (const std::exception& error) {
      is_broken_ = true;
      status_ = mine.status == 0 ? 1 : mine.status;
      Outcome alone = mine.status == 0 ? Outcome{1, false, error.what()} : mine;
      alone.is_agreed = false;
      return alone;
    }
  }

 private:
  /// For one that waits: a rank that has done everything has done its part of this as well, so all
  /// have begun it, and it is over soon; unless the ranks do different things.
  void check_company(std::optional<Clock::time_point>& first_done) {
    if (numbers_->get(SharedNumbers::kDone) == 0) return;
    if (!first_done) first_done = Clock::now();
    if (Clock::now() - *first_done < std::chrono::seconds(60)) return;
    fail_resource(
        "this rank waits for others, one of which has ended its work: they did not see the same "
        "files; start all with the same options, on a disk that all share");
  }

  bool someone_left() { return numbers_->get(SharedNumbers::kLeft) > 0; }

  /// The lengths that MPI counts with.
  static int length_of(std::int64_t size) {
    constexpr std::int64_t kMost = std::numeric_limits<int>::max();
    if (size > kMost) fail_resource(cat("MPI: ", size, " values at once are too many"));
    return static_cast<int>(size);
  }

  void wait(MPI_Request& request) {
    try {
      if (complete(request, true)) return;
    } catch (const Error&) {
      is_broken_ = true;
      throw;
    }
    is_broken_ = true;
    CancelToken::stop();
  }

  /// False when it gave up because a rank left.
  bool complete(MPI_Request& request, bool may_give_up) {
    constexpr int kEager = 2000;
    auto next_look = Clock::now() + milliseconds(50);
    std::optional<Clock::time_point> first_done;
    for (int tries = 0;; ++tries) {
      int is_done = 0;
      check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "waiting for the other ranks");
      if (is_done != 0) return true;
      // Ranks that wait long leave the cores to those that work.
      if (tries < kEager) {
        ::sched_yield();
        continue;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      if (!may_give_up || Clock::now() < next_look) continue;
      next_look = Clock::now() + milliseconds(50);
      check_company(first_done);
      if (!someone_left()) continue;
      // It may have left after it did its part of this.
      check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "waiting for the other ranks");
      return is_done != 0;
    }
  }

  /// Every rank tells rank 0, which tells all; on a group of its own, since the other one may be in
  /// the middle of something.
  Outcome agree(const Outcome& mine) {
    constexpr int kTag = 1;
    std::string own = cat(mine.status, ' ', mine.is_stopped ? 1 : 0, ' ', is_broken_ ? 1 : 0, ' ');
    own += mine.text;
    std::string all_know;
    if (rank_ != 0) {
      MPI_Request request = MPI_REQUEST_NULL;
      check(
          MPI_Isend(own.data(), length_of(std::ssize(own)), MPI_BYTE, 0, kTag, farewell_, &request),
          "ending");
      complete(request, false);
    } else {
      std::vector<std::string> told{own};
      for (int other = 1; other < count_; ++other) told.push_back(receive(other, kTag));
      all_know = judge(told);
    }
    auto size = static_cast<std::int64_t>(all_know.size());
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibcast(&size, 1, MPI_INT64_T, 0, farewell_, &request), "ending");
    complete(request, false);
    all_know.resize(static_cast<std::size_t>(size));
    check(MPI_Ibcast(all_know.data(), length_of(size), MPI_BYTE, 0, farewell_, &request), "ending");
    complete(request, false);
    const Told result = parse(all_know);
    is_broken_ = result.is_broken;
    return result.outcome;
  }

  std::string receive(int from, int tag) {
    MPI_Status status;
    for (int is_there = 0; is_there == 0;) {
      check(MPI_Iprobe(from, tag, farewell_, &is_there, &status), "ending");
      if (is_there == 0) std::this_thread::sleep_for(milliseconds(1));
    }
    int length = 0;
    MPI_Get_count(&status, MPI_BYTE, &length);
    std::string bytes(static_cast<std::size_t>(length), '\0');
    check(MPI_Recv(bytes.data(), length, MPI_BYTE, from, tag, farewell_, MPI_STATUS_IGNORE),
          "ending");
    return bytes;
  }

  struct Told {
    Outcome outcome;
    bool is_broken = false;
  };

  static Told parse(const std::string& text) {
    std::istringstream in(text);
    Told told;
    in >> told.outcome.status >> told.outcome.is_stopped >> told.is_broken;
    in.get();
    told.outcome.text = text.substr(static_cast<std::size_t>(in.tellg()));
    return told;
  }

  /// What counts for all, as `agree` writes it.
  static std::string judge(const std::vector<std::string>& told) {
    Told result;
    bool is_failed = false;
    bool is_broken = false;
    for (const std::string& text : told) {
      const Told one = parse(text);
      is_broken = is_broken || one.is_broken;
      if (one.outcome.status == 0 || is_failed) continue;
      is_failed = !one.outcome.is_stopped;
      if (is_failed || result.outcome.status == 0) result = one;
    }
    return cat(result.outcome.status, ' ', result.outcome.is_stopped ? 1 : 0, ' ',
               is_broken ? 1 : 0, ' ', result.outcome.text);
  }

  MPI_Comm group_ = MPI_COMM_NULL;
  MPI_Comm farewell_ = MPI_COMM_NULL;
  int rank_ = 0;
  int count_ = 1;
  std::unique_ptr<SharedNumbers> numbers_;
  /// What an operation under way reads and writes. It stays here when a rank gives up waiting, or
  /// others would write into memory that is something else by then.
  struct Operation {
    MPI_Request request = MPI_REQUEST_NULL;
    std::int64_t own_size = 0;
    std::vector<std::int64_t> sizes;
    std::vector<int> lengths;
    std::vector<int> places;
    std::string sent;
    std::string received;
    std::vector<double> values;
  };
  std::deque<Operation> operations_;  ///< their addresses stay
  /// Likewise.
  struct Sum {
    std::vector<float> values;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  std::deque<Sum> sums_;
  bool has_told_stop_ = false;
  bool is_stop_known_ = false;
  Clock::time_point next_look_{};
  bool is_broken_ = false;  ///< a rank gave up waiting: an operation is left unfinished
  int status_ = 0;          ///< that settle() returned
};

/// Which MPI this was built with.
std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  std::string name(text);
  name.resize(std::min(name.size(), name.find_first_of(",\n")));
  std::ranges::replace(name, '\t', ' ');  // MPICH writes a table
  return name;
}

void join(const Launch& launch, std::unique_ptr<Ranks>& ranks) {
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "starting");
  int count = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  if (count != launch.count) {
    MPI_Finalize();
    fail_usage(
        cat("started as ", launch.count, " processes (", launch.variable, "), but ", mpi_version(),
            ", which this program was built with, sees ", count,
            "; start them with its own mpirun, or with the srun --mpi=... that serves it; unset ",
            launch.variable, " where each is to work alone"));
  }
  ranks = std::make_unique<MpiRanks>();
}

}  // namespace
}  // namespace dd

extern "C" __attribute__((visibility("default"))) void dd_join_mpi(
    const dd::Launch& launch, std::unique_ptr<dd::Ranks>& ranks) {
  static_assert(std::is_same_v<decltype(dd_join_mpi), dd::JoinMpi>);
  dd::join(launch, ranks);
}
