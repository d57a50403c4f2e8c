// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/text/tokenizer_files.h"

namespace dd {

/// The name under which OpenAI's and OpenCLIP's packages carry the list.
inline constexpr const char* kOpenAiMerges = "bpe_simple_vocab_16e6.txt.gz";

/// A list of merges from which the vocabulary follows as in OpenAI's CLIP: the bytes, the bytes
/// that close a word, what each merge makes, <|startoftext|>, <|endoftext|>. The first line is a
/// title, of the merges only the first 48,894 count (49,408 entries). The file may be packed with
/// gzip. Error(kInput) names the line.
TokenizerFiles read_openai_merges(const std::filesystem::path& path);

}  // namespace dd
