// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/shared_rows.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/ranks.h"

namespace dd {
namespace {

/// What a row is; a rank that computed none does not know.
struct Head {
  std::int64_t width = 0;
  at::ScalarType type = at::kFloat;

  std::int64_t bytes() const { return width * static_cast<std::int64_t>(c10::elementSize(type)); }
};

Head agree_on_head(Ranks& ranks, const at::Tensor& own) {
  Head head;
  if (own.defined()) head = {own.size(1), own.scalar_type()};
  std::string bytes(sizeof head, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  // Rank 0 has the first batch.
  bytes = ranks.from_first(std::move(bytes));
  ensure(bytes.size() == sizeof head, "the form of another rank's rows is cut off");
  std::memcpy(&head, bytes.data(), sizeof head);
  ensure(head.bytes() > 0, "rows without numbers");
  return head;
}

/// The batches of all ranks in turns, one of each rank, as many turns at a time as `portion` bytes
/// hold.
class Exchange {
 public:
  Exchange(Ranks& ranks, const at::Tensor& own, std::int64_t total, std::int64_t batch)
      : ranks_(ranks),
        own_(own),
        batch_(batch),
        head_(agree_on_head(ranks, own)),
        rows_(at::empty({total, head_.width}, head_.type)) {}

  at::Tensor run(std::int64_t portion) {
    const std::int64_t batches = (rows_.size(0) + batch_ - 1) / batch_;
    const std::int64_t turns = (batches + ranks_.count() - 1) / ranks_.count();
    const std::int64_t in_a_turn = ranks_.count() * batch_ * head_.bytes();
    const std::int64_t at_once = std::max<std::int64_t>(1, portion / in_a_turn);
    for (std::int64_t turn = 0; turn < turns; turn += at_once) {
      const std::int64_t end = std::min(turn + at_once, turns);
      std::int64_t rank = 0;
      for (const std::string& sent : ranks_.gather(own_rows(turn, end))) {
        put_in_place(sent, turn, end, rank++);
      }
    }
    return rows_;
  }

 private:
  char* at_row(std::int64_t row) {
    return static_cast<char*>(rows_.mutable_data_ptr()) + row * head_.bytes();
  }

  std::string own_rows(std::int64_t turn, std::int64_t end) const {
    if (!own_.defined() || turn * batch_ >= own_.size(0)) return {};
    const std::int64_t rows = std::min(end * batch_, own_.size(0)) - turn * batch_;
    return {static_cast<const char*>(own_.const_data_ptr()) + turn * batch_ * head_.bytes(),
            static_cast<std::size_t>(rows * head_.bytes())};
  }

  void put_in_place(const std::string& sent, std::int64_t turn, std::int64_t end,
                    std::int64_t rank) {
    std::size_t position = 0;
    for (; turn < end; ++turn) {
      const std::int64_t first = (turn * ranks_.count() + rank) * batch_;
      if (first >= rows_.size(0)) break;
      const auto size =
          static_cast<std::size_t>(std::min(batch_, rows_.size(0) - first) * head_.bytes());
      ensure(position + size <= sent.size(), "rows of another rank are cut off");
      std::memcpy(at_row(first), sent.data() + position, size);
      position += size;
    }
    ensure(position == sent.size(), "another rank sent other rows");
  }

  Ranks& ranks_;
  const at::Tensor& own_;
  std::int64_t batch_;
  Head head_;
  at::Tensor rows_;
};

}  // namespace

at::Tensor share_rows(Ranks& ranks, std::int64_t total, std::int64_t batch,
                      const std::function<at::Tensor(std::int64_t, std::int64_t)>& compute,
                      std::int64_t portion) {
  ensure(total > 0 && batch > 0, "there are no rows to share out");
  std::vector<at::Tensor> parts;
  for (std::int64_t first = ranks.rank() * batch; first < total; first += ranks.count() * batch) {
    parts.push_back(compute(first, std::min(batch, total - first)));
  }
  at::Tensor own;
  if (!parts.empty()) own = at::cat(parts).to(at::kCPU).contiguous();
  parts.clear();
  return ranks.alone() ? own : Exchange(ranks, own, total, batch).run(portion);
}

}  // namespace dd
