// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/evaluate.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "dd/classify/class_match.h"
#include "dd/classify/classifier_file.h"
#include "dd/classify/clip_model.h"
#include "dd/classify/leak_check.h"
#include "dd/classify/training_data.h"
#include "dd/core/complete_record.h"
#include "dd/core/csv.h"
#include "dd/core/durable_files.h"
#include "dd/core/event_file.h"
#include "dd/core/files.h"
#include "dd/core/ranks.h"
#include "dd/core/room.h"
#include "dd/data/parallel.h"
#include "dd/lora/merged_lora.h"
#include "dd/models/model_size.h"
#include "dd/text/prompt.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetricsFile = "metrics.json";
constexpr const char* kPredictionsFile = "predictions.csv";
constexpr const char* kDefaultTemplate = "a photo of a {}";

/// What is scored on what; names are in the order of the data, as prompts say them.
struct Subject {
  LabelledImages images;
  std::optional<SavedClassifier> classifier;
  std::vector<std::string> class_names;
  std::string prompt_template;
  std::string fingerprint;
  std::string identity;
};

void take_classifier(const EvaluateOptions& options, Subject& subject, Reporter& report) {
  subject.classifier = SavedClassifier::load(options.classifier);
  const SavedClassifier& saved = *subject.classifier;
  if (saved.clip_fingerprint != subject.fingerprint) {
    report.warn(cat("the classifier ", options.classifier.string(),
                    " was trained on another CLIP than ", options.clip.path.string()));
  }
  const std::vector<std::int64_t> places =
      match_classes(subject.class_names, saved.class_names, cat("the data ", options.data),
                    cat("the classifier ", options.classifier.string()));
  // The names as they were trained.
  for (std::size_t i = 0; i < places.size(); ++i) {
    subject.class_names[i] = saved.class_names[static_cast<std::size_t>(places[i])];
  }
  if (subject.prompt_template.empty()) subject.prompt_template = saved.prompt_template;
}

Subject find_subject(const EvaluateOptions& options, const CommonOptions& common,
                     at::ScalarType dtype, Context& context) {
  Subject subject;
  subject.fingerprint = options.clip.fingerprint();
  ReadOptions reading;
  reading.as_transformers = options.reading != "seen";
  reading.alpha_over_white = options.reading == "transformers-5";
  const DataSpec spec = parse_data_spec(options.data);
  subject.images.images = open_dataset(spec, options.split, reading);
  const Dataset& images = *subject.images.images;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    subject.images.labels.push_back(images.label(i));
  }
  subject.class_names = images.class_names();
  subject.prompt_template = fill_domain(options.prompt_template, domain_word(spec));
  if (!options.classifier.empty()) take_classifier(options, subject, context.report);
  if (subject.prompt_template.empty()) subject.prompt_template = kDefaultTemplate;
  Json identity{{"clip", subject.fingerprint},
                {"classifier", subject.classifier ? subject.classifier->hash : ""},
                {"class_names", subject.class_names},
                {"template", subject.prompt_template},
                {"images", hash_of_images(images.class_names(), subject.images,
                                          thread_count(common.threads), context)},
                {"split", options.split},
                {"dtype", dtype_name(dtype)}};
  if (options.reading != "seen") identity["reading"] = options.reading;
  subject.identity = sha256_of(identity.dump());
  return subject;
}

Json metrics_json(const EvaluateOptions& options, const Subject& subject,
                  const EvaluateResult& result) {
  const AccuracyReport& accuracy = result.accuracy;
  Json per_class = Json::array();
  for (const double share : accuracy.per_class) {
    per_class.push_back(std::isnan(share) ? Json() : Json(share));
  }
  return {{"method", subject.classifier ? "classifier" : "zero-shot"},
          {"data", options.data},
          {"split", options.split},
          {"protocol", options.protocol},
          {"n", accuracy.n},
          {"top1", accuracy.top1},
          {"top5", accuracy.top5},
          {"ece", accuracy.ece},
          {"nll", accuracy.nll},
          {"class_names", result.class_names},
          {"per_class", per_class},
          {"class_counts", accuracy.class_counts},
          {"confusion", accuracy.confusion},
          {"template", subject.prompt_template},
          {"reading", options.reading},
          {"clip_fingerprint", subject.fingerprint},
          {"seconds", result.seconds},
          {"identity", subject.identity}};
}

EvaluateResult result_of(const Json& metrics, const std::string& where) {
  EvaluateResult result;
  AccuracyReport& accuracy = result.accuracy;
  result.skipped = true;
  accuracy.n = json_required<std::int64_t>(metrics, "n", where);
  accuracy.top1 = json_required<double>(metrics, "top1", where);
  accuracy.top5 = json_required<double>(metrics, "top5", where);
  accuracy.ece = json_required<double>(metrics, "ece", where);
  // Metrics of version 1 have none.
  const Json nll = metrics.value("nll", Json());
  accuracy.nll = nll.is_number() ? nll.get<double>() : std::nan("");
  accuracy.class_counts = json_required<std::vector<std::int64_t>>(metrics, "class_counts", where);
  accuracy.confusion =
      json_required<std::vector<std::vector<std::int64_t>>>(metrics, "confusion", where);
  for (const Json& share : json_required<Json>(metrics, "per_class", where)) {
    accuracy.per_class.push_back(share.is_null() ? std::nan("") : share.get<double>());
  }
  result.class_names = json_required<std::vector<std::string>>(metrics, "class_names", where);
  result.seconds = json_required<double>(metrics, "seconds", where);
  return result;
}

std::string predictions_csv(const Subject& subject, std::span<const float> logits) {
  std::string csv = "file,label,predicted";
  for (const std::string& name : subject.class_names) csv += "," + csv_field(name);
  csv += '\n';
  const std::size_t classes = subject.class_names.size();
  for (std::int64_t i = 0; i < subject.images.size(); ++i) {
    const auto row = logits.subspan(static_cast<std::size_t>(i) * classes, classes);
    csv += cat(csv_field(subject.images.images->id(i)), ',',
               subject.images.labels[static_cast<std::size_t>(i)], ',', best_class(row));
    for (const float value : row) {
      std::array<char, 32> text{};
      const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
      csv += ',';
      csv.append(text.data(), end);
    }
    csv += '\n';
  }
  return csv;
}

/// Disk and memory. A number of a table takes 16 bytes at most, with its comma or its indentation.
void report_room(const EvaluateOptions& options, const CommonOptions& common,
                 const Subject& subject, Placement placement, Reporter& report) {
  constexpr std::int64_t kNumber = 16;
  constexpr std::int64_t kRecords = 8192;
  const auto classes = std::ssize(subject.class_names);
  const std::int64_t scores = subject.images.size() * classes;
  std::int64_t names = 0;
  for (const std::string& name : subject.class_names) names += 2 * std::ssize(name);
  std::int64_t bytes = kRecords + 2 * names + (classes + 4) * classes * kNumber;
  if (options.predictions) {
    bytes += 2 * name_bytes(*subject.images.images) + names +
             (scores + 3 * subject.images.size()) * kNumber;
  }
  report_space(common.out, bytes, options.predictions ? "metrics and predictions" : "the metrics",
               report);
  MemoryNeed need = models::memory_need(models::weights_in(options.clip.path), placement);
  // Twice, while they are put together; as text, they are written from memory.
  need.bytes += scores * (2 * std::int64_t{sizeof(float)} + (options.predictions ? kNumber : 0));
  report_memory(need, "CLIP's weights and the scores", report);
}

at::Tensor score(const EvaluateOptions& options, const CommonOptions& common,
                 const ClipModel& model, const Subject& subject, Context& context) {
  const std::vector<lora::ModelPart> parts{{"", &model.clip.parameters()}};
  std::optional<lora::MergedLora> merged;
  if (subject.classifier) {
    const std::vector<lora::ScaledLora> adapters{{&subject.classifier->weights, 1.0}};
    merged.emplace(parts, adapters);
  }
  const models::ClipPrompts prompts =
      class_prompts(model, subject.class_names, subject.prompt_template, context.report);
  return classify_images(model, prompts, *subject.images.images,
                         {.batch = options.batch, .threads = thread_count(common.threads)},
                         context);
}

}  // namespace

EvaluateResult run_evaluate(const EvaluateOptions& options, const CommonOptions& common,
                            Context& context) {
  check_options(options);
  if (common.out.empty()) fail_usage("--out is missing; give a folder for the metrics");
  const Placement placement = parse_placement(common.device, common.dtype);
  const Subject subject = find_subject(options, common, placement.dtype, context);
  const fs::path metrics = common.out / kMetricsFile;
  std::optional<Json> earlier;
  std::vector<fs::path> wanted;
  if (options.predictions) wanted.push_back(common.out / kPredictionsFile);
  if (!common.force)
    earlier = complete_record(metrics, subject.identity, "metrics", context.ranks, wanted);
  if (earlier) {
    context.report.info(cat("the metrics in ", common.out.string(), " are complete"));
    return from_record(metrics, [&] { return result_of(*earlier, metrics.string()); });
  }
  report_room(options, common, subject, placement, context.report);
  if (common.dry_run) {
    context.report.info(cat("would score ", subject.images.size(), " images of ",
                            subject.class_names.size(), " classes"));
    return {};
  }
  if (subject.classifier) {
    guard_evaluation(options.classifier, *subject.images.images, options.split,
                     thread_count(common.threads), context);
  }
  const ClipModel model = ClipModel::load(options.clip, placement);
  if (!model.assumed.empty()) context.report.warn(model.assumed);
  const auto start = std::chrono::steady_clock::now();
  const at::Tensor logits = score(options, common, model, subject, context);
  EvaluateResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::span<const float> scores(logits.const_data_ptr<float>(),
                                      static_cast<std::size_t>(logits.numel()));
  result.class_names = subject.class_names;
  result.accuracy = measure_accuracy(scores, subject.images.labels, logits.size(1));
  if (!context.ranks.first()) return result;
  drop_record(metrics);
  if (options.predictions) {
    write_file_atomically(common.out / kPredictionsFile, predictions_csv(subject, scores));
  }
  EventFile events(common.out);
  events.add("metrics/top1", 0, result.accuracy.top1);
  events.add("metrics/top5", 0, result.accuracy.top5);
  events.add("metrics/ece", 0, result.accuracy.ece);
  write_json(metrics, metrics_json(options, subject, result));
  return result;
}

}  // namespace dd::classify
