// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dd/core/fields.h"
#include "dd/models/model_options.h"

namespace dd::generate {

/// Beyond it hardly anything is left of a latent.
inline constexpr std::int64_t kMaxDecodeShrink = 8;
/// Of a class or a prompt.
inline constexpr std::int64_t kMostImages = 10'000'000;

/// Images for one prompt, or a labelled set (DataDream, arXiv 2407.10910, section 3).
struct GenerateOptions final : Options {
  std::filesystem::path model;  ///< diffusers folder or single-file checkpoint
  models::ModelOptions model_options{};
  std::vector<std::string> lora;      ///< FILE or FILE:SCALE, for every image
  std::filesystem::path adapters;     ///< what `adapt` wrote, of either mode; empty = none
  std::optional<std::string> prompt;  ///< one prompt, which may be empty …
  std::int64_t count = 1;             ///< … and how many images of it
  std::string classes;                ///< or: a text file with a class a line, or a data set
  std::int64_t per_class = 500;
  std::string prompt_template = "a photo of a {}";
  bool shared_noise = false;  ///< image i of every class from the same noise, a fault of the
                              ///< official code; no flag, a part of the protocol paper-code
  std::string from_shots;     ///< shots.json or DATA whose pictures are noised and drawn anew …
  double strength = 0.75;     ///< … after this share of the way to noise …
  std::filesystem::path captions;  ///< … with these prompts (start_images.h); empty = the template
  std::string sampler = "auto";    ///< auto = the one of the model's scheduler
  bool karras = false;  ///< Karras' noise levels, also where the model's scheduler has others
  std::int64_t steps = 50;
  double guidance = 2.0;         ///< 1 or less switches guidance off
  double guidance_low = 0.0;     ///< noise levels sqrt((1 − a) / a) between which guidance acts;
  double guidance_high = 0.0;    ///< 0 = no upper bound
  std::string negative;          ///< what guidance leads away from
  std::string size;              ///< "512" or "WxH"; empty = what the model was trained on
  std::int64_t batch = 0;        ///< images at a time; 0 = by size and free memory
  std::string shard = "1/1";     ///< I/N: the I-th of N parts of the images
  std::int64_t cache_every = 1;  ///< steps that share the U-Net's deep features; 1 = none do
  std::int64_t decode_shrink = 1;  ///< latents are averaged over squares of so many cells a side
                                   ///< before they are decoded

  void visit(FieldVisitor& visitor) override;

  /// Ranges, and that either a prompt or classes are given; Error(kUsage) names the flag.
  void check() const;

 private:
  void visit_sampling(FieldVisitor& visitor);
};

/// Pixels; 0 × 0 for an empty text.
struct ImageSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// Reads "512" or "640x512". Error(kUsage).
ImageSize parse_size(const std::string& text);

}  // namespace dd::generate
