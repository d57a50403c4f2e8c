// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/loras.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <sstream>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/io/fingerprint.h"
#include "dd/lora/lora_file.h"

namespace dd::generate {
namespace fs = std::filesystem;
namespace {

LoraUse make_use(const fs::path& file, double scale) {
  const fs::path found = path_is_folder(file) ? file / lora::kLoraFileName : file;
  if (!path_is_file(found))
    fail_input(cat("no LoRA at ", found.string(), "; check --lora and --adapters"));
  return {found, scale, io::fingerprint(std::span(&found, 1))};
}

fs::path adapter_file(const fs::path& adapters, const Subject& subject) {
  return adapters / subject.folder / lora::kLoraFileName;
}

LoraUse adapter_of(const fs::path& adapters, const Subject& subject) {
  const fs::path file = adapter_file(adapters, subject);
  if (!path_is_file(file)) {
    fail_input(cat("no adapter for the class \"", subject.name, "\": ", file.string(),
                   " is missing; run adapt for it, or leave the class out"));
  }
  return make_use(file, 1);
}

/// Of every subject; ranks read other files, which are many.
std::vector<LoraUse> adapters_of_classes(const fs::path& adapters,
                                         const std::vector<Subject>& subjects, Ranks& ranks) {
  std::string own;
  const auto count = static_cast<std::size_t>(ranks.count());
  for (auto i = static_cast<std::size_t>(ranks.rank()); i < subjects.size(); i += count) {
    own += adapter_of(adapters, subjects[i]).hash + '\n';
  }
  std::vector<std::istringstream> hashes;
  for (std::string& of_rank : ranks.gather(std::move(own))) {
    hashes.emplace_back(std::move(of_rank));
  }
  std::vector<LoraUse> uses;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    uses.push_back({.file = adapter_file(adapters, subjects[i]), .hash = ""});
    std::getline(hashes[i % count], uses.back().hash);
  }
  return uses;
}

}  // namespace

LoraUse parse_lora_use(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return make_use(text, 1);
  double scale = 1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, scale);
  if (error != std::errc() || end != last || !std::isfinite(scale)) return make_use(text, 1);
  return make_use(text.substr(0, colon), scale);
}

std::vector<std::vector<LoraUse>> choose_loras(const GenerateOptions& options, const Plan& plan,
                                               Ranks& ranks) {
  std::vector<LoraUse> common;
  for (const std::string& text : options.lora) common.push_back(parse_lora_use(text));
  const fs::path& adapters = options.adapters;
  if (!adapters.empty() && !path_is_folder(adapters)) {
    fail_input(cat("no adapters at ", adapters.string(), ": no such folder; check --adapters"));
  }
  const bool a_class_each = !adapters.empty() && !path_exists(adapters / lora::kLoraFileName);
  if (!adapters.empty() && !a_class_each)
    common.push_back(make_use(adapters / lora::kLoraFileName, 1));
  if (a_class_each && !plan.labelled) {
    fail_usage(cat("there is no ", lora::kLoraFileName, " right in ", adapters.string(),
                   ", so its adapters belong to classes; choose one of them with --lora FILE"));
  }
  std::vector<std::vector<LoraUse>> uses(plan.subjects.size(), common);
  if (!a_class_each) return uses;
  const std::vector<LoraUse> own = adapters_of_classes(adapters, plan.subjects, ranks);
  for (std::size_t i = 0; i < uses.size(); ++i) uses[i].push_back(own[i]);
  return uses;
}

LoadedLoras::LoadedLoras(const models::StableDiffusion& model, const std::vector<LoraUse>& uses,
                         Reporter& report)
    : dtype_(model.placement.dtype),
      unet_{{"unet", &model.unet.parameters()}},
      text_encoder_{{"text_encoder", &model.text_encoder.parameters()}} {
  const lora::ModelPart parts[] = {unet_.of_model, text_encoder_.of_model};
  for (const LoraUse& use : uses) {
    const lora::LoraFile file = lora::read_lora(use.file, parts);
    const std::string& base = file.record.base_model;
    if (!base.empty() && base != model.fingerprint) {
      report.warn(
          cat("the LoRA ", use.file.string(), " was trained on another model than ", model.source));
    }
    take(unet_, file.weights);
    take(text_encoder_, file.weights);
    scales_.push_back(use.scale);
  }
}

void LoadedLoras::take(Part& part, const lora::LoraWeights& whole) {
  lora::LoraWeights& own = part.weights.emplace_back();
  std::ranges::copy_if(whole.pairs, std::back_inserter(own.pairs), [&](const lora::LoraPair& pair) {
    return pair.layer.starts_with(part.of_model.prefix + '.');
  });
}

lora::MergedLora LoadedLoras::merge(const Part& part) const {
  std::vector<lora::ScaledLora> scaled;
  for (std::size_t i = 0; i < scales_.size(); ++i) scaled.push_back({&part.weights[i], scales_[i]});
  return {std::span(&part.of_model, 1), scaled, dtype_};
}

}  // namespace dd::generate
