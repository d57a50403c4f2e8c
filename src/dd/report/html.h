// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "dd/image/image.h"

namespace dd::report {

/// Text as it may stand in an element or an attribute in double quotes: markup, and control
/// characters that pages may not hold, are neutralised.
std::string escape(std::string_view text);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// An <img> that carries its pixels; shrunk to at most 96 pixels on the short side.
std::string picture(const Image& image, const std::string& alt);

/// A number with `digits` decimals, in the C locale.
std::string fixed(double value, int digits);

}  // namespace dd::report
