// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/writer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "dd/core/durable_files.h"
#include "dd/core/files.h"
#include "dd/core/ranks.h"
#include "dd/image/probe.h"
#include "dd/image/write.h"

namespace dd::generate {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSettingsFile = "generate.json";
constexpr const char* kMetadataFile = "metadata.jsonl";

/// The first key in which two settings differ, for the message.
std::string difference(const Json& earlier, const Json& now) {
  for (const auto& [key, value] : now.items()) {
    const Json before = earlier.value(key, Json(nullptr));
    if (before == value) continue;
    if (value.is_structured() || before.is_structured()) return cat("other ", key);
    return cat(key, " ", before.dump(), " instead of ", value.dump());
  }
  return "other settings";
}

/// What generate.json holds, which anyone may have written; null where there is none.
Json read_earlier(const fs::path& path) {
  if (!path_exists(path)) return {};
  Json earlier = read_json(path);
  const auto is_record = [&] {
    const Json settings = earlier.value("settings", Json::object());
    const auto each = json_value<std::int64_t>(earlier, "images_each", 0, path.string());
    return settings.is_object() && settings.value("subjects", Json::array()).is_array() &&
           each >= 0 && each <= kMostImages;
  };
  if (!earlier.is_object() || !is_record()) {
    fail_input(
        cat(path.string(), " is no record of generated images; remove it, or use another --out"));
  }
  return earlier;
}

/// Whether the name, read from a file, stays inside the folder.
bool is_plain_name(const std::string& name) {
  return name.empty() || (fs::path(name).filename() == name && name != "." && name != "..");
}

/// The images that an earlier call may have written, by its generate.json.
Plan earlier_plan(const Json& earlier, const std::string& where) {
  Plan plan;
  plan.each = json_value<std::int64_t>(earlier, "images_each", 0, where);
  const Json settings = earlier.value("settings", Json::object());
  for (const Json& subject : settings.value("subjects", Json::array())) {
    const std::string folder = json_value<std::string>(subject, "folder", "", where);
    if (!is_plain_name(folder))
      fail_input(cat(where, ": bad folder name \"", folder, "\"; remove the file"));
    plan.labelled = plan.labelled || !folder.empty();
    plan.subjects.push_back({json_value<std::string>(subject, "class", "", where), folder, ""});
  }
  return plan;
}

template <class Visit>
void for_each_image(const Plan& plan, std::int64_t each, const Visit& visit) {
  for (std::size_t subject = 0; subject < plan.subjects.size(); ++subject) {
    for (std::int64_t number = 0; number < each; ++number) visit(plan.image(subject, number));
  }
}

}  // namespace

ImageSetWriter::ImageSetWriter(fs::path folder, const Plan& plan, SetDescription description,
                               bool force)
    : folder_(std::move(folder)),
      plan_(plan),
      description_(std::move(description)),
      force_(force),
      listed_(plan.each) {
  earlier_ = read_earlier(folder_ / kSettingsFile);
  if (force_) return;
  check_origin();
  if (earlier_.is_null()) return;
  const std::string where = (folder_ / kSettingsFile).string();
  listed_ = std::max(listed_, json_value<std::int64_t>(earlier_, "images_each", 0, where));
}

void ImageSetWriter::check_origin() const {
  if (!earlier_.is_null()) {
    const Json before = earlier_.value("settings", Json::object());
    if (before == description_.settings) return;
    fail_usage(cat("the images in ", folder_.string(), " were made with ",
                   difference(before, description_.settings),
                   "; use another --out, or --force to start over"));
  }
  bool occupied = path_exists(folder_ / kMetadataFile);
  // Whatever it holds: it is not ours to replace.
  for_each_image(plan_, 1, [&](const PlannedImage& planned) {
    occupied = occupied || path_exists(folder_ / planned.file);
  });
  if (occupied) {
    fail_usage(cat(folder_.string(), " holds images of unknown settings (no ", kSettingsFile,
                   "); use another --out, or --force to replace them"));
  }
}

bool ImageSetWriter::has(const PlannedImage& planned) const {
  // A file with the right name may be half of one: parts of a set are copied together by hand.
  return ends_as_png(folder_ / planned.file);
}

std::vector<PlannedImage> ImageSetWriter::missing(
    const std::function<bool(std::int64_t)>& wanted) const {
  std::vector<PlannedImage> list;
  for_each_image(plan_, plan_.each, [&](PlannedImage planned) {
    const bool is_wanted = wanted(plan_.place_of(planned));
    if (is_wanted && (force_ || !has(planned))) list.push_back(std::move(planned));
  });
  return list;
}

/// What is there is looked through, not what could be: a record may claim millions.
void ImageSetWriter::remove_images(const Plan& plan) const {
  for (std::size_t subject = 0; subject < plan.subjects.size(); ++subject) {
    const fs::path folder = folder_ / plan.subjects[subject].folder;
    if (!path_is_folder(folder)) continue;
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::int64_t number = image_number(entry.path().filename().string());
      if (number >= 0 && number < plan.each) found.push_back(entry.path());
    }
    std::error_code ignored;
    for (const fs::path& file : found) fs::remove(file, ignored);
    // Before a new record vouches for what a power cut might bring back.
    if (!found.empty()) sync_folder(folder);
  }
}

void ImageSetWriter::remove_earlier() const {
  remove_images(plan_);
  if (!earlier_.is_null()) {
    const Plan plan = earlier_plan(earlier_, (folder_ / kSettingsFile).string());
    remove_images(plan);
    for (const Subject& subject : plan.subjects) {
      std::error_code not_empty;
      if (!subject.folder.empty()) fs::remove(folder_ / subject.folder, not_empty);
    }
  }
  std::error_code ignored;
  fs::remove(folder_ / kMetadataFile, ignored);
  sync_folder(folder_);
}

void ImageSetWriter::begin() {
  make_folder(folder_);
  if (force_) remove_earlier();
  write_json(folder_ / kSettingsFile,
             Json{{"format", 1}, {"images_each", listed_}, {"settings", description_.settings}});
}

void ImageSetWriter::check_begun(const Context& context) const {
  // As long as network disks may go by what they saw before.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const fs::path file = folder_ / kSettingsFile;
  while (std::chrono::steady_clock::now() < deadline) {
    if (path_exists(file)) return;
    std::error_code ignored;
    const fs::directory_iterator opened(folder_, ignored);  // makes them ask for it anew
    if (context.ranks.share_stop(context.cancel.requested())) CancelToken::stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fail_resource(
      cat("a rank does not see ", file.string(),
          ", which another one wrote; choose an --out on a disk that all share, or divide "
          "the work with --shard I/N"));
}

void ImageSetWriter::write(const PlannedImage& planned, const Image& image) const {
  // A name that a power cut loses is drawn again, so one visit to the disk for all names will do.
  write_file_name_later(folder_ / planned.file, encode_png(image));
}

std::string ImageSetWriter::line(const PlannedImage& planned) const {
  const Subject& subject = plan_.subjects.at(planned.subject);
  Json line;
  line["file_name"] = planned.file;
  if (plan_.labelled) {
    line["class"] = subject.name;
    line["label"] = planned.subject;
  }
  line["prompt"] = planned.prompt;
  line["seed"] = planned.seed;
  if (planned.start != nullptr) {
    line["start"] = {{"id", planned.start->id}, {"hash", planned.start->hash}};
  }
  line.update(description_.common_line);
  line["lora"] = description_.loras.at(planned.subject);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void ImageSetWriter::write_metadata(bool planned_are_there) const {
  for (const Subject& subject : plan_.subjects) {
    if (path_is_folder(folder_ / subject.folder)) sync_folder(folder_ / subject.folder);
  }
  std::string text;
  for_each_image(plan_, listed_, [&](const PlannedImage& planned) {
    const bool is_known = planned_are_there && planned.number < plan_.each;
    if (is_known || has(planned)) text += line(planned);
  });
  write_file_atomically(folder_ / kMetadataFile, text);
}

}  // namespace dd::generate
