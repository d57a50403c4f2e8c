// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapter_groups.h"

#include <map>
#include <utility>

#include "dd/adapt/adapter_record.h"
#include "dd/adapt/shot_batches.h"
#include "dd/train/engine.h"

namespace dd::adapt {

std::vector<AdapterGroup> adapter_groups(const AdapterGroup& jobs, std::int64_t size) {
  using Kind = std::pair<std::int64_t, std::int64_t>;
  std::map<Kind, AdapterGroup> alike;
  for (const AdapterJob* job : jobs) {
    const Kind kind{-train::resumable_step(state_file(*job)),
                    validation_cases(std::ssize(validation_shots(*job)))};
    alike[kind].push_back(job);
  }
  std::vector<AdapterGroup> groups;
  for (const auto& [kind, members] : alike) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i % static_cast<std::size_t>(size) == 0) groups.emplace_back();
      groups.back().push_back(members[i]);
    }
  }
  return groups;
}

const std::vector<std::int64_t>& validation_shots(const AdapterJob& job) {
  return job.validation.empty() ? job.train : job.validation;
}

}  // namespace dd::adapt
