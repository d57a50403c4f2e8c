// SPDX-License-Identifier: Apache-2.0
#include "dd/align/image_sets.h"

#include <algorithm>
#include <set>

#include "dd/classify/class_match.h"
#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/core/seeds.h"
#include "dd/data/shots.h"
#include "dd/data/subset.h"

namespace dd::align {
namespace {

/// A split with the label of each of its classes among the shared ones; −1 leaves a class out.
struct Source {
  std::shared_ptr<const Dataset> images;
  std::vector<std::int64_t> labels;
};

/// The names that both sides have, in the order of the real data, and both sides' labels.
struct SharedClasses {
  std::vector<std::string> names;
  std::vector<std::int64_t> real;
  std::vector<std::int64_t> synthetic;
};

SharedClasses share_classes(const AlignOptions& options, const Dataset& real,
                            const Dataset& synthetic, Reporter& report) {
  const classify::SyntheticClasses made =
      classify::read_synthetic_classes(options.synthetic, synthetic);
  std::set<std::string> wanted;
  for (const std::string& name : made.names) wanted.insert(classify::plain_class_name(name));
  SharedClasses shared;
  for (const std::string& name : real.class_names()) {
    const bool both = wanted.contains(classify::plain_class_name(name));
    shared.real.push_back(both ? std::ssize(shared.names) : -1);
    if (both) shared.names.push_back(name);
  }
  if (shared.names.empty()) {
    report.warn(cat("the classes of ", options.synthetic.string(), " are none of those of ",
                    options.real, "; the sets are compared as a whole only"));
    shared.real.assign(real.class_names().size(), 0);
    shared.synthetic.assign(synthetic.class_names().size(), 0);
    return shared;
  }
  if (shared.names.size() < real.class_names().size()) {
    report.info(cat("real images of ", real.class_names().size() - shared.names.size(),
                    " classes that the synthetic set lacks are left out"));
  }
  const std::vector<std::int64_t> places = classify::match_classes(
      made.names, shared.names, cat("the synthetic set ", options.synthetic.string()),
      cat("the real data ", options.real));
  for (const std::int64_t label : made.labels) {
    shared.synthetic.push_back(places[static_cast<std::size_t>(label)]);
  }
  return shared;
}

/// The label that an image has among the shared classes.
std::int64_t shared_label(const Source& source, std::int64_t index) {
  return source.labels[static_cast<std::size_t>(source.images->label(index))];
}

ImageSet chosen(const Source& source, std::vector<std::int64_t> places) {
  ImageSet set{.images = make_subset(source.images, places),
               .labels = {},
               .places = std::move(places),
               .whole = source.images->size()};
  for (const std::int64_t place : set.places) set.labels.push_back(shared_label(source, place));
  return set;
}

/// At most `per_class` images of each shared class, without those of the given names.
ImageSet draw(const Source& source, const std::set<std::string>& without, std::int64_t per_class,
              std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> classes;
  for (std::int64_t i = 0; i < source.images->size(); ++i) {
    const std::int64_t label = shared_label(source, i);
    if (label < 0 || without.contains(source.images->id(i))) continue;
    const auto place = static_cast<std::size_t>(label);
    if (place >= classes.size()) classes.resize(place + 1);
    classes[place].push_back(i);
  }
  std::vector<std::int64_t> places;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    std::vector<std::int64_t>& members = classes[label];
    if (per_class > 0 && std::ssize(members) > per_class) {
      Random random(mix_seed(seed, "align", {label}));
      random.shuffle(std::span(members));
      members.resize(static_cast<std::size_t>(per_class));
    }
    places.insert(places.end(), members.begin(), members.end());
  }
  std::ranges::sort(places);
  return chosen(source, std::move(places));
}

/// The shots, which may stand in another split than the real images.
ImageSet find_shots(const AlignOptions& options, const Source& real) {
  if (options.shots_file.empty()) return {};
  const Json record = read_json(options.shots_file);
  const auto split = json_required<std::string>(record, "split", options.shots_file.string());
  Source source = real;
  if (split != options.real_split) {
    source.images = open_dataset(parse_data_spec(options.real), split);
  }
  std::vector<std::int64_t> indices = read_shots(options.shots_file, *source.images).indices;
  std::erase_if(indices, [&](std::int64_t index) { return shared_label(source, index) < 0; });
  return chosen(source, std::move(indices));
}

void need_images(const ImageSet& set, const std::string& where) {
  if (set.size() < 2) {
    fail_input(cat(where, " has ", set.size(),
                   " images to compare, but two are needed; check the folder and --shots-file"));
  }
}

}  // namespace

ImageSets find_image_sets(const AlignOptions& options, std::uint64_t seed, Context& context) {
  Source real{open_dataset(parse_data_spec(options.real), options.real_split), {}};
  Source synthetic{open_dataset(parse_data_spec(options.synthetic.string()), "all"), {}};
  SharedClasses shared = share_classes(options, *real.images, *synthetic.images, context.report);
  real.labels = std::move(shared.real);
  synthetic.labels = std::move(shared.synthetic);
  ImageSets sets;
  sets.class_names = std::move(shared.names);
  sets.shots = find_shots(options, real);
  std::set<std::string> shots;
  for (std::int64_t i = 0; i < sets.shots.size(); ++i) shots.insert(sets.shots.images->id(i));
  sets.real = draw(real, shots, options.per_class, mix_seed(seed, "real"));
  sets.synthetic = draw(synthetic, {}, options.per_class, mix_seed(seed, "synthetic"));
  need_images(sets.real, options.real);
  need_images(sets.synthetic, options.synthetic.string());
  return sets;
}

}  // namespace dd::align
