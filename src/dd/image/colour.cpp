// SPDX-License-Identifier: Apache-2.0
#include <lcms2.h>

#include <memory>

#include "dd/core/error.h"
#include "dd/image/raw_image.h"

namespace dd::detail {
namespace {

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
struct DeleteTransform {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
using Profile = std::unique_ptr<void, CloseProfile>;
using Transform = std::unique_ptr<void, DeleteTransform>;

// Most files carry sRGB itself. Passing them through unchanged keeps them exact to the last bit.
bool is_srgb(cmsHPROFILE profile) {
  char text[64] = {};
  cmsGetProfileInfoASCII(profile, cmsInfoDescription, "en", "US", text, sizeof text);
  return std::string_view(text).starts_with("sRGB");
}

// The lcms name of the pixels as the profile, which lcms has opened, sees them; 0 when profile and
// pixels do not fit.
cmsUInt32Number pixel_type(const RawImage& image) {
  // lcms would hand this out as an enumeration that ends at 0x7FFFFFFF, and beyond that the
  // language leaves open what comes of it. It opens no profile of fewer than 128 bytes.
  const cmsUInt32Number space = big_endian(image.profile, 16, 4);
  if (image.cmyk) return space == cmsSigCmykData ? TYPE_CMYK_8 : 0;
  // Only the red value of a grey pixel is read; the others, and alpha, count as extra channels.
  if (space == cmsSigGrayData && image.grey) {
    return COLORSPACE_SH(PT_GRAY) | CHANNELS_SH(1) | BYTES_SH(1) |
           EXTRA_SH(static_cast<cmsUInt32Number>(image.channels - 1));
  }
  if (space != cmsSigRgbData) return 0;
  return image.channels == 4 ? TYPE_RGBA_8 : TYPE_RGB_8;
}

// CMYK becomes RGB with three channels, everything else keeps its channels. False when the profile
// cannot be used.
bool apply_profile(RawImage& image) {
  const Profile source(cmsOpenProfileFromMem(image.profile.data(),
                                             static_cast<cmsUInt32Number>(image.profile.size())));
  if (!source) return false;
  const cmsUInt32Number in_type = pixel_type(image);
  if (in_type == 0) return false;
  if (is_srgb(source.get())) return true;
  const Profile srgb(cmsCreate_sRGBProfile());
  const int out_channels = image.cmyk ? 3 : image.channels;
  const Transform transform(cmsCreateTransform(source.get(), in_type, srgb.get(),
                                               out_channels == 4 ? TYPE_RGBA_8 : TYPE_RGB_8,
                                               INTENT_PERCEPTUAL, 0));
  if (!transform) return false;
  const auto count = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  // Starts as a copy where the layout stays, so that alpha survives.
  std::vector<std::uint8_t> result;
  if (image.cmyk) {
    result.resize(count * 3);
  } else {
    result = image.pixels;
  }
  cmsDoTransform(transform.get(), image.pixels.data(), result.data(),
                 static_cast<cmsUInt32Number>(count));
  image.pixels = std::move(result);
  image.channels = out_channels;
  image.cmyk = false;
  return true;
}

// (1 − ink)(1 − black), with PIL's rounding.
void apply_ink(RawImage& image) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(image.pixels.size() / 4 * 3);
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    const int white = 255 - image.pixels[i + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const int product = image.pixels[i + channel] * white + 128;
      rgb.push_back(static_cast<std::uint8_t>(white - ((product >> 8) + product) / 256));
    }
  }
  image.pixels = std::move(rgb);
  image.channels = 3;
  image.cmyk = false;
}

}  // namespace

void convert_to_srgb(RawImage& image, bool use_profile) {
  if (use_profile && !image.profile.empty()) apply_profile(image);
  if (image.cmyk) apply_ink(image);
}

}  // namespace dd::detail
