// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "dd/models/name_table.h"

namespace dd::models {

/// The names that OpenAI's CLIP and OpenCLIP give a transformer's layers, where ours are those of
/// transformers: `ours` is what stands before the number of a layer ("text_model.encoder.layers."),
/// `theirs` likewise ("transformer.resblocks."). Query, key and value are thirds of one tensor.
void add_openclip_layers(NameTable& table, std::int64_t layers, const std::string& ours,
                         const std::string& theirs);

/// The same for a whole text tower, without its projection: `ours` is "text_model.", `theirs` is ""
/// in a file of CLIP alone and "cond_stage_model.model." in one of Stable Diffusion 2.
NameTable openclip_text_names(std::int64_t layers, const std::string& ours,
                              const std::string& theirs);

}  // namespace dd::models
