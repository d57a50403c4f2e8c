// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"

namespace dd::pretrain {

/// Trains a small Stable Diffusion and a small CLIP from nothing, in the published formats.
///
/// The recipe of the embedded base is these defaults. Parts may run as separate processes (`part`);
/// each is resumable and is skipped once its folder is complete. The U-Net waits for nothing but a
/// finished autoencoder.
struct PretrainOptions final : Options {
  std::string part = "all";  ///< all, judge, vae, unet (with the text encoder) or clip
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  std::int64_t judge_steps = 1500;
  std::int64_t vae_steps = 8500;
  std::int64_t unet_steps = 15000;
  std::int64_t clip_steps = 3000;
  std::int64_t preview_every = 1000;

  void visit(FieldVisitor& visitor) override;
};

/// Writes OUT/stable-diffusion, OUT/clip and OUT/judge, with contact sheets and label fidelity
/// under OUT/progress on the way. Throws Error.
void run_pretrain(const PretrainOptions& options, const CommonOptions& common, Context& context);

}  // namespace dd::pretrain
