// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/commands.h"
#include "dd/pretrain/pretrain.h"

namespace dd::cli {

Command pretrain_command() {
  return make_command<pretrain::PretrainOptions>(
      {.name = "pretrain",
       .summary = "trains a small text-to-image model and a small CLIP from scratch",
       .help =
           "Trains an autoencoder, a text encoder with a U-Net, and a CLIP on pictures rendered "
           "from\n"
           "Fashion-MNIST's first 50,000 training images, and writes them in the published "
           "formats:\n"
           "OUT/stable-diffusion (diffusers) and OUT/clip (Hugging Face). Contact sheets and "
           "label\n"
           "fidelity appear under OUT/progress. It takes hours and can be stopped and resumed.\n\n"
           "  datadream pretrain --out out/base",
       .locking = OutLocking::kOwn},
      [](const pretrain::PretrainOptions& options, const CommonOptions& common, Context& context,
         std::ostream&) { pretrain::run_pretrain(options, common, context); });
}

}  // namespace dd::cli
