// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <ostream>

#include "dd/classify/evaluate.h"
#include "dd/cli/commands.h"

namespace dd::cli {
namespace {

void evaluate(const classify::EvaluateOptions& options, const CommonOptions& common,
              Context& context, std::ostream& results) {
  const classify::EvaluateResult result = classify::run_evaluate(options, common, context);
  if (result.accuracy.n == 0) return;  // --dry-run
  results << std::fixed << std::setprecision(2) << "top1 " << 100 * result.accuracy.top1
          << " %  top5 " << 100 * result.accuracy.top5 << " %  of " << result.accuracy.n
          << " images\n";
}

}  // namespace

Command evaluate_command() {
  return make_command<classify::EvaluateOptions>(
      {.name = "evaluate",
       .summary = "score a classifier, or zero-shot CLIP, on labelled images",
       .help = "Writes OUT/metrics.json (top1, top5, per_class, n, confusion, ece, ...) and "
               "OUT/predictions.csv\n"
               "(file, label, predicted, then a logit for each class).\n"
               "  datadream evaluate --clip clip --classifier classifier "
               "--data fashion-mnist:DIR --out metrics",
       .shares_work = true},
      evaluate);
}

}  // namespace dd::cli
