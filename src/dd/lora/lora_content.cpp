// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_content.h"

#include <ATen/ops/full.h>

#include <cmath>
#include <map>

#include "dd/core/error.h"
#include "dd/io/checkpoint.h"
#include "dd/lora/layers.h"
#include "dd/lora/lora_metadata.h"

namespace dd::lora {
namespace {

/// The tensors of one layer, as far as they have been met.
struct Found {
  LoraEntry entry;
  std::optional<double> alpha;
};

class Scan {
 public:
  explicit Scan(const std::filesystem::path& path)
      : checkpoint_(io::Checkpoint::open_file(path)),
        content_{.label = path.string(),
                 .entries = {},
                 .metadata = checkpoint_.metadata(),
                 .record = read_record(checkpoint_.metadata()),
                 .families = {},
                 .notes = {},
                 .problems = {}} {}

  LoraContent run(const std::filesystem::path& path) {
    for (const std::string& name : checkpoint_.names()) place(name);
    std::optional<AdapterSettings> settings;
    try {
      settings.emplace(content_.metadata, path);
    } catch (const Error& error) {
      content_.problems.emplace_back(error.what());
      settings.emplace(io::Metadata{}, std::filesystem::path{});
    }
    if (settings->folds_alpha()) {
      content_.notes.push_back(
          cat(content_.label,
              " scales by alpha / sqrt(rank) (rslora); alpha * sqrt(rank) stands for its "
              "alpha"));
    }
    for (auto& [layer, found] : found_) finish(layer, found, *settings);
    return std::move(content_);
  }

 private:
  void place(const std::string& name) {
    const std::optional<LoraKey> key = split_key(name);
    if (!key) return refuse(name, "is not a name of a LoRA's tensor that is known");
    const LayerName layer = layer_of_stem(key->stem);
    Found& found = found_[layer.full()];
    found.entry.name = layer;
    const at::Tensor value = checkpoint_.tensor(name);
    if (!value.is_floating_point()) return refuse(name, "does not hold numbers");
    content_.families.insert(std::string(key->family));
    if (key->role == LoraRole::kAlpha) return place_alpha(name, value, found);
    at::Tensor& target = key->role == LoraRole::kDown ? found.entry.down : found.entry.up;
    if (target.defined()) return refuse(name, "is there under two names");
    target = value;
    if (key->role == LoraRole::kDown || found.entry.key.empty()) found.entry.key = name;
  }

  void place_alpha(const std::string& name, const at::Tensor& value, Found& found) {
    if (value.numel() != 1 || found.alpha) {
      return refuse(name, "is not the one alpha of its layer");
    }
    found.alpha = value.item<double>();
    if (!std::isfinite(*found.alpha)) refuse(name, "is not finite");
  }

  void finish(const std::string& layer, Found& found, const AdapterSettings& settings) {
    LoraEntry& entry = found.entry;
    if (!entry.down.defined() || !entry.up.defined()) {
      return refuse(entry.key.empty() ? layer : entry.key,
                    "lacks its other half, the file is incomplete");
    }
    const std::string problem = misfit(entry.down, entry.up);
    if (!problem.empty()) return refuse(entry.key, problem);
    entry.alpha = found.alpha ? *found.alpha : settings.alpha(layer, entry.rank());
    content_.entries.push_back(std::move(entry));
  }

  void refuse(const std::string& name, const std::string& why) {
    content_.problems.push_back(cat('"', name, "\" ", why));
  }

  io::Checkpoint checkpoint_;
  LoraContent content_;
  std::map<std::string, Found> found_;
};

/// diffusers makes convolutions of these layers only; all others take matrices.
bool may_be_convolution(const std::string& layer) {
  const std::string last = layer.substr(layer.rfind('.') + 1);
  return last.starts_with("conv") || last == "proj_in" || last == "proj_out";
}

at::Tensor shaped(const at::Tensor& value, const LoraEntry& entry) {
  const bool is_point = value.dim() == 4 && value.size(2) == 1 && value.size(3) == 1;
  if (!is_point || may_be_convolution(entry.name.layer)) return value;
  return value.reshape({value.size(0), value.size(1)});
}

}  // namespace

LoraContent scan_lora(const std::filesystem::path& path) {
  return Scan(path).run(path);
}

LoraContent read_lora_content(const std::filesystem::path& path) {
  LoraContent content = scan_lora(path);
  const std::size_t count = content.problems.size();
  if (count > 0) {
    const std::string more = count > 1 ? cat(" (and ", count - 1, " more problems)") : "";
    fail_input(cat(content.label, ": ", content.problems.front(), more,
                   "; use a whole LoRA of Stable Diffusion 1 or 2"));
  }
  if (content.entries.empty()) fail_input(cat(content.label, " holds no LoRA; check the path"));
  return content;
}

void write_lora_content(const std::filesystem::path& path, const LoraContent& content,
                        LoraFormat format, std::optional<at::ScalarType> dtype) {
  const auto ready = [&](const at::Tensor& value) {
    return value.detach().to(at::kCPU, dtype.value_or(value.scalar_type())).contiguous();
  };
  io::NamedTensors tensors;
  for (const LoraEntry& entry : content.entries) {
    if (format == LoraFormat::kDiffusers) {
      tensors.emplace_back(entry.name.full() + ".lora_A.weight", ready(shaped(entry.down, entry)));
      tensors.emplace_back(entry.name.full() + ".lora_B.weight", ready(shaped(entry.up, entry)));
      continue;
    }
    const std::string stem = kohya_stem(entry.name);
    tensors.emplace_back(stem + ".alpha", at::full({}, entry.alpha, at::TensorOptions(at::kFloat)));
    tensors.emplace_back(stem + ".lora_down.weight", ready(entry.down));
    tensors.emplace_back(stem + ".lora_up.weight", ready(entry.up));
  }
  io::write_safetensors(path, tensors, make_metadata(content, format));
}

}  // namespace dd::lora
