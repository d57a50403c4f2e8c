// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dd/core/json.h"
#include "dd/core/ranks.h"

namespace dd {

/// The record of a stage's results, which is written last: where it is there, and of this identity
/// (settings, models and data, under the key "identity"), the results are complete. Nothing where
/// it is not there.
///
/// Together: rank 0 looks and tells the others, since all must decide alike and a network disk may
/// show some of them what was there a minute ago.
///
/// Error(kUsage) when the record is of another identity; `what` names the results ("a classifier").
/// `beside` are files that the caller wants as well and that not every call writes: without one of
/// them the results are not complete.
std::optional<Json> complete_record(const std::filesystem::path& file, const std::string& identity,
                                    const std::string& what, Ranks& ranks,
                                    const std::vector<std::filesystem::path>& beside = {});

/// What `read` makes of one of this program's records. Error(kInput) names the file where `read`
/// meets what the program did not write: the JSON library throws for a member that is not there, or
/// is of another kind.
template <class Read>
auto from_record(const std::filesystem::path& file, const Read& read) {
  try {
    return read();
  } catch (const nlohmann::json::exception&) {
    fail_input(cat(file.string(),
                   " is not as this program writes it; remove it and give the same command again"));
  }
}

}  // namespace dd
