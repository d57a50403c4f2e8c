// SPDX-License-Identifier: Apache-2.0
#include "dd/data/list_file.h"

#include <algorithm>
#include <array>
#include <functional>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/data/csv.h"
#include "dd/data/image_list.h"
#include "dd/data/label_book.h"
#include "dd/data/lines.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{1} << 30;
constexpr std::array kPathKeys{"path", "file_name", "filename", "file", "image"};
constexpr std::array kNameKeys{"class", "class_name"};

/// Gives a line's value of a key, as text; empty where there is none.
using Lookup = std::function<std::string(const std::string& key)>;

template <class Keys>
std::string first_of(const Lookup& value, const Keys& keys) {
  for (const char* key : keys) {
    if (std::string text = value(key); !text.empty()) return text;
  }
  return {};
}

/// Collects the lines of a list.
class ListReader {
 public:
  explicit ListReader(const fs::path& path)
      : path_(path), book_(path.parent_path() / "classes.txt", path.string()) {}

  void read_csv() {
    const std::vector<CsvRow> rows = parse_csv(read_file(path_, kMaxBytes), path_.string());
    if (rows.empty())
      fail_input(cat(path_.string(), " is empty; its first line names the columns"));
    std::vector<std::string> header;
    for (const std::string& field : rows.front().fields) header.push_back(trimmed(field));
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const CsvRow& row = rows[i];
      if (row.fields.size() != header.size()) {
        fail_input(cat(path_.string(), ", line ", row.line, " has ", row.fields.size(),
                       " fields, but the first line names ", header.size(),
                       " columns; mend the line"));
      }
      add(row.line, [&](const std::string& key) {
        const auto column = std::ranges::find(header, key);
        if (column == header.end()) return std::string();
        return trimmed(row.fields[static_cast<std::size_t>(column - header.begin())]);
      });
    }
  }

  void read_jsonl() {
    for (const Line& line : read_lines(path_)) {
      const Json json = parse_json(line.text);
      if (!json.is_object()) {
        fail_input(
            cat(path_.string(), ", line ", line.number, " is no JSON object; mend the line"));
      }
      add(line.number, [&](const std::string& key) {
        const auto found = json.find(key);
        if (found == json.end() || found->is_null()) return std::string();
        return found->is_string() ? found->get<std::string>() : found->dump();
      });
    }
  }

  ImageList finish() {
    list_.class_names = book_.class_names();
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      list_.images[i].label = book_.label_of(labels_[i]);
    }
    return std::move(list_);
  }

 private:
  void add(std::int64_t line, const Lookup& value) {
    const std::string where = cat(path_.string(), ", line ", line);
    const std::string image = first_of(value, kPathKeys);
    if (image.empty()) {
      fail_input(cat(where, " names no image; give it as \"path\" or \"file_name\""));
    }
    check_relative(image, where);
    const std::string split = value("split");
    const std::optional<Split> parsed = split.empty() ? Split::kTrain : parse_split(split);
    if (!parsed) {
      fail_input(cat(where, " has split \"", split, "\"; write train, val or test"));
    }
    GivenLabel label = parse_label(value("label"));
    if (const std::string name = first_of(value, kNameKeys); !name.empty()) label.name = name;
    book_.add(label, where);
    labels_.push_back(std::move(label));
    list_.images.push_back(
        {.id = fs::path(image).lexically_normal().generic_string(), .label = 0, .split = *parsed});
  }

  fs::path path_;
  LabelBook book_;
  ImageList list_;
  std::vector<GivenLabel> labels_;
};

}  // namespace

bool is_list_file(const fs::path& path) {
  return path.extension() == ".csv" || path.extension() == ".jsonl";
}

std::unique_ptr<Dataset> open_list_file(const fs::path& path, const std::string& split,
                                        const ReadOptions& reading) {
  ListReader reader(path);
  path.extension() == ".csv" ? reader.read_csv() : reader.read_jsonl();
  return open_listed(path.parent_path(), reader.finish(), split, path.string(), reading);
}

}  // namespace dd
