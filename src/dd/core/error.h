// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace dd {

/// What went wrong, as far as the caller can act on it. Only `cli` turns a kind into an exit
/// status.
enum class ErrorKind {
  kUsage,      ///< the command line or the configuration is wrong
  kInput,      ///< a file or folder from outside is missing, damaged or does not fit
  kResource,   ///< disk, memory or device failed
  kInternal,   ///< a fault of ours
  kCancelled,  ///< the user stopped the work; it can be resumed
};

/// The one exception of the library. `what()` reads "WHAT, WHERE; WHAT TO DO".
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// Joins anything printable: cat("read ", n, " of ", total).
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

[[noreturn]] void fail_usage(const std::string& text);
[[noreturn]] void fail_input(const std::string& text);
[[noreturn]] void fail_resource(const std::string& text);
[[noreturn]] void fail_internal(const std::string& text);

/// Asserts an invariant of ours; throws Error(kInternal) with the text when it does not hold.
inline void ensure(bool condition, const char* text) {
  if (!condition) fail_internal(text);
}

}  // namespace dd
