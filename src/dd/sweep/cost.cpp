// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/cost.h"

#include <array>
#include <set>

#include "dd/core/room.h"
#include "dd/core/text_table.h"
#include "dd/report/html.h"
#include "dd/report/summary.h"

namespace dd::sweep {
namespace {

using run::Work;

struct Cost {
  std::int64_t stages = 0;
  std::int64_t kept = 0;
  std::int64_t units = 0;
  double flops = 0;
  std::int64_t bytes = 0;
};

constexpr std::array kKinds{Work::kShots, Work::kAdapt, Work::kGenerate, Work::kTrain,
                            Work::kEvaluate};
using Costs = std::array<Cost, kKinds.size()>;

Costs costs_of(const run::Chain& chain, const std::vector<const run::Measurement*>& todo,
               const run::StageRecord& record) {
  Costs costs;
  std::set<std::string> seen;
  for (const run::Measurement* measured : todo) {
    for (const std::string& name : measured->stages) {
      if (!seen.insert(name).second) continue;
      const run::Stage& stage = chain.stage(name);
      Cost& cost = costs.at(static_cast<std::size_t>(stage.work));
      const bool kept = record.is_complete(name, stage.units);
      ++(kept ? cost.kept : cost.stages);
      if (kept) continue;
      cost.units += stage.units;
      cost.flops += stage.flops;
      cost.bytes += stage.bytes;
    }
  }
  return costs;
}

}  // namespace

std::int64_t bytes_to_write(const run::Chain& chain,
                            const std::vector<const run::Measurement*>& todo,
                            const run::StageRecord& record) {
  std::int64_t bytes = 0;
  for (const Cost& cost : costs_of(chain, todo, record)) bytes += cost.bytes;
  return bytes;
}

std::string cost_text(const run::Chain& chain, const std::vector<const run::Measurement*>& todo,
                      const run::StageRecord& record) {
  const Costs costs = costs_of(chain, todo, record);
  std::vector<std::vector<std::string>> lines{
      {"work", "stages", "done", "pictures", "FLOPs", "disk", "seconds"}};
  double total = 0;
  bool known = true;
  for (const Work work : kKinds) {
    const Cost& cost = costs.at(static_cast<std::size_t>(work));
    const double rate = record.rate(run::work_name(work));
    const double seconds = rate * static_cast<double>(cost.units);
    if (rate == 0 && cost.units > 0) known = false;
    total += seconds;
    lines.push_back({run::work_name(work), std::to_string(cost.stages), std::to_string(cost.kept),
                     std::to_string(cost.units), report::flops_text(cost.flops),
                     cost.bytes > 0 ? bytes_text(cost.bytes) : "",
                     rate > 0 || cost.units == 0 ? report::fixed(seconds, 0) : "?"});
  }
  std::string text = text_table(lines);
  if (known) return text + cat("about ", report::fixed(total, 0), " seconds in all\n");
  return text + "seconds are known once a stage of the kind has run with this --out\n";
}

}  // namespace dd::sweep
