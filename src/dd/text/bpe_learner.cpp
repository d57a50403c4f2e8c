// SPDX-License-Identifier: Apache-2.0
#include "dd/text/bpe_learner.h"

#include <array>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/text/byte_pairs.h"
#include "dd/text/clean.h"
#include "dd/text/unicode.h"
#include "dd/text/words.h"

namespace dd {
namespace {

constexpr const char* kStart = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

struct Word {
  std::vector<std::int64_t> symbols;
  std::int64_t count = 0;
};

struct Learner {
  std::vector<std::string> names;  ///< symbol of each id
  std::unordered_map<std::string, std::int64_t> ids;
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<Word> words;

  std::int64_t id_of(const std::string& symbol) {
    const auto [found, is_new] = ids.try_emplace(symbol, static_cast<std::int64_t>(names.size()));
    // Two pairs may spell the same symbol; it keeps its first id.
    if (is_new) names.push_back(symbol);
    return found->second;
  }

  explicit Learner(std::span<const std::string> corpus) {
    const auto symbols = byte_symbols();
    std::array<std::int64_t, 256> inside{}, closing{};
    for (const auto byte : byte_order()) inside[byte] = id_of(symbols[byte]);
    for (const auto byte : byte_order()) {
      closing[byte] = id_of(symbols[byte] + std::string(kEndOfWord));
    }
    std::map<std::string, std::int64_t> counts;
    for (const std::string& text : corpus) {
      const std::u32string cleaned = clean_prompt(text);
      for (const auto word : clip_words(cleaned)) ++counts[to_utf8(word)];
    }
    for (const auto& [bytes, count] : counts) {
      Word word{{}, count};
      for (const char byte : bytes) {
        word.symbols.push_back(inside[static_cast<unsigned char>(byte)]);
      }
      word.symbols.back() = closing[static_cast<unsigned char>(bytes.back())];
      words.push_back(std::move(word));
    }
  }

  /// False when no pair is left.
  bool merge_once() {
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
    for (const Word& word : words) {
      for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
        counts[{word.symbols[i], word.symbols[i + 1]}] += word.count;
      }
    }
    if (counts.empty()) return false;
    auto best = counts.begin();
    for (auto pair = counts.begin(); pair != counts.end(); ++pair) {
      if (pair->second > best->second) best = pair;
    }
    const auto [left, right] = best->first;
    const std::string left_name = names[static_cast<std::size_t>(left)];
    const std::string right_name = names[static_cast<std::size_t>(right)];
    const std::int64_t merged = id_of(left_name + right_name);
    merges.emplace_back(left_name, right_name);
    for (Word& word : words) merge_pair(word.symbols, left, right, merged);
    return true;
  }
};

Json settings(std::int64_t context_length) {
  Json config;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["model_max_length"] = context_length;
  config["add_prefix_space"] = false;
  config["do_lower_case"] = true;
  config["errors"] = "replace";
  return config;
}

Json special_tokens() {
  Json tokens;
  tokens["bos_token"] = kStart;
  tokens["eos_token"] = kEnd;
  tokens["unk_token"] = kEnd;
  tokens["pad_token"] = kEnd;
  return tokens;
}

}  // namespace

void write_learned_tokenizer(const std::filesystem::path& folder,
                             std::span<const std::string> corpus, std::int64_t merges,
                             std::int64_t context_length) {
  constexpr std::int64_t kMostMerges = 1'000'000;
  if (merges < 0 || merges > kMostMerges) {
    fail_usage(cat("cannot learn ", merges, " merges; ask for 0 to ", kMostMerges));
  }
  if (context_length < 3) {
    fail_usage(cat("a context of ", context_length, " tokens holds no text; ask for 3 or more"));
  }
  Learner learner(corpus);
  for (std::int64_t i = 0; i < merges && learner.merge_once(); ++i) {
  }
  learner.id_of(kStart);
  learner.id_of(kEnd);

  std::string merge_lines = "#version: 0.2\n";
  for (const auto& [left, right] : learner.merges) merge_lines += cat(left, " ", right, "\n");
  // Composed by hand: an ordered Json object looks up every key it adds from the start.
  std::string vocab = "{";
  for (std::size_t id = 0; id < learner.names.size(); ++id) {
    vocab += cat(id == 0 ? "" : ", ", Json(learner.names[id]).dump(), ": ", id);
  }
  Json config = settings(context_length);
  config.update(special_tokens());
  make_folder(folder);
  write_file_atomically(folder / "merges.txt", merge_lines);
  write_json(folder / "special_tokens_map.json", special_tokens());
  write_json(folder / "tokenizer_config.json", config);
  write_file_atomically(folder / "vocab.json", vocab + "}\n");
}

}  // namespace dd
