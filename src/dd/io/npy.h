// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

#include "dd/io/bytes.h"

namespace dd::io {

/// An array file of NumPy (format versions 1 to 3, as numpy.lib.format describes them) as a tensor
/// on the CPU: little-endian floats of 16, 32 and 64 bits, signed integers, uint8 and bool, up to
/// eight dimensions, in C or in Fortran order. The tensor views the file, which stays mapped.
///
/// Error(kInput) names the file: no array, cut off or too long, another type of number, big-endian,
/// records, or Python objects, which would need a pickle to be run.
at::Tensor read_npy(const std::filesystem::path& path);

/// The same from memory; `label` stands for the file in messages.
at::Tensor parse_npy(const std::shared_ptr<const Bytes>& bytes, const std::string& label);

/// Writes a tensor of one of these types, in C order, format version 1, atomically.
void write_npy(const std::filesystem::path& path, const at::Tensor& tensor);

}  // namespace dd::io
