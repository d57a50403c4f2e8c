// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace dd::io {

/// A hash that tells files apart without reading gigabytes: SHA-256 over each file's name, size,
/// and content, where of files beyond 32 MiB the first MiB (it holds a safetensors header) and 256
/// evenly spread blocks of 16 KiB stand for the content. 64 hexadecimal digits.
std::string fingerprint(std::span<const std::filesystem::path> files);

/// Of all weights (.safetensors, .bin, .ckpt, .pt) and .json files below a folder, or of one file.
std::string fingerprint_of_model(const std::filesystem::path& path);

}  // namespace dd::io
