// SPDX-License-Identifier: Apache-2.0
#include "dd/data/leak_guard.h"

#include <algorithm>
#include <unordered_map>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/core/ranks.h"
#include "dd/data/lines.h"

namespace dd {
namespace {

constexpr std::size_t kListed = 10;

void note(std::int64_t& count, std::vector<Leak>& listed, Leak leak) {
  ++count;
  if (listed.size() < kListed) listed.push_back(std::move(leak));
}

void compare(const PrintSet& one, const PrintSet& other, const CancelToken& cancel,
             LeakReport& report) {
  const auto leak = [&](const ImagePrint& a, const ImagePrint& b) {
    return Leak{one.role, a.id, other.role, b.id};
  };
  std::unordered_multimap<std::string_view, const ImagePrint*> by_content;
  for (const ImagePrint& print : one.prints) by_content.emplace(print.sha256, &print);
  for (const ImagePrint& print : other.prints) {
    const auto [begin, end] = by_content.equal_range(print.sha256);
    for (auto it = begin; it != end; ++it) {
      note(report.equal, report.equal_pairs, leak(*it->second, print));
    }
  }
  for (const ImagePrint& a : one.prints) {
    cancel.check();
    for (const ImagePrint& b : other.prints) {
      if (nearly_equal(a, b) && a.sha256 != b.sha256) {
        note(report.near, report.near_pairs, leak(a, b));
      }
    }
  }
}

std::string examples(const std::vector<Leak>& pairs) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, pairs.size()); ++i) {
    text += (i == 0 ? "" : "; ") + pairs[i].text();
  }
  return text;
}

void report_leaks(const LeakReport& leaks, Reporter& report, LeakAction action) {
  if (leaks.near > 0) {
    report.warn(cat(leaks.near,
                    " pairs of images are nearly the same, which may make results look ",
                    "better than they are: ", examples(leaks.near_pairs)));
  }
  if (leaks.equal == 0) return;
  const std::string text = cat(leaks.equal == 1 ? "the same image is" : "the same images are",
                               " used twice: ", examples(leaks.equal_pairs),
                               leaks.equal > 3 ? cat(" and ", leaks.equal - 3, " more") : "");
  if (action == LeakAction::kWarn) {
    report.warn(text);
    return;
  }
  fail_input(cat(text, "; take them out of one of the two, or draw the shots with another --seed"));
}

}  // namespace

std::string Leak::text() const {
  return cat(role, " ", id, " and ", other_role, " ", other_id);
}

LeakReport find_leaks(std::span<const PrintSet> sets, const CancelToken& cancel) {
  LeakReport report;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (std::size_t j = i + 1; j < sets.size(); ++j) {
      if (sets[i].role != sets[j].role) compare(sets[i], sets[j], cancel, report);
    }
  }
  return report;
}

void check_leaks(std::span<const PrintSet> sets, const Context& context, LeakAction action) {
  if (context.ranks.first()) report_leaks(find_leaks(sets, context.cancel), context.report, action);
  context.ranks.meet();
}

void write_prints(const std::filesystem::path& path, std::span<const PrintSet> sets) {
  std::string text;
  for (const PrintSet& set : sets) {
    for (const ImagePrint& print : set.prints) {
      const Json line{{"role", set.role},
                      {"id", print.id},
                      {"sha256", print.sha256},
                      {"thumb", thumb_text(print.thumb)}};
      text += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
  }
  write_file_atomically(path, text);
}

std::vector<PrintSet> read_prints(const std::filesystem::path& path) {
  std::vector<PrintSet> sets;
  for (const Line& line : read_lines(path)) {
    const std::string where = cat(path.string(), ", line ", line.number);
    const Json json = parse_json(line.text);
    if (!json.is_object()) fail_input(cat(where, " is no JSON object; train again"));
    const auto role = json_required<std::string>(json, "role", where);
    auto set = std::ranges::find(sets, role, &PrintSet::role);
    if (set == sets.end()) set = sets.insert(sets.end(), {role, {}});
    set->prints.push_back(
        make_print(json_required<std::string>(json, "id", where),
                   json_required<std::string>(json, "sha256", where),
                   parse_thumb(json_required<std::string>(json, "thumb", where), where)));
  }
  return sets;
}

}  // namespace dd
