// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/options.h"

#include <charconv>
#include <string_view>

#include "dd/core/error.h"
#include "dd/core/shard.h"
#include "dd/diffusion/sampler.h"

namespace dd::generate {
namespace {

constexpr std::int64_t kMaxSide = 8192;

/// Takes a number off the front of the text; 0 where there is none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

void GenerateOptions::visit(FieldVisitor& visitor) {
  visitor.field(
      "model", model,
      {.help = "diffusers model folder, or a single-file checkpoint of Stable Diffusion 1 "
               "or 2 (.safetensors, .ckpt)",
       .required = true});
  model_options.visit(visitor);
  visitor.field("lora", lora,
                {.help = "LoRA file for every image, with FILE:SCALE for its strength"});
  visitor.field("adapters", adapters,
                {.help = "folder written by adapt: one LoRA, or one a class"});
  visitor.field("prompt", prompt, {.help = "text to draw, \"\" too; instead of --classes"});
  visitor.field("count", count, {.help = "images of the prompt", .low = 1, .high = kMostImages});
  visitor.field(
      "classes", classes,
      {.help = "classes to draw: a text file with a name a line, a folder of class folders, "
               "or NAME:ROOT of a known data set; instead of --prompt"});
  visitor.field("per-class", per_class, {.help = "images a class", .low = 1, .high = kMostImages});
  visitor.field(
      "template", prompt_template,
      {.help = "prompt of a class; {} stands for its name, {domain} for the known set's word "
               "(pet, car, ...)"});
  visitor.field("from-shots", from_shots,
                {.help = "image-to-image: noise the pictures of this shots.json or data set in "
                         "turn, and draw from there (with --classes)"});
  visitor.field(
      "strength", strength,
      {.help = "share of the way to noise that pictures of --from-shots go", .low = 0, .high = 1});
  visitor.field("captions", captions,
                {.help = "prompts of the pictures of --from-shots, {\"id\": …, \"caption\": …} a "
                         "line; {} in a caption stands for the class"});
  visit_sampling(visitor);
  visitor.field("size", size,
                {.help = "pixels, as 512 or WxH; empty takes what the model was "
                         "trained on"});
  visitor.field("batch", batch,
                {.help = "images at a time; 0 chooses by their size and the free memory",
                 .low = 0,
                 .high = 4096});
  visitor.field("shard", shard,
                {.help = "I/N: draw the I-th of N parts, each in an --out of its own; copied into "
                         "one folder and called without, they are one set"});
}

void GenerateOptions::visit_sampling(FieldVisitor& visitor) {
  visitor.field("sampler", sampler,
                {.help = "way from noise to image; auto takes the model's own",
                 .choices = sampler_choices()});
  visitor.field("karras", karras,
                {.help = "take the noise levels of Karras et al. (dpm++, euler, unipc), also where "
                         "the model's scheduler does not"});
  visitor.field("steps", steps, {.help = "sampling steps", .low = 1, .high = 1e6});
  visitor.field("guidance", guidance,
                {.help = "strength of classifier-free guidance; 1 or less switches it off",
                 .low = 0,
                 .high = 1000});
  visitor.field("guidance-low", guidance_low,
                {.help = "lowest noise level that is guided (Stable Diffusion spans 0.03 … 14.6)",
                 .low = 0,
                 .high = 1e6});
  visitor.field(
      "guidance-high", guidance_high,
      {.help = "highest noise level that is guided; 0 sets no bound", .low = 0, .high = 1e6});
  visitor.field("cache-every", cache_every,
                {.help = "compute the U-Net's deeper levels at every n-th step only, and take them "
                         "again in between (DeepCache); 1 computes them always",
                 .low = 1,
                 .high = 1e6});
  visitor.field("decode-shrink", decode_shrink,
                {.help = "decode latents that are so many times narrower and lower, and write "
                         "smaller images: 2 of 512 pixels gives 256",
                 .low = 1,
                 .high = kMaxDecodeShrink});
  visitor.field("negative", negative, {.help = "prompt that guidance leads away from"});
}

void GenerateOptions::check() const {
  check_options(*this);
  if (classes.empty() && !prompt)
    fail_usage("neither --prompt nor --classes is given; give one of them");
  if (!classes.empty() && prompt)
    fail_usage("--prompt and --classes exclude each other; give one of them");
  if (guidance_high > 0 && guidance_high < guidance_low) {
    fail_usage("--guidance-high is below --guidance-low; swap them");
  }
  if (!from_shots.empty() && classes.empty())
    fail_usage("--from-shots draws classes; give --classes too");
  if (from_shots.empty() && !captions.empty())
    fail_usage("--captions describes the pictures of --from-shots; give that too");
  parse_size(size);
  parse_shard(shard);
}

ImageSize parse_size(const std::string& text) {
  if (text.empty()) return {};
  std::string_view rest = text;
  ImageSize size;
  size.width = take_number(rest);
  size.height = size.width;
  if (rest.starts_with("x")) {
    rest.remove_prefix(1);
    size.height = take_number(rest);
  }
  const bool fits =
      size.width >= 1 && size.width <= kMaxSide && size.height >= 1 && size.height <= kMaxSide;
  if (!fits || !rest.empty()) {
    fail_usage(cat("--size is \"", text, "\"; write one number of pixels or WIDTHxHEIGHT, at most ",
                   kMaxSide));
  }
  return size;
}

}  // namespace dd::generate
