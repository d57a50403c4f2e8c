// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/models/inception_layout.h"
#include "dd/models/name_table.h"
#include "dd/nn/parameters.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// A convolution without bias, batch normalisation with its stored statistics (eps 0.001), ReLU.
struct InceptionConv {
  at::Tensor weight;
  at::Tensor scale;  ///< undefined where the file has none: 1
  at::Tensor shift;
  at::Tensor mean;
  at::Tensor variance;
  std::int64_t stride = 1;
  bool padded = false;  ///< so that a stride of 1 keeps the size

  at::Tensor operator()(const at::Tensor& x_nchw) const;
};

/// The Inception-v3 of 2015-12-05 that FID is defined on (Szegedy et al. 2015, arXiv 1512.00567;
/// its TensorFlow graph pools without the padding's zeros, and in the last block takes maxima).
class Inception {
 public:
  static constexpr std::int64_t kFeatures = 2048;
  static constexpr int kInputSize = 299;

  /// `has_scales`: whether batch normalisations have a weight.
  Inception(nn::ParameterSource& source, bool has_scales);
  /// pytorch-fid's and torch-fidelity's pt_inception-2015-12-05-6726825d.pth, or the TorchScript
  /// archive inception-2015-12-05.pt of StyleGAN and clean-fid. Error(kInput) names the file.
  static Inception load(const std::filesystem::path& file, at::Device device);

  /// Levels [B, 3, 299, 299] in 0 … 255 → the average pool's features [B, 2048], float32.
  at::Tensor operator()(const at::Tensor& levels_nchw) const;

 private:
  /// pool, then convolutions in a row, then those of the fork side by side.
  struct Branch {
    InceptionPool pool = InceptionPool::kNone;
    std::vector<InceptionConv> row{};
    std::vector<InceptionConv> fork{};
  };
  using Block = std::vector<Branch>;  ///< their outputs stand side by side

  static at::Tensor run(const Block& block, const at::Tensor& x);

  std::unique_ptr<nn::ParameterTable> table_;
  std::vector<Block> blocks_;
};

/// Our names (pytorch-fid's) → those of the TorchScript archive.
NameTable inception_script_names();

}  // namespace dd::models
