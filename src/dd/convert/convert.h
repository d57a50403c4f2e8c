// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"
#include "dd/models/model_options.h"

namespace dd::convert {

struct ConvertOptions final : Options {
  std::filesystem::path in;       ///< model, LoRA, adapters of a data set, CLIP or classifier
  std::string to;                 ///< "diffusers", "single-file", "kohya" or "hf-clip"
  std::vector<std::string> lora;  ///< FILE or FILE:SCALE, merged into the model
  models::ModelOptions model{};   ///< what a single file leaves open
  std::filesystem::path clip;     ///< the CLIP that a classifier belongs to

  void visit(FieldVisitor& visitor) override;
};

/// Writes `in` in another format to `common.out`, whole or not at all; `common.dtype` auto keeps
/// the file's precision. Returns a line for people. Error(kUsage) when kind and format do not go
/// together or something is at the target already; Error(kInput) for damaged input.
std::string run_convert(const ConvertOptions& options, const CommonOptions& common,
                        Context& context);

}  // namespace dd::convert
