// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "dd/image/image.h"

namespace dd::report {

/// Pictures by the names that nearest.csv has for them.
using PictureByName = std::function<Image(const std::string&)>;

/// Keeps small pictures of the synthetic images that are most like a real one, each with that one,
/// beside `align`'s nearest.csv (neighbours.json, neighbours/00-synthetic.png, …), so that the
/// report needs no data set. Does nothing where they are there already or nothing was compared.
/// Error(kInput) names the record of a file that is none.
void save_neighbours(const std::filesystem::path& alignment, const PictureByName& synthetic,
                     const PictureByName& real);

/// The pairs that save_neighbours kept, as cards; empty where there are none.
std::string neighbour_cards(const std::filesystem::path& alignment);

}  // namespace dd::report
