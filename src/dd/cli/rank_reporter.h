// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/core/context.h"
#include "dd/core/ranks.h"

namespace dd::cli {

/// Reports of one rank among several: rank 0's are passed on, those of the others are dropped, for
/// they would say the same. Progress, which every stage reports often, is also when ranks look
/// whether a stop was asked for: on one of them stops all.
class RankReporter final : public Reporter {
 public:
  /// All must outlive the reporter.
  RankReporter(Reporter& next, Ranks& ranks, CancelToken& cancel)
      : next_(next), ranks_(ranks), cancel_(cancel) {}

  void info(const std::string& text) override {
    if (ranks_.first()) next_.info(text);
  }
  void warn(const std::string& text) override {
    if (ranks_.first()) next_.warn(text);
  }
  void progress(const std::string& task, std::int64_t done, std::int64_t total,
                const std::string& detail) override {
    if (ranks_.share_stop(cancel_.requested())) cancel_.request();
    if (ranks_.first()) next_.progress(task, done, total, detail);
  }

 private:
  Reporter& next_;
  Ranks& ranks_;
  CancelToken& cancel_;
};

}  // namespace dd::cli
