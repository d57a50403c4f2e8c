// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "dd/io/checkpoint.h"
#include "dd/nn/parameters.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// Feeds a model under construction from a checkpoint, strictly: `finish` fails when anything was
/// missing, misshapen or left over.
class CheckpointSource final : public nn::ParameterSource {
 public:
  /// Turns the model's name of a parameter into the names it may have in the file, best first.
  using NameMap = std::function<std::vector<std::string>(const std::string&)>;

  CheckpointSource(const io::Checkpoint& checkpoint, Placement placement, NameMap names = {});

  at::Tensor parameter(const std::string& name, at::IntArrayRef shape,
                       const nn::Init& init) override;
  /// Tensors that published files hold beside the weights (buffers) and that are not needed.
  void ignore(const std::string& name) { used_.insert(name); }
  /// Everything under this prefix belongs to another part of the model.
  void ignore_prefix(const std::string& prefix);
  /// Error(kInput) lists what is missing, misshapen and unexpected.
  void finish() const;

 private:
  const io::Checkpoint& checkpoint_;
  Placement placement_;
  NameMap names_;
  std::set<std::string> used_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
};

}  // namespace dd::models
