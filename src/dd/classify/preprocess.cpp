// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/preprocess.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/tensor/image_tensor.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

constexpr int kLargest = 8192;

int checked_size(const Json& value, const std::string& key, const std::string& where) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < 1 ||
      value.get<std::int64_t>() > kLargest) {
    fail_input(cat(where, ": \"", key, "\" is not a size in 1 … ", kLargest,
                   "; is this the right kind of file?"));
  }
  return value.get<int>();
}

/// {"height": n, "width": n}.
int read_square(const Json& value, const std::string& key, const std::string& where) {
  const Json height = value.value("height", Json());
  if (height != value.value("width", Json())) {
    fail_input(cat(where, ": \"", key, "\" is not square; use a CLIP with square input"));
  }
  return checked_size(height, key, where);
}

/// "size": a number or {"shortest_edge": n} for the short side, or both sides.
void read_resize(const Json& json, Preprocess& result, const std::string& where) {
  const Json value = json_value<Json>(json, "size", result.size, where);
  if (value.is_object() && !value.contains("shortest_edge")) {
    result.squash = true;
    result.resize_to = read_square(value, "size", where);
  } else {
    result.resize_to =
        checked_size(value.is_object() ? value.at("shortest_edge") : value, "size", where);
  }
}

int read_crop(const Json& json, int fallback, const std::string& where) {
  const Json value = json_value<Json>(json, "crop_size", fallback, where);
  return value.is_object() ? read_square(value, "crop_size", where)
                           : checked_size(value, "crop_size", where);
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

/// What transformers' image processors have.
void read_transformers(const Json& json, Preprocess& result, const std::string& where) {
  const auto does = [&](const char* step) { return json_value(json, step, true, where); };
  if (!does("do_resize") || !does("do_rescale") ||
      std::abs(json_value(json, "rescale_factor", 1.0 / 255, where) - 1.0 / 255) > 1e-9) {
    fail_input(cat(where, ": a CLIP whose images are not resized and divided by 255 is not ",
                   "supported; set \"do_resize\", \"do_rescale\" and \"rescale_factor\""));
  }
  read_resize(json, result, where);
  const int cut = does("do_center_crop") ? read_crop(json, result.size, where)
                  : result.squash        ? result.resize_to
                                         : 0;
  if (cut != result.size || result.resize_to < result.size) {
    fail_input(cat(where, ": images of ", result.resize_to, " px cut to ", cut,
                   " px do not fit the model's ", result.size, " px; fetch both files anew"));
  }
  result.filter = read_filter(json, where);
  if (!does("do_normalize")) {
    result.mean = {0, 0, 0};
    result.std = {1, 1, 1};
    return;
  }
  result.mean = read_channels(json, "image_mean", result.mean, false, where);
  result.std = read_channels(json, "image_std", result.std, true, where);
}

/// "preprocess_cfg" of OpenCLIP; its size is always the model's.
void read_open_clip(const Json& json, Preprocess& result, const std::string& where) {
  result.mean = read_channels(json, "mean", result.mean, false, where);
  result.std = read_channels(json, "std", result.std, true, where);
  const auto filter = json_value<std::string>(json, "interpolation", "bicubic", where);
  const auto mode = json_value<std::string>(json, "resize_mode", "shortest", where);
  result.squash = mode == "squash";
  if (filter == "bilinear") result.filter = ResizeFilter::kBilinear;
  if ((filter != "bicubic" && filter != "bilinear") || (mode != "shortest" && !result.squash)) {
    fail_input(cat(where, ": \"interpolation\" ", filter, " with \"resize_mode\" ", mode,
                   " is not supported; bicubic or bilinear with shortest or squash are"));
  }
}

}  // namespace

Preprocess Preprocess::load(const std::filesystem::path& path, std::int64_t model_size) {
  Preprocess result;
  if (model_size > kLargest) {
    fail_input(cat("the CLIP in ", path.string(), " takes images of ", model_size,
                   " px, more than ", kLargest, "; check its config.json"));
  }
  result.size = result.resize_to = static_cast<int>(model_size);
  const fs::path folder = path_is_folder(path) ? path : path.parent_path();
  // File, the key under which the settings stand in it (none: they are the file), reader.
  using Reader = void (*)(const Json&, Preprocess&, const std::string&);
  struct Place {
    const char* file;
    const char* key;
    Reader reader;
  };
  static constexpr Place kPlaces[] = {
      {"preprocessor_config.json", "", read_transformers},
      {"processor_config.json", "image_processor", read_transformers},
      {"open_clip_config.json", "preprocess_cfg", read_open_clip}};
  for (const auto& [name, key, reader] : kPlaces) {
    const fs::path file = folder / name;
    if (!path_exists(file)) continue;
    Json json = read_json(file);
    if (json.is_object() && *key != '\0') {
      if (!json.contains(key)) continue;
      json = Json(json.at(key));
    }
    if (!json.is_object()) fail_input(cat(file.string(), " holds no object; fetch it again"));
    reader(json, result, file.string());
    break;
  }
  return result;
}

Image Preprocess::fit(const Image& image) const {
  if (squash) return center_crop(resize(image, resize_to, resize_to, filter), size);
  return center_crop(resize_short_side(image, resize_to, filter), size);
}

at::Tensor Preprocess::pixels(std::span<const Image> fitted, Placement placement) const {
  const at::Tensor levels = images_to_tensor(fitted).to(placement.device);
  return ((levels - channels(mean, placement.device)) / channels(std, placement.device))
      .to(placement.dtype)
      .contiguous();
}

}  // namespace dd::classify
