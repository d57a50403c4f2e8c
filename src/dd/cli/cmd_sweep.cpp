// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "dd/cli/commands.h"
#include "dd/sweep/sweep.h"

namespace dd::cli {
namespace {

void run(const sweep::SweepOptions& options, const CommonOptions& common, Context& context,
         std::ostream& results) {
  const sweep::SweepResult result = sweep::run_sweep(options, common, context);
  results << result.text;
  if (common.dry_run) return;
  context.report.info(cat(result.done, " cells measured, ", result.kept, " kept",
                          result.missing > 0
                              ? cat(", ", result.missing, " of other parts not there yet")
                              : std::string(),
                          "; see ", (common.out / "report.html").string()));
}

}  // namespace

Command sweep_command() {
  return make_command<sweep::SweepOptions>(
      {.name = "sweep",
       .summary = "scaling studies and baselines: a grid of methods and settings, as a table",
       .help =
           "The options called axis take lists; every combination is measured, for each method "
           "as far as it\n"
           "means something to it, with every seed. What cells have in common is done once: the "
           "largest set\n"
           "of images serves the smaller ones, an adapter all samplers. Called again, it goes "
           "on with what is\n"
           "missing, also after a crash, and a larger grid adds to a smaller one.\n"
           "  datadream sweep --shots 1,4,16 --per-class 0,50,100 --mode class --seeds 0,1,2 "
           "--out out/scaling\n"
           "  datadream sweep --config grid.toml --dry-run --out out/grid",
       .locking = OutLocking::kOwn},
      run);
}

}  // namespace dd::cli
