// SPDX-License-Identifier: Apache-2.0
#include "dd/models/resnet_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/silu.h>

namespace dd::models {

ResnetBlock::ResnetBlock(const nn::Scope& scope, const Shape& shape)
    : norm1_(scope["norm1"], shape.norm_groups, shape.in, shape.norm_eps),
      conv1_(scope["conv1"], {.in = shape.in, .out = shape.out, .kernel = 3, .padding = 1}),
      norm2_(scope["norm2"], shape.norm_groups, shape.out, shape.norm_eps),
      conv2_(scope["conv2"], {.in = shape.out, .out = shape.out, .kernel = 3, .padding = 1}) {
  if (shape.time_width > 0) time_.emplace(scope["time_emb_proj"], shape.time_width, shape.out);
  if (shape.in != shape.out) {
    shortcut_.emplace(scope["conv_shortcut"],
                      nn::Conv2d::Shape{.in = shape.in, .out = shape.out, .kernel = 1});
  }
}

at::Tensor ResnetBlock::forward(const at::Tensor& by_nchw, const at::Tensor& through_nchw,
                                const at::Tensor& time) const {
  at::Tensor hidden = conv1_(nn::silu_of(norm1_(through_nchw)));
  if (time_) hidden = hidden + (*time_)(at::silu(time)).unsqueeze(-1).unsqueeze(-1);
  hidden = conv2_(nn::silu_of(norm2_(hidden)));
  const at::Tensor by = shortcut_ ? (*shortcut_)(by_nchw) : by_nchw;
  return at::GradMode::is_enabled() ? by + hidden : hidden.add_(by);
}

}  // namespace dd::models
