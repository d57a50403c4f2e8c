// SPDX-License-Identifier: Apache-2.0
#include "dd/align/feature_model.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "dd/classify/preprocess.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/data/parallel.h"
#include "dd/image/resize.h"
#include "dd/io/fingerprint.h"
#include "dd/models/clip_file.h"
#include "dd/models/dinov2.h"
#include "dd/models/inception.h"

namespace dd::align {
namespace {

namespace fs = std::filesystem;
using classify::Preprocess;

/// `work(i)` for each image, on threads.
template <class Work>
void for_images(std::span<const Image> images, std::int64_t threads, const Work& work) {
  NullReporter silent;
  for_each_parallel(std::ssize(images), threads, {silent, never_stopped()}, "",
                    [&](std::int64_t i) { work(static_cast<std::size_t>(i)); });
}

at::Tensor fitted_pixels(const Preprocess& preprocess, std::span<const Image> images,
                         std::int64_t threads, Placement placement) {
  std::vector<Image> fitted(images.size());
  for_images(images, threads, [&](std::size_t i) { fitted[i] = preprocess.fit(images[i]); });
  return preprocess.pixels(fitted, placement);
}

at::Tensor on_cpu(const at::Tensor& features) {
  return features.to(at::kCPU, at::kFloat).contiguous();
}

class ClipFeatures final : public FeatureModel {
 public:
  ClipFeatures(const AlignOptions& options, Placement placement)
      : loaded_(models::load_clip(options.clip, placement, options.activation)),
        preprocess_(Preprocess::load(options.clip, loaded_.clip.config().vision.image_size)),
        placement_(placement) {}

  at::Tensor features(std::span<const Image> images, std::int64_t threads) const override {
    return on_cpu(
        loaded_.clip.project_images(fitted_pixels(preprocess_, images, threads, placement_)));
  }
  std::int64_t width() const override { return loaded_.clip.config().projection; }
  std::string assumed() const override { return loaded_.assumed; }

 private:
  models::LoadedClip loaded_;
  Preprocess preprocess_;
  Placement placement_;
};

/// DINOv2 takes any size: what its images are cut to stands in the preprocessor's file alone.
Preprocess dinov2_preprocess(const fs::path& folder) {
  const fs::path file = folder / "preprocessor_config.json";
  Preprocess result;
  if (!path_exists(file)) {
    result.resize_to = 256;
    result.mean = {0.485, 0.456, 0.406};
    result.std = {0.229, 0.224, 0.225};
    return result;
  }
  const Json json = read_json(file);
  Json cut = json.is_object() ? json.value("crop_size", Json()) : Json();
  if (cut.is_object()) cut = Json(cut.value("height", Json()));
  return Preprocess::load(folder, cut.is_number_integer() ? cut.get<std::int64_t>() : result.size);
}

class Dinov2Features final : public FeatureModel {
 public:
  Dinov2Features(const AlignOptions& options, Placement placement)
      : model_(models::Dinov2::load(options.dinov2, placement)),
        preprocess_(dinov2_preprocess(options.dinov2)),
        placement_(placement) {
    if (preprocess_.size < model_.config().patch_size) {
      fail_input(cat("the model in ", options.dinov2.string(), " takes patches of ",
                     model_.config().patch_size, " px, but its images are cut to ",
                     preprocess_.size, "; check its preprocessor_config.json"));
    }
  }

  at::Tensor features(std::span<const Image> images, std::int64_t threads) const override {
    return on_cpu(model_(fitted_pixels(preprocess_, images, threads, placement_)));
  }
  std::int64_t width() const override { return model_.config().width; }

 private:
  models::Dinov2 model_;
  Preprocess preprocess_;
  Placement placement_;
};

class InceptionFeatures final : public FeatureModel {
 public:
  InceptionFeatures(const AlignOptions& options, Placement placement)
      : model_(models::Inception::load(options.inception, placement.device)),
        device_(placement.device) {}

  at::Tensor features(std::span<const Image> images, std::int64_t threads) const override {
    constexpr int kSize = models::Inception::kInputSize;
    at::Tensor levels =
        at::empty({static_cast<std::int64_t>(images.size()), kSize, kSize, 3}, at::kFloat);
    auto* out = levels.mutable_data_ptr<float>();
    constexpr std::size_t kNumbers = std::size_t{kSize} * kSize * 3;
    for_images(images, threads, [&](std::size_t i) {
      std::ranges::copy(resize_levels(images[i], kSize, kSize), out + i * kNumbers);
    });
    return on_cpu(model_(levels.to(device_).permute({0, 3, 1, 2}).contiguous()));
  }
  std::int64_t width() const override { return models::Inception::kFeatures; }

 private:
  models::Inception model_;
  at::Device device_;
};

}  // namespace

std::unique_ptr<FeatureModel> load_feature_model(const AlignOptions& options, Placement placement) {
  if (options.features == "dinov2") return std::make_unique<Dinov2Features>(options, placement);
  if (options.features == "inception") {
    return std::make_unique<InceptionFeatures>(options, placement);
  }
  return std::make_unique<ClipFeatures>(options, placement);
}

const fs::path& feature_model_path(const AlignOptions& options) {
  if (options.features == "dinov2") return options.dinov2;
  return options.features == "inception" ? options.inception : options.clip;
}

std::string feature_fingerprint(const AlignOptions& options) {
  const fs::path& path = feature_model_path(options);
  if (!path_exists(path)) {
    fail_input(cat("no model at ", path.string(), "; check --", options.features));
  }
  return sha256_of(cat(options.features, io::fingerprint_of_model(path), options.activation));
}

}  // namespace dd::align
