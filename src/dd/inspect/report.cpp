// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/report.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace dd::inspect {
namespace {

constexpr std::size_t kLongText = 200;

std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::int64_t at = std::ssize(text) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string bytes_text(double bytes) {
  constexpr std::array kUnits{"bytes", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.2f %s", bytes, kUnits[unit]);
  return text.data();
}

std::string scalar_text(const std::string& key, const Json& value) {
  if (value.is_number_integer() && key == "bytes") return bytes_text(value.get<double>());
  if (value.is_number_integer() && key == "parameters") return grouped(value.get<std::int64_t>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "none";
  if (!value.is_string()) return value.dump();
  std::string text = value.get<std::string>();
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kLongText) text.replace(kLongText, std::string::npos, "…");
  return text;
}

bool is_flat(const Json& value) {
  return std::ranges::all_of(value, [](const Json& item) { return !item.is_structured(); });
}

/// "key value, key value" of an object, "value, value" of a list.
std::string line_text(const std::string& key, const Json& value) {
  std::string text;
  for (const auto& [name, item] : value.items()) {
    text += text.empty() ? "" : ", ";
    if (value.is_object()) text += name + " ";
    text += scalar_text(value.is_object() ? name : key, item);
  }
  return text.empty() ? "none" : text;
}

void print(const Json& object, std::size_t indent, std::string& out) {
  std::size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, key.size());
  for (const auto& [key, value] : object.items()) {
    std::string label = key;
    std::ranges::replace(label, '_', ' ');
    out += std::string(indent, ' ') + label;
    if (!value.is_structured()) {
      out += std::string(width + 2 - key.size(), ' ') + scalar_text(key, value) + "\n";
    } else if (is_flat(value)) {
      out += std::string(width + 2 - key.size(), ' ') + line_text(key, value) + "\n";
    } else {
      out += "\n";
      print(value, indent + 2, out);
    }
  }
}

void print_list(const char* title, const std::vector<std::string>& lines, std::string& out) {
  for (const std::string& line : lines) out += cat(title, ": ", line, "\n");
}

}  // namespace

Json report_json(const Report& report) {
  Json json = report.facts;
  json["usable"] = report.usable();
  json["problems"] = report.problems;
  json["warnings"] = report.warnings;
  return json;
}

std::string report_text(const Report& report) {
  std::string out;
  print(report.facts, 0, out);
  print_list("problem", report.problems, out);
  print_list("warning", report.warnings, out);
  return out;
}

}  // namespace dd::inspect
