// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/lora_conversion.h"

#include <optional>
#include <set>

#include "dd/core/error.h"
#include "dd/lora/lora_content.h"
#include "dd/tensor/device.h"

namespace dd::convert {
namespace {

template <class T>
std::string list_text(const std::set<T>& values) {
  std::string text;
  for (const T& value : values) text += cat(text.empty() ? "" : ", ", value);
  return text;
}

/// Layers that are of no known part may be another model's, which neither format could say.
void check_parts(const lora::LoraContent& content) {
  for (const lora::LoraEntry& entry : content.entries) {
    if (!entry.name.part.empty()) continue;
    fail_input(cat(content.label, ": \"", entry.key,
                   "\" is of no U-Net and no text encoder of Stable Diffusion 1 or 2; only their "
                   "LoRAs can be converted"));
  }
}

}  // namespace

std::string convert_lora(const std::filesystem::path& in, const std::string& format,
                         const std::string& dtype, const std::filesystem::path& out,
                         Reporter& report) {
  const lora::LoraContent content = lora::read_lora_content(in);
  check_parts(content);
  for (const std::string& note : content.notes) report.info(note);
  std::optional<at::ScalarType> precision;
  if (dtype != "auto") precision = parse_dtype(dtype, at::kCPU);
  if (!out.empty()) {
    lora::write_lora_content(
        out, content, format == "kohya" ? lora::LoraFormat::kKohya : lora::LoraFormat::kDiffusers,
        precision);
  }
  std::set<std::int64_t> ranks;
  std::set<double> alphas;
  for (const lora::LoraEntry& entry : content.entries) {
    ranks.insert(entry.rank());
    alphas.insert(entry.alpha);
  }
  return cat("LoRA of ", content.entries.size(), " layers, rank ", list_text(ranks), ", alpha ",
             list_text(alphas), ", names of ", format);
}

}  // namespace dd::convert
