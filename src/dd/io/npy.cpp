// SPDX-License-Identifier: Apache-2.0
#include "dd/io/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/io/little_endian.h"
#include "dd/io/tensor_view.h"

namespace dd::io {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kVersionEnd = 8;
constexpr std::uint64_t kHeaderLimit = 1 << 20;  // NumPy itself reads 10,000 characters
constexpr std::size_t kMostDimensions = 8;

struct TypeName {
  std::string_view name;
  at::ScalarType dtype;
};
constexpr std::array<TypeName, 9> kTypes{{{"<f2", at::kHalf},
                                          {"<f4", at::kFloat},
                                          {"<f8", at::kDouble},
                                          {"<i2", at::kShort},
                                          {"<i4", at::kInt},
                                          {"<i8", at::kLong},
                                          {"|i1", at::kChar},
                                          {"|u1", at::kByte},
                                          {"|b1", at::kBool}}};

[[noreturn]] void damaged(const std::string& label, const std::string& what) {
  fail_input(cat(label, " is no array that can be read: ", what,
                 "; save it again with numpy.save(file, array)"));
}

struct Header {
  std::string descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

/// Reads the literal of a Python dict that stands for the header, and nothing else of Python.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& label) : text_(text), label_(label) {}

  Header read() {
    Header header;
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.descr = quoted();
      } else if (key == "fortran_order") {
        header.fortran_order = truth();
      } else if (key == "shape") {
        header.shape = numbers();
      } else {
        damaged(label_, cat("its header has an unknown entry \"", key, "\""));
      }
      if (!take(',') && !ahead('}')) damaged(label_, "its header is not a Python dict");
    }
    skip_space();
    if (at_ != text_.size()) damaged(label_, "something follows the header's dict");
    if (header.descr.empty() || !header.fortran_order || !header.shape) {
      damaged(label_, "its header lacks descr, fortran_order or shape");
    }
    return header;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool ahead(char letter) {
    skip_space();
    return at_ < text_.size() && text_[at_] == letter;
  }
  bool take(char letter) {
    if (!ahead(letter)) return false;
    ++at_;
    return true;
  }
  void expect(char letter) {
    if (!take(letter)) damaged(label_, cat("its header lacks a \"", letter, "\""));
  }
  std::string quoted() {
    // A list here describes records.
    if (ahead('[')) damaged(label_, "it holds records, not plain numbers");
    const char quote = ahead('"') ? '"' : '\'';
    expect(quote);
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) damaged(label_, "a text in its header does not end");
    const std::string found(text_.substr(at_, end - at_));
    at_ = end + 1;
    return found;
  }
  bool truth() {
    skip_space();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>("True", true),
                                      std::pair<std::string_view, bool>("False", false)}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    damaged(label_, "\"fortran_order\" is neither True nor False");
  }
  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!take(')')) {
      skip_space();
      std::int64_t value = -1;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (error != std::errc() || value < 0) damaged(label_, "its shape is not a tuple of numbers");
      at_ = static_cast<std::size_t>(end - text_.data());
      values.push_back(value);
      if (values.size() > kMostDimensions) {
        damaged(label_, cat("it has more than ", kMostDimensions, " dimensions"));
      }
      if (!take(',') && !ahead(')')) damaged(label_, "its shape is not a tuple of numbers");
    }
    return values;
  }

  std::string_view text_;
  const std::string& label_;
  std::size_t at_ = 0;
};

at::ScalarType dtype_of(const std::string& descr, const std::string& label) {
  const auto* found = std::ranges::find(kTypes, std::string_view(descr), &TypeName::name);
  if (found != kTypes.end()) return found->dtype;
  if (descr.starts_with('>')) {
    damaged(label, cat("its numbers are big-endian (", descr, ")"));
  }
  if (descr.starts_with("|O") || descr.starts_with('O')) {
    damaged(label, "it holds Python objects, and pickles are not run");
  }
  damaged(label, cat("numbers of the type \"", descr, "\" are not supported"));
}

/// Strides of an array whose first index moves fastest.
std::vector<std::int64_t> fortran_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

/// Elements of the shape; nothing when the count leaves 62 bits.
std::optional<std::uint64_t> count_of(const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
  std::int64_t count = 1;
  // An extent of 0 empties the array, but its neighbours must not overflow the strides.
  for (const std::int64_t extent : shape) {
    const std::int64_t factor = std::max<std::int64_t>(extent, 1);
    if (factor > kMost / count) return std::nullopt;
    count *= factor;
  }
  const bool empty = std::ranges::find(shape, 0) != shape.end();
  return empty ? 0 : static_cast<std::uint64_t>(count);
}

}  // namespace

at::Tensor read_npy(const std::filesystem::path& path) {
  return parse_npy(Bytes::map(path), path.string());
}

at::Tensor parse_npy(const std::shared_ptr<const Bytes>& bytes, const std::string& label) {
  const std::string_view all = bytes->view();
  if (!all.starts_with(kMagic)) damaged(label, "it does not begin as a .npy file does");
  const std::size_t version = all.size() > kMagic.size() ? static_cast<unsigned char>(all[6]) : 0;
  if (version < 1 || version > 3) damaged(label, cat("its format version is ", version));
  const std::size_t width = version == 1 ? 2 : 4;
  const std::size_t begin = kVersionEnd + width;
  if (all.size() < begin) damaged(label, "it is cut off");
  const std::uint64_t length = little_endian(all, kVersionEnd, width);
  if (length > kHeaderLimit) damaged(label, cat("its header claims ", length, " bytes"));
  if (length > all.size() - begin) damaged(label, "it is cut off within its header");
  const Header header = HeaderReader(all.substr(begin, length), label).read();
  const at::ScalarType dtype = dtype_of(header.descr, label);
  const std::optional<std::uint64_t> count = count_of(*header.shape);
  const std::string_view content = all.substr(begin + length);
  const std::size_t size = c10::elementSize(dtype);
  if (!count || *count > content.size() / size) {
    damaged(label, cat("its shape needs more numbers than its ", content.size(), " bytes hold"));
  }
  if (*count * size != content.size()) damaged(label, "something follows its numbers");
  const TensorLayout layout{*header.shape, *header.fortran_order
                                               ? fortran_strides(*header.shape)
                                               : contiguous_strides(*header.shape)};
  return view_of(bytes, content, layout, dtype);
}

void write_npy(const std::filesystem::path& path, const at::Tensor& tensor) {
  const auto* type = std::ranges::find(kTypes, tensor.scalar_type(), &TypeName::dtype);
  ensure(type != kTypes.end(), "no .npy type for this tensor");
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  std::string header = cat("{'descr': '", type->name, "', 'fortran_order': False, 'shape': (");
  for (const std::int64_t extent : plain.sizes()) header += cat(extent, ", ");
  if (plain.dim() > 1) header.resize(header.size() - 2);
  if (plain.dim() == 1) header.pop_back();
  header += "), }";
  // The numbers start at a multiple of 64 bytes.
  const std::size_t begin = kVersionEnd + 2;
  header.append(63 - (begin + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += '\x01';
  bytes += '\x00';
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  write_file_atomically(path, bytes);
}

}  // namespace dd::io
