// SPDX-License-Identifier: Apache-2.0
#include "dd/align/align.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "dd/align/copies.h"
#include "dd/align/feature_model.h"
#include "dd/align/feature_set.h"
#include "dd/align/image_sets.h"
#include "dd/align/report.h"
#include "dd/classify/clip_model.h"
#include "dd/classify/training_data.h"
#include "dd/core/complete_record.h"
#include "dd/core/csv.h"
#include "dd/core/durable_files.h"
#include "dd/core/files.h"
#include "dd/core/memory.h"
#include "dd/core/ranks.h"
#include "dd/core/room.h"
#include "dd/data/parallel.h"
#include "dd/io/npy.h"
#include "dd/models/model_size.h"

namespace dd::align {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetricsFile = "metrics.json";

/// What is compared, before anything is computed.
struct Subject {
  std::optional<ImageSets> images;  ///< nothing where features come from files alone
  Json identity;                    ///< of all that the results follow from
};

std::string hash_of(const ImageSets& sets, const ImageSet& set, std::int64_t threads,
                    const Context& context) {
  if (set.images == nullptr) return "";
  return classify::hash_of_images(sets.class_names, {set.images, set.labels}, threads, context);
}

Subject find_subject(const AlignOptions& options, const CommonOptions& common, at::ScalarType dtype,
                     Context& context) {
  Subject subject;
  subject.identity = {{"seed", common.seed},
                      {"features", options.features},
                      {"unit_length", options.unit_length},
                      {"kid_subsets", options.kid_subsets},
                      {"kid_subset_size", options.kid_subset_size},
                      {"bootstrap", options.bootstrap},
                      {"copy_quantile", options.copy_quantile}};
  std::vector<std::string> hashes;
  if (options.from_files()) {
    for (const fs::path* file : {&options.real_features, &options.synthetic_features,
                                 &options.real_labels, &options.synthetic_labels}) {
      hashes.push_back(file->empty() ? "" : sha256_of_file(*file));
    }
    subject.identity["hashes"] = hashes;
    return subject;
  }
  if (options.features_in_file()) {
    hashes.push_back(sha256_of_file(options.features));
  } else {
    hashes.push_back(feature_fingerprint(options));
    subject.identity["dtype"] = dtype_name(dtype);
  }
  subject.images = find_image_sets(options, static_cast<std::uint64_t>(common.seed), context);
  const std::int64_t threads = thread_count(common.threads);
  for (const ImageSet* set :
       {&subject.images->real, &subject.images->synthetic, &subject.images->shots}) {
    hashes.push_back(hash_of(*subject.images, *set, threads, context));
  }
  subject.identity["hashes"] = hashes;
  return subject;
}

/// Null where features come from files.
std::unique_ptr<FeatureModel> find_model(const AlignOptions& options, Placement placement,
                                         Reporter& report) {
  if (options.from_files() || options.features_in_file()) return nullptr;
  return models::load_saying_memory(
      models::memory_need(models::weights_in(feature_model_path(options)), placement),
      "the feature model's weights", report,
      [&] { return load_feature_model(options, placement); });
}

/// Disk and memory for features that are computed; those of files are there already.
void report_room(const fs::path& out, const ImageSets& sets, const FeatureModel& model,
                 Reporter& report) {
  const std::int64_t width = model.width();
  const std::int64_t compared = sets.real.size() + sets.synthetic.size();
  std::int64_t names = 0;
  for (const ImageSet* set : {&sets.real, &sets.synthetic}) {
    if (set->images != nullptr) names += name_bytes(*set->images);
  }
  constexpr std::int64_t kLine = 512;       // of an image in two tables, with classes
  constexpr std::int64_t kMeasures = 4096;  // of a class
  const auto classes = std::ssize(sets.class_names) + 1;
  report_space(
      out,
      compared * (width * std::int64_t{sizeof(float)} + kLine) + 4 * names + classes * kMeasures,
      "features and metrics", report);
  // As they are and, for the measures, in double precision; both covariances with what their
  // roots take.
  const std::int64_t numbers = (compared + sets.shots.size()) * width;
  report_memory(
      {numbers * 12 + 6 * width * width * std::int64_t{sizeof(double)}, available_memory()},
      "features", report);
}

FeatureSets find_features(const AlignOptions& options, const CommonOptions& common,
                          const Subject& subject, const FeatureModel* model, Context& context) {
  if (!subject.images) return features_of_files(options);
  if (model == nullptr) return features_of_file(*subject.images, options);
  if (!model->assumed().empty()) context.report.warn(model->assumed());
  return compute_features(*subject.images, *model, options.batch, thread_count(common.threads),
                          context);
}

/// The rows of one class.
LabelledFeatures of_class(const LabelledFeatures& features, std::int64_t label) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < std::ssize(features.labels); ++i) {
    if (features.labels[static_cast<std::size_t>(i)] == label) places.push_back(i);
  }
  return {rows_at(features.rows, places), std::vector<std::int64_t>(places.size(), 0)};
}

Json measure_classes(const FeatureSets& sets, const AlignmentOptions& measures, Context& context) {
  Json per_class = Json::array();
  const auto classes = std::ssize(sets.class_names);
  for (std::int64_t label = 0; label < classes; ++label) {
    const LabelledFeatures real = of_class(sets.real.features, label);
    const LabelledFeatures synthetic = of_class(sets.synthetic.features, label);
    Json measured{{"class", sets.class_names[static_cast<std::size_t>(label)]}};
    if (real.labels.empty() || synthetic.labels.empty()) {
      measured["n_real"] = real.labels.size();
      measured["n_synthetic"] = synthetic.labels.size();
      measured["cautions"] = Json::array({"one of the sets has no image of this class"});
    } else {
      measured.update(alignment_json(measure_alignment(real, synthetic, measures, "", context)));
    }
    per_class.push_back(std::move(measured));
    context.cancel.check();
    context.report.progress("measure classes", label + 1, classes, "");
  }
  return per_class;
}

AlignmentOptions measure_options(const AlignOptions& options, const CommonOptions& common) {
  return {
      .kid_subsets = options.kid_subsets,
      .kid_subset_size = options.kid_subset_size,
      .half_samples = options.bootstrap,
      .unit_length = options.unit_length || !(options.from_files() || options.features_in_file()),
      .seed = static_cast<std::uint64_t>(common.seed)};
}

/// Says what a reader of `cmmd` might take for granted.
void check_cmmd(const AlignOptions& options, const at::Tensor& rows, Reporter& report) {
  if (options.unit_length) return;
  if (options.from_files() || options.features_in_file()) {
    const double length = rows.norm(2, {1}).mean().item<double>();
    if (std::abs(length - 1) > 1e-2) {
      report.warn(cat("the given features are ", length,
                      " long on average, but CMMD is defined on features of CLIP at unit length; "
                      "give --unit-length, or do not compare its figure with others"));
    }
  } else if (options.features != "clip") {
    report.warn(cat("CMMD is defined on features of CLIP; do not compare its figure on ",
                    options.features, " with others"));
  }
}

Json measure(const AlignOptions& options, const CommonOptions& common, const FeatureSets& sets,
             const CopyCheck& copies, Context& context) {
  const AlignmentOptions measures = measure_options(options, common);
  Json metrics = alignment_json(measure_alignment(sets.real.features, sets.synthetic.features,
                                                  measures, "draw half-samples", context));
  for (const Json& caution : metrics.at("cautions")) {
    context.report.warn(caution.get<std::string>());
  }
  metrics["per_class"] = measure_classes(sets, measures, context);
  metrics["copies"] = copies_json(copies, sets.shots.size());
  metrics["features"] = options.from_files() ? options.real_features.string() : options.features;
  metrics["dimensions"] = sets.real.features.rows.size(1);
  metrics["cmmd_on"] = measures.unit_length ? "unit length" : "as given";
  metrics["interval_level"] = measures.level;
  metrics["half_samples"] = measures.half_samples;
  metrics["seed"] = common.seed;
  metrics["real"] = options.from_files() ? options.real_features.string() : options.real;
  metrics["real_split"] = options.from_files() ? "" : options.real_split;
  metrics["synthetic"] =
      (options.from_files() ? options.synthetic_features : options.synthetic).string();
  return metrics;
}

at::Tensor label_tensor(const std::vector<std::int64_t>& labels) {
  at::Tensor values = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
  std::ranges::copy(labels, values.mutable_data_ptr<std::int64_t>());
  return values;
}

/// Rows of features and which images they belong to.
void write_features(const fs::path& out, const FeatureSets& sets) {
  std::string csv = "set,row,file,class\n";
  for (const auto& [name, set] :
       {std::pair("real", &sets.real), std::pair("synthetic", &sets.synthetic)}) {
    io::write_npy(out / cat(name, "_features.npy"), set->features.rows);
    io::write_npy(out / cat(name, "_labels.npy"), label_tensor(set->features.labels));
    for (std::size_t i = 0; i < set->ids.size(); ++i) {
      const auto label = static_cast<std::size_t>(set->features.labels[i]);
      csv += cat(name, ',', i, ',', csv_field(set->ids[i]), ',',
                 sets.class_names.empty() ? "" : csv_field(sets.class_names[label]), '\n');
    }
  }
  write_file_atomically(out / "images.csv", csv);
}

std::string plan_text(const Subject& subject) {
  if (!subject.images) return "would compare the features of two files\n";
  const ImageSets& sets = *subject.images;
  return cat("would compare ", sets.real.size(), " real and ", sets.synthetic.size(),
             " synthetic images of ", std::max<std::size_t>(1, sets.class_names.size()),
             " classes, and look for copies of ", sets.shots.size(), " shots\n");
}

}  // namespace

AlignResult run_align(const AlignOptions& options, const CommonOptions& common, Context& context) {
  options.check();
  if (common.out.empty()) fail_usage("--out is missing; give a folder for the metrics");
  const Placement placement = parse_placement(common.device, common.dtype);
  const Subject subject = find_subject(options, common, placement.dtype, context);
  const std::string identity = sha256_of(subject.identity.dump());
  const fs::path file = common.out / kMetricsFile;
  AlignResult result;
  std::optional<Json> earlier;
  if (!common.force) {
    earlier = complete_record(file, identity, "alignment metrics", context.ranks);
  }
  if (earlier) {
    context.report.info(cat("the metrics in ", common.out.string(), " are complete"));
    result.skipped = true;
    result.metrics = *std::move(earlier);
    result.text = from_record(file, [&] { return alignment_table(result.metrics); });
    return result;
  }
  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<FeatureModel> model = find_model(options, placement, context.report);
  if (model != nullptr) report_room(common.out, *subject.images, *model, context.report);
  if (common.dry_run) {
    result.text = plan_text(subject);
    return result;
  }
  const FeatureSets sets = find_features(options, common, subject, model.get(), context);
  model.reset();  // the measures take memory of their own
  check_cmmd(options, sets.real.features.rows, context.report);
  const CopyCheck copies = check_copies(sets, options.copy_quantile, context.cancel);
  result.metrics = measure(options, common, sets, copies, context);
  result.metrics["seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.metrics["identity"] = identity;
  result.text = alignment_table(result.metrics);
  if (!context.ranks.first()) return result;
  drop_record(file);
  if (!options.from_files()) write_features(common.out, sets);
  write_file_atomically(common.out / "nearest.csv", nearest_csv(sets, copies));
  write_json(file, result.metrics);
  return result;
}

}  // namespace dd::align
