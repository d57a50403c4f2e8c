// SPDX-License-Identifier: Apache-2.0
#include "dd/io/zip.h"

#include <zlib.h>

#include <algorithm>

#include "dd/core/error.h"
#include "dd/io/little_endian.h"

namespace dd::io {
namespace {

constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint64_t kCentralSize = 46;
constexpr std::uint64_t kLocalSize = 30;
constexpr std::uint64_t kLongestComment = 0xFFFF;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // the true value stands in the 64-bit extension
// Deflate makes at most 1032 bytes of one.
constexpr std::uint64_t kHighestRatio = 1032;

/// Replaces the values that a central entry leaves to its 64-bit extra field, in this order.
bool take_64(std::string_view extra, std::initializer_list<std::uint64_t*> values) {
  while (extra.size() >= 4) {
    const std::uint64_t tag = little_endian(extra, 0, 2);
    const std::uint64_t size = little_endian(extra, 2, 2);
    if (size > extra.size() - 4) return false;
    std::string_view field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (tag != 1) continue;
    for (std::uint64_t* value : values) {
      if (*value != kIn64) continue;
      if (field.size() < 8) return false;
      *value = little_endian(field, 0, 8);
      field.remove_prefix(8);
    }
    return true;
  }
  return std::none_of(values.begin(), values.end(), [](auto* value) { return *value == kIn64; });
}

}  // namespace

struct ZipArchive::Directory {
  std::uint64_t count;
  std::uint64_t begin;
  std::uint64_t size;
};

void ZipArchive::damaged(const std::string& what) const {
  fail_input(cat("damaged archive ", label_, ": ", what, "; fetch the file again"));
}

ZipArchive::ZipArchive(std::string_view bytes, std::string label)
    : bytes_(bytes), label_(std::move(label)) {
  const Directory directory = find_directory();
  if (directory.begin > bytes_.size() || directory.size > bytes_.size() - directory.begin)
    damaged("its directory lies outside of the file");
  if (directory.count > directory.size / kCentralSize)
    damaged(cat("its directory claims ", directory.count, " entries"));
  std::map<std::uint64_t, std::uint64_t> spans;
  std::uint64_t at = directory.begin;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    at = read_entry(at, spans);
    if (at > directory.begin + directory.size) damaged("its directory is cut off");
  }
  std::uint64_t previous = 0;
  for (const auto& [begin, end] : spans) {
    if (begin < previous) damaged("two entries overlap");
    previous = end;
  }
}

ZipArchive::Directory ZipArchive::find_directory() const {
  const std::uint64_t window = std::min<std::uint64_t>(bytes_.size(), kEndSize + kLongestComment);
  const std::size_t found = bytes_.substr(bytes_.size() - window).rfind("PK\x05\x06");
  if (found == std::string_view::npos || window - found < kEndSize)
    damaged("it has no directory at its end: the file is cut off");
  const std::uint64_t end = bytes_.size() - window + found;
  Directory directory{little_endian(bytes_, end + 10, 2), little_endian(bytes_, end + 16, 4),
                      little_endian(bytes_, end + 12, 4)};
  if (end < kLocatorSize || bytes_.substr(end - kLocatorSize, 4) != "PK\x06\x07") return directory;
  const std::uint64_t end64 = little_endian(bytes_, end - kLocatorSize + 8, 8);
  if (end64 > end || end - end64 < kEnd64Size || bytes_.substr(end64, 4) != "PK\x06\x06")
    damaged("its 64-bit directory is missing");
  return {little_endian(bytes_, end64 + 32, 8), little_endian(bytes_, end64 + 48, 8),
          little_endian(bytes_, end64 + 40, 8)};
}

std::uint64_t ZipArchive::read_entry(std::uint64_t at,
                                     std::map<std::uint64_t, std::uint64_t>& spans) {
  if (at > bytes_.size() || bytes_.size() - at < kCentralSize ||
      bytes_.substr(at, 4) != "PK\x01\x02") {
    damaged("its directory is cut off");
  }
  const std::uint64_t name_size = little_endian(bytes_, at + 28, 2);
  const std::uint64_t extra_size = little_endian(bytes_, at + 30, 2);
  const std::uint64_t next = at + kCentralSize + name_size + extra_size +
                             little_endian(bytes_, at + 32, 2);  // and the comment
  if (next > bytes_.size()) damaged("its directory is cut off");
  const std::string name(bytes_.substr(at + kCentralSize, name_size));
  std::uint64_t packed_size = little_endian(bytes_, at + 20, 4);
  std::uint64_t local = little_endian(bytes_, at + 42, 4);
  ZipEntry entry{.packed = {},
                 .size = little_endian(bytes_, at + 24, 4),
                 .checksum = static_cast<std::uint32_t>(little_endian(bytes_, at + 16, 4))};
  if (!take_64(bytes_.substr(at + kCentralSize + name_size, extra_size),
               {&entry.size, &packed_size, &local})) {
    damaged(cat("the 64-bit sizes of ", name, " are missing"));
  }
  const std::uint64_t method = little_endian(bytes_, at + 10, 2);
  if ((little_endian(bytes_, at + 8, 2) & kEncrypted) || (method != kStored && method != kDeflated))
    fail_input(cat(label_, ": the entry ", name,
                   " is encrypted or packed by an unknown method; pack it without"));
  entry.deflated = method == kDeflated;
  entry.packed = local_data(local, packed_size, name);
  if (entry.deflated ? entry.size / kHighestRatio > packed_size : entry.size != packed_size)
    damaged(cat("the sizes of ", name, " do not fit each other"));
  const auto data_end =
      static_cast<std::uint64_t>(entry.packed.data() - bytes_.data()) + packed_size;
  if (!spans.emplace(local, data_end).second) damaged("two entries overlap");
  if (!entries_.emplace(name, entry).second) damaged(cat("the name ", name, " stands twice"));
  return next;
}

std::string_view ZipArchive::local_data(std::uint64_t at, std::uint64_t size,
                                        const std::string& name) const {
  if (at > bytes_.size() || bytes_.size() - at < kLocalSize ||
      bytes_.substr(at, 4) != "PK\x03\x04") {
    damaged(cat("the entry ", name, " lies outside of the file"));
  }
  const std::uint64_t begin =
      at + kLocalSize + little_endian(bytes_, at + 26, 2) + little_endian(bytes_, at + 28, 2);
  if (begin > bytes_.size() || size > bytes_.size() - begin)
    damaged(cat("the entry ", name, " ends outside of the file: the file is cut off"));
  return bytes_.substr(begin, size);
}

const ZipEntry* ZipArchive::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string ZipArchive::read(const std::string& name, std::uint64_t limit) const {
  const ZipEntry* entry = find(name);
  if (!entry) damaged(cat("the entry ", name, " is missing"));
  if (entry->size > limit) damaged(cat("the entry ", name, " claims ", entry->size, " bytes"));
  if (!entry->deflated) return std::string(entry->packed);
  std::string content(entry->size, '\0');
  z_stream stream{};
  // Negative: no zlib header, as ZIP has it.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail_resource("zlib cannot start");
  std::string_view rest = entry->packed;
  std::uint64_t done = 0;
  int status = Z_OK;
  // zlib counts in 32 bits.
  constexpr std::uint64_t kPortion = 1 << 30;
  while (status == Z_OK) {
    const auto in = static_cast<uInt>(std::min<std::uint64_t>(rest.size(), kPortion));
    const auto out = static_cast<uInt>(std::min<std::uint64_t>(content.size() - done, kPortion));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
    stream.avail_in = in;
    stream.next_out = reinterpret_cast<Bytef*>(content.data() + done);
    stream.avail_out = out;
    status = inflate(&stream, Z_NO_FLUSH);
    rest.remove_prefix(in - stream.avail_in);
    done += out - stream.avail_out;
  }
  inflateEnd(&stream);
  const auto* unpacked = reinterpret_cast<const Bytef*>(content.data());
  if (status != Z_STREAM_END || done != content.size() ||
      crc32_z(0, unpacked, content.size()) != entry->checksum) {
    damaged(cat("the entry ", name, " does not unpack to what was packed"));
  }
  return content;
}

}  // namespace dd::io
