// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dd/data/dataset.h"

namespace dd {

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from its four IDX files, plain or .gz, as 28 x 28
/// images with three equal channels. Splits:
///   "world"  train[0:50000], what the embedded base was pretrained on
///   "train"  train[50000:58000], where the few shots come from
///   "val"    train[58000:60000], for every choice
///   "test"   all 10,000 images of the t10k files
///   "all"    train[0:60000] and test, one after the other
/// An id is "train/50123" or "test/17": the position in the file.
std::unique_ptr<Dataset> open_fashion_mnist(const std::filesystem::path& root,
                                            const std::string& split);

/// The ten names in the official order.
const std::vector<std::string>& fashion_mnist_classes();

}  // namespace dd
