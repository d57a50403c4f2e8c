// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/generate/options.h"

namespace dd::models {
struct StableDiffusion;
}

namespace dd::generate {

struct GenerateResult {
  std::int64_t written = 0;  ///< images drawn in this call
  std::int64_t present = 0;  ///< images that were there already
  double seconds = 0;        ///< from the first noise to the last file
};

/// The most that one image takes on disk: a PNG that could not be packed, and its line of metadata.
std::int64_t picture_bytes(std::int64_t width, std::int64_t height);

/// Draws what `options` ask for into common.out: OUT/00000.png … for a prompt,
/// OUT/<class>/00000.png … for classes, OUT/metadata.jsonl with a line an image, OUT/generate.json
/// with the settings. Images that are there already are left alone; other settings than those of
/// generate.json are refused (Error(kUsage)) unless common.force, which removes the earlier images
/// first. More images of the same settings may be asked for later. Stopping loses at most the batch
/// in work.
GenerateResult run_generate(const GenerateOptions& options, const CommonOptions& common,
                            Context& context);

/// The same with a model that is loaded already. LoRAs are merged while they are needed; afterwards
/// the model holds its own weights again, also when an error is thrown.
GenerateResult run_generate(const models::StableDiffusion& model, const GenerateOptions& options,
                            const CommonOptions& common, Context& context);

}  // namespace dd::generate
