// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dd::models {

/// One convolution of the Inception of 2015-12-05.
struct InceptionConvPlan {
  std::string name;    ///< below its block in pytorch-fid's file
  std::string script;  ///< below its block in the TorchScript archive
  std::int64_t out;
  std::int64_t height = 1;  ///< of the kernel
  std::int64_t width = 1;
  std::int64_t stride = 1;
  bool padded = true;  ///< so that a stride of 1 keeps the size
};

enum class InceptionPool { kNone, kAverage, kMaximum, kHalving };

struct InceptionBranchPlan {
  InceptionPool pool = InceptionPool::kNone;
  std::vector<InceptionConvPlan> row{};   ///< one after the other
  std::vector<InceptionConvPlan> fork{};  ///< side by side on what the row gives
};

struct InceptionBlockPlan {
  std::string name;    ///< empty: the convolutions have whole names
  std::string script;  ///< the same in the archive
  std::vector<InceptionBranchPlan> branches;
};

/// All blocks from the picture to the last pooling.
std::vector<InceptionBlockPlan> inception_plan();

}  // namespace dd::models
