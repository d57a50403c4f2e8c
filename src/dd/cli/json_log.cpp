// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/json_log.h"

#include <array>
#include <ctime>

#include "dd/core/error.h"
#include "dd/core/json.h"

namespace dd::cli {
namespace {

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

/// Names of files may hold any bytes; those that are no UTF-8 are replaced rather than refused.
std::string one_line(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

JsonLog::JsonLog(const std::filesystem::path& file, Reporter& next)
    : next_(next), path_(file), file_(file, std::ios::app) {
  if (!file_)
    fail_usage(cat("--log-json: cannot write ", file.string(), "; does its folder exist?"));
}

void JsonLog::info(const std::string& text) {
  message("info", text);
  next_.info(text);
}

void JsonLog::warn(const std::string& text) {
  message("warning", text);
  next_.warn(text);
}

void JsonLog::progress(const std::string& task, std::int64_t done, std::int64_t total,
                       const std::string& detail) {
  next_.progress(task, done, total, detail);
  const std::string now = time_text();
  const bool is_last = total > 0 && done >= total;
  if (!is_last && task == last_task_ && now == last_time_) return;
  last_task_ = task;
  last_time_ = now;
  write(one_line({{"time", now},
                  {"kind", "progress"},
                  {"task", task},
                  {"done", done},
                  {"total", total},
                  {"detail", detail}}));
}

void JsonLog::message(const char* kind, const std::string& text) {
  write(one_line({{"time", time_text()}, {"kind", kind}, {"text", text}}));
}

void JsonLog::write(const std::string& line) {
  file_.clear();  // there may be room again
  if ((file_ << line << std::flush) || is_lost_) return;
  is_lost_ = true;
  next_.warn(cat("lines of --log-json ", path_.string(),
                 " cannot be written and are missing there; is its disk full?"));
}

}  // namespace dd::cli
