// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace dd {

/// The words of cleaned text, by CLIP's pattern: 's 't 're 've 'm 'll 'd, a run of letters, a
/// single number character, or a run of anything else that is not white space. Views into `text`.
std::vector<std::u32string_view> clip_words(std::u32string_view text);

}  // namespace dd
