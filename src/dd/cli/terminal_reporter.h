// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "dd/cli/progress_meter.h"
#include "dd/core/context.h"

namespace dd::cli {

/// How a run is shown.
struct TerminalStyle {
  bool rewrites_line = false;  ///< progress in one line that is drawn anew, as on a terminal
  std::size_t columns = 80;    ///< longer progress lines are cut where they are drawn anew
  double interval = 15;        ///< seconds between progress lines where they are not
  bool quiet = false;          ///< warnings only
};

/// Shows messages and progress on standard error.
class TerminalReporter final : public Reporter {
 public:
  /// `clock` gives seconds and only goes forward. The stream must outlive the reporter.
  TerminalReporter(std::ostream& stream, TerminalStyle style, std::function<double()> clock);
  /// Ends a line that was still being drawn anew.
  ~TerminalReporter() override;
  TerminalReporter(const TerminalReporter&) = delete;
  TerminalReporter& operator=(const TerminalReporter&) = delete;

  void info(const std::string& text) override;
  void warn(const std::string& text) override;
  void progress(const std::string& task, std::int64_t done, std::int64_t total,
                const std::string& detail) override;

 private:
  void line(const std::string& text);
  void end_drawn_line();

  std::ostream& stream_;
  TerminalStyle style_;
  std::function<double()> clock_;
  ProgressMeter meter_;
  std::string shown_task_;
  double shown_at_ = 0;
  bool line_is_open_ = false;
};

}  // namespace dd::cli
