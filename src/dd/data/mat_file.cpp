// SPDX-License-Identifier: Apache-2.0
#include "dd/data/mat_file.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/mat_matrix.h"

namespace dd {
namespace {

using detail::MatDamage;
using detail::MatElement;
using detail::MatMatrix;

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;
constexpr std::size_t kMaxInflated = std::size_t{64} << 20;
constexpr std::size_t kMaxInflatedInAll = std::size_t{512} << 20;
constexpr std::size_t kHeadBytes = 128;

std::string inflated(std::string_view packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw MatDamage{"it cannot be inflated"};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string bytes;
  int status = Z_OK;
  while (status == Z_OK && bytes.size() < kMaxInflated) {
    char block[1 << 14];
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof block;
    status = inflate(&stream, Z_NO_FLUSH);
    bytes.append(block, sizeof block - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw MatDamage{"its compressed bytes are damaged"};
  return bytes;
}

/// Finds a variable and calls `use` with it while its bytes are there. MatDamage becomes an Error
/// that names file and variable.
template <class Use>
auto with_variable(const std::filesystem::path& path, std::string_view bytes,
                   const std::string& name, const Use& use) {
  try {
    bytes.remove_prefix(kHeadBytes);
    std::size_t inflated_in_all = 0;
    while (bytes.size() >= 8) {
      MatElement element = detail::take_element(bytes);
      std::string own;
      if (element.type == detail::kMatCompressed) {
        own = inflated(element.data);
        inflated_in_all += own.size();
        if (inflated_in_all > kMaxInflatedInAll) throw MatDamage{"it unpacks to far too much"};
        std::string_view inside = own;
        element = detail::take_element(inside);
      }
      if (element.type != detail::kMatMatrix) continue;
      const MatMatrix matrix(element.data);
      if (matrix.name == name) return use(matrix);
    }
  } catch (const MatDamage& damage) {
    fail_input(cat(path.string(), ", variable \"", name, "\": ", damage.problem,
                   "; fetch the file again"));
  }
  fail_input(cat(path.string(), " holds no \"", name, "\"; is this the right file?"));
}

}  // namespace

MatFile::MatFile(std::filesystem::path path)
    : path_(std::move(path)), bytes_(read_file(path_, kMaxBytes)) {
  const std::string_view bytes = bytes_;
  const bool is_mat = bytes.size() >= kHeadBytes &&
                      bytes.substr(124, 2) == std::string_view("\0\1", 2) &&
                      bytes.substr(126, 2) == "IM";
  if (!is_mat) {
    fail_input(cat(path_.string(), " is no MATLAB file of level 5; fetch it again"));
  }
}

std::vector<std::int64_t> MatFile::numbers(const std::string& name) const {
  return with_variable(path_, bytes_, name, [&](const MatMatrix& matrix) {
    auto numbers = matrix.whole_numbers();
    if (!numbers) {
      fail_input(cat(path_.string(), ": \"", name, "\" is no array of whole numbers; is this the ",
                     "right file?"));
    }
    return std::move(*numbers);
  });
}

std::vector<std::string> MatFile::texts(const std::string& name) const {
  return with_variable(path_, bytes_, name, [&](const MatMatrix& matrix) {
    std::vector<std::string> texts;
    if (matrix.is_cell()) {
      for (const MatMatrix& child : matrix.children()) {
        if (child.is_text() || child.kind == 0) texts.push_back(child.text().value_or(""));
      }
    }
    if (!matrix.is_cell() || texts.size() != matrix.count) {
      fail_input(
          cat(path_.string(), ": \"", name, "\" is no list of texts; is this the right ", "file?"));
    }
    return texts;
  });
}

std::map<std::string, std::vector<std::string>> MatFile::fields(
    const std::string& name, const std::vector<std::string>& wanted) const {
  return with_variable(path_, bytes_, name, [&](const MatMatrix& matrix) {
    std::map<std::string, std::vector<std::string>> result;
    const std::vector<std::string> names =
        matrix.is_struct() ? matrix.field_names() : std::vector<std::string>();
    const std::vector<MatMatrix> children =
        matrix.is_struct() ? matrix.children() : std::vector<MatMatrix>();
    for (const std::string& field : wanted) {
      const auto place = static_cast<std::size_t>(std::ranges::find(names, field) - names.begin());
      std::vector<std::string>& values = result[field];
      for (std::size_t i = place; i < children.size(); i += names.size()) {
        if (const auto text = children[i].text()) values.push_back(*text);
      }
      if (place == names.size() || values.size() != matrix.count) {
        fail_input(cat(path_.string(), ": the \"", field, "\" of \"", name,
                       "\" are missing or damaged; is this the right file?"));
      }
    }
    return result;
  });
}

}  // namespace dd
