// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/start_images.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/data/shots.h"
#include "dd/image/resize.h"

namespace dd::generate {
namespace fs = std::filesystem;
namespace {

struct Pictures {
  std::shared_ptr<const Dataset> images;
  std::vector<std::int64_t> chosen;
};

Pictures find_pictures(const std::string& source) {
  Pictures found;
  if (path_is_file(source)) {
    const Json record = read_json(source);
    found.images = open_dataset(parse_data_spec(json_required<std::string>(record, "data", source)),
                                json_required<std::string>(record, "split", source));
    found.chosen = read_shots(source, *found.images).indices;
    return found;
  }
  found.images = open_dataset(parse_data_spec(source), "train");
  for (std::int64_t i = 0; i < found.images->size(); ++i) found.chosen.push_back(i);
  return found;
}

}  // namespace

std::map<std::string, std::vector<std::string>> read_captions(const fs::path& file) {
  constexpr std::uintmax_t kLimit = std::uintmax_t{256} << 20;
  std::istringstream lines(read_file(file, kLimit));
  std::map<std::string, std::vector<std::string>> captions;
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = cat(file.string(), ":", number);
    const Json entry = parse_json(line);
    if (!entry.is_object()) {
      fail_input(cat(where, ": this is no JSON object; write {\"id\": …, \"caption\": …} a line"));
    }
    captions[json_required<std::string>(entry, "id", where)].push_back(
        json_required<std::string>(entry, "caption", where));
  }
  return captions;
}

StartImages StartImages::open(const std::string& source, const fs::path& captions,
                              const std::vector<std::string>& class_names,
                              const CancelToken& cancel) {
  std::map<std::string, std::vector<std::string>> texts;
  if (!captions.empty()) texts = read_captions(captions);
  const Pictures found = find_pictures(source);
  const std::vector<std::string>& known = found.images->class_names();
  StartImages result;
  result.images_ = found.images;
  result.by_class_.resize(class_names.size());
  for (const std::int64_t index : found.chosen) {
    const std::string& name = known.at(static_cast<std::size_t>(found.images->label(index)));
    const auto place = std::ranges::find(class_names, name);
    if (place == class_names.end()) continue;
    cancel.check();
    StartImage start{
        .index = index, .id = found.images->id(index), .hash = found.images->content_hash(index)};
    if (const auto own = texts.find(start.id); own != texts.end()) start.captions = own->second;
    result.by_class_[static_cast<std::size_t>(place - class_names.begin())].push_back(
        std::move(start));
  }
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    if (!result.by_class_[label].empty()) continue;
    fail_input(cat(source, ", --from-shots, holds no image of class \"", class_names[label],
                   "\"; give one of each class"));
  }
  return result;
}

Image StartImages::picture(const StartImage& start, std::int64_t width, std::int64_t height) const {
  const Image image = images_->image(start.index);
  const double scale = std::max(static_cast<double>(width) / image.width,
                                static_cast<double>(height) / image.height);
  const auto covering = [scale](int length, std::int64_t wanted) {
    const auto scaled = static_cast<std::int64_t>(std::llround(length * scale));
    return static_cast<int>(std::max(scaled, wanted));
  };
  const int wide = covering(image.width, width);
  const int high = covering(image.height, height);
  const Image whole = wide == image.width && high == image.height
                          ? image
                          : resize(image, wide, high, ResizeFilter::kLanczos);
  return crop(whole, (wide - static_cast<int>(width)) / 2, (high - static_cast<int>(height)) / 2,
              static_cast<int>(width), static_cast<int>(height));
}

std::string StartImages::hash() const {
  std::string text;
  for (const auto& starts : by_class_) {
    for (const StartImage& start : starts) {
      text += start.hash + "\n";
      for (const std::string& caption : start.captions) text += Json(caption).dump() + "\n";
    }
    text += "\n";
  }
  return sha256_of(text);
}

std::int64_t StartImages::without_caption() const {
  std::int64_t count = 0;
  for (const auto& starts : by_class_) {
    count += std::ranges::count_if(starts,
                                   [](const StartImage& start) { return start.captions.empty(); });
  }
  return count;
}

}  // namespace dd::generate
