// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/program.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <ostream>
#include <sstream>
#include <system_error>
#include <thread>

#include "dd/cli/answers.h"
#include "dd/cli/config_file.h"
#include "dd/cli/help.h"
#include "dd/cli/json_log.h"
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
  if (common.dry_run || common.out.empty() || !path_is_folder(common.out)) return;
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
  if (const std::string text = session.lock->warning(); !text.empty()) report.warn(text);
}

void check_written(std::ostream& results) {
  if (!results.flush()) fail_resource("writing results failed, standard output; is the disk full?");
}

/// Together: else each would do its part of something else. Where a rank writes and what it
/// computes with are its own.
void check_same_work(const Command& command, CommonOptions common, Ranks& ranks) {
  if (ranks.alone()) return;
  const CommonOptions usual;
  common.out = usual.out;
  common.threads = usual.threads;
  common.device = usual.device;
  common.log_json = usual.log_json;
  const std::string own =
      sha256_of(version_text() + config_text(command.info.name, common, *command.options));
  for (const std::string& other : ranks.gather(own)) {
    if (other == own) continue;
    fail_usage(
        "the ranks were started with unlike commands, options or programs; give all of them the "
        "same command line, --config and version");
  }
}

void run_command(const Command& command, const CommonOptions& given, const Session& session,
                 std::ostream& results, std::ostream& messages) {
  Ranks& ranks = session.ranks;
  if (!ranks.alone() && !command.info.shares_work) {
    fail_usage(cat(command.info.name, " works in one process, but was started as ", ranks.count(),
                   "; start it without mpirun or srun"));
  }
  check_same_work(command, given, ranks);
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
  check_written(results);
}

void dispatch(const std::vector<std::string>& arguments, const std::vector<Command>& commands,
              const Session& session, std::ostream& results, std::ostream& messages) {
  const auto [command, words] = find_command(arguments, commands);
  CommonOptions common;
  parse_command(command, {arguments.begin() + words, arguments.end()}, command_names(commands),
                common);
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
  } catch (const std::filesystem::filesystem_error& error) {
    return {kWrongInput, false,
            cat("cannot reach ", error.path1().string(), ": ", error.code().message(),
                "; check the path and its permissions")};
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
  if (asks_for_answer(arguments)) {
    // One of several tells it.
    if (launch.rank != 0) return kDone;
    return report(outcome_of([&] {
                    results << answer(arguments, commands);
                    check_written(results);
                  }),
                  messages);
  }
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
  if (!ranks) {
    // Mostly all fail alike: one tells, and its launcher ends the others for it. One that is still
    // there after that may have failed alone, as on a machine without MPI, and tells it too.
    if (launch.rank != 0) std::this_thread::sleep_for(std::chrono::seconds(2));
    return report(joined, messages);
  }
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
