// SPDX-License-Identifier: Apache-2.0
#include "dd/run/cell.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/number_text.h"
#include "dd/run/guidance_interval.h"

namespace dd::run {

const std::vector<Method>& all_methods() {
  static const std::vector<Method> methods{
      {"zero-shot", ImageSource::kNone, false},    {"real", ImageSource::kNone, true},
      {"frozen", ImageSource::kFrozen, false},     {"frozen+real", ImageSource::kFrozen, true},
      {"disef", ImageSource::kShots, false},       {"disef+real", ImageSource::kShots, true},
      {"synthetic", ImageSource::kAdapted, false}, {"synthetic+real", ImageSource::kAdapted, true},
  };
  return methods;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : all_methods()) names.push_back(method.name);
  return names;
}

const Method& method_named(const std::string& name) {
  const auto found = std::ranges::find(all_methods(), name, &Method::name);
  ensure(found != all_methods().end(), "the name of a method was not checked");
  return *found;
}

std::int64_t Cell::trainings() const {
  return method.mixes() ? std::max<std::int64_t>(1, std::ssize(settings.lambdas)) : 1;
}

std::string StageNames::home(const Cell& cell, bool with_shots) const {
  const std::string seed = cat("seed-", cell.seed, "/");
  return full_ && with_shots ? cat(seed, "shots-", cell.settings.shots, "/") : seed;
}

std::string StageNames::adaptation(const Cell& cell) const {
  return full_ ? cat(cell.mode, "-", cell.settings.adapt_steps) : cell.mode;
}

std::string StageNames::sampling(const Cell& cell) const {
  if (!full_) return "";
  const RunOptions& settings = cell.settings;
  std::string name = cat("-", settings.sampler, "-", settings.sample_steps, "-g",
                         shortest_text(settings.guidance));
  // What earlier programs did not know is named where it is used, so that their work stays.
  if (settings.guidance_interval != GuidanceInterval::kAll) {
    std::string interval = settings.guidance_interval;
    name += "-i" + interval.replace(interval.find(':'), 1, "to");
  }
  if (settings.cache_every > 1) name += cat("-c", settings.cache_every);
  if (settings.decode_shrink > 1) name += cat("-d", settings.decode_shrink);
  return name;
}

std::string StageNames::training(const Cell& cell) const {
  std::string name = cell.method.name;
  if (cell.adapted()) name += "-" + adaptation(cell);
  if (!full_ || cell.method.images == ImageSource::kNone) return name;
  name += cat(sampling(cell), "-n", cell.settings.per_class);
  // A λ that validation chooses is no setting.
  if (!cell.method.real || !cell.settings.lambdas.empty()) return name;
  return name + "-l" + shortest_text(cell.settings.lambda);
}

std::string StageNames::shots(const Cell& cell) const {
  return home(cell, true) + "shots";
}

std::string StageNames::adapt(const Cell& cell) const {
  return home(cell, true) + "adapt-" + adaptation(cell);
}

std::string StageNames::images(const Cell& cell) const {
  if (cell.method.images == ImageSource::kFrozen) {
    return home(cell, false) + "generate-frozen" + sampling(cell);
  }
  const std::string kind = cell.adapted() ? adaptation(cell) : "disef";
  return home(cell, true) + "generate-" + kind + sampling(cell);
}

std::string StageNames::align(const Cell& cell) const {
  std::string name = images(cell);
  return name.replace(name.rfind("generate-"), 9, "align-");
}

std::string StageNames::train(const Cell& cell) const {
  return home(cell, cell.needs_shots()) + "train-" + training(cell);
}

std::string StageNames::evaluate(const Cell& cell) const {
  if (cell.method.zero_shot()) return "evaluate-zero-shot";
  return home(cell, cell.needs_shots()) + "evaluate-" + training(cell);
}

}  // namespace dd::run
