// SPDX-License-Identifier: Apache-2.0
#include "dd/data/content_hashes.h"

#include <sstream>

#include "dd/core/ranks.h"
#include "dd/data/parallel.h"

namespace dd {

std::vector<std::string> content_hashes(const Dataset& images, std::int64_t threads,
                                        const Context& context) {
  Ranks& ranks = context.ranks;
  const auto size_of = [&](std::int64_t rank) {
    return (images.size() - rank + ranks.count() - 1) / ranks.count();
  };
  std::vector<std::string> own(static_cast<std::size_t>(size_of(ranks.rank())));
  for_each_parallel(std::ssize(own), threads, context, "hash images", [&](std::int64_t i) {
    own[static_cast<std::size_t>(i)] = images.content_hash(ranks.rank() + i * ranks.count());
  });
  if (ranks.alone()) return own;
  std::string lines;
  for (const std::string& hash : own) lines += hash + '\n';
  std::vector<std::string> all(static_cast<std::size_t>(images.size()));
  std::int64_t rank = 0;
  for (const std::string& part : ranks.gather(lines)) {
    std::istringstream in(part);
    for (std::int64_t i = 0; i < size_of(rank); ++i) {
      std::getline(in, all[static_cast<std::size_t>(rank + i * ranks.count())]);
    }
    ++rank;
  }
  return all;
}

}  // namespace dd
