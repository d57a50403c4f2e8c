// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "dd/core/fields.h"
#include "dd/core/seeds.h"

namespace dd::classify {

/// MixUp (Zhang et al., arXiv 1710.09412) and CutMix (Yun et al., arXiv 1905.04899) of whole
/// batches. The defaults of the two alphas are torchvision's, which the official code takes.
struct MixOptions {
  double share = 0;         ///< probability that a batch is mixed; the official code: 0.2
  double mixup_alpha = 1;   ///< of the Beta distribution; 0 = no MixUp
  double cutmix_alpha = 1;  ///< of the Beta distribution; 0 = no CutMix

  void visit(FieldVisitor& visitor);
  void check() const;  ///< Error(kUsage) when batches shall be mixed but both alphas are 0
};

/// How the images of one kind in a batch are mixed: each with the one before it, the first with the
/// last.
struct Mix {
  double kept = 1;   ///< weight of an image's own label; with MixUp of its own pixels too
  bool cut = false;  ///< CutMix: the box comes from the other image
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
};

/// Draws as torchvision's v2.RandomChoice([CutMix, MixUp]) does: the kind evenly, `kept` from
/// Beta(alpha, alpha). CutMix puts a box of 1 − kept of the area around a random pixel; what of it
/// lies outside is cut off, and `kept` is then what the box leaves.
Mix draw_mix(const MixOptions& options, std::int64_t width, std::int64_t height, Random& random);

/// Images [B, C, H, W] of one kind mixed; B may be 1 (nothing changes).
at::Tensor mix_images(const at::Tensor& images, const Mix& mix);

/// Shares of the classes [B, C], the targets of those images.
at::Tensor mix_targets(const at::Tensor& targets, const Mix& mix);

/// Beta(alpha, alpha) for alpha > 0, from two Gamma variates (Marsaglia, Tsang 2000).
double draw_beta(double alpha, Random& random);

}  // namespace dd::classify
