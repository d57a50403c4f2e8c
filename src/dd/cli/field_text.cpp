// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/field_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "dd/core/any_type_visitor.h"

namespace dd::cli {
namespace {

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::string limits_of(const FieldInfo& info) {
  const bool low = std::isfinite(info.low);
  const bool high = std::isfinite(info.high);
  if (low && high) return number_text(info.low) + " … " + number_text(info.high);
  if (low) return "at least " + number_text(info.low);
  if (high) return "at most " + number_text(info.high);
  return "";
}

class Describer : public AnyTypeVisitor<Describer> {
 public:
  template <class T>
  void any(const std::string& name, T& value, const FieldInfo& info) {
    FieldText text{.name = name, .help = info.help, .limits = limits_of(info)};
    text.required = info.required;
    if constexpr (std::is_same_v<T, bool>) {
      text.flag = value ? "--[no-]" + name : "--" + name;
      if (value) text.default_value = "on";
    } else {
      const std::string word = info.choices.empty() ? word_for(value) : joined(info.choices, "|");
      text.flag = "--" + name + " " + word;
      text.default_value = default_of(value);
    }
    fields.push_back(std::move(text));
  }
  std::vector<FieldText> fields;

 private:
  static std::string word_for(std::int64_t) { return "N"; }
  static std::string word_for(double) { return "X"; }
  static std::string word_for(const std::string&) { return "TEXT"; }
  static std::string word_for(const std::optional<std::string>&) { return "TEXT"; }
  static std::string word_for(const std::filesystem::path&) { return "PATH"; }
  static std::string word_for(const std::vector<std::string>&) { return "TEXT…"; }
  static std::string word_for(const std::vector<std::int64_t>&) { return "N,N,…"; }

  static std::string default_of(std::int64_t value) { return std::to_string(value); }
  static std::string default_of(double value) { return number_text(value); }
  static std::string default_of(const std::string& value) {
    // Quotes show where a text with spaces begins and ends.
    return value.find(' ') == std::string::npos ? value : "\"" + value + "\"";
  }
  static std::string default_of(const std::optional<std::string>& value) {
    return value ? default_of(*value) : "";
  }
  static std::string default_of(const std::filesystem::path& value) { return value.string(); }
  static std::string default_of(const std::vector<std::string>& value) {
    return joined(value, ",");
  }
  static std::string default_of(const std::vector<std::int64_t>& value) {
    std::vector<std::string> words;
    for (const std::int64_t item : value) words.push_back(std::to_string(item));
    return joined(words, ",");
  }
};

}  // namespace

std::string number_text(double value) {
  std::array<char, 64> buffer{};
  const double size = std::abs(value);
  // Plain digits where they are easily read, powers of ten elsewhere.
  const auto format = value == 0 || (size >= 1e-4 && size < 1e12) ? std::chars_format::fixed
                                                                  : std::chars_format::scientific;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  return {buffer.data(), end};
}

std::vector<FieldText> describe(const Options& options) {
  Describer describer;
  // The visitor only reads.
  const_cast<Options&>(options).visit(describer);
  return std::move(describer.fields);
}

std::string sentence(const FieldText& field) {
  std::vector<std::string> notes;
  if (!field.limits.empty()) notes.push_back(field.limits);
  if (!field.default_value.empty()) {
    notes.push_back("default " + field.default_value);
  } else if (field.required) {
    notes.emplace_back("required");
  }
  return notes.empty() ? field.help : field.help + " (" + joined(notes, "; ") + ")";
}

}  // namespace dd::cli
