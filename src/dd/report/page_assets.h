// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace dd::report {

// Files that the build puts into the program (cmake/EmbedText.cmake).

extern const std::string_view kChartLibrary;  ///< Chart.js, as its authors minified it
extern const std::string_view kChartLicence;
extern const std::string_view kPageStyle;   ///< page.css
extern const std::string_view kPageScript;  ///< page.js

}  // namespace dd::report
