// SPDX-License-Identifier: Apache-2.0
// The configuration files of models and schedulers.
#include "dd/core/json.h"
#include "dd/diffusion/schedule_config.h"
#include "dd/models/clip.h"
#include "dd/models/clip_text.h"
#include "dd/models/dinov2.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"
#include "fuzz_input.h"

namespace {

template <class Config>
void read(const dd::Json& json) {
  dd::fuzz::may_refuse([&] { Config::from_json(json, "input"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dd::fuzz::InputFolder folder;
  folder.put("scheduler_config.json", dd::fuzz::text_of(data, size));
  // Its own reader also takes what is no JSON: -Infinity.
  dd::fuzz::may_refuse([&] { dd::ScheduleConfig::from_folder(folder.path()).to_json(); });
  dd::fuzz::may_refuse([&] {
    const dd::Json json = dd::read_json(folder.path() / "scheduler_config.json");
    read<dd::models::ClipTextConfig>(json);
    read<dd::models::ClipConfig>(json);
    read<dd::models::Dinov2Config>(json);
    read<dd::models::VaeConfig>(json);
    dd::fuzz::may_refuse([&] { dd::models::UNetConfig::from_json(json, "input").to_json(); });
  });
  return 0;
}
