// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "dd/core/json.h"
#include "dd/lora/lora_content.h"

namespace dd::lora {

/// The metadata of a file: what the content has, with the format's statement of rank and alpha in
/// place of an earlier one (diffusers' `lora_adapter_metadata`, kohya's `ss_network_…`), and our
/// record.
io::Metadata make_metadata(const LoraContent& content, LoraFormat format);

/// Our record as the metadata has it.
LoraRecord read_record(const io::Metadata& metadata);

/// What `lora_adapter_metadata`, or an adapter_config.json of peft beside the file, says of alphas.
class AdapterSettings {
 public:
  /// Error(kInput) when the JSON is damaged or asks for a kind of LoRA that is not supported
  /// (DoRA).
  AdapterSettings(const io::Metadata& metadata, const std::filesystem::path& file);

  /// The alpha of a layer, such that alpha / rank is its scale; the rank where nothing is said.
  double alpha(const std::string& layer, std::int64_t rank) const;
  /// Does any part scale by alpha / sqrt(rank), so that alpha() is not what the file says?
  bool folds_alpha() const;

 private:
  struct Part {
    double alpha = 0;
    bool has_alpha = false;
    bool root_of_rank = false;                    ///< scale = alpha / sqrt(rank) ("rslora")
    std::map<std::string, double> alpha_pattern;  ///< by end of the layer's name
  };
  static Part read_part(const Json& json, const std::string& prefix, const std::string& where);

  std::map<std::string, Part> parts_;  ///< "" is for layers of any part
};

}  // namespace dd::lora
