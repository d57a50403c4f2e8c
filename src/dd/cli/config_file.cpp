// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/config_file.h"

// Some malformed keys the library takes for a fault of its own: it would end the program, or, where
// NDEBUG says so, go on as if it could not be.
#undef NDEBUG
namespace dd::cli {
namespace {
struct MalformedKey {};
[[noreturn]] void throw_malformed_key() {
  throw MalformedKey{};
}
}  // namespace
}  // namespace dd::cli
#define TOML_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : dd::cli::throw_malformed_key())
#include <toml++/toml.h>

#include <algorithm>
#include <string_view>

#include "dd/cli/field_text.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"

namespace dd::cli {
namespace {

// A configuration is written by hand; anything larger is some other file.
constexpr std::uintmax_t kMaxConfigBytes = 1 << 20;

Json to_json(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* list = node.as_array()) {
    Json items = Json::array();
    for (const toml::node& item : *list) items.push_back(to_json(item, where));
    return items;
  }
  fail_usage(cat(where, ":", node.source().begin.line,
                 ": a text, a number, true, false or a list of these is expected"));
}

/// Whether a key may have more parts than any option needs: the library builds, and takes down, a
/// table within a table for each, by recursion, and bounds lists alone. Dots in a row of what no
/// key holds count from the beginning, so that lists of numbers pass.
bool may_nest_too_deeply(std::string_view text) {
  constexpr int kMostDots = 1000;
  int dots = 0;
  for (const char letter : text) {
    if (letter == '.') ++dots;
    if (std::string_view("\n,={}").find(letter) != std::string_view::npos) dots = 0;
    if (dots > kMostDots) return true;
  }
  return false;
}

toml::table parse(const std::filesystem::path& file) {
  const std::string text = read_file(file, kMaxConfigBytes);
  if (may_nest_too_deeply(text)) {
    fail_usage(cat(file.string(), " nests its tables too deeply; is it the right file?"));
  }
  try {
    return toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    fail_usage(cat(file.string(), ":", place.line, ":", place.column, ": ", error.description()));
  } catch (const MalformedKey&) {
    fail_usage(cat(file.string(), ": a key, or the name of a table, begins with what none begins ",
                   "with; mend it, or put it in quotes"));
  }
}

/// Sorts one table's keys into the two groups of options.
class Collector {
 public:
  Collector(std::string where, const CommonOptions& common_options, const Options& options)
      : where_(std::move(where)),
        common_keys_(options_to_json(common_options)),
        command_keys_(options_to_json(options)) {}

  void add(const std::string& key, const toml::node& node,
           const std::vector<std::string>& more_names) {
    if (common_keys_.contains(key)) {
      common[key] = to_json(node, where_);
    } else if (command_keys_.contains(key)) {
      command[key] = to_json(node, where_);
    } else {
      std::vector<std::string> known = more_names;
      for (const Json& keys : {common_keys_, command_keys_}) {
        for (const auto& [name, value] : keys.items()) known.push_back(name);
      }
      fail_usage(cat(where_, ":", node.source().begin.line, ": unknown option \"", key,
                     "\"; did you mean \"", nearest_name(key, known), "\"?"));
    }
  }
  Json common = Json::object();
  Json command = Json::object();

 private:
  std::string where_;
  Json common_keys_;
  Json command_keys_;
};

std::string toml_value(const Json& value) {
  if (value.is_array()) {
    std::string items;
    for (const Json& item : value) items += (items.empty() ? "" : ", ") + toml_value(item);
    return "[" + items + "]";
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    const std::string text = number_text(number);
    // Without a point or an exponent it would be read back as a whole number.
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  // JSON's escapes are a part of TOML's, and so are its whole numbers and its true and false.
  return value.dump();
}

std::string toml_lines(const Json& values) {
  std::string text;
  for (const auto& [key, value] : values.items()) {
    // TOML has no null: what is absent is left out.
    if (!value.is_null()) text += key + " = " + toml_value(value) + "\n";
  }
  return text;
}

/// A command's table; names of two words get a dash.
std::string table_name(std::string command) {
  std::replace(command.begin(), command.end(), ' ', '-');
  return command;
}

}  // namespace

void read_config(const std::filesystem::path& file, const std::string& command,
                 const std::vector<std::string>& commands, CommonOptions& common,
                 Options& options) {
  const toml::table root = parse(file);
  Collector collector(file.string(), common, options);
  for (const auto& [key, node] : root) {
    const std::string name(key.str());
    const bool names_a_command =
        std::any_of(commands.begin(), commands.end(),
                    [&](const std::string& other) { return table_name(other) == name; });
    if (node.is_table() && names_a_command) continue;
    collector.add(name, node, commands);
  }
  // The command's own table comes second, so that it wins over the top of the file.
  if (const toml::table* own = root[table_name(command)].as_table()) {
    for (const auto& [key, node] : *own) collector.add(std::string(key.str()), node, {});
  }
  options_from_json(common, collector.common, file.string());
  options_from_json(options, collector.command, file.string());
}

std::string config_text(const std::string& command, const CommonOptions& common,
                        const Options& options) {
  Json shared = options_to_json(common);
  // Asked for once, not whenever the file is taken: it would remove what was done since.
  shared.erase("force");
  return cat("# The options that `datadream ", command, "` ran with; take them again with\n",
             "#   datadream ", command, " --config THIS_FILE\n", toml_lines(shared), "\n[",
             table_name(command), "]\n", toml_lines(options_to_json(options)));
}

}  // namespace dd::cli
