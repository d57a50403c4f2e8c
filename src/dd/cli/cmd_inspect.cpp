// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "dd/cli/commands.h"
#include "dd/inspect/inspect.h"

namespace dd::cli {
namespace {

void inspect(const inspect::InspectOptions& options, const CommonOptions&, Context&,
             std::ostream& results) {
  const inspect::Report report = inspect::inspect_path(options);
  results << (options.json ? inspect::report_json(report).dump(2, ' ', false,
                                                               Json::error_handler_t::replace) +
                                 "\n"
                           : inspect::report_text(report));
  if (report.usable()) return;
  const std::size_t more = report.problems.size() - 1;
  fail_input(cat(options.path, " cannot be used: ", report.problems.front(),
                 more > 0 ? cat(" (and ", more, " more problems)") : ""));
}

}  // namespace

Command inspect_command() {
  return make_command<inspect::InspectOptions>(
      {.name = "inspect",
       .summary = "say what a file or folder is, and what is wrong with it",
       .help =
           "Knows Stable Diffusion and its parts, LoRAs, adapters, CLIP, classifiers, data sets "
           "and images.\n"
           "Reads headers only, unless --hash is given. The exit status is 2 when the thing "
           "cannot be used.\n"
           "  datadream inspect stable-diffusion-2-1\n"
           "  datadream inspect lora.safetensors --json",
       .needs_out = false,
       .positional = "path"},
      inspect);
}

}  // namespace dd::cli
