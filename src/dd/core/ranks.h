// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace dd {

/// How one rank's part of a command ended.
struct Outcome {
  int status = 0;           ///< exit status; 0 = done
  bool is_stopped = false;  ///< by the user, or because another rank ended
  std::string text;         ///< what to tell the user where it is not done
  bool is_agreed = true;    ///< false where the others could not be asked: one may be gone
};

/// The processes that work on one command together, numbered from 0, and this one's place among
/// them. A process of its own is rank 0 of 1. All ranks see the same disk.
///
/// Functions called "together" must be called by every rank in the same order; each returns when
/// all have come. While they wait they throw Error(kCancelled) when a rank has left the common work
/// with an error, so that nobody waits for it, and Error(kResource) when one has done everything
/// and they wait for a minute more: then they do different things. To be called by the main thread
/// only.
class Ranks {
 public:
  virtual ~Ranks() = default;

  virtual std::int64_t rank() const = 0;
  virtual std::int64_t count() const = 0;
  /// Rank 0 writes what all share, and talks to the user.
  bool first() const { return rank() == 0; }
  bool alone() const { return count() == 1; }

  /// Together: waits for all.
  virtual void meet() = 0;
  /// Together: rank 0's bytes.
  virtual std::string from_first(std::string bytes) = 0;
  /// Together: everyone's bytes, by rank.
  virtual std::vector<std::string> gather(std::string bytes) = 0;
  /// Together: each value becomes its sum over the ranks, with the same bits on all.
  virtual void sum(std::span<double> values) = 0;
  /// Together, but returns at once: the values, which are copied, are added up meanwhile. Several
  /// sums may be under way, each of which finish_sum() ends.
  virtual void begin_sum(std::span<const float> values) = 0;
  /// Lets sums under way get on: they move only while this process is in one of these functions.
  virtual void advance_sums() = 0;
  /// Together: the oldest sum under way, with the same bits on all ranks.
  virtual void finish_sum(std::span<float> into) = 0;

  /// Together: take() begins at 0 again.
  virtual void restart_queue() = 0;
  /// The next number that no rank has taken; needs no other rank's attention.
  virtual std::int64_t take() = 0;

  /// Tells the other ranks that a stop was asked for here, and returns whether one was anywhere, or
  /// a rank has left. Cheap: looks a few times a second.
  virtual bool share_stop(bool asked_here) = 0;

  /// Together, once, at the end: waits for all and returns what counts for all: the failure of the
  /// lowest rank, else a stop, else that it is done. Throws nothing.
  virtual Outcome settle(const Outcome& mine) = 0;
};

/// The group of this process alone.
Ranks& lone_rank();

/// Calls `work` with 0 … count − 1, each number on one rank, handed out in order as ranks become
/// free. Together; returns when this rank finds nothing left: others may be at work still.
void share_out(Ranks& ranks, std::int64_t count, const std::function<void(std::int64_t)>& work);

/// Cuts `total` equal pieces of work into runs of pieces: long ones first and single pieces at the
/// end, so that little is handed out and nobody waits long (guided self-scheduling;
/// Polychronopoulos, Kuck 1987). `group_ends` are the positions behind each group of pieces that
/// belong together, ascending, the last of them `total`; no run crosses one. Returns the positions
/// behind each run.
std::vector<std::int64_t> cut_into_runs(const std::vector<std::int64_t>& group_ends,
                                        std::int64_t ranks);

}  // namespace dd
