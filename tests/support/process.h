// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace dd::test {

/// What a program left behind.
struct ProcessResult {
  int status = -1;  ///< exit status; 128 + signal when it was killed
  std::string out;  ///< standard output
  std::string err;  ///< standard error
  double seconds = 0;
};

struct ProcessOptions {
  /// Sent once standard error holds `signal_after_text` and the time has passed (at once when that
  /// is empty and there is none).
  int signal = 0;
  int then_signal = 0;  ///< right after it
  std::string signal_after_text{};
  double signal_after_seconds = 0;
  /// Done, in this process, at the moment that the two above describe.
  std::function<void()> act{};
  /// Killed, and reported as status 137, when it takes longer.
  double limit_seconds = 240;
  std::map<std::string, std::string> environment{};
  /// Of the program, as setrlimit(2) numbers them: RLIMIT_AS, RLIMIT_FSIZE, …
  std::map<int, rlim_t> limits{};
};

namespace detail {

inline std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  return ends;
}

/// Replaces this process by the program; returns only where that fails.
inline void become(const std::vector<std::string>& words, const ProcessOptions& options) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  for (const auto& [resource, most] : options.limits) {
    const rlimit limit{most, most};
    ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  }
  ::execv(argv[0], argv.data());
}

/// Reads what is there; false at the end of the stream.
inline bool drain(int end, std::string& into) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(end, buffer.data(), buffer.size());
  if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace detail

/// Runs a program (full path first) to its end, without a shell and with nothing on standard input.
inline ProcessResult run_process(const std::vector<std::string>& words,
                                 const ProcessOptions& options = {}) {
  const auto out = detail::make_pipe();
  const auto err = detail::make_pipe();
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    detail::become(words, options);
    _exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  ProcessResult result;
  bool signal_is_due = options.signal != 0 || options.act;
  std::array<pollfd, 2> ends{pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0}};
  const auto elapsed = [&start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    ::poll(ends.data(), ends.size(), signal_is_due ? 2 : 50);
    if (ends[0].revents != 0 && !detail::drain(out[0], result.out)) ends[0].fd = -1;
    if (ends[1].revents != 0 && !detail::drain(err[0], result.err)) ends[1].fd = -1;
    if (signal_is_due && elapsed() >= options.signal_after_seconds &&
        result.err.find(options.signal_after_text) != std::string::npos) {
      if (options.act) options.act();
      if (options.signal != 0) ::kill(child, options.signal);
      if (options.then_signal != 0) ::kill(child, options.then_signal);
      signal_is_due = false;
    }
    if (elapsed() > options.limit_seconds) ::kill(child, SIGKILL);
  }
  int state = 0;
  ::waitpid(child, &state, 0);
  ::close(out[0]);
  ::close(err[0]);
  result.status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  result.seconds = elapsed();
  return result;
}

}  // namespace dd::test
