// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/plan.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/seeds.h"
#include "dd/core/utf8.h"
#include "dd/data/class_list.h"
#include "dd/data/dataset.h"
#include "dd/text/prompt.h"

namespace dd::generate {
namespace {

std::vector<std::string> read_class_names(const std::filesystem::path& file) {
  constexpr std::uintmax_t kLimit = std::uintmax_t{16} << 20;
  std::istringstream lines(read_file(file, kLimit));
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const std::string name = line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
    if (!is_utf8(name)) {
      fail_input(cat("the class \"", escaped_bytes(name), "\" in ", file.string(),
                     " is not UTF-8; save the file as UTF-8"));
    }
    if (!seen.insert(name).second) {
      fail_input(cat("the class \"", name, "\" stands twice in ", file.string(), "; remove one"));
    }
    names.push_back(name);
  }
  return names;
}

std::vector<std::string> class_names(const std::string& source, const DataSpec& spec) {
  const bool is_set = spec.kind != "folder" || !path_is_file(source);
  return is_set ? open_dataset(spec, "train")->class_names() : read_class_names(source);
}

/// A caption need not name the class.
std::string with_name(const std::string& caption, const std::string& name) {
  return caption.find("{}") == std::string::npos ? caption : fill_template(caption, name);
}

std::string file_name(std::int64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%05lld.png", static_cast<long long>(number));
  return name;
}

}  // namespace

std::int64_t image_number(const std::string& name) {
  std::int64_t number = -1;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number >= 0 && file_name(number) == name ? number : -1;
}

PlannedImage Plan::image(std::size_t subject, std::int64_t number) const {
  const Subject& of = subjects.at(subject);
  const std::string name = file_name(number);
  const auto index = static_cast<std::uint64_t>(number);
  if (!labelled) return {subject, number, seed + index, name, of.prompt};
  PlannedImage planned{
      subject, number,
      mix_seed(seed, "generate/" + (shared_noise ? std::string() : of.name), {index}),
      of.folder + "/" + name, of.prompt};
  if (!starts) return planned;
  const std::vector<StartImage>& own = starts->of_class(subject);
  const std::size_t turn = static_cast<std::size_t>(number) / own.size();
  planned.start = &own[static_cast<std::size_t>(number) % own.size()];
  const std::vector<std::string>& captions = planned.start->captions;
  if (!captions.empty()) planned.prompt = with_name(captions[turn % captions.size()], of.name);
  return planned;
}

Plan make_plan(const GenerateOptions& options, std::uint64_t seed, const CancelToken& cancel) {
  Plan plan;
  plan.seed = seed;
  if (options.classes.empty()) {
    plan.each = options.count;
    plan.subjects.push_back({"", "", options.prompt.value()});
    return plan;
  }
  plan.each = options.per_class;
  plan.labelled = true;
  plan.shared_noise = options.shared_noise;
  const DataSpec spec = parse_data_spec(options.classes);
  const std::vector<std::string> names = class_names(options.classes, spec);
  const std::string prompt = fill_domain(options.prompt_template, domain_word(spec));
  if (names.empty())
    fail_input(cat("no classes in ", options.classes, ", --classes; write a name a line"));
  if (!options.from_shots.empty()) {
    plan.starts = StartImages::open(options.from_shots, options.captions, names, cancel);
  }
  for (const ClassEntry& entry : folders_for_classes(names)) {
    plan.subjects.push_back({entry.name, entry.folder, fill_template(prompt, entry.name)});
  }
  return plan;
}

}  // namespace dd::generate
