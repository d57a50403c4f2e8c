// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace dd::run {

/// The noise levels that are guided, as one text: one axis of a sweep.
struct GuidanceInterval {
  double low = 0;
  double high = 0;  ///< 0 = no upper bound

  static constexpr const char* kAll = "all";

  /// "all", or LOW:HIGH, either of which may be left out: "0.5:3", "2:". Error(kUsage).
  static GuidanceInterval parse(const std::string& text);

  /// One text for all ways of writing it.
  std::string text() const;
};

/// The one text of each interval, where every given text may be a list with commas: {"all,0.5:3",
/// "2:"}. Error(kUsage).
std::vector<std::string> interval_texts(const std::vector<std::string>& given);

}  // namespace dd::run
