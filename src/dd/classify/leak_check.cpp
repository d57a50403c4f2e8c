// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/leak_check.h"

#include "dd/core/error.h"

namespace dd::classify {

std::vector<PrintSet> guard_training(const TrainOptions& options, const TrainingData& data,
                                     std::int64_t threads, const Context& context) {
  std::vector<PrintSet> sets;
  const auto add = [&](const char* role, const LabelledImages& images) {
    if (!images.empty()) sets.push_back({role, print_images(*images.images, threads, context)});
  };
  add("few-shot", data.real);
  add("synthetic", data.synthetic);
  if (options.val_split != "test") add("validation", data.validation);
  check_leaks(sets, context.report);
  return sets;
}

void guard_evaluation(const std::filesystem::path& classifier, const Dataset& images,
                      const std::string& split, std::int64_t threads, const Context& context) {
  const std::filesystem::path file = classifier / kTrainingImages;
  if (!std::filesystem::exists(file)) {
    context.report.info(cat("the classifier in ", classifier.string(), " does not say what images ",
                            "it was trained on, so they were not compared with these"));
    return;
  }
  std::vector<PrintSet> sets{{split, print_images(images, threads, context)}};
  for (PrintSet& trained : read_prints(file)) {
    // Against the scored images alone; among themselves they were compared before training.
    trained.role = "training (" + trained.role + ")";
    sets.resize(1);
    sets.push_back(std::move(trained));
    check_leaks(sets, context.report, split == "test" ? LeakAction::kRefuse : LeakAction::kWarn);
  }
}

}  // namespace dd::classify
