// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/training_data.h"

#include <algorithm>
#include <optional>

#include "dd/classify/class_match.h"
#include "dd/classify/clip_model.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/memory.h"
#include "dd/core/ranks.h"
#include "dd/data/image_cache.h"
#include "dd/data/parallel.h"
#include "dd/data/shared_lines.h"
#include "dd/data/shots.h"
#include "dd/data/subset.h"

namespace dd::classify {
namespace {

/// Shows images whose short side is longer than `longest` reduced to that.
class Reduced final : public Dataset {
 public:
  Reduced(std::shared_ptr<const Dataset> source, int longest)
      : source_(std::move(source)), longest_(longest) {}

  const std::vector<std::string>& class_names() const override { return source_->class_names(); }
  std::int64_t size() const override { return source_->size(); }
  std::int64_t label(std::int64_t index) const override { return source_->label(index); }
  std::string id(std::int64_t index) const override { return source_->id(index); }
  std::string content_hash(std::int64_t index) const override {
    return source_->content_hash(index);
  }
  Image image(std::int64_t index) const override {
    Image image = source_->image(index);
    if (std::min(image.width, image.height) <= longest_) return image;
    return resize_short_side(image, longest_);
  }

 private:
  std::shared_ptr<const Dataset> source_;
  int longest_;
};

LabelledImages with_own_labels(std::shared_ptr<const Dataset> images) {
  LabelledImages result{std::move(images), {}};
  for (std::int64_t i = 0; i < result.images->size(); ++i) {
    result.labels.push_back(result.images->label(i));
  }
  return result;
}

/// `new_label` is indexed by the set's own labels.
void relabel(LabelledImages& images, const std::vector<std::int64_t>& new_label) {
  for (std::int64_t& label : images.labels) label = new_label[static_cast<std::size_t>(label)];
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& places) {
  std::vector<std::int64_t> result(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    result[static_cast<std::size_t>(places[i])] = static_cast<std::int64_t>(i);
  }
  return result;
}

/// The first `each` of `chosen` of every class; Error(kInput) names a class with fewer.
std::vector<std::int64_t> first_of_each(const Dataset& images,
                                        const std::vector<std::int64_t>& chosen, std::int64_t each,
                                        const std::string& what) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(images.num_classes()), 0);
  std::vector<std::int64_t> kept;
  for (const std::int64_t index : chosen) {
    if (counts[static_cast<std::size_t>(images.label(index))]++ < each) kept.push_back(index);
  }
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] >= each) continue;
    fail_input(cat(what, " holds ", counts[c], " images of class \"", images.class_names()[c],
                   "\", but ", each, " are asked for; ask for fewer or add images"));
  }
  return kept;
}

std::vector<std::int64_t> all_indices(const Dataset& images) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < images.size(); ++i) indices.push_back(i);
  return indices;
}

LabelledImages find_real(const TrainOptions& options, std::int64_t seed) {
  check_shot_split(options.split);
  std::shared_ptr<const Dataset> all = open_dataset(parse_data_spec(options.real), options.split);
  std::vector<std::int64_t> shots;
  if (!options.shots_file.empty()) {
    shots = read_shots(options.shots_file, *all).indices;
    if (options.shots > 0) {
      shots = first_of_each(*all, shots, options.shots, options.shots_file.string());
    }
  } else if (options.shots > 0) {
    shots = draw_shots(*all, options.shots, static_cast<std::uint64_t>(seed));
  } else {
    return with_own_labels(std::move(all));
  }
  return with_own_labels(make_subset(std::move(all), std::move(shots)));
}

/// Sets the class names too when there are none yet.
LabelledImages find_synthetic(const TrainOptions& options, std::vector<std::string>& class_names) {
  std::shared_ptr<const Dataset> all = open_dataset({"folder", options.synthetic}, "train");
  const SyntheticClasses classes = read_synthetic_classes(options.synthetic, *all);
  std::vector<std::int64_t> new_label = classes.labels;
  if (class_names.empty()) {
    class_names = classes.names;
  } else {
    const std::vector<std::int64_t> place =
        inverse(match_classes(class_names, classes.names, cat("the real data ", options.real),
                              cat("the synthetic set ", options.synthetic.string())));
    for (std::int64_t& label : new_label) label = place[static_cast<std::size_t>(label)];
  }
  if (options.images_per_class > 0) {
    all = make_subset(all, first_of_each(*all, all_indices(*all), options.images_per_class,
                                         cat("the synthetic set ", options.synthetic.string())));
  }
  LabelledImages images = with_own_labels(std::move(all));
  relabel(images, new_label);
  return images;
}

LabelledImages find_validation(const TrainOptions& options,
                               const std::vector<std::string>& class_names) {
  LabelledImages images =
      with_own_labels(open_dataset(parse_data_spec(options.val), options.val_split));
  relabel(images,
          inverse(match_classes(class_names, images.images->class_names(), "the training data",
                                cat("the validation data ", options.val))));
  return images;
}

/// Of colours of 8 bits. Pictures are assumed no longer than twice their width.
std::int64_t bytes_of_pictures(std::int64_t count, std::int64_t short_side) {
  return count * short_side * short_side * 6;
}

/// For the pictures of one kind of images. Each rank of a machine keeps its own, and all of them
/// look at about the same moment.
std::int64_t memory_for(const ImageCaching& caching, std::optional<std::int64_t> available) {
  if (!available) return caching.memory;
  return std::min(caching.memory, *available / caching.sharers / 2);
}

/// The short side to which larger images are reduced where crops are cut from them.
int longest_side(const Preprocess& preprocess) {
  return preprocess.size + preprocess.size / 7;
}

/// `longest` is that side; 0 where `options` say the size.
void cache(LabelledImages& images, CacheOptions options, int longest, const ImageCaching& caching,
           const Context& context) {
  if (images.empty()) return;
  const std::int64_t bytes =
      bytes_of_pictures(images.size(), longest > 0 ? longest : options.short_side);
  const std::int64_t memory = memory_for(caching, available_memory());
  if (bytes > memory) {
    // Ranks share the folder, and would empty each other's file.
    options.file = caching.folder / cat("images-", context.ranks.rank(), ".cache");
    context.report.info(cat("the ", images.size(), " images may need ", bytes >> 30,
                            " GiB, more than memory should hold; their pixels go to a file in ",
                            caching.folder.string(), " until the training ends"));
  }
  // Of the few that are longer.
  options.max_bytes = 2 * memory;
  if (longest > 0) images.images = std::make_shared<Reduced>(images.images, longest);
  images.images = std::make_shared<ImageCache>(images.images, options, context);
}

}  // namespace

TrainingData find_training_data(const TrainOptions& options, const CommonOptions& common,
                                const Context& context) {
  TrainingData data;
  if (!options.real.empty()) {
    data.real = find_real(options, common.seed);
    data.class_names = data.real.images->class_names();
  }
  if (!options.synthetic.empty()) data.synthetic = find_synthetic(options, data.class_names);
  if (!options.val.empty()) data.validation = find_validation(options, data.class_names);
  const std::int64_t threads = thread_count(common.threads);
  std::string text;
  for (const LabelledImages* images : {&data.real, &data.synthetic, &data.validation}) {
    text += hash_of_images(data.class_names, *images, threads, context) + "\n";
  }
  data.hash = sha256_of(text);
  return data;
}

PictureRoom room_of_pictures(const TrainingData& data, const Preprocess& preprocess,
                             const ImageCaching& caching) {
  PictureRoom room;
  std::optional<std::int64_t> available = available_memory();
  const int of_training = caching.augmented ? longest_side(preprocess) : preprocess.resize_to;
  for (const auto& [images, side] : {std::pair(&data.real, of_training),
                                     {&data.synthetic, of_training},
                                     {&data.validation, preprocess.resize_to}}) {
    const std::int64_t bytes = bytes_of_pictures(images->size(), side);
    if (bytes > memory_for(caching, available)) {
      room.disk += bytes;
      continue;
    }
    room.memory += bytes;
    if (available) *available -= bytes * caching.sharers;
  }
  return room;
}

void cache_images(TrainingData& data, const Preprocess& preprocess, const ImageCaching& caching,
                  const Context& context) {
  const CacheOptions exact{.short_side = preprocess.resize_to,
                           .square = preprocess.resize_to == preprocess.size,
                           .filter = preprocess.filter,
                           .threads = caching.threads};
  const CacheOptions whole{.short_side = 0, .square = false, .threads = caching.threads};
  const int longest = longest_side(preprocess);
  for (LabelledImages* images : {&data.real, &data.synthetic}) {
    cache(*images, caching.augmented ? whole : exact, caching.augmented ? longest : 0, caching,
          context);
  }
  cache(data.validation, exact, 0, caching, context);
}

std::string hash_of_images(const std::vector<std::string>& class_names,
                           const LabelledImages& images, std::int64_t threads,
                           const Context& context) {
  std::string text;
  for (const std::string& name : class_names) text += name + "\n";
  if (images.empty()) return sha256_of(text);
  const std::vector<std::string> hashes = content_hashes(*images.images, threads, context);
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    text += cat(images.labels[at], ' ', images.images->id(i), ' ', hashes[at], '\n');
  }
  return sha256_of(text);
}

}  // namespace dd::classify
