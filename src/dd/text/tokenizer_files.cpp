// SPDX-License-Identifier: Apache-2.0
#include "dd/text/tokenizer_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/text/byte_pairs.h"
#include "dd/text/openai_merges.h"

namespace dd {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kIdLimit = std::int64_t{1} << 22;
constexpr std::uintmax_t kFileLimit = std::uintmax_t{64} << 20;
constexpr std::string_view kRemedy = "fetch the tokenizer folder again";

// A vocabulary has 49,408 keys.
SortedJson read_object(const fs::path& path) {
  auto value = parse_document<SortedJson>(read_file(path, kFileLimit), path.string(), kRemedy);
  if (!value.is_object()) fail_input(cat(path.string(), " is not a JSON object; ", kRemedy));
  return value;
}

SortedJson read_object_if_there(const fs::path& path) {
  return path_exists(path) ? read_object(path) : SortedJson::object();
}

const SortedJson& member(const SortedJson& object, const char* key, const fs::path& path) {
  const auto found = object.find(key);
  if (found == object.end()) {
    fail_input(cat(path.string(), " has no \"", key, "\"; is this a CLIP tokenizer?"));
  }
  return *found;
}

std::int64_t checked_id(const SortedJson& value, const std::string& token, const fs::path& path) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= kIdLimit) {
    fail_input(cat("the id of \"", token, "\" in ", path.string(), " is ", value.dump(),
                   ", not a whole number from 0 to ", kIdLimit - 1, "; ", kRemedy));
  }
  return value.get<std::int64_t>();
}

void read_vocab(const SortedJson& object, const fs::path& path, TokenizerFiles& files) {
  if (!object.is_object())
    fail_input(cat("the vocabulary of ", path.string(), " is not an object"));
  files.vocab_path = path;
  std::unordered_set<std::int64_t> used;
  for (const auto& [token, value] : object.items()) {
    const std::int64_t id = checked_id(value, token, path);
    if (!used.insert(id).second) {
      fail_input(cat("id ", id, " stands twice in ", path.string(), ", once for \"", token, "\"; ",
                     kRemedy));
    }
    files.vocab.emplace(token, id);
  }
}

void read_merges_text(const fs::path& path, TokenizerFiles& files) {
  files.merges_path = path;
  const std::string text = read_file(path, kFileLimit);
  std::string_view rest = text;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    files.merges.push_back(parse_merge(line, cat("line ", number, " of ", path.string())));
  }
}

void read_merges_json(const SortedJson& merges, const fs::path& path, TokenizerFiles& files) {
  files.merges_path = path;
  if (!merges.is_array()) fail_input(cat("\"merges\" of ", path.string(), " is not a list"));
  for (const auto& merge : merges) {
    if (merge.is_string()) {
      files.merges.push_back(parse_merge(merge.get_ref<const std::string&>(), path.string()));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      files.merges.emplace_back(merge[0], merge[1]);
    } else {
      fail_input(cat("merge ", merge.dump(), " of ", path.string(), " is not a pair; ", kRemedy));
    }
  }
}

/// A token is written as its text or as an object with "content"; empty where it is neither.
std::string token_text(const SortedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  return {};
}

void read_tokenizer_json(const fs::path& path, TokenizerFiles& files) {
  const SortedJson root = read_object(path);
  const SortedJson& model = member(root, "model", path);
  if (!model.is_object()) fail_input(cat("\"model\" of ", path.string(), " is not an object"));
  if (const auto suffix = model.find("end_of_word_suffix");
      suffix == model.end() || *suffix != kEndOfWord) {
    fail_input(cat(path.string(), " does not close words with ", kEndOfWord,
                   "; it is not the tokenizer of a CLIP model"));
  }
  read_vocab(member(model, "vocab", path), path, files);
  read_merges_json(member(model, "merges", path), path, files);
  const auto added = root.find("added_tokens");
  if (added == root.end() || !added->is_array()) return;
  for (const auto& token : *added) {
    const std::string text = token_text(token);
    if (text.empty() || !token.contains("id")) {
      fail_input(cat("added token ", token.dump(), " of ", path.string(),
                     " has no content or no id; ", kRemedy));
    }
    files.special_tokens[text] = checked_id(token["id"], text, path);
  }
}

struct Settings {
  SortedJson config, special;
  fs::path config_path, special_path;

  /// special_tokens_map.json wins: transformers applies it last.
  std::string token(const char* key, std::string fallback) const {
    for (const SortedJson* source : {&special, &config}) {
      const auto found = source->find(key);
      if (found == source->end()) continue;
      if (std::string text = token_text(*found); !text.empty()) return text;
    }
    return fallback;
  }
};

std::int64_t id_of(const std::string& token, const TokenizerFiles& files) {
  if (const auto found = files.special_tokens.find(token); found != files.special_tokens.end()) {
    return found->second;
  }
  const auto found = files.vocab.find(token);
  if (found == files.vocab.end()) {
    fail_input(cat("the special token \"", token, "\" is not in ", files.vocab_path.string(),
                   "; the vocabulary and the settings beside it belong to different models; ",
                   kRemedy));
  }
  return found->second;
}

void read_added_tokens(const Settings& settings, TokenizerFiles& files) {
  const auto added = settings.config.find("added_tokens_decoder");
  if (added == settings.config.end() || !added->is_object()) return;
  for (const auto& [number, token] : added->items()) {
    const std::string text = token_text(token);
    if (text.empty()) continue;
    // A number is taken through the same check as any id.
    const bool is_number =
        number.size() < 20 && number.find_first_not_of("0123456789") == number.npos;
    const SortedJson id =
        is_number ? SortedJson::parse(number, nullptr, false) : SortedJson(number);
    files.special_tokens[text] = checked_id(id, text, settings.config_path);
  }
}

std::int64_t context_length_of(const SortedJson& config) {
  constexpr double kLongest = 65536;  // transformers writes 1e30 for "unknown"
  constexpr std::int64_t kClip = 77;
  const auto found = config.find("model_max_length");
  if (found == config.end() || !found->is_number()) return kClip;
  const double length = found->get<double>();
  return length >= 3 && length <= kLongest ? static_cast<std::int64_t>(length) : kClip;
}

void apply_settings(const Settings& settings, TokenizerFiles& files) {
  read_added_tokens(settings, files);
  const std::string end = settings.token("eos_token", "<|endoftext|>");
  const std::array<std::pair<std::int64_t*, std::string>, 4> roles = {{
      {&files.start_id, settings.token("bos_token", "<|startoftext|>")},
      {&files.end_id, end},
      {&files.pad_id, settings.token("pad_token", end)},
      {&files.unknown_id, settings.token("unk_token", end)},
  }};
  for (const auto& [id, token] : roles) {
    *id = id_of(token, files);
    files.special_tokens[token] = *id;
  }
  files.context_length = context_length_of(settings.config);
}

TokenizerFiles read_folder(const fs::path& folder) {
  TokenizerFiles files;
  const fs::path vocab = folder / "vocab.json", merges = folder / "merges.txt";
  const fs::path single = folder / "tokenizer.json", openai = folder / kOpenAiMerges;
  const bool both = path_exists(vocab) && path_exists(merges);
  if (!both && path_exists(single)) {
    read_tokenizer_json(single, files);
  } else if (!both && !path_exists(vocab) && (path_exists(merges) || path_exists(openai))) {
    files = read_openai_merges(path_exists(merges) ? merges : openai);
  } else if (path_exists(vocab)) {
    read_vocab(read_object(vocab), vocab, files);
    read_merges_text(merges, files);
  } else {
    fail_input(cat("no tokenizer in ", folder.string(), "; it needs vocab.json and merges.txt, ",
                   "tokenizer.json, or ", kOpenAiMerges));
  }
  return files;
}

/// The folder that a path stands for: itself, or that of one of its files; nothing for a list of
/// merges by itself.
std::optional<fs::path> folder_of(const fs::path& path) {
  if (path_is_folder(path)) return path;
  fs::path parent = path.parent_path();
  static const std::set<fs::path> kFolderFiles{"tokenizer.json", "vocab.json", "merges.txt"};
  const bool lone_merges = path.filename() == "merges.txt" && !path_exists(parent / "vocab.json");
  if (lone_merges || !kFolderFiles.contains(path.filename())) return std::nullopt;
  return parent;
}

}  // namespace

std::pair<std::string, std::string> parse_merge(std::string_view line, const std::string& where) {
  const std::size_t space = line.find(' ');
  if (space == 0 || space == line.npos || space + 1 == line.size() ||
      line.find(' ', space + 1) != line.npos) {
    fail_input(cat(where, ": \"", line, "\" is not a pair of symbols; ", kRemedy));
  }
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

TokenizerFiles read_tokenizer_files(const fs::path& path) {
  const std::optional<fs::path> folder = folder_of(path);
  if (!folder) {
    TokenizerFiles files = read_openai_merges(path);
    apply_settings({}, files);
    return files;
  }
  TokenizerFiles files = read_folder(*folder);
  Settings settings;
  settings.config_path = *folder / "tokenizer_config.json";
  settings.special_path = *folder / "special_tokens_map.json";
  settings.config = read_object_if_there(settings.config_path);
  settings.special = read_object_if_there(settings.special_path);
  apply_settings(settings, files);
  return files;
}

std::vector<fs::path> tokenizer_file_paths(const fs::path& path) {
  const std::optional<fs::path> folder = folder_of(path);
  if (!folder) return {path};
  std::vector<fs::path> files;
  for (const char* name : {kOpenAiMerges, "merges.txt", "special_tokens_map.json", "tokenizer.json",
                           "tokenizer_config.json", "vocab.json"}) {
    if (path_exists(*folder / name)) files.push_back(*folder / name);
  }
  return files;
}

}  // namespace dd
