// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <ostream>

#include "dd/classify/train.h"
#include "dd/cli/commands.h"

namespace dd::cli {
namespace {

void train(const classify::TrainOptions& options, const CommonOptions& common, Context& context,
           std::ostream& results) {
  const classify::TrainClassifierResult result = classify::run_train(options, common, context);
  if (common.dry_run) return;
  results << "classifier of " << result.classes << " classes from " << result.real_images
          << " real and " << result.synthetic_images << " synthetic images, " << result.steps
          << " steps, lambda " << result.lambda;
  if (result.validation_top1) {
    results << std::fixed << std::setprecision(2) << ", validation top1 "
            << 100 * *result.validation_top1 << " %";
  }
  results << '\n';
}

}  // namespace

Command train_command() {
  return make_command<classify::TrainOptions>(
      {.name = "train",
       .summary = "train a CLIP+LoRA classifier on synthetic images, real shots, or both",
       .help = "Writes OUT/adapter_model.safetensors with adapter_config.json, which PEFT loads, "
               "and\n"
               "OUT/classifier.json (settings, classes, curves) and OUT/training_curve.csv.\n"
               "Stopped, it goes on where it was when called again.\n"
               "  datadream train --clip clip --synthetic images --real fashion-mnist:DIR "
               "--shots 16 \\\n"
               "    --out classifier",
       .shares_work = true},
      train);
}

}  // namespace dd::cli
