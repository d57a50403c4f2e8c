// SPDX-License-Identifier: Apache-2.0
#include "dd/core/names_text.h"

#include <algorithm>

#include "dd/core/error.h"

namespace dd {

std::string names_text(std::span<const std::string> names) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    text += cat(i == 0 ? "" : ", ", '"', names[i], '"');
  }
  if (names.size() > kShown) text += cat(" and ", names.size() - kShown, " more");
  return text;
}

}  // namespace dd
