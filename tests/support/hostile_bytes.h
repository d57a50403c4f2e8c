// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dd/core/error.h"

namespace dd::test {

/// What an action says when it refuses bad input; "no error" when it does not.
template <class Action>
std::string input_error(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "no error";
}

inline void expect_input_error(const std::string& error, const std::string& part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

inline std::string low_first(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i, value >>= 8) bytes += static_cast<char>(value & 255);
  return bytes;
}

struct ZipPart {
  std::string name;
  std::string content;
  bool deflated = false;
};

inline std::string deflate_raw(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

/// A ZIP archive as written by hand.
inline std::string zip_of(const std::vector<ZipPart>& parts) {
  std::string bytes;
  std::string directory;
  for (const ZipPart& part : parts) {
    const std::string packed = part.deflated ? deflate_raw(part.content) : part.content;
    const auto* content = reinterpret_cast<const Bytef*>(part.content.data());
    const std::string common =
        low_first(0, 2) + low_first(part.deflated ? 8 : 0, 2) + low_first(0, 4) +
        low_first(crc32(0, content, static_cast<uInt>(part.content.size())), 4) +
        low_first(packed.size(), 4) + low_first(part.content.size(), 4) +
        low_first(part.name.size(), 2) + low_first(0, 2);
    directory += "PK\x01\x02" + low_first(20, 2) + low_first(20, 2) + common + low_first(0, 10) +
                 low_first(bytes.size(), 4) + part.name;
    bytes += "PK\x03\x04" + low_first(20, 2) + common + part.name + packed;
  }
  return bytes + directory + "PK\x05\x06" + low_first(0, 4) + low_first(parts.size(), 2) +
         low_first(parts.size(), 2) + low_first(directory.size(), 4) + low_first(bytes.size(), 4) +
         low_first(0, 2);
}

/// `whole` with each of its beginnings in turn: none may do worse than a clear refusal.
template <class Read>
void refuse_every_beginning(const std::string& whole, const Read& read) {
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string error = input_error([&] { read(whole.substr(0, length)); });
    EXPECT_NE(error, "no error") << "cut off after " << length << " bytes";
  }
}

/// Each byte changed in turn: it may be read or refused, but nothing else may happen.
template <class Read>
void survive_every_change(const std::string& whole, const Read& read) {
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      input_error([&] { read(bytes); });
    }
  }
}

}  // namespace dd::test
