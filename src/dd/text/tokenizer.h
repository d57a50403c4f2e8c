// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace dd {

/// One prompt as a text encoder takes it.
struct Encoding {
  std::vector<std::int64_t> ids;  ///< context_length() of them: start, text, end, padding
  std::int64_t length = 0;        ///< ids up to and including the end token
  bool truncated = false;         ///< text was cut so that the end token fits
};

/// CLIP's byte-level BPE tokenizer, read from files as published for CLIP and Stable Diffusion.
///
/// Text is first cleaned (dd/text/clean.h), then cut at special tokens, then into words
/// (dd/text/words.h), each word into symbols. Special tokens are found wherever they stand, as
/// transformers finds them. Immutable after construction; copies share their tables; any number of
/// threads may call a const member at once.
class ClipTokenizer {
 public:
  /// Reads `vocab.json` + `merges.txt`, or `tokenizer.json` where those are missing, with the
  /// settings of `tokenizer_config.json` and `special_tokens_map.json` (the latter wins), or
  /// OpenAI's list of merges alone; in place of the folder, one of these files may be named.
  /// Error(kInput) names the file that is missing, damaged or contradicts itself.
  static ClipTokenizer load(const std::filesystem::path& path);

  /// UTF-8 in (bytes that are not UTF-8 count as U+FFFD); never fails on any text.
  Encoding encode(std::string_view text) const;

  std::int64_t vocab_size() const;  ///< highest id + 1: the rows an embedding needs
  std::int64_t start_id() const;
  std::int64_t end_id() const;
  std::int64_t pad_id() const;
  std::int64_t context_length() const;  ///< `model_max_length`; 77 where missing or absurd

 private:
  struct Tables;
  explicit ClipTokenizer(std::shared_ptr<const Tables> tables);

  std::shared_ptr<const Tables> tables_;
};

}  // namespace dd
