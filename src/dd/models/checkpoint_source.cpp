// SPDX-License-Identifier: Apache-2.0
#include "dd/models/checkpoint_source.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "dd/core/error.h"

namespace dd::models {
namespace {

std::string listing(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  constexpr std::size_t kShown = 4;
  std::string text = cat(" ", title, " ", names.size(), " (");
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += cat(i ? ", " : "", names[i]);
  return text + (names.size() > kShown ? ", …)" : ")");
}

std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

/// Old attention weights are 1×1 convolutions where new ones are linear, and the other way round.
bool same_but_for_ones(at::IntArrayRef have, at::IntArrayRef want) {
  if (have.size() == want.size() || std::min(have.size(), want.size()) != 2) return false;
  const at::IntArrayRef longer = have.size() > want.size() ? have : want;
  const at::IntArrayRef shorter = have.size() > want.size() ? want : have;
  return longer.size() == 4 && longer[0] == shorter[0] && longer[1] == shorter[1] &&
         longer[2] == 1 && longer[3] == 1;
}

}  // namespace

CheckpointSource::CheckpointSource(const io::Checkpoint& checkpoint, Placement placement,
                                   NameMap names)
    : checkpoint_(checkpoint), placement_(placement), names_(std::move(names)) {
  if (!names_) names_ = [](const std::string& name) { return std::vector<TensorPlace>{name}; };
}

CheckpointSource::CheckpointSource(const io::Checkpoint& checkpoint, Placement placement,
                                   NameTable table)
    : CheckpointSource(checkpoint, placement, [table = std::move(table)](const std::string& name) {
        return std::vector<TensorPlace>{table.find(name).value_or(name)};
      }) {}

at::Tensor CheckpointSource::read(const TensorPlace& place, at::IntArrayRef shape) {
  at::Tensor value = checkpoint_.tensor(place.name);
  std::vector<std::int64_t> want = shape.vec();
  if (place.transposed) std::reverse(want.begin(), want.end());
  if (place.parts > 1 && !want.empty()) want[0] *= place.parts;
  if (value.sizes() != want && !same_but_for_ones(value.sizes(), want)) {
    misshapen_.push_back(
        cat(place.name, " is ", shape_text(value.sizes()), ", not ", shape_text(want)));
    return at::zeros(shape, placement_.dtype);
  }
  value = value.reshape(want);
  if (place.parts > 1) value = value.narrow(0, place.part * shape[0], shape[0]);
  if (place.transposed) value = value.t();
  return place_weight(place.name, value);
}

at::Tensor CheckpointSource::place_weight(const std::string& name, const at::Tensor& value) {
  const bool narrower =
      value.is_floating_point() && value.dtype().itemsize() < at::elementSize(placement_.dtype);
  if (placement_.at_rest && placement_.device.is_cpu() && narrower && value.is_contiguous()) {
    resting_.push_back(name);
    return value;
  }
  const at::Tensor placed = value.to(placement_.device, placement_.dtype).contiguous();
  if (!placed.is_alias_of(value)) checkpoint_.release(name);
  return placed;
}

std::function<void()> CheckpointSource::take_release() {
  return [checkpoint = checkpoint_, names = std::exchange(resting_, {})] {
    for (const std::string& name : names) checkpoint.release(name);
  };
}

at::Tensor CheckpointSource::parameter(const std::string& name, at::IntArrayRef shape,
                                       const nn::Init&) {
  const std::vector<TensorPlace> places = names_(name);
  for (const TensorPlace& place : places) {
    if (!checkpoint_.contains(place.name)) continue;
    used_.insert(place.name);
    return read(place, shape);
  }
  missing_.push_back(places.front().name);
  return at::zeros(shape, placement_.dtype);
}

void CheckpointSource::ignore_prefix(const std::string& prefix) {
  for (const std::string& name : checkpoint_.names()) {
    if (name.rfind(prefix, 0) == 0) used_.insert(name);
  }
}

void CheckpointSource::finish() const {
  std::vector<std::string> unexpected;
  for (const std::string& name : checkpoint_.names()) {
    if (!used_.contains(name)) unexpected.push_back(name);
  }
  if (missing_.empty() && misshapen_.empty() && unexpected.empty()) return;
  fail_input(cat("the weights in ", checkpoint_.label(), " do not fit their configuration:",
                 listing("missing", missing_), listing("misshapen", misshapen_),
                 listing("unexpected", unexpected), "; check that the files belong together"));
}

}  // namespace dd::models
