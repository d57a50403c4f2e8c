// SPDX-License-Identifier: Apache-2.0
#include "dd/io/safetensors.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <set>

#include "dd/core/files.h"
#include "dd/core/json.h"

namespace dd::io {
namespace {

// Larger headers than any real checkpoint has; the format's own library uses the same bound.
constexpr std::uint64_t kHeaderLimit = 100'000'000;

struct DtypeName {
  const char* name;
  at::ScalarType dtype;
};
constexpr std::array<DtypeName, 10> kDtypes{{{"F32", at::kFloat},
                                             {"F16", at::kHalf},
                                             {"BF16", at::kBFloat16},
                                             {"F64", at::kDouble},
                                             {"I64", at::kLong},
                                             {"I32", at::kInt},
                                             {"I16", at::kShort},
                                             {"I8", at::kChar},
                                             {"U8", at::kByte},
                                             {"BOOL", at::kBool}}};

std::optional<at::ScalarType> dtype_of(const std::string& name) {
  for (const DtypeName& known : kDtypes) {
    if (name == known.name) return known.dtype;
  }
  return std::nullopt;
}

std::string name_of(at::ScalarType dtype) {
  for (const DtypeName& known : kDtypes) {
    if (dtype == known.dtype) return known.name;
  }
  fail_internal(cat("no safetensors name for dtype ", c10::toString(dtype)));
}

[[noreturn]] void damaged(const std::string& label, const std::string& what) {
  fail_input(cat("damaged safetensors file ", label, ": ", what, "; fetch the file again"));
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Bytes of a tensor; nothing when the product overflows.
std::optional<std::uint64_t> byte_size(const TensorEntry& entry) {
  std::uint64_t size = c10::elementSize(entry.dtype);
  for (const std::int64_t extent : entry.shape) {
    if (extent < 0) return std::nullopt;
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && size > std::uint64_t(std::numeric_limits<std::int64_t>::max()) / factor)
      return std::nullopt;
    size *= factor;
  }
  return size;
}

TensorEntry parse_entry(const std::string& name, const Json& value, const std::string& label) {
  const std::string where = cat(label, ", tensor ", name);
  if (!value.is_object()) damaged(label, cat("the entry of tensor ", name, " is not an object"));
  const std::string dtype_text = json_required<std::string>(value, "dtype", where);
  const std::optional<at::ScalarType> dtype = dtype_of(dtype_text);
  if (!dtype)
    fail_input(cat(where, ": the number format ", dtype_text,
                   " is not supported; convert it to F16 or F32"));
  TensorEntry entry{name, *dtype, json_required<std::vector<std::int64_t>>(value, "shape", where),
                    0, 0};
  const auto offsets = json_required<std::vector<std::uint64_t>>(value, "data_offsets", where);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    damaged(label, cat("tensor ", name, " has bad offsets"));
  entry.begin = offsets[0];
  entry.end = offsets[1];
  const std::optional<std::uint64_t> size = byte_size(entry);
  if (!size || *size != entry.end - entry.begin) {
    damaged(label, cat("the shape of tensor ", name, " does not fit its ", entry.end - entry.begin,
                       " bytes"));
  }
  return entry;
}

Json parse_unique(std::string_view text, const std::string& label) {
  // A name that stands twice would hide a tensor, so the parser is asked to report each key.
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key &&
        !open.back().insert(parsed.get<std::string>()).second) {
      damaged(label, cat("the name ", parsed.get<std::string>(), " stands twice"));
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const nlohmann::json::exception&) {
    damaged(label, "its header is not valid JSON");
  }
}

void check_layout(std::vector<TensorEntry>& entries, std::uint64_t data_size,
                  const std::string& label) {
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t previous_end = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.end > data_size) {
      damaged(label, cat("tensor ", entry.name, " ends at byte ", entry.end, " of ", data_size,
                         ": the file is cut off"));
    }
    if (entry.begin < previous_end) damaged(label, cat("tensor ", entry.name, " overlaps another"));
    previous_end = std::max(previous_end, entry.end);
  }
}

struct MappedFile {
  void* address = nullptr;
  std::size_t size = 0;
  ~MappedFile() {
    if (address) ::munmap(address, size);
  }
};

std::shared_ptr<MappedFile> map_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    fail_input(cat("cannot open ", path.string(), ": ", std::strerror(errno), "; check the path"));
  auto mapped = std::make_shared<MappedFile>();
  struct stat status {};
  const bool plain = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (plain && status.st_size > 0) {
    mapped->size = static_cast<std::size_t>(status.st_size);
    // Private and writable: a tensor may be changed in memory without touching the file.
    void* address = ::mmap(nullptr, mapped->size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
    if (address != MAP_FAILED) mapped->address = address;
  }
  ::close(descriptor);
  if (!plain)
    fail_input(
        cat("cannot read ", path.string(), ": it is not a plain file; name a .safetensors file"));
  if (mapped->size > 0 && !mapped->address)
    fail_resource(cat("cannot map ", path.string(), " into memory"));
  return mapped;
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view front, std::uint64_t file_size,
                                           const std::string& label) {
  if (front.size() < 8 || file_size < 8) damaged(label, "it is shorter than a header");
  const std::uint64_t length = little_endian(front);
  if (length > kHeaderLimit || length > file_size - 8 || length > front.size() - 8) {
    damaged(label, cat("its header claims ", length, " bytes"));
  }
  const Json json = parse_unique(front.substr(8, length), label);
  if (!json.is_object()) damaged(label, "its header is not an object");
  SafetensorsHeader header;
  header.data_begin = 8 + length;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) damaged(label, "__metadata__ is not an object");
      for (const auto& [key, text] : value.items()) {
        header.metadata[key] = text.is_string() ? text.get<std::string>() : text.dump();
      }
    } else {
      header.entries.push_back(parse_entry(name, value, label));
    }
  }
  check_layout(header.entries, file_size - header.data_begin, label);
  return header;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path) {
  const std::shared_ptr<MappedFile> mapped = map_file(path);
  const auto* bytes = static_cast<const char*>(mapped->address);
  header_ = parse_safetensors_header({bytes, mapped->size}, mapped->size, path.string());
  for (std::size_t i = 0; i < header_.entries.size(); ++i) index_[header_.entries[i].name] = i;
  data_ = bytes + header_.data_begin;
  mapping_ = mapped;
}

at::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end())
    fail_input(cat("no tensor ", name, " in ", path_.string(), "; is it the right file?"));
  const TensorEntry& entry = header_.entries[found->second];
  const auto options = at::TensorOptions().dtype(entry.dtype);
  auto* address = const_cast<char*>(data_ + entry.begin);
  at::Tensor view = at::from_blob(
      address, entry.shape, [keep = mapping_](void*) {}, options);
  // The format does not promise alignment, the processor's vector instructions may want it.
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(address) % c10::elementSize(entry.dtype) == 0;
  if (aligned || view.numel() == 0) return view;
  at::Tensor copy = at::empty_like(view);
  std::memcpy(copy.mutable_data_ptr(), address, entry.end - entry.begin);
  return copy;
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<at::Tensor> contents;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    contents.push_back(tensor.detach().to(at::kCPU).contiguous());
    const std::uint64_t size = contents.back().nbytes();
    ensure(!header.contains(name), "a tensor name stands twice in a file to be written");
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  write_file_atomically(path, [&](const std::filesystem::path& temporary) {
    std::ofstream out(temporary, std::ios::binary);
    std::uint64_t length = text.size();
    for (int i = 0; i < 8; ++i, length >>= 8) out.put(static_cast<char>(length & 255));
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const at::Tensor& content : contents) {
      out.write(static_cast<const char*>(content.const_data_ptr()),
                static_cast<std::streamsize>(content.nbytes()));
    }
    out.close();
    if (!out)
      fail_resource(
          cat("cannot write ", path.string(), ": ", std::strerror(errno), "; free some space"));
  });
}

}  // namespace dd::io
