// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dd/core/context.h"

namespace dd {

/// The squared maximum mean discrepancy of two sets of features [n, d] and [m, d] under the kernel
/// (x·y/d + 1)³, unbiased: no image is compared with itself (Bińkowski et al. 2018, arXiv
/// 1801.01401; with Inception features, KID). May be negative. NaN with fewer than two images in a
/// set.
double kernel_distance(const at::Tensor& real, const at::Tensor& synthetic,
                       const CancelToken& cancel = never_stopped());

/// The same on random subsets, as KID is usually reported.
struct SubsetOptions {
  std::int64_t subsets = 100;
  std::int64_t size = 1000;  ///< images of each set; at most as many as the smaller set has
  std::uint64_t seed = 0;
};
struct SubsetDistance {
  double mean = 0;
  double deviation = 0;  ///< of single subsets, over their number
};
SubsetDistance kernel_distance_of_subsets(const at::Tensor& real, const at::Tensor& synthetic,
                                          const SubsetOptions& options,
                                          const CancelToken& cancel = never_stopped());

/// CMMD (Jayasumana et al. 2024, arXiv 2401.09603): 1000 times the squared maximum mean discrepancy
/// under exp(−|x − y|²/(2·10²)), each image also compared with itself, as the paper's own program
/// does. Meant for features of CLIP at unit length; they are taken as they are given.
double cmmd(const at::Tensor& real, const at::Tensor& synthetic,
            const CancelToken& cancel = never_stopped());

/// Each row divided by its length; a row of zeros stays.
at::Tensor unit_rows(const at::Tensor& features);

}  // namespace dd
