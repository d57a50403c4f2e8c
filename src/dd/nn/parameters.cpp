// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/parameters.h"

#include <ATen/ops/empty.h>

#include <cmath>

#include "dd/core/error.h"
#include "dd/core/seeds.h"
#include "dd/tensor/device.h"

namespace dd::nn {

Init uniform_init(double bound) {
  return {Init::Kind::kUniform, bound};
}
Init normal_init(double deviation) {
  return {Init::Kind::kNormal, deviation};
}
Init constant_init(double value) {
  return {Init::Kind::kConstant, value};
}
Init fan_in_init(std::int64_t fan_in) {
  return uniform_init(1.0 / std::sqrt(static_cast<double>(fan_in)));
}

at::Tensor RandomSource::parameter(const std::string& name, at::IntArrayRef shape,
                                   const Init& init) {
  at::Tensor value = at::empty(shape, at::kFloat);
  at::Generator generator = make_generator(mix_seed(seed_, name));
  switch (init.kind) {
    case Init::Kind::kUniform:
      return value.uniform_(-init.value, init.value, generator);
    case Init::Kind::kNormal:
      return value.normal_(0, init.value, generator);
    case Init::Kind::kConstant:
      return value.fill_(init.value);
  }
  fail_internal("unknown kind of initial value");
}

void ParameterTable::add(const std::string& name, at::Tensor value) {
  entries_.emplace_back(name, std::move(value));
}

void ParameterTable::add_site(const std::string& name, std::shared_ptr<LinearSite> site) {
  sites_.emplace(name, std::move(site));
}

std::int64_t ParameterTable::count() const {
  std::int64_t count = 0;
  for (const auto& [name, value] : entries_) count += value.numel();
  return count;
}

Scope Scope::operator[](std::string_view child) const {
  return {source_, table_, prefix_.empty() ? std::string(child) : cat(prefix_, ".", child)};
}

at::Tensor Scope::parameter(const std::string& name, at::IntArrayRef shape,
                            const Init& init) const {
  const std::string full = prefix_.empty() ? name : cat(prefix_, ".", name);
  at::Tensor value = source_.parameter(full, shape, init);
  table_.add(full, value);
  return value;
}

std::shared_ptr<LinearSite> Scope::site(at::Tensor weight, at::Tensor bias) const {
  auto made = std::make_shared<LinearSite>(LinearSite{std::move(weight), std::move(bias), nullptr});
  table_.add_site(prefix_, made);
  return made;
}

}  // namespace dd::nn
