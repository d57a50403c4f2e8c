// SPDX-License-Identifier: Apache-2.0
#include "dd/data/shots.h"

#include <map>

#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/core/seeds.h"

namespace dd {
namespace {

const std::string& class_name(const Dataset& dataset, std::size_t label) {
  return dataset.class_names()[label];
}

// A class's own generator: other classes do not shift it.
Random class_random(const Dataset& dataset, std::size_t label, std::uint64_t seed,
                    const std::string& purpose) {
  return Random(mix_seed(seed, purpose + "/" + class_name(dataset, label)));
}

}  // namespace

std::vector<std::int64_t> draw_shots(const Dataset& dataset, std::int64_t shots,
                                     std::uint64_t seed) {
  if (shots < 0) fail_usage(cat("the number of shots is ", shots, "; choose 0 or more"));
  const auto classes = indices_by_class(dataset);
  std::vector<std::int64_t> drawn;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const std::vector<std::int64_t>& members = classes[label];
    if (shots > std::ssize(members)) {
      fail_input(cat("class \"", class_name(dataset, label), "\" has ", members.size(),
                     " images, fewer than the ", shots,
                     " shots asked for; choose fewer shots or add images"));
    }
    const std::vector<std::int64_t> order =
        class_random(dataset, label, seed, "shots").permutation(std::ssize(members));
    for (std::size_t i = 0; i < static_cast<std::size_t>(shots); ++i) {
      drawn.push_back(members[static_cast<std::size_t>(order[i])]);
    }
  }
  return drawn;
}

void check_shot_split(const std::string& split) {
  if (split == "test") {
    fail_usage(
        "--split is test, but training images come from train; the test split is for evaluate");
  }
}

ShotSplit held_out_shots(const Dataset& dataset, std::span<const std::int64_t> shots,
                         std::int64_t held_out, std::uint64_t seed) {
  if (held_out < 0) fail_usage(cat("cannot hold out ", held_out, " shots; choose 0 or more"));
  std::vector<std::vector<std::size_t>> classes(dataset.class_names().size());
  for (std::size_t i = 0; i < shots.size(); ++i) {
    classes[static_cast<std::size_t>(dataset.label(shots[i]))].push_back(i);
  }
  std::vector<bool> is_held_out(shots.size(), false);
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const std::vector<std::size_t>& members = classes[label];
    if (members.empty()) continue;
    if (held_out >= std::ssize(members)) {
      fail_usage(cat("cannot hold out ", held_out, " of the ", members.size(), " shots of class \"",
                     class_name(dataset, label), "\": none would be left; hold out fewer"));
    }
    const std::vector<std::int64_t> order =
        class_random(dataset, label, seed, "held-out").permutation(std::ssize(members));
    for (std::size_t i = 0; i < static_cast<std::size_t>(held_out); ++i) {
      is_held_out[members[static_cast<std::size_t>(order[i])]] = true;
    }
  }
  ShotSplit split;
  for (std::size_t i = 0; i < shots.size(); ++i) {
    (is_held_out[i] ? split.validation : split.train).push_back(shots[i]);
  }
  return split;
}

void write_shots(const std::filesystem::path& path, const Dataset& dataset,
                 const ShotRecord& record) {
  Json images = Json::array();
  for (const std::int64_t index : record.indices) {
    const auto label = static_cast<std::size_t>(dataset.label(index));
    images.push_back({{"id", dataset.id(index)},
                      {"class", class_name(dataset, label)},
                      {"label", label},
                      {"sha256", dataset.content_hash(index)}});
  }
  write_json(path, {{"data", record.data},
                    {"split", record.split},
                    {"seed", record.seed},
                    {"shots", record.shots},
                    {"images", images}});
}

ShotRecord read_shots(const std::filesystem::path& path, const Dataset& dataset) {
  const Json json = read_json(path);
  const std::string where = path.string();
  ShotRecord record;
  record.data = json_required<std::string>(json, "data", where);
  record.split = json_required<std::string>(json, "split", where);
  record.seed = json_required<std::uint64_t>(json, "seed", where);
  record.shots = json_required<std::int64_t>(json, "shots", where);

  std::map<std::string, std::int64_t> index_of;
  for (std::int64_t i = 0; i < dataset.size(); ++i) index_of.emplace(dataset.id(i), i);
  const Json images = json_required<Json>(json, "images", where);
  if (!images.is_array())
    fail_input(cat(where, ": \"images\" is not a list; draw the shots again"));
  for (const Json& image : images) {
    const auto id = json_required<std::string>(image, "id", where);
    const auto found = index_of.find(id);
    const auto refuse = [&](const std::string& why) {
      fail_input(cat(where, ": the shot ", id, " ", why, "; restore the data set or draw again"));
    };
    if (found == index_of.end()) refuse("is not in the data set");
    const auto label = static_cast<std::size_t>(dataset.label(found->second));
    if (json_required<std::string>(image, "class", where) != class_name(dataset, label)) {
      refuse(cat("now belongs to class \"", class_name(dataset, label), "\""));
    }
    if (json_required<std::string>(image, "sha256", where) != dataset.content_hash(found->second)) {
      refuse("has changed since it was drawn");
    }
    record.indices.push_back(found->second);
  }
  return record;
}

}  // namespace dd
