// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_file.h"

#include <cmath>
#include <optional>

#include "dd/core/error.h"
#include "dd/lora/layers.h"
#include "dd/lora/lora_metadata.h"
#include "dd/lora/lora_names.h"

namespace dd::lora {
namespace {

/// The tensors of one layer, as far as they have been met.
struct Found {
  at::Tensor down;
  at::Tensor up;
  std::optional<double> alpha;
};

class Reader {
 public:
  Reader(const std::filesystem::path& path, std::span<const ModelPart> parts)
      : label_(path.string()),
        file_(path),
        layers_(layers_by_name(parts)),
        stems_(known_stems(parts)) {}

  LoraFile read() {
    collect();
    const AdapterSettings settings(file_.metadata(), label_);
    LoraFile result{.weights = {}, .record = read_record(file_.metadata())};
    for (const auto& [layer, found] : found_) {
      result.weights.pairs.push_back(pair_of(layer, found, settings));
    }
    if (result.weights.pairs.empty()) fail_input(cat(label_, " holds no LoRA; check --lora"));
    return result;
  }

 private:
  void collect() {
    std::vector<std::string> unknown;
    for (const io::TensorEntry& entry : file_.entries()) {
      const std::optional<LoraKey> key = split_key(entry.name);
      const auto stem = key ? stems_.find(key->stem) : stems_.end();
      if (stem == stems_.end()) {
        unknown.push_back(entry.name);
      } else {
        take(entry.name, key->role, found_[stem->second]);
      }
    }
    if (!unknown.empty()) {
      fail_input(cat(label_, ": the model has no place for ", names_text(unknown),
                     "; use a LoRA of this kind of model"));
    }
  }

  void take(const std::string& name, LoraRole role, Found& found) const {
    at::Tensor value = file_.tensor(name);
    if (!value.is_floating_point()) fail_input(cat(label_, ": ", name, " does not hold numbers"));
    if (role == LoraRole::kAlpha) {
      if (value.numel() != 1 || found.alpha) refuse(name, "is not the one alpha of its layer");
      found.alpha = value.item<double>();
      if (!std::isfinite(*found.alpha)) refuse(name, "is not finite");
      return;
    }
    // Some programs treat linear layers as convolutions of one pixel.
    if (value.dim() == 4 && value.size(2) == 1 && value.size(3) == 1) {
      value = value.reshape({value.size(0), value.size(1)});
    }
    at::Tensor& place = role == LoraRole::kDown ? found.down : found.up;
    if (place.defined()) refuse(name, "is there under two names");
    place = value;
  }

  LoraPair pair_of(const std::string& layer, const Found& found,
                   const AdapterSettings& settings) const {
    if (!found.down.defined() || !found.up.defined()) {
      fail_input(cat(label_, ": of ", layer, " one half of the pair is missing (",
                     found.down.defined() ? "up" : "down", "); the file is incomplete"));
    }
    LoraPair pair{.layer = layer, .down = found.down, .up = found.up};
    const nn::LinearSite& site = *layers_.at(layer);
    const std::string problem = misfit(pair, site);
    if (!problem.empty()) {
      fail_input(cat(label_, ": ", layer, ": ", problem, "; use a LoRA of this kind of model"));
    }
    pair.scale = found.alpha ? *found.alpha / static_cast<double>(pair.rank())
                             : settings.scale(layer, pair.rank());
    // A copy: the file may be replaced while the LoRA is in use.
    pair.down = pair.down.to(site.weight.device(), at::kFloat, false, true).contiguous();
    pair.up = pair.up.to(site.weight.device(), at::kFloat, false, true).contiguous();
    return pair;
  }

  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    fail_input(cat(label_, ": ", name, " ", why, "; the file is damaged"));
  }

  std::string label_;
  io::SafetensorsFile file_;
  LayersByName layers_;
  std::map<std::string, std::string> stems_;
  std::map<std::string, Found> found_;
};

}  // namespace

void write_lora(const std::filesystem::path& path, const LoraWeights& weights,
                const LoraRecord& record, at::ScalarType dtype) {
  const auto ready = [&](const at::Tensor& value) {
    return value.detach().to(at::kCPU, dtype).contiguous();
  };
  io::NamedTensors tensors;
  for (const LoraPair& pair : weights.pairs) {
    tensors.emplace_back(pair.layer + ".lora_A.weight", ready(pair.down));
    tensors.emplace_back(pair.layer + ".lora_B.weight", ready(pair.up));
  }
  io::write_safetensors(path, tensors, make_metadata(weights, record));
}

LoraFile read_lora(const std::filesystem::path& path, std::span<const ModelPart> parts) {
  return Reader(path, parts).read();
}

}  // namespace dd::lora
