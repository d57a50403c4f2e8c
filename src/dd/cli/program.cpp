// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/program.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <ostream>
#include <sstream>
#include <system_error>

#include "dd/cli/completion.h"
#include "dd/cli/config_file.h"
#include "dd/cli/help.h"
#include "dd/cli/json_log.h"
#include "dd/cli/man_page.h"
#include "dd/cli/rank_reporter.h"
#include "dd/cli/stop_signals.h"
#include "dd/cli/terminal_reporter.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/folder_lock.h"
#include "dd/ranks/join.h"
#include "dd/ranks/machine.h"
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

/// What a command runs in: this process alone, or one of several.
struct Session {
  CancelToken& cancel;
  Ranks& ranks;
  /// Of the place of results, on rank 0. Held until all ranks have left it.
  std::unique_ptr<FolderLock>& lock;
};

/// Cores and devices are divided among the ranks of a machine, where the user did not choose.
CommonOptions for_this_rank(CommonOptions common, Ranks& ranks) {
  if (ranks.alone()) return common;
  const LocalRanks local = local_ranks(ranks);
  if (common.threads == 0) common.threads = std::max<std::int64_t>(1, local.cores / local.count);
  const auto devices = static_cast<std::int64_t>(at::hasCUDA() ? at::getNumGPUs() : 0);
  common.device = device_of_rank(common.device, local.rank, devices);
  return common;
}

/// Together; nothing where the command needs no lock.
void lock_out(const CommandInfo& info, const CommonOptions& common, const Session& session,
              Reporter& report) {
  const auto file = lock_file_of(info, common);
  if (file.empty()) return;
  // The next holder removes what any of them left.
  const std::vector<std::string> endings = session.ranks.gather(temporary_ending());
  if (!session.ranks.first()) return;
  session.lock = std::make_unique<FolderLock>(common.out, file, endings);
  if (!session.lock->held()) {
    report.warn(cat("the disk of ", file.string(),
                    " knows no locks; start no second process on the same --out"));
  }
}

void run_command(const Command& command, const CommonOptions& given, const Session& session,
                 std::ostream& results, std::ostream& messages) {
  Ranks& ranks = session.ranks;
  if (!ranks.alone() && !command.info.shares_work) {
    fail_usage(cat(command.info.name, " works in one process, but was started as ", ranks.count(),
                   "; start it without mpirun or srun"));
  }
  TerminalReporter terminal(messages, style_for(given), seconds_now);
  // Before the log is opened: a refused process must not empty the holder's.
  lock_out(command.info, given, session, terminal);
  std::optional<JsonLog> log;
  if (!given.log_json.empty() && ranks.first()) log.emplace(given.log_json, terminal);
  const CommonOptions common = for_this_rank(given, ranks);
  if (common.threads > 0) at::set_num_threads(static_cast<int>(common.threads));
  RankReporter shown(log ? static_cast<Reporter&>(*log) : terminal, ranks, session.cancel);
  std::optional<Profile> profile;
  if (common.profile && ranks.first()) profile.emplace(shown);
  Context context{profile ? static_cast<Reporter&>(*profile) : shown, session.cancel, ranks};
  try {
    command.run(common, context, results);
  } catch (const Error& error) {
    // What is put in place whole is not there yet; an earlier one keeps its own.
    const bool is_begun = command.info.locking != OutLocking::kBeside;
    if (error.kind() != ErrorKind::kCancelled) throw;
    if (is_begun && ranks.first()) save_config(command, given);
    if (!given.force) throw;
    throw Error(ErrorKind::kCancelled,
                is_begun ? "stopped; with --force the same command starts over, without it it goes "
                           "on with what is there"
                         : "stopped; the same command starts over");
  }
  if (profile) {
    profile->stop();
    profile->print(messages, measured_peak());
  }
  if (ranks.first()) save_config(command, given);
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
              const Session& session, std::ostream& results, std::ostream& messages) {
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
  run_command(command, common, session, results, messages);
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

/// Runs the work and says how it ended.
Outcome outcome_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const Error& error) {
    return {status_of(error.kind()), error.kind() == ErrorKind::kCancelled, error.what()};
  } catch (const c10::OutOfMemoryError& error) {
    return {kFailed, false,
            cat("out of device memory: ", error.what_without_backtrace(), kMemoryRemedy)};
  } catch (const c10::Error& error) {
    return {kFailed, false, text_of(error)};
  } catch (const std::bad_alloc&) {
    return {kFailed, false, cat("out of memory", kMemoryRemedy)};
  } catch (const std::system_error& error) {
    const bool no_thread = error.code() == std::errc::resource_unavailable_try_again;
    return {
        kFailed, false,
        no_thread ? cat("out of memory, or of threads", kMemoryRemedy) : std::string(error.what())};
  } catch (const std::exception& error) {
    // oneDNN's words when it finds no memory for its code and buffers.
    const bool of_onednn = std::string_view(error.what()).starts_with("could not ");
    return {kFailed, false,
            of_onednn ? cat("out of memory, it seems: oneDNN ", error.what(), kMemoryRemedy)
                      : std::string(error.what())};
  }
}

int report(const Outcome& outcome, std::ostream& messages) {
  if (outcome.status == kDone) return kDone;
  // In one piece: launchers mix what ranks and they themselves write.
  messages << cat(outcome.is_stopped ? "datadream: " : "datadream: error: ",
                  on_one_line(outcome.text), '\n')
           << std::flush;
  return outcome.status;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const std::vector<Command>& commands,
                std::ostream& results, std::ostream& messages) {
  const Launch launch = find_launch();
  CancelToken cancel;
  // Before MPI starts threads of its own.
  std::optional<StopSignals> signals;
  const Outcome watched = outcome_of([&] { signals.emplace(cancel, launch.rank == 0); });
  if (watched.status != kDone) return report(watched, messages);
  std::unique_ptr<FolderLock> lock;
  if (launch.count == 1) {
    return report(outcome_of([&] {
                    dispatch(arguments, commands, {cancel, lone_rank(), lock}, results, messages);
                  }),
                  messages);
  }
  std::unique_ptr<Ranks> ranks;
  const Outcome joined = outcome_of([&] { ranks = join_ranks(launch); });
  // All fail alike: one tells, the others leave without a word, or it would be killed for them.
  if (!ranks) return launch.rank == 0 ? report(joined, messages) : kDone;
  std::ostringstream unseen;
  std::ostream& shown = ranks->first() ? results : unseen;
  const Outcome agreed = ranks->settle(outcome_of([&] {
    dispatch(arguments, commands, {cancel, *ranks, lock}, shown, messages);
  }));
  // Else it stays, and tells the next process which temporary files a lost rank may have left.
  if (agreed.is_agreed) lock.reset();
  // From here on launchers may end this rank because another is gone.
  signals.reset();
  return ranks->first() ? report(agreed, messages) : agreed.status;
}

}  // namespace dd::cli
