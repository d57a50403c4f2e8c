// SPDX-License-Identifier: Apache-2.0
#include "dd/data/shared_lines.h"

#include <sstream>

#include "dd/core/error.h"
#include "dd/core/ranks.h"
#include "dd/data/parallel.h"

namespace dd {

std::vector<std::string> share_lines(std::int64_t count, std::int64_t threads,
                                     const Context& context, const std::string& task,
                                     const std::function<std::string(std::int64_t)>& line_of) {
  Ranks& ranks = context.ranks;
  const auto size_of = [&](std::int64_t rank) {
    return (count - rank + ranks.count() - 1) / ranks.count();
  };
  std::vector<std::string> own(static_cast<std::size_t>(size_of(ranks.rank())));
  for_each_parallel(std::ssize(own), threads, context, task, [&](std::int64_t i) {
    own[static_cast<std::size_t>(i)] = line_of(ranks.rank() + i * ranks.count());
  });
  if (ranks.alone()) return own;
  std::string lines;
  for (const std::string& line : own) lines += line + '\n';
  std::vector<std::string> all(static_cast<std::size_t>(count));
  std::int64_t rank = 0;
  for (const std::string& part : ranks.gather(std::move(lines))) {
    std::istringstream in(part);
    bool is_whole = true;
    for (std::int64_t i = 0; i < size_of(rank); ++i) {
      const auto place = static_cast<std::size_t>(rank + i * ranks.count());
      is_whole = is_whole && std::getline(in, all[place]);
    }
    if (!is_whole || in.peek() != std::istringstream::traits_type::eof()) {
      fail_resource(cat("ranks do not see the same files: rank ", rank,
                        " does not have as many of ", count,
                        " as it should; put the data on a disk that all share"));
    }
    ++rank;
  }
  return all;
}

std::vector<std::string> content_hashes(const Dataset& images, std::int64_t threads,
                                        const Context& context) {
  return share_lines(images.size(), threads, context, "hash images",
                     [&](std::int64_t index) { return images.content_hash(index); });
}

}  // namespace dd
