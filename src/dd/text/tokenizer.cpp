// SPDX-License-Identifier: Apache-2.0
#include "dd/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dd/core/error.h"
#include "dd/text/byte_pairs.h"
#include "dd/text/clean.h"
#include "dd/text/tokenizer_files.h"
#include "dd/text/unicode.h"
#include "dd/text/words.h"

namespace dd {
namespace {

// Far more than any context holds; keeps a hostile prompt's cost small.
constexpr std::size_t kLongestPrompt = std::size_t{16} << 10;

MergeTable make_merges(const TokenizerFiles& files) {
  MergeTable table;
  const auto id = [&](const std::string& symbol, const std::string& merge) {
    const auto found = files.vocab.find(symbol);
    if (found == files.vocab.end()) {
      fail_input(cat("\"", symbol, "\" of the merge \"", merge, "\" in ",
                     files.merges_path.string(), " is not in ", files.vocab_path.string(),
                     "; the two belong to different tokenizers, fetch them together"));
    }
    return found->second;
  };
  std::int64_t rank = 0;
  for (const auto& [left, right] : files.merges) {
    const std::string merge = cat(left, " ", right);
    table.add(id(left, merge), id(right, merge), rank++, id(left + right, merge));
  }
  return table;
}

}  // namespace

struct ClipTokenizer::Tables {
  std::array<std::int64_t, 256> inside{};   ///< id of each byte
  std::array<std::int64_t, 256> closing{};  ///< id of each byte at the end of a word
  MergeTable merges;
  std::vector<std::pair<std::u32string, std::int64_t>> special;  ///< longest first
  std::int64_t vocab_size = 0;
  std::int64_t start_id = 0, end_id = 0, pad_id = 0;
  std::int64_t context_length = 0;

  explicit Tables(const TokenizerFiles& files)
      : merges(make_merges(files)),
        start_id(files.start_id),
        end_id(files.end_id),
        pad_id(files.pad_id),
        context_length(files.context_length) {
    const auto symbols = byte_symbols();
    const auto id_or_unknown = [&](const std::string& symbol) {
      const auto found = files.vocab.find(symbol);
      return found == files.vocab.end() ? files.unknown_id : found->second;
    };
    for (std::size_t byte = 0; byte < symbols.size(); ++byte) {
      inside[byte] = id_or_unknown(symbols[byte]);
      closing[byte] = id_or_unknown(symbols[byte] + std::string(kEndOfWord));
    }
    for (const auto& [token, id] : files.vocab) vocab_size = std::max(vocab_size, id + 1);
    for (const auto& [token, id] : files.special_tokens) {
      vocab_size = std::max(vocab_size, id + 1);
      // Cleaned text is in lower case.
      special.emplace_back(to_lower(to_utf32(token)), id);
    }
    std::stable_sort(special.begin(), special.end(),
                     [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  }

  const std::pair<std::u32string, std::int64_t>* special_at(std::u32string_view text) const {
    for (const auto& token : special) {
      if (text.starts_with(token.first)) return &token;
    }
    return nullptr;
  }

  /// Appends the words of text without special tokens; stops once `ids` is longer than the context.
  void append_words(std::u32string_view text, std::vector<std::int64_t>& ids) const {
    for (const auto word : clip_words(text)) {
      if (std::cmp_greater(ids.size(), context_length)) return;
      std::vector<std::int64_t> symbols;
      const std::string bytes = to_utf8(word);
      for (const char byte : bytes) symbols.push_back(inside[static_cast<unsigned char>(byte)]);
      symbols.back() = closing[static_cast<unsigned char>(bytes.back())];
      merges.apply(symbols);
      ids.insert(ids.end(), symbols.begin(), symbols.end());
    }
  }
};

ClipTokenizer::ClipTokenizer(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}

ClipTokenizer ClipTokenizer::load(const std::filesystem::path& path) {
  return ClipTokenizer(std::make_shared<const Tables>(read_tokenizer_files(path)));
}

Encoding ClipTokenizer::encode(std::string_view text) const {
  const bool overlong = text.size() > kLongestPrompt;
  const std::u32string cleaned = clean_prompt(text.substr(0, kLongestPrompt));
  Encoding result;
  result.ids.push_back(tables_->start_id);
  std::size_t plain = 0;  // start of the text not yet split into words
  const std::u32string_view view = cleaned;
  for (std::size_t at = 0; at < view.size();) {
    const auto* token = tables_->special_at(view.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    tables_->append_words(view.substr(plain, at - plain), result.ids);
    result.ids.push_back(token->second);
    at += token->first.size();
    plain = at;
  }
  tables_->append_words(view.substr(plain), result.ids);

  const auto room = static_cast<std::size_t>(tables_->context_length) - 1;
  result.truncated = overlong || result.ids.size() > room;
  result.ids.resize(std::min(result.ids.size(), room));
  result.ids.push_back(tables_->end_id);
  result.length = static_cast<std::int64_t>(result.ids.size());
  result.ids.resize(room + 1, tables_->pad_id);
  return result;
}

std::int64_t ClipTokenizer::vocab_size() const {
  return tables_->vocab_size;
}
std::int64_t ClipTokenizer::start_id() const {
  return tables_->start_id;
}
std::int64_t ClipTokenizer::end_id() const {
  return tables_->end_id;
}
std::int64_t ClipTokenizer::pad_id() const {
  return tables_->pad_id;
}
std::int64_t ClipTokenizer::context_length() const {
  return tables_->context_length;
}

}  // namespace dd
