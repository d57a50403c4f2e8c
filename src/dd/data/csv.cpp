// SPDX-License-Identifier: Apache-2.0
#include "dd/data/csv.h"

#include "dd/core/error.h"

namespace dd {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& where) : text_(text), where_(where) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  std::vector<CsvRow> parse() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{.line = line_};
      do {
        row.fields.push_back(field());
      } while (take(','));
      take('\r');
      if (at_ < text_.size() && !take('\n')) fail("there is text behind a closing quote");
      ++line_;
      if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool take(char letter) {
    if (at_ >= text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }

  std::string field() {
    if (!take('"')) {
      const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
      std::string value(text_.substr(at_, end - at_));
      at_ = end;
      return value;
    }
    std::string value;
    const std::int64_t begin = line_;
    for (;;) {
      if (at_ >= text_.size()) {
        line_ = begin;
        fail("a quote is not closed");
      }
      if (take('"')) {
        if (!take('"')) return value;
        value += '"';
        continue;
      }
      if (text_[at_] == '\n') ++line_;
      value += text_[at_++];
    }
  }

  [[noreturn]] void fail(const std::string& problem) const {
    fail_input(cat(where_, ", line ", line_, ": ", problem, "; mend the line"));
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& where) {
  return CsvParser(text, where).parse();
}

}  // namespace dd
