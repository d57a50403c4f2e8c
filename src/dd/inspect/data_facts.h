// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/inspect/report.h"

namespace dd::inspect {

/// NAME:ROOT or a folder of class folders: classes, images of each in each split, and what the
/// headers of up to 2000 images, spread evenly, say (`deep`: all of them, decoded whole).
void examine_dataset(const std::string& spec, bool deep, Report& report);

/// One picture, decoded whole: that is quick, and finds damage.
void examine_image(const std::filesystem::path& path, Report& report);

}  // namespace dd::inspect
