// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace dd {

/// Learns a byte-level BPE in CLIP's form from `corpus` (UTF-8, cleaned and cut into words as
/// ClipTokenizer does) and writes vocab.json, merges.txt, tokenizer_config.json and
/// special_tokens_map.json, which ClipTokenizer and transformers' CLIPTokenizer load.
///
/// Ids: 256 byte symbols, the same 256 closing a word, one a new symbol, `<|startoftext|>`,
/// `<|endoftext|>` (also the padding). The most frequent pair is merged first, of equally frequent
/// ones that with the lower ids, so equal input gives equal files. Learning stops early when every
/// word of the corpus is one symbol. Error(kUsage) for a count of merges outside 0 ... 1,000,000 or
/// a context under 3 tokens, Error(kResource) when a file cannot be written.
void write_learned_tokenizer(const std::filesystem::path& folder,
                             std::span<const std::string> corpus, std::int64_t merges,
                             std::int64_t context_length = 77);

}  // namespace dd
