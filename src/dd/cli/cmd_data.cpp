// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <thread>

#include "dd/cli/commands.h"
#include "dd/core/error.h"
#include "dd/data/check.h"

namespace dd::cli {
namespace {

void data_check(const CheckOptions& options, const CommonOptions& common, Context& context,
                std::ostream& results) {
  const std::int64_t threads =
      common.threads > 0 ? common.threads : std::thread::hardware_concurrency();
  const CheckReport report = check_dataset(options, threads, context);
  results << (options.json
                  ? check_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                  : check_text(report));
  const std::vector<std::string> problems = report.problems();
  if (problems.empty()) return;
  const std::size_t more = problems.size() - 1;
  fail_input(cat(report.data, " cannot be used: ", problems.front(),
                 more > 0 ? cat(" (and ", more, " more problems)") : ""));
}

}  // namespace

Command data_check_command() {
  return make_command<CheckOptions>(
      {.name = "data check",
       .summary = "say what a data set holds, what is missing and what is damaged",
       .help =
           "Decodes every image and counts classes and splits. Images that occur in two splits or "
           "under two\n"
           "classes are listed. The exit status is 2 when images are missing or damaged.\n"
           "docs/data.md shows the layouts of the known sets.\n"
           "  datadream data check photos\n"
           "  datadream data check dtd:/data/dtd --quick",
       .needs_out = false,
       .positional = "data"},
      data_check);
}

}  // namespace dd::cli
