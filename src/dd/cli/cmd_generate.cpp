// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "dd/cli/commands.h"
#include "dd/generate/generate.h"

namespace dd::cli {
namespace {

void generate(const generate::GenerateOptions& options, const CommonOptions& common,
              Context& context, std::ostream& results) {
  const generate::GenerateResult result = generate::run_generate(options, common, context);
  if (common.dry_run) return;
  results << result.written << " images drawn, " << result.present
          << " were there already: " << common.out.string() << '\n';
}

}  // namespace

Command generate_command() {
  return make_command<generate::GenerateOptions>(
      {.name = "generate",
       .summary = "draw a labelled image set, or images for one prompt",
       .help = "Writes OUT/00000.png ... for a prompt, OUT/<class>/00000.png ... for classes, and "
               "OUT/metadata.jsonl\n"
               "with a line an image. Called again, it draws what is missing; asked for more "
               "images, it adds them.\n"
               "  datadream generate --model stable-diffusion --adapters adapters "
               "--classes fashion-mnist:DIR \\\n"
               "    --per-class 100 --out images\n"
               "  datadream generate --model stable-diffusion --prompt \"a photo of a coat\" "
               "--count 4 --out coats",
       .shares_work = true},
      generate);
}

}  // namespace dd::cli
