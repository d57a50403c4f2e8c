// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/program.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <ostream>
#include <system_error>

#include "dd/cli/completion.h"
#include "dd/cli/config_file.h"
#include "dd/cli/help.h"
#include "dd/cli/json_log.h"
#include "dd/cli/man_page.h"
#include "dd/cli/stop_signals.h"
#include "dd/cli/terminal_reporter.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/folder_lock.h"
#include "dd/tensor/profile.h"

namespace dd::cli {
namespace {

enum Status { kDone = 0, kFailed = 1, kWrongInput = 2, kStopped = 130 };

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TerminalStyle style_for(const CommonOptions& common) {
  TerminalStyle style;
  style.quiet = common.quiet;
  style.rewrites_line = ::isatty(STDERR_FILENO) != 0 && !common.verbose;
  if (common.verbose) style.interval = 1;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    style.columns = size.ws_col;
  return style;
}

/// Beside the results, so that they can be made again; a run that was refused leaves no trace.
void save_config(const Command& command, const CommonOptions& common) {
  if (common.dry_run || common.out.empty() || !std::filesystem::is_directory(common.out)) return;
  write_file_atomically(common.out / "config.toml",
                        config_text(command.info.name, common, *command.options));
}

/// The lock file that belongs to what the command writes; empty when it needs none.
std::filesystem::path lock_file_of(const CommandInfo& info, const CommonOptions& common) {
  const std::filesystem::path& out = common.out;
  if (common.dry_run || out.empty() || !info.needs_out || info.locking == OutLocking::kOwn)
    return {};
  if (info.locking == OutLocking::kInside) return out / ".lock";
  const std::filesystem::path clean = out.has_filename() ? out : out.parent_path();
  return clean.parent_path() / cat(".", clean.filename().string(), ".lock");
}

void run_command(const Command& command, const CommonOptions& common, std::ostream& results,
                 std::ostream& messages) {
  CancelToken cancel;
  const StopSignals signals(cancel);
  TerminalReporter terminal(messages, style_for(common), seconds_now);
  // Before the log is opened: a refused process must not empty the holder's.
  std::optional<FolderLock> lock;
  if (const auto file = lock_file_of(command.info, common); !file.empty()) {
    lock.emplace(common.out, file);
    if (!lock->held())
      terminal.warn(cat("the disk of ", file.string(),
                        " knows no locks; start no second process on the same --out"));
  }
  std::optional<JsonLog> log;
  if (!common.log_json.empty()) log.emplace(common.log_json, terminal);
  if (common.threads > 0) at::set_num_threads(static_cast<int>(common.threads));
  Reporter& shown = log ? static_cast<Reporter&>(*log) : terminal;
  std::optional<Profile> profile;
  if (common.profile) profile.emplace(shown);
  Context context{profile ? static_cast<Reporter&>(*profile) : shown, cancel};
  try {
    command.run(common, context, results);
  } catch (const Error& error) {
    // What is put in place whole is not there yet; an earlier one keeps its own.
    const bool is_begun = command.info.locking != OutLocking::kBeside;
    if (error.kind() == ErrorKind::kCancelled && is_begun) save_config(command, common);
    throw;
  }
  if (profile) {
    profile->stop();
    profile->print(messages, measured_peak());
  }
  save_config(command, common);
  if (!results.flush()) fail_resource("writing results failed, standard output; is the disk full?");
}

struct FoundCommand {
  std::size_t place;  ///< in the list of names
  std::ptrdiff_t words;
};

/// A name may be of one word or of two.
FoundCommand find_command(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& names) {
  std::string asked;
  for (std::ptrdiff_t words = 1; words <= std::min<std::ptrdiff_t>(2, std::ssize(arguments));
       ++words) {
    asked += (words == 1 ? "" : " ") + arguments[static_cast<std::size_t>(words - 1)];
    const auto found = std::find(names.begin(), names.end(), asked);
    if (found != names.end()) return {static_cast<std::size_t>(found - names.begin()), words};
  }
  const std::string& first = arguments.front();
  const auto longer = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return name.starts_with(first + " ");
  });
  fail_usage(cat("unknown command \"", longer == names.end() ? first : asked, "\"; did you mean ",
                 longer == names.end() ? nearest_name(first, names) : *longer,
                 "? See datadream --help"));
}

void dispatch(const std::vector<std::string>& arguments, const std::vector<Command>& commands,
              std::ostream& results, std::ostream& messages) {
  const std::string first = arguments.empty() ? "--help" : arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    results << program_help(commands);
    return;
  }
  if (first == "--version") {
    results << version_text() << "\n";
    return;
  }
  if (first == "completion") {
    if (arguments.size() != 2) fail_usage("completion takes one word: bash, zsh or fish");
    results << completion_script(arguments[1], commands);
    return;
  }
  // Not in the help: `make docs` writes docs/cli.md with the one, the installation takes the other.
  if (first == "help-markdown" || first == "help-man") {
    results << (first == "help-man" ? man_page(commands) : help_markdown(commands));
    return;
  }
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.info.name);
  const auto [place, words] = find_command(arguments, names);
  const Command& command = commands[place];
  const std::vector<std::string> rest(arguments.begin() + words, arguments.end());
  const auto asks_help = [](const std::string& text) { return text == "--help" || text == "-h"; };
  if (std::any_of(rest.begin(), rest.end(), asks_help)) {
    results << command_help(command);
    return;
  }
  CommonOptions common;
  parse_command(command, rest, names, common);
  run_command(command, common, results, messages);
}

Status status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kInput:
      return kWrongInput;
    case ErrorKind::kCancelled:
      return kStopped;
    case ErrorKind::kResource:
    case ErrorKind::kInternal:
      break;
  }
  return kFailed;
}

/// Scripts read the error as one line, whatever a library, or a name from a file, put into its
/// text; a terminal must not obey it.
std::string on_one_line(std::string text) {
  constexpr std::size_t kLongest = 4000;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > kLongest) text.replace(kLongest, text.npos, " …");
  for (char& letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '\n' || letter == '\t') {
      letter = ' ';
    } else if (code < 0x20 || code == 0x7f) {
      letter = '?';
    }
  }
  return text;
}

constexpr const char* kMemoryRemedy =
    "; take a smaller --batch, smaller images or a smaller model, or close other programs, then "
    "run "
    "the same command again: what is finished is kept";

/// LibTorch's own words where they are all there is; its failed allocations are told apart by them.
std::string text_of(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  constexpr std::string_view kWanted = "you tried to allocate ";
  const std::size_t at = text.find(kWanted);
  if (text.find("can't allocate memory") == text.npos || at == text.npos)
    return cat("LibTorch: ", text);
  const std::size_t number = at + kWanted.size();
  const std::string bytes =
      text.substr(number, text.find_first_not_of("0123456789", number) - number);
  return cat("out of memory: ", bytes, " bytes more were needed", kMemoryRemedy);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const std::vector<Command>& commands,
                std::ostream& results, std::ostream& messages) {
  const auto report = [&messages](Status status, const std::string& text) {
    messages << (status == kStopped ? "datadream: " : "datadream: error: ") << on_one_line(text)
             << std::endl;
    return status;
  };
  try {
    dispatch(arguments, commands, results, messages);
    return kDone;
  } catch (const Error& error) {
    return report(status_of(error.kind()), error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return report(kFailed, cat("out of device memory: ", error.what_without_backtrace(),
                               "; take a smaller batch, or --device cpu"));
  } catch (const c10::Error& error) {
    return report(kFailed, text_of(error));
  } catch (const std::bad_alloc&) {
    return report(kFailed, cat("out of memory", kMemoryRemedy));
  } catch (const std::system_error& error) {
    const bool no_thread = error.code() == std::errc::resource_unavailable_try_again;
    return report(kFailed, no_thread ? cat("out of memory, or of threads", kMemoryRemedy)
                                     : std::string(error.what()));
  } catch (const std::exception& error) {
    // oneDNN's words when it finds no memory for its code and buffers.
    const bool of_onednn = std::string_view(error.what()).starts_with("could not ");
    return report(kFailed,
                  of_onednn ? cat("out of memory, it seems: oneDNN ", error.what(), kMemoryRemedy)
                            : std::string(error.what()));
  }
}

}  // namespace dd::cli
