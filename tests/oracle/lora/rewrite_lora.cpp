// SPDX-License-Identifier: Apache-2.0
// rewrite_lora MODEL_FOLDER LORA_FILE OUT_FILE: reads a LoRA and writes it as this library does, so
// that tools/oracle/conformance can show the result to diffusers.
#include <array>
#include <cstdio>

#include "dd/core/error.h"
#include "dd/lora/lora_file.h"
#include "dd/models/clip_text.h"
#include "dd/models/unet.h"

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("usage: rewrite_lora MODEL_FOLDER LORA_FILE OUT_FILE\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path model = arguments[1];
    const auto unet = dd::models::UNet::load(model / "unet", {});
    const auto text = dd::models::TextEncoder::load(model / "text_encoder", {});
    const std::array<dd::lora::ModelPart, 2> parts{
        {{"unet", &unet.parameters()}, {"text_encoder", &text.parameters()}}};
    dd::lora::write_lora(arguments[3], dd::lora::read_lora(arguments[2], parts).weights, {});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rewrite_lora: %s\n", error.what());
    return 1;
  }
  return 0;
}
