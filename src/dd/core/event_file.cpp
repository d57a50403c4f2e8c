// SPDX-License-Identifier: Apache-2.0
#include "dd/core/event_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kHead = 12;  // length and its checksum
constexpr std::size_t kTail = 4;   // checksum of the content

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t kReversedPolynomial = 0x82F63B78U;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1U) ^ ((value & 1U) != 0 ? kReversedPolynomial : 0U);
    }
    table[i] = value;
  }
  return table;
}

/// Checksums of checksummed data are poor, so TFRecord turns and shifts them.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

template <class Number>
std::string little_endian(Number value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
  return bytes;
}

template <class Number>
Number from_little_endian(std::string_view bytes) {
  Number value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) {
    value = static_cast<Number>((value << 8U) | static_cast<unsigned char>(bytes[i]));
  }
  return value;
}

// Protocol buffers' wire format: a key (number of the field, kind), then the value.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>((value & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(value);
}

std::string key(std::uint64_t field, std::uint64_t kind) {
  return varint((field << 3U) | kind);
}
std::string number_field(std::uint64_t field, std::int64_t value) {
  // Zero is what a missing field means.
  return value == 0 ? "" : key(field, 0) + varint(static_cast<std::uint64_t>(value));
}
std::string double_field(std::uint64_t field, double value) {
  return key(field, 1) + little_endian(std::bit_cast<std::uint64_t>(value));
}
std::string text_field(std::uint64_t field, std::string_view text) {
  return key(field, 2) + varint(text.size()) + std::string(text);
}
std::string float_field(std::uint64_t field, float value) {
  return key(field, 5) + little_endian(std::bit_cast<std::uint32_t>(value));
}

double now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since_1970).count();
}

/// Removes what a killed writer left unfinished; false where there is nothing to go on with.
bool mend(const fs::path& path) {
  if (!path_exists(path)) return false;
  const std::string bytes = read_file(path);
  const std::size_t whole = event_bytes::whole_records(bytes);
  if (whole < bytes.size()) {
    std::error_code error;
    fs::resize_file(path, whole, error);
    if (error) {
      fail_resource(cat("cannot shorten ", path.string(), ": ", error.message(),
                        "; check its permissions, or remove it"));
    }
  }
  return whole > 0;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t value = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    value = kTable[(value ^ static_cast<unsigned char>(byte)) & 0xFFU] ^ (value >> 8U);
  }
  return ~value;
}

namespace event_bytes {

std::string version_event(double wall_time) {
  return double_field(1, wall_time) + text_field(3, "brain.Event:2");
}

std::string restart_event(double wall_time, std::int64_t step) {
  constexpr std::int64_t kStart = 1;  // SessionLog.START
  return double_field(1, wall_time) + number_field(2, step) +
         text_field(7, number_field(1, kStart));
}

std::string scalar_event(double wall_time, std::int64_t step, const std::string& tag, float value) {
  const std::string summary_value = text_field(1, tag) + float_field(2, value);
  return double_field(1, wall_time) + number_field(2, step) +
         text_field(5, text_field(1, summary_value));
}

std::string record(std::string_view event) {
  const std::string length = little_endian<std::uint64_t>(event.size());
  return length + little_endian(masked_crc(length)) + std::string(event) +
         little_endian(masked_crc(event));
}

std::size_t whole_records(std::string_view bytes) {
  std::size_t at = 0;
  while (bytes.size() - at >= kHead + kTail) {
    const std::string_view length = bytes.substr(at, 8);
    if (from_little_endian<std::uint32_t>(bytes.substr(at + 8)) != masked_crc(length)) break;
    const auto size = from_little_endian<std::uint64_t>(length);
    if (size > bytes.size() - at - kHead - kTail) break;
    const std::string_view event = bytes.substr(at + kHead, size);
    if (from_little_endian<std::uint32_t>(bytes.substr(at + kHead + size)) != masked_crc(event)) {
      break;
    }
    at += kHead + size + kTail;
  }
  return at;
}

}  // namespace event_bytes

EventFile::EventFile(const fs::path& folder, std::optional<std::int64_t> resumed_at)
    : path_(folder / kName) {
  make_folder(folder);
  const bool go_on = resumed_at && mend(path_);
  out_.open(path_, std::ios::binary | (go_on ? std::ios::app : std::ios::trunc));
  if (go_on) {
    write(event_bytes::restart_event(now(), *resumed_at + 1));
  } else {
    write(event_bytes::version_event(now()));
  }
}

void EventFile::add(const std::string& tag, std::int64_t step, double value) {
  write(event_bytes::scalar_event(now(), step, tag, static_cast<float>(value)));
}

void EventFile::write(const std::string& event) {
  const std::string bytes = event_bytes::record(event);
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out_.flush();
  if (!out_) {
    fail_resource(cat("cannot write ", path_.string(), ": ", std::strerror(errno),
                      "; free some space or check permissions, then run the same command again"));
  }
}

}  // namespace dd
