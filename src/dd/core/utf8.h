// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dd {

/// Whether a text can stand in the records that we write: JSON and TOML hold nothing else. Names of
/// files and words of the command line may be any bytes.
bool is_utf8(std::string_view text);

/// ASCII alone, every other byte as `\xHH`: shows which bytes a name has, and can be typed. Of a
/// long one the first 200 bytes and "...".
std::string escaped_bytes(std::string_view text);

}  // namespace dd
