// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "dd/core/context.h"

namespace dd {

/// Fréchet distance of the normal distributions that have the means and covariances (over n − 1) of
/// two sets of features [n, d] and [m, d] (Heusel et al. 2017, arXiv 1706.08500; with Inception
/// features, FID):
///
///   |μ₁ − μ₂|² + tr S₁ + tr S₂ − 2 tr (S₁ S₂)^½
///
/// With S₁ = AᵀA and S₂ = BᵀB, where A and B are the centred features over √(n − 1), the last trace
/// is the sum of the singular values of A Bᵀ, since S₁ S₂ and (A Bᵀ)(A Bᵀ)ᵀ share their nonzero
/// eigenvalues. So neither covariance nor matrix root is formed, and nothing special happens when
/// there are fewer images than features, where roots of products of singular matrices go astray.
/// Where there are more, A and B are first reduced to the triangles of their QR factorisations.
/// NaN with fewer than two images in a set.
double frechet_distance(const at::Tensor& real, const at::Tensor& synthetic);

/// The distance without its bias, which is of order 1/n (Chong and Forsyth 2020, arXiv 1911.07023):
/// measured on 15 shares of both sets, drawn by the seed and evenly spaced up to the whole, and
/// extrapolated along 1/share to 0. In the paper the real set is large enough to stay whole.
/// Nothing where the smaller set has less than 5/4 as many images as features: the bias is no line
/// in 1/n as long as covariances have no full rank. May come out below 0 for equal distributions.
std::optional<double> frechet_infinity(const at::Tensor& real, const at::Tensor& synthetic,
                                       std::uint64_t seed,
                                       const CancelToken& cancel = never_stopped());

}  // namespace dd
