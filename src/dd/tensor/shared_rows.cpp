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

/// What a rank sends besides its rows: it may have none, and then knows neither type nor width.
struct Head {
  std::int64_t width = 0;
  at::ScalarType type = at::kFloat;
};

std::string packed(const at::Tensor& rows) {
  const Head head{rows.size(1), rows.scalar_type()};
  std::string bytes(sizeof head + rows.nbytes(), '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  std::memcpy(bytes.data() + sizeof head, rows.const_data_ptr(), rows.nbytes());
  return bytes;
}

at::Tensor unpacked(const std::string& bytes) {
  Head head;
  ensure(bytes.size() >= sizeof head, "rows of another rank lack their head");
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::size_t size = bytes.size() - sizeof head;
  const auto of_a_row = static_cast<std::size_t>(head.width) * c10::elementSize(head.type);
  ensure(of_a_row > 0 && size % of_a_row == 0, "rows of another rank are cut off");
  at::Tensor rows = at::empty({static_cast<std::int64_t>(size / of_a_row), head.width}, head.type);
  std::memcpy(rows.mutable_data_ptr(), bytes.data() + sizeof head, size);
  return rows;
}

}  // namespace

at::Tensor share_rows(Ranks& ranks, std::int64_t total, std::int64_t batch,
                      const std::function<at::Tensor(std::int64_t, std::int64_t)>& compute) {
  ensure(total > 0 && batch > 0, "there are no rows to share out");
  const std::int64_t batches = (total + batch - 1) / batch;
  std::vector<at::Tensor> own;
  for (std::int64_t i = ranks.rank(); i < batches; i += ranks.count()) {
    const std::int64_t first = i * batch;
    own.push_back(compute(first, std::min(batch, total - first)));
  }
  at::Tensor rows;
  if (!own.empty()) rows = at::cat(own).to(at::kCPU).contiguous();
  if (ranks.alone()) return rows;
  const std::vector<std::string> all = ranks.gather(own.empty() ? std::string() : packed(rows));
  std::vector<at::Tensor> of_rank;
  for (const std::string& bytes : all) {
    of_rank.push_back(bytes.empty() ? at::Tensor() : unpacked(bytes));
  }
  std::vector<at::Tensor> in_order;
  for (std::int64_t i = 0; i < batches; ++i) {
    const at::Tensor& from = of_rank[static_cast<std::size_t>(i % ranks.count())];
    const std::int64_t begin = i / ranks.count() * batch;
    in_order.push_back(from.slice(0, begin, std::min(begin + batch, from.size(0))));
  }
  return at::cat(in_order);
}

}  // namespace dd
