// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "dd/cli/bind_options.h"
#include "dd/cli/config_file.h"
#include "dd/cli/program.h"
#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/core/utf8.h"

namespace dd::cli {
namespace {

/// Names what CLI11 could not place.
[[noreturn]] void fail_unknown(const std::vector<std::string>& extras, const CLI::App& app,
                               const std::string& command) {
  const auto option = std::find_if(extras.begin(), extras.end(),
                                   [](const std::string& text) { return text.starts_with("-"); });
  const std::string hint = cat("see datadream ", command, " --help");
  if (option == extras.end()) {
    fail_usage(cat("unexpected argument \"", extras.front(), "\"; ", hint));
  }
  std::vector<std::string> known{"--help"};
  for (const CLI::Option* candidate : app.get_options()) {
    for (const std::string& name : candidate->get_lnames()) known.push_back("--" + name);
  }
  const std::string name = option->substr(0, option->find('='));
  fail_usage(
      cat("unknown option ", name, "; did you mean ", nearest_name(name, known), "? ", hint));
}

/// What of `options` was given by the user, to be laid over a configuration file.
Json given_values(const Options& options, const std::vector<std::string>& keys) {
  Json given = Json::object();
  const Json all = options_to_json(options);
  for (const auto& [key, value] : all.items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) given[key] = value;
  }
  return given;
}

/// What is given here is written to config.toml and into records, which hold nothing else.
void check_encoding(const std::vector<std::string>& arguments) {
  for (const std::string& text : arguments) {
    if (is_utf8(text)) continue;
    fail_usage(cat("\"", escaped_bytes(text), "\" is not UTF-8; write it so, or where it names a ",
                   "file or folder, rename that or reach it by a link"));
  }
}

}  // namespace

void parse_command(const Command& command, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& command_names, CommonOptions& common) {
  if (command.info.needs_out) check_encoding(arguments);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::string config;
  app.add_option("--config", config);
  bind_options(app, common);
  bind_options(app, *command.options, command.info.positional);
  try {
    // CLI11 takes the words from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    fail_usage(cat(error.what(), "; see datadream ", command.info.name, " --help"));
  }
  if (const auto extras = app.remaining(); !extras.empty()) {
    fail_unknown(extras, app, command.info.name);
  }
  if (!config.empty()) {
    const std::vector<std::string> keys = given_keys(app);
    const Json common_given = given_values(common, keys);
    const Json own_given = given_values(*command.options, keys);
    read_config(config, command.info.name, command_names, common, *command.options);
    options_from_json(common, common_given, "command line");
    options_from_json(*command.options, own_given, "command line");
  }
  common.check();
  check_options(*command.options);
  if (command.info.needs_out && common.out.empty()) {
    fail_usage(cat("--out is missing; name the folder that ", command.info.name, " writes to"));
  }
}

}  // namespace dd::cli
