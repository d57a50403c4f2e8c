// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/shared_rows.h"

#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <mutex>
#include <thread>

#include "support/absent_ranks.h"

namespace {

/// What threads that play the ranks hand each other.
struct Table {
  explicit Table(std::int64_t ranks) : sent(static_cast<std::size_t>(ranks)), all(ranks) {}

  std::vector<std::string> exchange(std::int64_t rank, std::string bytes) {
    sent[static_cast<std::size_t>(rank)] = std::move(bytes);
    all.arrive_and_wait();
    std::vector<std::string> seen = sent;
    all.arrive_and_wait();
    return seen;
  }

  std::vector<std::string> sent;
  std::barrier<> all;
};

class ThreadRank final : public dd::test::AbsentRanks {
 public:
  ThreadRank(Table& table, std::int64_t rank) : table_(table), rank_(rank) {}
  std::int64_t rank() const override { return rank_; }
  std::int64_t count() const override { return std::ssize(table_.sent); }
  std::string from_first(std::string bytes) override {
    return table_.exchange(rank_, std::move(bytes)).front();
  }
  std::vector<std::string> gather(std::string bytes) override {
    ++gathers_;
    most_ = std::max(most_, bytes.size());
    return table_.exchange(rank_, std::move(bytes));
  }
  std::int64_t gathers() const { return gathers_; }
  std::size_t most() const { return most_; }

 private:
  Table& table_;
  std::int64_t rank_;
  std::int64_t gathers_ = 0;
  std::size_t most_ = 0;
};

constexpr std::int64_t kWidth = 3;
constexpr std::int64_t kRowBytes = kWidth * 8;

at::Tensor numbers(std::int64_t first, std::int64_t count) {
  return at::arange(first * kWidth, (first + count) * kWidth, at::kLong).view({count, kWidth});
}

TEST(ShareRows, AllGetAllRowsInOrderHoweverManyAreSentAtOnce) {
  // 0 bytes = a batch at a time; the last batch is a short one, and not every rank has as many.
  for (const std::int64_t ranks : {2, 3, 5}) {
    for (const std::int64_t total : {1, 4, 11, 30}) {
      for (const std::int64_t portion :
           {std::int64_t{0}, 9 * ranks * kRowBytes, std::int64_t{1} << 20}) {
        Table table(ranks);
        std::mutex mutex;
        std::vector<std::thread> threads;
        for (std::int64_t rank = 0; rank < ranks; ++rank) {
          threads.emplace_back([&, rank] {
            ThreadRank own(table, rank);
            const at::Tensor rows = dd::share_rows(own, total, 4, numbers, portion);
            const std::lock_guard lock(mutex);
            EXPECT_TRUE(rows.equal(numbers(0, total))) << ranks << ' ' << total << ' ' << portion;
            EXPECT_LE(own.most(),
                      static_cast<std::size_t>(std::max(portion / ranks, 4 * kRowBytes)));
            if (portion == 0) {
              EXPECT_EQ(own.gathers(), ((total + 3) / 4 + ranks - 1) / ranks);
            }
          });
        }
        for (std::thread& thread : threads) thread.join();
      }
    }
  }
}

TEST(ShareRows, OneAloneSendsNothing) {
  EXPECT_TRUE(dd::share_rows(dd::lone_rank(), 7, 4, numbers).equal(numbers(0, 7)));
}

}  // namespace
