// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "dd/cli/commands.h"
#include "dd/run/run.h"

namespace dd::cli {
namespace {

void run(const run::RunOptions& options, const CommonOptions& common, Context& context,
         std::ostream& results) {
  const run::RunResult result = run::run_all(options, common, context);
  results << result.text;
  if (common.dry_run) return;
  context.report.info(cat(result.done, " stages done, ", result.kept, " kept; see ",
                          (common.out / "report.html").string()));
}

}  // namespace

Command run_command() {
  return make_command<run::RunOptions>(
      {.name = "run",
       .summary =
           "the whole way: adapt, generate, train, evaluate, align, with a table and a report",
       .help = "Without --model, --clip and --data it takes the small models that come with the "
               "program, and\n"
               "Fashion-MNIST. Writes a folder for each seed and stage, OUT/results.json and "
               "OUT/report.html.\n"
               "Called again, it keeps what is complete and goes on with the rest.\n"
               "  datadream run --out out/demo\n"
               "  datadream run --data photos --shots 16 --seeds 0,1,2 --out out/photos"},
      run);
}

}  // namespace dd::cli
