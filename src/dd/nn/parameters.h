// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dd::nn {

/// How a parameter starts when a model is made from nothing.
struct Init {
  enum class Kind { kUniform, kNormal, kConstant };
  Kind kind = Kind::kConstant;
  double value = 0;  ///< bound of the uniform, deviation of the normal, or the constant
};
Init uniform_init(double bound);
Init normal_init(double deviation);
Init constant_init(double value);
/// torch.nn.Linear's and Conv2d's default: uniform within 1/sqrt(fan_in), weight and bias alike.
Init fan_in_init(std::int64_t fan_in);

/// Where a model under construction gets its parameters from: a checkpoint or random numbers.
/// Models are built in one pass, so a parameter exists once and never holds anything but its value.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;
  virtual at::Tensor parameter(const std::string& name, at::IntArrayRef shape,
                               const Init& init) = 0;
  /// What layers compute in. Parameters may be narrower, see Placement::at_rest.
  virtual at::ScalarType dtype() const { return at::kFloat; }
  /// What gives back the memory of those parameters, taken since the last call, that lie in a
  /// mapped file: they are read again when used. Never empty.
  virtual std::function<void()> take_release() {
    return [] {};
  }
};

/// Random start; every parameter's numbers follow from (seed, name), whatever the order of
/// construction.
class RandomSource final : public ParameterSource {
 public:
  explicit RandomSource(std::uint64_t seed) : seed_(seed) {}
  at::Tensor parameter(const std::string& name, at::IntArrayRef shape, const Init& init) override;

 private:
  std::uint64_t seed_;
};

/// What an adapter (LoRA) does at a linear layer. Installed from outside: models do not know of it.
class LinearAdapter {
 public:
  virtual ~LinearAdapter() = default;
  /// `input` [..., in], `output` [..., out] of the unadapted layer; returns the adapted output.
  virtual at::Tensor forward(const at::Tensor& input, const at::Tensor& output) const = 0;
};

/// The weights of one linear layer or convolution, shared between the layer and whoever adapts it.
struct LinearSite {
  at::Tensor weight;                             ///< [out, in], of a convolution [out, in, k, k]
  at::Tensor bias;                               ///< [out], or undefined
  std::shared_ptr<const LinearAdapter> adapter;  ///< of linear layers only
};

/// The parameters of a model by name in order of construction, and its linear layers and
/// convolutions.
class ParameterTable {
 public:
  void add(const std::string& name, at::Tensor value);
  /// A layer whose weight is a matrix, or a convolution's.
  void add_site(const std::string& name, std::shared_ptr<LinearSite> site);

  const std::vector<std::pair<std::string, at::Tensor>>& entries() const { return entries_; }
  /// Convolutions can be merged into, but have no slot for an adapter: Conv2d passes it over.
  const std::map<std::string, std::shared_ptr<LinearSite>>& sites() const { return sites_; }
  std::int64_t count() const;  ///< numbers in all parameters

 private:
  std::vector<std::pair<std::string, at::Tensor>> entries_;
  std::map<std::string, std::shared_ptr<LinearSite>> sites_;
};

/// A place in the tree of names while a model is built.
class Scope {
 public:
  Scope(ParameterSource& source, ParameterTable& table, std::string prefix = "")
      : source_(source), table_(table), prefix_(std::move(prefix)) {}

  Scope operator[](std::string_view child) const;
  Scope operator[](std::int64_t index) const { return (*this)[std::to_string(index)]; }
  at::Tensor parameter(const std::string& name, at::IntArrayRef shape, const Init& init) const;
  at::ScalarType dtype() const { return source_.dtype(); }  ///< see ParameterSource
  /// Makes this place known as a linear layer or a convolution.
  std::shared_ptr<LinearSite> site(at::Tensor weight, at::Tensor bias) const;

 private:
  ParameterSource& source_;
  ParameterTable& table_;
  std::string prefix_;
};

}  // namespace dd::nn
