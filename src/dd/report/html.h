// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "dd/core/json.h"
#include "dd/image/image.h"

namespace dd::report {

/// Text as it may stand in an element or an attribute in double quotes: markup, and control
/// characters but line ends, are neutralised.
std::string escape(std::string_view text);

/// JSON as it may stand in a <script>: nothing in it can end the element.
std::string in_script(const Json& json);

/// <TAG>text</TAG>, escaped.
std::string cell(const std::string& tag, const std::string& text);

/// <section id> with a heading; `body` is markup already.
std::string section(const std::string& id, const std::string& title, const std::string& body);

/// A number of bytes as "1.2 GiB", "35 MiB".
std::string bytes_text(double bytes);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// An <img> that carries its pixels; shrunk to at most 96 pixels on the short side.
std::string picture(const Image& image, const std::string& alt);

/// A number with `digits` decimals, in the C locale.
std::string fixed(double value, int digits);

}  // namespace dd::report
