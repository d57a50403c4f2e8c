// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "dd/io/safetensors.h"
#include "dd/lora/lora_file.h"

namespace dd::lora {

/// The metadata of a file: diffusers' `lora_adapter_metadata` and our record.
io::Metadata make_metadata(const LoraWeights& weights, const LoraRecord& record);

/// Our record as the metadata has it.
LoraRecord read_record(const io::Metadata& metadata);

/// What `lora_adapter_metadata` says about scales.
class AdapterSettings {
 public:
  /// Error(kInput) names `file` when the JSON is damaged or asks for a kind of LoRA that is not
  /// supported (DoRA).
  AdapterSettings(const io::Metadata& metadata, const std::string& file);

  /// alpha / rank of a layer; 1 where nothing is said.
  double scale(const std::string& layer, std::int64_t rank) const;

 private:
  struct Part {
    double alpha = 0;
    bool has_alpha = false;
    bool root_of_rank = false;                    ///< scale = alpha / sqrt(rank) ("rslora")
    std::map<std::string, double> alpha_pattern;  ///< by end of the layer's name
  };
  std::map<std::string, Part> parts_;
};

}  // namespace dd::lora
