// SPDX-License-Identifier: Apache-2.0
#include "dd/report/html.h"

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <locale>
#include <sstream>

#include "dd/core/error.h"
#include "dd/image/resize.h"
#include "dd/image/write.h"

namespace dd::report {

std::string escape(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += static_cast<unsigned char>(letter) < 0x20 && letter != '\n' ? ' ' : letter;
    }
  }
  return safe;
}

std::string in_script(const Json& json) {
  std::string safe;
  // Names may hold what is not UTF-8: shown as a replacement character.
  for (const char letter : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (letter == '<') {
      safe += "\\u003c";
    } else {
      safe += letter;
    }
  }
  return safe;
}

std::string cell(const std::string& tag, const std::string& text) {
  return cat("<", tag, ">", escape(text), "</", tag, ">");
}

std::string section(const std::string& id, const std::string& title, const std::string& body) {
  return cat("<section id=\"", id, "\"><h2>", escape(title), "</h2>\n", body, "</section>\n");
}

std::string bytes_text(double bytes) {
  constexpr double kGibibyte = 1073741824.0;
  if (bytes >= kGibibyte) return fixed(bytes / kGibibyte, 2) + " GiB";
  return fixed(bytes / 1048576.0, 0) + " MiB";
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group <<= 8U;
      if (i < count) group |= static_cast<unsigned char>(bytes[at + i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? kLetters[(group >> (18 - 6 * i)) & 63U] : '=';
    }
  }
  return text;
}

std::string picture(const Image& image, const std::string& alt) {
  constexpr int kSide = 96;
  const bool large = std::min(image.width, image.height) > kSide;
  const std::string png = encode_png(thumbnail(image, kSide));
  return cat("<img", large ? "" : " class=\"small\"", " alt=\"", escape(alt),
             "\" src=\"data:image/png;base64,", base64(png), "\" />");
}

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

}  // namespace dd::report
