// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <ostream>

#include "dd/adapt/adapt.h"
#include "dd/cli/commands.h"

namespace dd::cli {
namespace {

void adapt(const adapt::AdaptOptions& options, const CommonOptions& common, Context& context,
           std::ostream& results) {
  const adapt::AdaptResult result = adapt::run_adapt(options, common, context);
  if (common.dry_run) {
    results << "would train " << result.adapters << " adapters of " << result.steps << " steps\n";
    return;
  }
  results << "adapters " << result.adapters << "  skipped " << result.skipped << "  steps "
          << result.steps << std::fixed;
  if (result.adapters > 0) {
    results << std::setprecision(4) << "  loss " << result.last_loss << std::setprecision(1)
            << "  seconds " << result.seconds;
  }
  results << '\n';
}

}  // namespace

Command adapt_command() {
  return make_command<adapt::AdaptOptions>(
      {.name = "adapt",
       .summary = "LoRA fine-tuning of the text-to-image model on the few shots",
       .help = "Writes OUT/pytorch_lora_weights.safetensors (dataset) or one in OUT/<class> for "
               "each class\n"
               "(class), which diffusers' load_lora_weights reads, with adapter.json beside it "
               "(settings,\n"
               "shots, loss curves), and OUT/shots.json. Can be stopped and resumed; complete "
               "adapters are\n"
               "skipped.\n"
               "  datadream adapt --model sd --data fashion-mnist:DIR --shots 16 --mode class "
               "--out adapters",
       .shares_work = true},
      adapt);
}

}  // namespace dd::cli
