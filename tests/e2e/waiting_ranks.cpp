// SPDX-License-Identifier: Apache-2.0
// Ranks that do not do the same: the first ends at once, the others wait for it. ranks_test.cpp
// looks at what becomes of them.
#include <iostream>

#include "dd/core/error.h"
#include "dd/ranks/join.h"

int main() {
  const std::unique_ptr<dd::Ranks> ranks = dd::join_ranks(dd::find_launch());
  dd::Outcome mine;
  try {
    if (!ranks->first()) ranks->meet();
  } catch (const dd::Error& error) {
    mine = {1, false, error.what()};
  }
  const dd::Outcome agreed = ranks->settle(mine);
  if (ranks->first()) std::cerr << agreed.text << '\n';
  return agreed.status;
}
