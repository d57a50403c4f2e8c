// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/bind_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <type_traits>

#include "dd/core/any_type_visitor.h"
#include "dd/core/error.h"

namespace dd::cli {
namespace {

template <class Number>
Number parse_number(const std::string& name, const std::string& text, const char* kind) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) {
    fail_usage(cat("--", name, " is \"", text, "\", but must be ", kind));
  }
  return value;
}

class Binder : public AnyTypeVisitor<Binder> {
 public:
  Binder(CLI::App& app, std::string positional) : app_(app), positional_(std::move(positional)) {}

  template <class T>
  void any(const std::string& name, T& value, const FieldInfo& info) {
    using Texts = std::vector<std::string>;
    if constexpr (std::is_same_v<T, bool>) {
      app_.add_flag("--" + name + ",!--no-" + name, value);
    } else if constexpr (std::is_same_v<T, Texts>) {
      const auto set = [&value](const Texts& texts) { value = texts; };
      CLI::Option* option = app_.add_option_function<Texts>(names(name), set);
      // A list of named choices may be written with commas; free texts may hold commas themselves.
      if (!info.choices.empty()) option->delimiter(',');
    } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
      const auto set = [&value, name](const Texts& texts) {
        value.clear();
        for (const std::string& text : texts) {
          value.push_back(parse_number<std::int64_t>(name, text, "whole numbers, such as 0,1,2"));
        }
      };
      app_.add_option_function<Texts>(names(name), set)->delimiter(',');
    } else {
      const auto set = [&value, name](const std::string& text) { assign(value, name, text); };
      app_.add_option_function<std::string>(names(name), set);
    }
  }

 private:
  std::string names(const std::string& name) const {
    return name == positional_ ? name + ",--" + name : "--" + name;
  }
  static void assign(std::int64_t& value, const std::string& name, const std::string& text) {
    value = parse_number<std::int64_t>(name, text, "a whole number");
  }
  static void assign(double& value, const std::string& name, const std::string& text) {
    value = parse_number<double>(name, text, "a number");
  }
  static void assign(std::string& value, const std::string&, const std::string& text) {
    value = text;
  }
  static void assign(std::optional<std::string>& value, const std::string&,
                     const std::string& text) {
    value = text;
  }
  static void assign(std::filesystem::path& value, const std::string&, const std::string& text) {
    value = text;
  }

  CLI::App& app_;
  std::string positional_;
};

}  // namespace

void bind_options(CLI::App& app, Options& options, const std::string& positional) {
  Binder binder(app, positional);
  options.visit(binder);
}

std::vector<std::string> given_keys(const CLI::App& app) {
  std::vector<std::string> keys;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    std::string key = option->get_lnames().front();
    std::replace(key.begin(), key.end(), '-', '_');
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace dd::cli
