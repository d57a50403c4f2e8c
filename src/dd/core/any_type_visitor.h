// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dd/core/fields.h"

namespace dd {

/// Forwards every overload of FieldVisitor to one template, `Derived::any(name, value, info)`, so
/// that a visitor is written once for all types.
template <class Derived>
class AnyTypeVisitor : public FieldVisitor {
  friend Derived;
  AnyTypeVisitor() = default;

 public:
  void field(const std::string& n, bool& v, const FieldInfo& i) override { self().any(n, v, i); }
  void field(const std::string& n, std::int64_t& v, const FieldInfo& i) override {
    self().any(n, v, i);
  }
  void field(const std::string& n, double& v, const FieldInfo& i) override { self().any(n, v, i); }
  void field(const std::string& n, std::string& v, const FieldInfo& i) override {
    self().any(n, v, i);
  }
  void field(const std::string& n, std::optional<std::string>& v, const FieldInfo& i) override {
    self().any(n, v, i);
  }
  void field(const std::string& n, std::filesystem::path& v, const FieldInfo& i) override {
    self().any(n, v, i);
  }
  void field(const std::string& n, std::vector<std::string>& v, const FieldInfo& i) override {
    self().any(n, v, i);
  }
  void field(const std::string& n, std::vector<std::int64_t>& v, const FieldInfo& i) override {
    self().any(n, v, i);
  }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
};

}  // namespace dd
