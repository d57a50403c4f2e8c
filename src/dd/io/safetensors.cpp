// SPDX-License-Identifier: Apache-2.0
#include "dd/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <unordered_set>

#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/core/utf8.h"
#include "dd/io/little_endian.h"
#include "dd/io/tensor_view.h"

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

/// Bytes of a tensor; nothing when the product overflows.
std::optional<std::uint64_t> byte_size(const TensorEntry& entry) {
  std::int64_t size = static_cast<std::int64_t>(c10::elementSize(entry.dtype));
  bool empty = false;
  for (const std::int64_t extent : entry.shape) {
    if (extent < 0 || __builtin_mul_overflow(size, std::max<std::int64_t>(extent, 1), &size))
      return std::nullopt;
    empty = empty || extent == 0;
  }
  return empty ? 0 : static_cast<std::uint64_t>(size);
}

TensorEntry parse_entry(const std::string& name, const SortedJson& value,
                        const std::string& label) {
  const std::string where = cat(label, ", tensor ", name);
  if (!value.is_object()) damaged(label, cat("the entry of tensor ", name, " is not an object"));
  const std::string dtype_text = json_required<std::string>(value, "dtype", where);
  const std::optional<at::ScalarType> dtype = dtype_of(dtype_text);
  if (!dtype)
    fail_input(cat(where, ": the number format ", dtype_text,
                   " is not supported; convert it to F16 or F32"));
  TensorEntry entry;
  entry.name = name;
  entry.dtype = *dtype;
  entry.shape = json_required<std::vector<std::int64_t>>(value, "shape", where);
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

/// A name that stands twice would hide a tensor, so the keys of each object are looked at before a
/// value is made of them. (The parser would report them too, but with time that grows with the
/// square of their number.)
class UniqueKeys final : public nlohmann::json_sax<SortedJson> {
 public:
  explicit UniqueKeys(const std::string& label) : label_(label) {}

  bool key(string_t& name) override {
    if (!open_.back().insert(name).second) {
      damaged(label_, cat("the name ", name.substr(0, 200), " stands twice"));
    }
    return true;
  }
  bool start_object(std::size_t) override {
    open_.emplace_back();
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  const std::string& label_;
  std::vector<std::unordered_set<std::string>> open_;
};

SortedJson parse_unique(std::string_view text, const std::string& label) {
  if (nests_too_deeply(text)) damaged(label, "its header nests its lists too deeply");
  UniqueKeys keys(label);
  if (!SortedJson::sax_parse(text, &keys)) damaged(label, "its header is not valid JSON");
  return SortedJson::parse(text);
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

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view front, std::uint64_t file_size,
                                           const std::string& label) {
  if (front.size() < 8 || file_size < 8) damaged(label, "it is shorter than a header");
  const std::uint64_t length = little_endian(front, 0, 8);
  if (length > kHeaderLimit || length > file_size - 8 || length > front.size() - 8) {
    damaged(label, cat("its header claims ", length, " bytes"));
  }
  const SortedJson json = parse_unique(front.substr(8, length), label);
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

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : SafetensorsFile(Bytes::map(path), path.string()) {}

SafetensorsFile::SafetensorsFile(std::shared_ptr<const Bytes> bytes, std::string label)
    : bytes_(std::move(bytes)), label_(std::move(label)) {
  header_ = parse_safetensors_header(bytes_->view(), bytes_->view().size(), label_);
  for (std::size_t i = 0; i < header_.entries.size(); ++i) index_[header_.entries[i].name] = i;
}

std::vector<TensorInfo> SafetensorsFile::infos() const {
  return {header_.entries.begin(), header_.entries.end()};
}

const TensorEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end())
    fail_input(cat("no tensor ", name, " in ", label_, "; is it the right file?"));
  return header_.entries[found->second];
}

std::string_view SafetensorsFile::content(const TensorEntry& entry) const {
  return bytes_->view().substr(header_.data_begin + entry.begin, entry.end - entry.begin);
}

at::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const TensorEntry& found = entry(name);
  const std::string_view bytes = content(found);
  at::Tensor view =
      view_of(bytes_, bytes, {found.shape, contiguous_strides(found.shape)}, found.dtype);
  if (view.const_data_ptr() != bytes.data()) bytes_->release(bytes);
  return view;
}

void SafetensorsFile::release(const std::string& name) const {
  bytes_->release(content(entry(name)));
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
    if (!is_utf8(name)) {
      fail_input(cat("the tensor \"", escaped_bytes(name), "\" cannot be written to ",
                     path.string(), ": its name is not UTF-8; rename it where it comes from"));
    }
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
