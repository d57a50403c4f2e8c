// SPDX-License-Identifier: Apache-2.0
#include "dd/data/mat_file.h"

#include <matio.h>

#include <cmath>
#include <optional>

#include "dd/core/error.h"

namespace dd {
namespace {

constexpr std::size_t kMaxElements = 10'000'000;

struct FreeVariable {
  void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

/// Product of the dimensions; nothing where it is more than the most.
std::optional<std::size_t> element_count(const matvar_t& variable) {
  std::size_t count = 1;
  for (int i = 0; i < variable.rank; ++i) {
    const std::size_t size = variable.dims[i];
    if (size != 0 && count > kMaxElements / size) return std::nullopt;
    count *= size;
  }
  return count;
}

template <class T>
double element(const matvar_t& variable, std::size_t index) {
  return static_cast<double>(static_cast<const T*>(variable.data)[index]);
}

std::optional<double> number_at(const matvar_t& variable, std::size_t index) {
  switch (variable.class_type) {
    case MAT_C_DOUBLE:
      return element<double>(variable, index);
    case MAT_C_SINGLE:
      return element<float>(variable, index);
    case MAT_C_INT8:
      return element<std::int8_t>(variable, index);
    case MAT_C_UINT8:
      return element<std::uint8_t>(variable, index);
    case MAT_C_INT16:
      return element<std::int16_t>(variable, index);
    case MAT_C_UINT16:
      return element<std::uint16_t>(variable, index);
    case MAT_C_INT32:
      return element<std::int32_t>(variable, index);
    case MAT_C_UINT32:
      return element<std::uint32_t>(variable, index);
    default:
      return std::nullopt;
  }
}

/// The whole numbers of a numeric array; nothing where it is none.
std::optional<std::vector<std::int64_t>> whole_numbers(const matvar_t& variable) {
  const std::optional<std::size_t> count = element_count(variable);
  if (!count || variable.isComplex != 0 || (*count > 0 && variable.data == nullptr) ||
      variable.data_size <= 0 ||
      variable.nbytes < *count * static_cast<std::size_t>(variable.data_size)) {
    return std::nullopt;
  }
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::optional<double> value = number_at(variable, i);
    if (!value || std::floor(*value) != *value || std::abs(*value) > 1e15) return std::nullopt;
    numbers.push_back(static_cast<std::int64_t>(*value));
  }
  return numbers;
}

void append_utf8(std::string& text, std::uint32_t letter) {
  if (letter < 0x80) {
    text += static_cast<char>(letter);
  } else if (letter < 0x800) {
    text += static_cast<char>(0xc0 | (letter >> 6));
    text += static_cast<char>(0x80 | (letter & 0x3f));
  } else {
    text += static_cast<char>(0xe0 | (letter >> 12));
    text += static_cast<char>(0x80 | ((letter >> 6) & 0x3f));
    text += static_cast<char>(0x80 | (letter & 0x3f));
  }
}

/// A text, or the first number of an array, as text; nothing where it is neither.
std::optional<std::string> text_of(const matvar_t* variable) {
  if (variable == nullptr) return std::nullopt;
  const std::optional<std::size_t> count = element_count(*variable);
  if (!count) return std::nullopt;
  if (variable->class_type != MAT_C_CHAR) {
    const auto numbers = whole_numbers(*variable);
    if (!numbers || numbers->empty()) return std::nullopt;
    return std::to_string(numbers->front());
  }
  const bool wide = variable->data_type == MAT_T_UINT16 || variable->data_type == MAT_T_UTF16;
  if (*count > 0 && (variable->data == nullptr || variable->nbytes < *count * (wide ? 2 : 1))) {
    return std::nullopt;
  }
  std::string text;
  for (std::size_t i = 0; i < *count; ++i) {
    if (wide) {
      append_utf8(text, static_cast<const std::uint16_t*>(variable->data)[i]);
    } else {
      text += static_cast<const char*>(variable->data)[i];
    }
  }
  return text;
}

}  // namespace

struct MatFile::Handle {
  explicit Handle(mat_t* opened) : file(opened) {}
  ~Handle() { Mat_Close(file); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  /// Reads a variable after a look at its dimensions alone.
  Variable read(const std::filesystem::path& path, const std::string& name) const {
    const Variable info(Mat_VarReadInfo(file, name.c_str()));
    if (!info) {
      fail_input(cat(path.string(), " holds no \"", name, "\"; is this the right file?"));
    }
    if (!element_count(*info)) {
      fail_input(cat(path.string(), ": \"", name, "\" claims to be too large; fetch it again"));
    }
    Mat_Rewind(file);
    Variable variable(Mat_VarRead(file, name.c_str()));
    if (!variable) {
      fail_input(cat(path.string(), ": \"", name, "\" is damaged; fetch the file again"));
    }
    return variable;
  }

  mat_t* file;
};

MatFile::MatFile(std::filesystem::path path) : path_(std::move(path)) {
  constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path_, error);
  if (error) fail_input(cat("cannot open ", path_.string(), ": ", error.message()));
  mat_t* file = bytes > kMaxBytes ? nullptr : Mat_Open(path_.c_str(), MAT_ACC_RDONLY);
  if (file == nullptr) {
    fail_input(cat(path_.string(), " is no MATLAB file; fetch it again"));
  }
  handle_ = std::make_unique<Handle>(file);
}

MatFile::~MatFile() = default;

std::vector<std::int64_t> MatFile::numbers(const std::string& name) const {
  const Variable variable = handle_->read(path_, name);
  std::optional<std::vector<std::int64_t>> numbers = whole_numbers(*variable);
  if (!numbers) {
    fail_input(cat(path_.string(), ": \"", name, "\" is no array of whole numbers; is this the ",
                   "right file?"));
  }
  return std::move(*numbers);
}

std::vector<std::string> MatFile::texts(const std::string& name) const {
  const Variable variable = handle_->read(path_, name);
  std::vector<std::string> texts;
  const std::size_t count = *element_count(*variable);
  const bool is_cell = variable->class_type == MAT_C_CELL && variable->data != nullptr &&
                       variable->nbytes >= count * sizeof(matvar_t*);
  for (std::size_t i = 0; is_cell && i < count; ++i) {
    const std::optional<std::string> text =
        text_of(static_cast<matvar_t* const*>(variable->data)[i]);
    if (text) texts.push_back(*text);
  }
  if (texts.size() != count) {
    fail_input(
        cat(path_.string(), ": \"", name, "\" is no list of texts; is this the right ", "file?"));
  }
  return texts;
}

std::map<std::string, std::vector<std::string>> MatFile::fields(
    const std::string& name, const std::vector<std::string>& wanted) const {
  const Variable variable = handle_->read(path_, name);
  std::map<std::string, std::vector<std::string>> result;
  const std::size_t count = *element_count(*variable);
  for (const std::string& field : wanted) {
    std::vector<std::string>& values = result[field];
    for (std::size_t i = 0; variable->class_type == MAT_C_STRUCT && i < count; ++i) {
      const std::optional<std::string> text =
          text_of(Mat_VarGetStructFieldByName(variable.get(), field.c_str(), i));
      if (text) values.push_back(*text);
    }
    if (values.size() != count) {
      fail_input(cat(path_.string(), ": the \"", field, "\" of \"", name,
                     "\" are missing or damaged; is this the right file?"));
    }
  }
  return result;
}

}  // namespace dd
