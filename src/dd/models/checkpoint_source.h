// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "dd/io/checkpoint.h"
#include "dd/models/name_table.h"
#include "dd/nn/parameters.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// Feeds models under construction from a checkpoint, strictly: `finish` fails when anything was
/// missing, misshapen or left over. Tensors are converted one by one, and the memory behind what
/// was copied is given back at once, so that loading needs no second copy of the weights.
class CheckpointSource final : public nn::ParameterSource {
 public:
  /// Turns the model's name of a parameter into the places where it may be in the file, best first.
  using NameMap = std::function<std::vector<TensorPlace>(const std::string&)>;

  CheckpointSource(const io::Checkpoint& checkpoint, Placement placement, NameMap names = {});
  /// Every parameter has the place that the table gives, or its own name where it gives none.
  CheckpointSource(const io::Checkpoint& checkpoint, Placement placement, NameTable table);

  at::Tensor parameter(const std::string& name, at::IntArrayRef shape,
                       const nn::Init& init) override;
  at::ScalarType dtype() const override { return placement_.dtype; }
  std::function<void()> take_release() override;
  /// For what is read from now on.
  void set_placement(Placement placement) { placement_ = placement; }
  /// Tensors that published files hold beside the weights (buffers) and that are not needed.
  void ignore(const std::string& name) { used_.insert(name); }
  /// Everything that begins so is not needed.
  void ignore_prefix(const std::string& prefix);
  /// Error(kInput) lists what is missing, misshapen and unexpected.
  void finish() const;

 private:
  at::Tensor read(const TensorPlace& place, at::IntArrayRef shape);
  at::Tensor place_weight(const std::string& name, const at::Tensor& value);

  const io::Checkpoint& checkpoint_;
  Placement placement_;
  NameMap names_;
  std::set<std::string> used_;
  std::vector<std::string> resting_;  ///< since the last take_release
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
};

}  // namespace dd::models
