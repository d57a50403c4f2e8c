// SPDX-License-Identifier: Apache-2.0
#include "dd/align/options.h"

#include "dd/core/error.h"

namespace dd::align {
namespace {

void visit_images(AlignOptions& options, FieldVisitor& visitor) {
  visitor.field("real", options.real,
                {.help = "real images: a folder of class folders or NAME:ROOT"});
  visitor.field("real-split", options.real_split, {.help = "split of the real images"});
  visitor.field("shots-file", options.shots_file,
                {.help = "shots.json of `adapt` or `run`: these images are left out of the real "
                         "ones, and synthetic images are checked for being copies of them"});
  visitor.field("synthetic", options.synthetic,
                {.help = "folder that `generate` wrote, or any folder of class folders"});
  visitor.field("per-class", options.per_class,
                {.help = "at most so many images a class of either set, drawn by the seed; 0 = all",
                 .low = 0,
                 .high = 1e9});
}

void visit_features(AlignOptions& options, FieldVisitor& visitor) {
  visitor.field(
      "features", options.features,
      {.help = "what images are compared by: clip, dinov2, inception, or FILE.npy with a row for "
               "each real image, then for each synthetic one, in the order of their sets"});
  visitor.field("clip", options.clip,
                {.help = "CLIP: a Hugging Face or OpenCLIP folder, OpenAI's archive (.pt), or a "
                         "state_dict of either"});
  visitor.field("activation", options.activation,
                {.help = "activation of the CLIP; auto = as its files say",
                 .choices = {"auto", "quick_gelu", "gelu"}});
  visitor.field("dinov2", options.dinov2,
                {.help = "DINOv2: a Hugging Face folder (facebook/dinov2-*, with registers or "
                         "without)"});
  visitor.field("inception", options.inception,
                {.help = "pt_inception-2015-12-05-6726825d.pth of pytorch-fid, or the TorchScript "
                         "archive inception-2015-12-05.pt"});
  visitor.field("batch", options.batch, {.help = "images at a time", .low = 1, .high = 65536});
  visitor.field(
      "real-features", options.real_features,
      {.help = "instead of images: features of the real ones, a .npy file with a row each"});
  visitor.field("synthetic-features", options.synthetic_features,
                {.help = "instead of images: features of the synthetic ones"});
  visitor.field("real-labels", options.real_labels,
                {.help = "with --real-features: a .npy file with each row's class number"});
  visitor.field("synthetic-labels", options.synthetic_labels,
                {.help = "with --synthetic-features: a .npy file with each row's class number"});
}

void visit_measures(AlignOptions& options, FieldVisitor& visitor) {
  visitor.field("unit-length", options.unit_length,
                {.help = "CMMD divides features from .npy files by their lengths, as it does those "
                         "of images"});
  visitor.field("kid-subsets", options.kid_subsets,
                {.help = "subsets that KID's deviation is taken over", .low = 1, .high = 1e6});
  visitor.field(
      "kid-subset-size", options.kid_subset_size,
      {.help = "images of each set in a subset; 0 = half of the smaller set, at most 1000",
       .low = 0,
       .high = 1e9});
  visitor.field("bootstrap", options.bootstrap,
                {.help = "half-samples for the 95 % intervals; 0 = none", .low = 0, .high = 1e6});
  visitor.field(
      "copy-quantile", options.copy_quantile,
      {.help = "a synthetic image counts as a near copy of a shot when it is nearer to it than "
               "this share of the real images are to their nearest other real image",
       .low = 0.5,
       .high = 1});
}

void check_files(const AlignOptions& options) {
  if (options.synthetic_features.empty()) {
    fail_usage("--real-features needs --synthetic-features to compare with; give both");
  }
  if (!options.real.empty() || !options.synthetic.empty() || !options.shots_file.empty()) {
    fail_usage(
        "--real-features takes the place of images; leave --real, --synthetic and --shots-file "
        "out");
  }
  if (options.real_labels.empty() != options.synthetic_labels.empty()) {
    fail_usage("--real-labels and --synthetic-labels belong together; give both or none");
  }
}

void check_images(const AlignOptions& options) {
  if (!options.synthetic_features.empty()) {
    fail_usage("--synthetic-features needs --real-features to compare with; give both");
  }
  if (!options.real_labels.empty() || !options.synthetic_labels.empty()) {
    fail_usage("--real-labels and --synthetic-labels describe feature files; give those too");
  }
  if (options.real.empty() || options.synthetic.empty()) {
    fail_usage("there is nothing to compare; give --real and --synthetic, or feature files");
  }
  if (options.features_in_file()) return;
  const std::pair<const char*, const std::filesystem::path*> kModels[] = {
      {"clip", &options.clip}, {"dinov2", &options.dinov2}, {"inception", &options.inception}};
  for (const auto& [name, path] : kModels) {
    if (options.features != name) continue;
    if (path->empty()) fail_usage(cat("--", name, " is missing; name the model for --features"));
    return;
  }
  fail_usage(cat("--features is \"", options.features,
                 "\", but must be clip, dinov2, inception or a file that ends in .npy"));
}

}  // namespace

void AlignOptions::visit(FieldVisitor& visitor) {
  visit_images(*this, visitor);
  visit_features(*this, visitor);
  visit_measures(*this, visitor);
}

bool AlignOptions::features_in_file() const {
  return features.ends_with(".npy");
}

void AlignOptions::check() const {
  check_options(*this);
  if (from_files()) {
    check_files(*this);
  } else {
    check_images(*this);
  }
}

}  // namespace dd::align
