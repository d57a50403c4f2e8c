// SPDX-License-Identifier: Apache-2.0
// Weights stored in one number format, computed with in another.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dd/generate/generate.h"
#include "dd/image/read.h"
#include "dd/io/checkpoint.h"
#include "dd/io/safetensors.h"
#include "dd/models/stable_diffusion.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

namespace fs = std::filesystem;

/// Peak signal-to-noise ratio of two pictures of one size, in decibels.
double psnr(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    const double gap = a.rgb[i] - b.rgb[i];
    sum += gap * gap;
  }
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.rgb.size()) / (sum + 1e-9));
}

/// Black pictures are what numbers beyond a format's range used to leave behind.
bool shows_something(const Image& image) {
  const auto [low, high] = std::minmax_element(image.rgb.begin(), image.rgb.end());
  return *high - *low > 50;
}

class Precision : public ::testing::Test {
 protected:
  /// A copy of a recorded model with all weights in this format.
  fs::path stored(const std::string& family, at::ScalarType dtype) const {
    const fs::path folder = folder_.path() / cat(family, '-', dtype_name(dtype));
    fs::copy(test::oracle_path("models") / family, folder, fs::copy_options::recursive);
    const auto model = models::StableDiffusion::load(folder, {});
    model.unet.save(folder / "unet", dtype);
    model.vae.save(folder / "vae", dtype);
    model.text_encoder.save(folder / "text_encoder", dtype);
    return folder;
  }
  Image draw(const fs::path& model, const std::string& dtype) {
    GenerateOptions options;
    options.model = model;
    options.prompt = "a photo of a cat";
    options.steps = 6;
    CommonOptions common;
    common.device = "cpu";
    common.dtype = dtype;
    common.out = folder_.path() / cat("set", ++sets_);
    NullReporter silent;
    CancelToken never;
    Context context{silent, never};
    run_generate(options, common, context);
    return read_image(common.out / "00000.png");
  }

  const test::TemporaryFolder folder_;
  int sets_ = 0;
};

/// Half precision moves pixels, not pictures. Rounding to 11 (f16) or 8 (bf16) bits in each of some
/// hundred operations in a row leaves a relative error near 100 · 2^-12 or 100 · 2^-9, in levels
/// about 1 and 8 where it adds up at worst; another seed or prompt gives about 10 dB.
TEST_F(Precision, EveryStoredFormatComputesInEveryOther) {
  for (const char* family : {"sd1", "sd2"}) {
    Image exact;
    for (const at::ScalarType kept : {at::kFloat, at::kHalf, at::kBFloat16}) {
      const fs::path model = stored(family, kept);
      EXPECT_EQ(io::Checkpoint::open(model / "unet", "diffusion_pytorch_model")
                    .info("conv_in.weight")
                    .dtype,
                kept);
      for (const char* computed : {"f32", "f16", "bf16"}) {
        SCOPED_TRACE(cat(family, " stored in ", dtype_name(kept), ", computed in ", computed));
        const Image image = draw(model, computed);
        if (exact.rgb.empty()) exact = image;
        const bool coarse = kept == at::kBFloat16 || computed == std::string("bf16");
        EXPECT_GT(psnr(image, exact), coarse ? 25 : 40);
        EXPECT_TRUE(shows_something(image));
      }
    }
  }
}

/// Attention scores of Stable Diffusion 2.1 go beyond 65504, the largest number of float16; its
/// configuration asks for float32 there.
TEST_F(Precision, ScoresBeyondTheRangeOfF16LeaveNoBlackPicture) {
  const fs::path model = stored("sd2", at::kHalf);
  const fs::path weights = model / "unet" / "diffusion_pytorch_model.safetensors";
  {
    const io::Checkpoint checkpoint = io::Checkpoint::open_file(weights);
    io::NamedTensors tensors;
    for (const std::string& name : checkpoint.names()) {
      const bool scores = name.ends_with("to_q.weight") || name.ends_with("to_k.weight");
      tensors.emplace_back(name, checkpoint.tensor(name) * (scores ? 300 : 1));
    }
    io::write_safetensors(weights, tensors, checkpoint.metadata());
  }
  // Such scores pick one cell each, and rounding moves some of the picks: not the picture of
  // float32.
  EXPECT_TRUE(shows_something(draw(model, "f16")));
}

}  // namespace
}  // namespace dd::generate
