// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/preprocess.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "dd/core/json.h"
#include "dd/tensor/image_tensor.h"

namespace dd::classify {
namespace {

constexpr int kLargest = 8192;

/// A size as a number, {"shortest_edge": n} or {"height": n, "width": n}.
int read_size(const Json& json, const std::string& key, int fallback, const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return fallback;
  Json value = *found;
  if (value.is_object()) {
    const Json height = value.value("height", Json());
    if (height != value.value("width", Json())) {
      fail_input(cat(where, ": \"", key, "\" is not square; use a CLIP with square input"));
    }
    value = value.value("shortest_edge", height);
  }
  if (!value.is_number_integer() || value.get<std::int64_t>() < 1 ||
      value.get<std::int64_t>() > kLargest) {
    fail_input(cat(where, ": \"", key, "\" is not a size in 1 … ", kLargest,
                   "; is this the right kind of file?"));
  }
  return value.get<int>();
}

std::array<double, 3> read_channels(const Json& json, const std::string& key,
                                    const std::array<double, 3>& fallback, bool positive,
                                    const std::string& where) {
  const std::vector<double> values = json_value<std::vector<double>>(
      json, key, std::vector<double>(fallback.begin(), fallback.end()), where);
  const bool fine = values.size() == 3 && std::ranges::all_of(values, [positive](double value) {
                      return std::isfinite(value) && (!positive || value > 0);
                    });
  if (!fine) fail_input(cat(where, ": \"", key, "\" must hold three numbers; fetch it again"));
  return {values[0], values[1], values[2]};
}

/// The numbers are PIL's.
ResizeFilter read_filter(const Json& json, const std::string& where) {
  switch (json_value<std::int64_t>(json, "resample", 3, where)) {
    case 1:
      return ResizeFilter::kLanczos;
    case 2:
      return ResizeFilter::kBilinear;
    case 3:
      return ResizeFilter::kBicubic;
    case 4:
      return ResizeFilter::kBox;
    default:
      fail_input(cat(where,
                     ": \"resample\" is none of 1 (Lanczos), 2 (bilinear), 3 (bicubic) and "
                     "4 (box); change it to the nearest"));
  }
}

at::Tensor channels(const std::array<double, 3>& values, at::Device device) {
  at::Tensor tensor = at::empty({1, 3, 1, 1}, at::kFloat);
  std::ranges::transform(values, tensor.mutable_data_ptr<float>(),
                         [](double value) { return static_cast<float>(value); });
  return tensor.to(device);
}

}  // namespace

Preprocess Preprocess::load(const std::filesystem::path& folder, std::int64_t model_size) {
  Preprocess result;
  if (model_size > kLargest) {
    fail_input(cat("the CLIP in ", folder.string(), " takes images of ", model_size,
                   " px, more than ", kLargest, "; check its config.json"));
  }
  result.size = result.resize_to = static_cast<int>(model_size);
  const std::filesystem::path file = folder / "preprocessor_config.json";
  if (!std::filesystem::exists(file)) return result;
  const Json json = read_json(file);
  const std::string where = file.string();
  if (!json.is_object()) fail_input(cat(where, " holds no object; fetch the file again"));
  result.resize_to = read_size(json, "size", result.size, where);
  const int cut = read_size(json, "crop_size", result.size, where);
  if (cut != result.size || result.resize_to < result.size) {
    fail_input(cat(where, ": images of ", result.resize_to, " px cut to ", cut,
                   " px do not fit the model's ", result.size, " px; fetch both files anew"));
  }
  result.filter = read_filter(json, where);
  result.mean = read_channels(json, "image_mean", result.mean, false, where);
  result.std = read_channels(json, "image_std", result.std, true, where);
  return result;
}

Image Preprocess::fit(const Image& image) const {
  return center_crop(resize_short_side(image, resize_to, filter), size);
}

at::Tensor Preprocess::pixels(std::span<const Image> fitted, Placement placement) const {
  const at::Tensor levels = images_to_tensor(fitted).to(placement.device);
  return ((levels - channels(mean, placement.device)) / channels(std, placement.device))
      .to(placement.dtype)
      .contiguous();
}

}  // namespace dd::classify
