// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dd {

/// What a Hugging Face tokenizer folder says, checked: every id lies in [0, 2^22) and is used once,
/// every merge has two parts.
struct TokenizerFiles {
  std::filesystem::path vocab_path;   ///< where the vocabulary came from, for messages
  std::filesystem::path merges_path;  ///< the same for the merges
  std::unordered_map<std::string, std::int64_t> vocab;
  std::vector<std::pair<std::string, std::string>> merges;
  std::map<std::string, std::int64_t> special_tokens;  ///< found in text as they stand
  std::int64_t start_id = 0, end_id = 0, pad_id = 0, unknown_id = 0;
  std::int64_t context_length = 77;
};

/// A folder with `vocab.json` and `merges.txt`, with `tokenizer.json`, or with OpenAI's merges
/// alone; or one file: `tokenizer.json`, or OpenAI's merges (openai_merges.h). Error(kInput) names
/// the file and what to do.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& path);

/// The files that read_tokenizer_files would read of this folder, as far as they are there, by
/// name; or the file itself.
std::vector<std::filesystem::path> tokenizer_file_paths(const std::filesystem::path& path);

/// "left right", a line of a list of merges; `where` names the line in errors.
std::pair<std::string, std::string> parse_merge(std::string_view line, const std::string& where);

}  // namespace dd
