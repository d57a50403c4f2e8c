// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>

#include "dd/core/json.h"
#include "dd/nn/clip_layers.h"
#include "dd/nn/parameters.h"

namespace dd::models {

/// Writes all parameters under their names in this precision.
void save_weights(const std::filesystem::path& file, const nn::ParameterTable& parameters,
                  at::ScalarType dtype);

/// Error(kInput) names `where` and the first key whose value is not positive or absurdly large.
void check_positive(std::initializer_list<std::pair<const char*, std::int64_t>> values,
                    const std::string& where);

/// Reads the keys that the configurations of both CLIP towers share; what is missing keeps the
/// value that `encoder` has. Error(kInput) names `where`.
void read_encoder(nn::ClipEncoderConfig& encoder, const Json& json, const std::string& where);

/// The same as check_positive for a transformer: positive sizes, width divisible by the heads.
void check_encoder(const nn::ClipEncoderConfig& config, const std::string& where);

}  // namespace dd::models
