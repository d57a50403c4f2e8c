// SPDX-License-Identifier: Apache-2.0
#include "dd/data/shards.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>

#include "dd/core/error.h"
#include "dd/core/json_text.h"
#include "dd/data/image_list.h"
#include "dd/data/label_book.h"
#include "dd/data/lines.h"
#include "dd/data/tar_index.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

/// A numbered range inside a pattern.
struct Range {
  std::size_t begin, end;  ///< of "{000..012}" in the text
  std::int64_t first, last;
  std::size_t digits;
};

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<Range> find_range(std::string_view text) {
  const std::size_t open = text.find('{');
  const std::size_t close = text.find('}', open);
  if (open == text.npos || close == text.npos) return std::nullopt;
  const std::string_view inside = text.substr(open + 1, close - open - 1);
  const std::size_t dots = inside.find("..");
  if (dots == text.npos) return std::nullopt;
  const auto first = whole_number(inside.substr(0, dots));
  const auto last = whole_number(inside.substr(dots + 2));
  constexpr std::int64_t kMost = 1'000'000;
  if (!first || !last || *last < *first || *last - *first >= kMost) return std::nullopt;
  return Range{open, close + 1, *first, *last, dots};
}

/// The split that a word of the shard's name says.
Split split_of_shard(const fs::path& shard) {
  std::string word;
  for (const char letter : shard.filename().string() + ".") {
    if (std::isalpha(static_cast<unsigned char>(letter)) != 0) {
      word += letter;
      continue;
    }
    if (const std::optional<Split> split = parse_split(word)) return *split;
    word.clear();
  }
  return Split::kTrain;
}

std::string read_member(const fs::path& shard, const TarMember& member) {
  // Labels are small; anything else under such a name is not one.
  constexpr std::uint64_t kMostBytes = 1 << 20;
  const std::string where = cat(shard.string(), ", member ", member.name);
  if (member.bytes > kMostBytes) fail_input(cat(where, " is too long for a label"));
  std::string bytes(member.bytes, '\0');
  std::ifstream in(shard, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(member.offset));
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in) fail_input(cat("cannot read ", where, "; fetch the shard again"));
  return bytes;
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// Takes what a .json member says; a .cls member, where there is one, has the last word.
void read_json_label(const std::string& text, const std::string& where, GivenLabel& label) {
  const Json json = parse_json(text);
  if (!json.is_object()) fail_input(cat(where, " is no JSON object; write the shard again"));
  for (const char* key : {"label", "cls"}) {
    if (const std::string value = text_of(json, key); !value.empty() && !label.number) {
      const GivenLabel given = parse_label(value);
      label.number = given.number;
      if (label.name.empty()) label.name = given.name;
    }
  }
  for (const char* key : {"class", "class_name"}) {
    if (const std::string value = text_of(json, key); !value.empty()) label.name = value;
  }
}

/// The members of one sample as they come by.
struct Sample {
  std::string key;
  std::optional<TarMember> image, cls, json, txt;
};

class ShardReader {
 public:
  ShardReader(fs::path root, const std::string& what)
      : root_(std::move(root)), book_(root_ / "classes.txt", what) {}

  void read(const fs::path& shard) {
    shard_ = shard;
    split_ = split_of_shard(shard);
    sample_ = {};
    visit_tar(shard, [this](const TarMember& member) { take(member); });
    finish_sample();
  }

  ImageList finish() {
    list_.class_names = book_.class_names();
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      list_.images[i].label = book_.label_of(labels_[i]);
    }
    return std::move(list_);
  }

 private:
  void take(const TarMember& member) {
    const std::size_t slash = member.name.rfind('/');
    const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
    const std::size_t dot = member.name.find('.', name);
    if (dot == std::string::npos || dot == name) return;
    const std::string key = member.name.substr(0, dot);
    if (key != sample_.key) {
      finish_sample();
      sample_ = {};
      sample_.key = key;
    }
    const std::string type = member.name.substr(dot);
    if (type.find('.', 1) == std::string::npos && is_image_name(member.name))
      sample_.image = member;
    if (type == ".cls") sample_.cls = member;
    if (type == ".json") sample_.json = member;
    if (type == ".txt") sample_.txt = member;
  }

  void finish_sample() {
    if (!sample_.image || sample_.image->bytes == 0) return;
    GivenLabel label;
    const auto text = [&](const TarMember& member) {
      std::string content = read_member(shard_, member);
      while (!content.empty() && content.back() == '\n') content.pop_back();
      return trimmed(content);
    };
    const std::string where = cat(shard_.string(), ", sample ", sample_.key);
    if (sample_.json) read_json_label(text(*sample_.json), where, label);
    if (sample_.cls) {
      const GivenLabel given = parse_label(text(*sample_.cls));
      if (given.number) label.number = given.number;
      if (!given.name.empty()) label = given;
    }
    if (label.name.empty() && sample_.txt) label.name = text(*sample_.txt);
    book_.add(label, where);
    labels_.push_back(label);
    const std::string file = shard_.filename().string();
    list_.images.push_back({.id = file + "/" + sample_.image->name,
                            .label = 0,
                            .split = split_,
                            .file = file,
                            .offset = sample_.image->offset,
                            .bytes = sample_.image->bytes});
  }

  fs::path root_;
  LabelBook book_;
  ImageList list_;
  std::vector<GivenLabel> labels_;
  fs::path shard_;
  Split split_ = Split::kTrain;
  Sample sample_;
};

std::vector<fs::path> shards_in(const fs::path& folder) {
  std::vector<fs::path> shards;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".tar") shards.push_back(it->path());
  }
  std::ranges::sort(shards);
  return shards;
}

}  // namespace

bool is_shard_pattern(const std::string& text) {
  return text.ends_with(".tar");
}

bool holds_shards(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder, ignored) && list_folders(folder).empty() &&
         !shards_in(folder).empty();
}

std::vector<fs::path> expand_shards(const std::string& pattern) {
  if (pattern.find('{') == std::string::npos) return {pattern};
  const std::optional<Range> range = find_range(pattern);
  if (!range || pattern.find('{', range->end) != std::string::npos) {
    fail_usage(cat("\"", pattern, "\" is no pattern of shards; write one range, as in ",
                   "images-{000..012}.tar"));
  }
  std::vector<fs::path> shards;
  for (std::int64_t number = range->first; number <= range->last; ++number) {
    shards.push_back(pattern.substr(0, range->begin) + padded(number, range->digits) +
                     pattern.substr(range->end));
  }
  return shards;
}

std::unique_ptr<Dataset> open_shards(const fs::path& pattern_or_folder, const std::string& split,
                                     const ReadOptions& reading) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(pattern_or_folder, ignored);
  const fs::path root = is_folder ? pattern_or_folder : pattern_or_folder.parent_path();
  const std::string what = pattern_or_folder.string();
  ShardReader reader(root, what);
  for (const fs::path& shard :
       is_folder ? shards_in(root) : expand_shards(pattern_or_folder.string())) {
    reader.read(shard);
  }
  return open_listed(root, reader.finish(), split, what, reading);
}

}  // namespace dd
