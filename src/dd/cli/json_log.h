// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "dd/core/context.h"

namespace dd::cli {

/// Passes everything on, and writes it to a file as well, one JSON object a line:
///   {"time": "2026-01-31T12:00:00Z", "kind": "progress", "task": …, "done": …, "total": …,
///   "detail": …}
///   {"time": …, "kind": "info" or "warning", "text": …}
/// A resumed run goes on in the same file. Progress is thinned to one line a second and task. When
/// the disk takes no more, the work goes on, and the user is warned once.
class JsonLog final : public Reporter {
 public:
  /// Error(kUsage) when the file cannot be opened. `next` must outlive the log.
  JsonLog(const std::filesystem::path& file, Reporter& next);

  void info(const std::string& text) override;
  void warn(const std::string& text) override;
  void progress(const std::string& task, std::int64_t done, std::int64_t total,
                const std::string& detail) override;

 private:
  void message(const char* kind, const std::string& text);
  void write(const std::string& line);

  Reporter& next_;
  std::filesystem::path path_;
  std::ofstream file_;
  std::string last_task_;
  std::string last_time_;
  bool is_lost_ = false;  ///< the user knows that lines are missing
};

}  // namespace dd::cli
