// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/terminal_reporter.h"

#include <ostream>

namespace dd::cli {
namespace {

// Faster than the eye can read, slow enough to cost nothing.
constexpr double kRedrawSeconds = 0.1;

/// Keeps at most `size` bytes, and no part of a UTF-8 letter.
void cut(std::string& text, std::size_t size) {
  if (text.size() <= size) return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  text.resize(size);
}

}  // namespace

TerminalReporter::TerminalReporter(std::ostream& stream, TerminalStyle style,
                                   std::function<double()> clock)
    : stream_(stream), style_(style), clock_(std::move(clock)) {}

TerminalReporter::~TerminalReporter() {
  end_drawn_line();
}

void TerminalReporter::info(const std::string& text) {
  if (!style_.quiet) line(text);
}

void TerminalReporter::warn(const std::string& text) {
  line("datadream: warning: " + text);
}

void TerminalReporter::progress(const std::string& task, std::int64_t done, std::int64_t total,
                                const std::string& detail) {
  if (style_.quiet) return;
  const double now = clock_();
  meter_.update(task, done, now);
  const bool is_new = task != shown_task_;
  const bool is_last = total > 0 && done >= total;
  const double wait = style_.rewrites_line ? kRedrawSeconds : style_.interval;
  if (!is_new && !is_last && now - shown_at_ < wait) return;
  if (is_new) end_drawn_line();
  shown_task_ = task;
  shown_at_ = now;
  std::string text = progress_text(task, done, total, meter_.speed(), detail);
  if (!style_.rewrites_line) {
    line(text);
    return;
  }
  // A line that wraps could not be drawn over.
  if (style_.columns > 1) cut(text, style_.columns - 1);
  stream_ << '\r' << text << "\x1b[K" << std::flush;
  line_is_open_ = true;
  if (is_last) end_drawn_line();
}

void TerminalReporter::line(const std::string& text) {
  end_drawn_line();
  stream_ << text + '\n' << std::flush;
}

void TerminalReporter::end_drawn_line() {
  if (line_is_open_) stream_ << '\n' << std::flush;
  line_is_open_ = false;
}

}  // namespace dd::cli
