// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/image_tensor.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/round.h>

#include <algorithm>

#include "dd/core/error.h"

namespace dd {

at::Tensor images_to_tensor(std::span<const Image> images) {
  ensure(!images.empty(), "images_to_tensor needs an image");
  const int width = images[0].width;
  const int height = images[0].height;
  at::Tensor bytes =
      at::empty({static_cast<std::int64_t>(images.size()), height, width, 3}, at::kByte);
  auto* out = bytes.mutable_data_ptr<std::uint8_t>();
  for (const Image& image : images) {
    ensure(image.width == width && image.height == height,
           "images of one batch must have one size");
    out = std::copy(image.rgb.begin(), image.rgb.end(), out);
  }
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat).div_(255.0);
}

std::vector<Image> tensor_to_images(const at::Tensor& batch_nchw) {
  const at::Tensor levels =
      at::clamp(batch_nchw.detach().to(at::kCPU, at::kFloat), 0.0, 1.0).mul(255.0);
  const at::Tensor bytes = at::round(levels).to(at::kByte).permute({0, 2, 3, 1}).contiguous();
  std::vector<Image> images;
  const std::int64_t size = bytes.size(1) * bytes.size(2) * 3;
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  for (std::int64_t n = 0; n < bytes.size(0); ++n) {
    Image image;
    image.width = static_cast<int>(bytes.size(2));
    image.height = static_cast<int>(bytes.size(1));
    image.rgb.assign(data + n * size, data + (n + 1) * size);
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace dd
