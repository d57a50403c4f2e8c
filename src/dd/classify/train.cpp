// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/train.h"

#include "dd/classify/adapter_file.h"
#include "dd/classify/classifier_file.h"
#include "dd/classify/leak_check.h"
#include "dd/classify/training_run.h"
#include "dd/core/complete_record.h"
#include "dd/core/files.h"
#include "dd/core/memory.h"
#include "dd/core/number_text.h"
#include "dd/core/ranks.h"
#include "dd/core/room.h"
#include "dd/data/parallel.h"
#include "dd/models/model_size.h"
#include "dd/ranks/machine.h"
#include "dd/text/prompt.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

/// Settings that came after the first release count only where they are not what was done before,
/// so that the classifiers of then are still complete. The preset stands in the settings that it
/// sets.
void leave_out_what_is_usual(Json& settings) {
  const Json usual = options_to_json(TrainOptions());
  for (const char* key : {"rand_augment", "rand_magnitude", "label_smoothing", "mix", "mixup_alpha",
                          "cutmix_alpha", "warmup_epochs"}) {
    if (settings.at(key) == usual.at(key)) settings.erase(key);
  }
  settings.erase("augment_preset");
}

/// Equal texts mean equal classifiers: settings without paths (fingerprint and hash stand for what
/// is there) and without what only concerns saving.
std::string identity_of(const TrainOptions& options, const CommonOptions& common,
                        at::ScalarType dtype, const std::string& fingerprint,
                        const std::string& data_hash) {
  Json settings = options_to_json(options);
  for (const char* key : {"clip", "tokenizer", "activation", "synthetic", "real", "shots_file",
                          "val", "save_every"}) {
    settings.erase(key);
  }
  leave_out_what_is_usual(settings);
  settings["seed"] = common.seed;
  settings["dtype"] = dtype_name(dtype);
  settings["clip_fingerprint"] = fingerprint;
  settings["data"] = data_hash;
  return sha256_of(settings.dump());
}

TrainClassifierResult result_of(const Json& record, const std::string& where) {
  TrainClassifierResult result;
  const Json images = json_required<Json>(record, "images", where);
  result.real_images = json_required<std::int64_t>(images, "real", where);
  result.synthetic_images = json_required<std::int64_t>(images, "synthetic", where);
  result.classes =
      std::ssize(json_required<std::vector<std::string>>(record, "class_names", where));
  result.steps = json_required<std::int64_t>(record, "steps", where);
  result.chosen_step = json_required<std::int64_t>(record, "chosen_step", where);
  result.lambda = json_required<double>(record, "lambda", where);
  result.seconds = json_required<double>(record, "seconds", where);
  const Json top1 = record.value("validation_top1", Json());
  if (top1.is_number()) result.validation_top1 = top1.get<double>();
  const Json losses = record.at("curves").value("loss", Json::array());
  if (!losses.empty()) result.last_loss = json_as<double>(losses.back().at(1));
  return result;
}

/// One call of run_train with its input checked and found.
class Trainer {
 public:
  Trainer(const TrainOptions& options, const CommonOptions& common, Context& context)
      : options_(options),
        common_(common),
        context_(context),
        placement_(parse_placement(common.device, common.dtype)) {}

  TrainClassifierResult run() {
    fingerprint_ = options_.clip.fingerprint();
    data_ = find_training_data(options_, common_, context_);
    const std::string identity = identity_for(options_);
    if (const std::optional<Json> record = complete(common_.out, identity)) {
      context_.report.info(cat("the classifier in ", common_.out.string(), " is complete"));
      // A process that was killed right after its record left them.
      if (!common_.dry_run && context_.ranks.first()) remove_states(common_.out);
      TrainClassifierResult result = result_in(*record);
      result.skipped = true;
      return result;
    }
    const std::int64_t threads = thread_count(common_.threads);
    const MemoryNeed need = models::memory_need(models::weights_in(options_.clip.path), placement_);
    const ClipModel model =
        models::load_saying_memory(need, "CLIP's weights", context_.report,
                                   [&] { return ClipModel::load(options_.clip, placement_); });
    const ImageCaching caching{.augmented = options_.augment,
                               .threads = threads,
                               .folder = common_.out,
                               .sharers = local_ranks(context_.ranks).count};
    report_room(model, caching);
    if (common_.dry_run) return describe();
    const std::vector<PrintSet> prints = guard_training(options_, data_, threads, context_);
    if (!model.assumed.empty()) context_.report.warn(model.assumed);
    const TrainingSetup setup{
        model,
        data_,
        class_prompts(model, data_.class_names, options_.prompt_template, context_.report),
        options_,
        static_cast<std::uint64_t>(common_.seed),
        threads,
        context_.ranks,
        context_.cancel};
    cache_images(data_, model.preprocess, caching, context_);
    if (common_.force) remove_earlier(common_.out);
    if (context_.ranks.first()) write_prints(common_.out / kTrainingImages, prints);
    if (!options_.lambdas.empty()) return choose_lambda(setup, identity);
    return result_in(train_classifier(setup, {common_.out, identity, options_.lambda}, context_));
  }

 private:
  std::string identity_for(const TrainOptions& options) const {
    return identity_of(options, common_, placement_.dtype, fingerprint_, data_.hash);
  }

  /// Together: the record of a classifier that need not be trained any more.
  std::optional<Json> complete(const fs::path& folder, const std::string& identity) const {
    if (common_.force) return std::nullopt;
    return complete_record(folder / kClassifierFile, identity, "a classifier", context_.ranks);
  }

  TrainClassifierResult result_in(const Json& record) const {
    const fs::path file = common_.out / kClassifierFile;
    return from_record(file, [&] { return result_of(record, file.string()); });
  }

  /// Of all trainings together, each of which leaves its records.
  void report_room(const ClipModel& model, const ImageCaching& caching) const {
    const BatchPlan plan = plan_batches(options_, data_.real.size(), data_.synthetic.size());
    const TrainingRoom training = room_of_training(
        model, options_, plan.steps, std::ssize(data_.class_names), context_.ranks.count());
    const PictureRoom pictures = room_of_pictures(data_, model.preprocess, caching);
    const auto folders = std::ssize(options_.lambdas) + 1;
    report_space(common_.out,
                 folders * training.disk + context_.ranks.count() * pictures.disk + print_bytes(),
                 pictures.disk > 0 ? "the classifier and its pictures" : "the classifier's files",
                 context_.report);
    report_memory({caching.sharers * (training.memory + pictures.memory), available_memory()},
                  cat("pictures and a step of --batch ", options_.batch,
                      caching.sharers > 1 ? ", on all ranks of a machine," : ""),
                  context_.report);
  }

  /// Of the lines that tell training images from test images.
  std::int64_t print_bytes() const {
    constexpr std::int64_t kPrint = 320;
    std::int64_t bytes = 0;
    for (const LabelledImages* images : {&data_.real, &data_.synthetic, &data_.validation}) {
      if (!images->empty()) bytes += images->size() * kPrint + 2 * name_bytes(*images->images);
    }
    return bytes;
  }

  TrainClassifierResult describe() const {
    TrainClassifierResult result;
    result.real_images = data_.real.size();
    result.synthetic_images = data_.synthetic.size();
    result.classes = std::ssize(data_.class_names);
    const BatchPlan plan = plan_batches(options_, data_.real.size(), data_.synthetic.size());
    result.steps = plan.steps;
    result.lambda = plan.real_weight;
    const std::size_t trainings = std::max<std::size_t>(1, options_.lambdas.size());
    context_.report.info(cat("would train on ", result.real_images, " real and ",
                             result.synthetic_images, " synthetic images of ", result.classes,
                             " classes: ", trainings, " x ", plan.steps, " updates of ", plan.real,
                             " real and ", plan.synthetic, " synthetic images"));
    return result;
  }

  void remove_earlier(const fs::path& folder) const {
    if (context_.ranks.first()) remove_classifier(folder);
    context_.ranks.meet();
  }

  /// The record of a λ's own training, done now or earlier.
  Json candidate(const TrainingSetup& setup, double lambda, const fs::path& folder) {
    TrainOptions own = options_;
    own.lambda = lambda;
    own.lambdas.clear();
    const std::string identity = identity_for(own);
    if (const std::optional<Json> record = complete(folder, identity)) {
      if (context_.ranks.first()) remove_states(folder);
      return *record;
    }
    if (common_.force) remove_earlier(folder);
    const std::string name = cat("train classifier (lambda ", shortest_text(lambda), ")");
    return train_classifier(setup, {folder, identity, lambda, name}, context_);
  }

  TrainClassifierResult choose_lambda(const TrainingSetup& setup, const std::string& identity) {
    Json best;
    fs::path best_folder;
    Json tried = Json::array();
    double seconds = 0;
    for (const double lambda : parse_lambdas(options_.lambdas)) {
      const fs::path folder = common_.out / cat("lambda-", shortest_text(lambda));
      const Json record = candidate(setup, lambda, folder);
      const double top1 = record.at("validation_top1").get<double>();
      tried.push_back({{"lambda", lambda}, {"validation_top1", top1}});
      seconds += record.at("seconds").get<double>();
      if (best.is_null() || top1 > best.at("validation_top1").get<double>()) {
        best = record;
        best_folder = folder;
      }
    }
    best["identity"] = identity;
    best["seconds"] = seconds;
    best["lambdas"] = tried;
    if (context_.ranks.first()) {
      for (const char* file : {kAdapterFile, kAdapterConfig, kCurveFile}) {
        write_file_atomically(common_.out / file, read_file(best_folder / file));
      }
      write_json(common_.out / kClassifierFile, best);
    }
    context_.ranks.meet();
    return result_in(best);
  }

  const TrainOptions& options_;
  const CommonOptions& common_;
  Context& context_;
  Placement placement_;
  std::string fingerprint_;
  TrainingData data_;
};

}  // namespace

TrainClassifierResult run_train(const TrainOptions& options, const CommonOptions& common,
                                Context& context) {
  options.check();
  if (common.out.empty()) fail_usage("--out is missing; give a folder for the classifier");
  TrainOptions resolved = options.resolved();
  resolved.prompt_template =
      fill_domain(options.prompt_template,
                  options.real.empty() ? std::nullopt : domain_word(parse_data_spec(options.real)));
  return Trainer(resolved, common, context).run();
}

}  // namespace dd::classify
