// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/inspect/report.h"

namespace dd::inspect {

/// A LoRA file, or a folder of peft's with adapter_model.safetensors.
void examine_lora(const std::filesystem::path& path, bool deep, Report& report);

/// What `adapt` writes: one LoRA, or one a class.
void examine_adapters(const std::filesystem::path& folder, bool deep, Report& report);

/// What `train` writes.
void examine_classifier(const std::filesystem::path& folder, bool deep, Report& report);

}  // namespace dd::inspect
