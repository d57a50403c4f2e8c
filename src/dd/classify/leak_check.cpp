// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/leak_check.h"

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/ranks.h"

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
  check_leaks(sets, context);
  return sets;
}

void guard_evaluation(const std::filesystem::path& classifier, const Dataset& images,
                      const std::string& split, std::int64_t threads, const Context& context) {
  const std::filesystem::path file = classifier / kTrainingImages;
  Ranks& ranks = context.ranks;
  const bool is_told = ranks.first() && path_exists(file);
  if (ranks.from_first(is_told ? "told" : "").empty()) {
    context.report.info(cat("the classifier in ", classifier.string(), " does not say what images ",
                            "it was trained on, so they were not compared with these"));
    return;
  }
  std::vector<PrintSet> sets{{split, print_images(images, threads, context)}};
  // The first rank alone compares.
  std::vector<PrintSet> earlier;
  if (ranks.first()) earlier = read_prints(file);
  for (PrintSet& trained : earlier) {
    // Against the scored images alone; among themselves they were compared before training.
    trained.role = "training (" + trained.role + ")";
    sets.resize(1);
    sets.push_back(std::move(trained));
    check_leaks(sets, {context.report, context.cancel},
                split == "test" ? LeakAction::kRefuse : LeakAction::kWarn);
  }
  ranks.meet();
}

}  // namespace dd::classify
