// SPDX-License-Identifier: Apache-2.0
#include "dd/models/activations.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

/// Bytes in float32 of what was measured: the peaks of memory of one batch less that of a smaller
/// one, by the rows between them (`adapt`, `train` with --threads 2 under /usr/bin/time).
void expect_cautious(double numbers, double measured_bytes) {
  EXPECT_GE(4 * numbers, measured_bytes);
  EXPECT_LE(4 * numbers, 1.4 * measured_bytes);
}

UNetConfig embedded() {
  UNetConfig config;
  config.widths = {64, 128};
  config.attention = {true, true};
  config.layers_per_block = 1;
  return config;
}

TEST(Activations, OfTheUNetAreSaidCautiously) {
  expect_cautious(unet_activations(embedded(), {32, 32}, false), 49.4e6);
  expect_cautious(unet_activations(embedded(), {16, 16}, false), 12.7e6);
  expect_cautious(unet_activations(embedded(), {32, 32}, true), 18.6e6);
  expect_cautious(unet_activations(UNetConfig(), {32, 32}, false), 365e6);  // SD 2.1
}

TEST(Activations, OfClipAreSaidCautiously) {
  ClipConfig config;
  config.vision.image_size = 32;
  config.vision.patch_size = 8;
  config.vision.encoder = {.width = 128, .mlp_width = 512, .layers = 4, .heads = 4};
  expect_cautious(clip_image_activations(config), 651e3);
  EXPECT_GT(clip_prompt_activations(config), 0);
}

TEST(Activations, WhatIsNoModelHasNoShapes) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "file.safetensors", "no");
  write_file_atomically(folder.path() / "model" / "unet" / "config.json", "[]");
  for (const char* name : {"nothing", "file.safetensors", "model"})
    EXPECT_FALSE(latent_shapes(folder.path() / name)) << name;
}

}  // namespace
}  // namespace dd::models
