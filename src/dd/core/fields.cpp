// SPDX-License-Identifier: Apache-2.0
#include "dd/core/fields.h"

#include <algorithm>
#include <numeric>

#include "dd/core/any_type_visitor.h"

namespace dd {
namespace {

std::string key_of(const std::string& flag) {
  std::string key = flag;
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

class JsonWriter : public AnyTypeVisitor<JsonWriter> {
 public:
  template <class T>
  void any(const std::string& name, T& value, const FieldInfo&) {
    if constexpr (std::is_same_v<T, std::filesystem::path>) {
      json[key_of(name)] = value.string();
    } else if constexpr (std::is_same_v<T, std::optional<std::string>>) {
      json[key_of(name)] = value ? Json(*value) : Json();
    } else {
      json[key_of(name)] = value;
    }
  }
  Json json = Json::object();
};

class JsonReader : public AnyTypeVisitor<JsonReader> {
 public:
  JsonReader(const Json& values, std::string where) : values_(values), where_(std::move(where)) {}

  template <class T>
  void any(const std::string& name, T& value, const FieldInfo&) {
    const std::string key = key_of(name);
    known.push_back(key);
    const auto found = values_.find(key);
    if (found == values_.end()) return;
    try {
      if constexpr (std::is_same_v<T, std::filesystem::path>) {
        value = found->get<std::string>();
      } else if constexpr (std::is_same_v<T, std::optional<std::string>>) {
        value.reset();
        if (!found->is_null()) value = found->get<std::string>();
      } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        value = texts(found->get_ref<const Json::array_t&>());
      } else {
        value = json_as<T>(*found);
      }
    } catch (const nlohmann::json::exception&) {
      fail_usage(cat(where_, ": the value of \"", key, "\" has the wrong type (", found->dump(),
                     "); see --help"));
    }
  }
  std::vector<std::string> known;

 private:
  /// Numbers in a list of texts (0.5 for "0.5") are what one writes by hand.
  static std::vector<std::string> texts(const Json::array_t& list) {
    std::vector<std::string> result;
    for (const Json& item : list) {
      result.push_back(item.is_number() ? item.dump() : item.get<std::string>());
    }
    return result;
  }

  const Json& values_;
  std::string where_;
};

class Checker : public AnyTypeVisitor<Checker> {
 public:
  template <class T>
  void any(const std::string& name, T& value, const FieldInfo& info) {
    if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, double>) {
      in_range(name, static_cast<double>(value), info);
    } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
      for (const std::int64_t item : value) in_range(name, static_cast<double>(item), info);
    } else if constexpr (std::is_same_v<T, std::string>) {
      one_of(name, value, info);
      if (info.required && value.empty()) fail_usage(cat("--", name, " is missing; give it"));
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      for (const std::string& item : value) one_of(name, item, info);
    } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
      if (info.required && value.empty()) fail_usage(cat("--", name, " is missing; give it"));
    }
  }

 private:
  static void in_range(const std::string& name, double value, const FieldInfo& info) {
    // Written so that NaN fails.
    if (!(value >= info.low && value <= info.high)) {
      fail_usage(cat("--", name, " is ", value, ", but must lie in ", info.low, " … ", info.high));
    }
  }
  static void one_of(const std::string& name, const std::string& value, const FieldInfo& info) {
    if (info.choices.empty()) return;
    if (std::find(info.choices.begin(), info.choices.end(), value) != info.choices.end()) return;
    std::string list;
    for (const std::string& choice : info.choices) list += (list.empty() ? "" : ", ") + choice;
    fail_usage(cat("--", name, " is \"", value, "\", but must be one of: ", list));
  }
};

// Reading visitors do not write to the fields, so a const options object may be shown to them.
template <class Visitor>
Visitor& visit_const(const Options& options, Visitor& visitor) {
  const_cast<Options&>(options).visit(visitor);
  return visitor;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

Json options_to_json(const Options& options) {
  JsonWriter writer;
  return visit_const(options, writer).json;
}

void options_from_json(Options& options, const Json& values, const std::string& where) {
  if (!values.is_object()) fail_usage(cat(where, ": a table of options is expected"));
  JsonReader reader(values, where);
  options.visit(reader);
  for (const auto& [key, value] : values.items()) {
    if (std::find(reader.known.begin(), reader.known.end(), key) == reader.known.end()) {
      fail_usage(cat(where, ": unknown option \"", key, "\"; did you mean \"",
                     nearest_name(key, reader.known), "\"?"));
    }
  }
}

void check_options(const Options& options) {
  Checker checker;
  visit_const(options, checker);
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  const auto closer = [&](const std::string& a, const std::string& b) {
    return edit_distance(word, a) < edit_distance(word, b);
  };
  const auto best = std::min_element(candidates.begin(), candidates.end(), closer);
  return best == candidates.end() ? "" : *best;
}

}  // namespace dd
