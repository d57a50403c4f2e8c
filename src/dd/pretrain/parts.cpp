// SPDX-License-Identifier: Apache-2.0
#include "dd/pretrain/parts.h"

#include <ATen/TensorOperators.h>

#include "dd/core/durable_files.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/core/seeds.h"
#include "dd/image/write.h"
#include "dd/tensor/image_tensor.h"
#include "dd/text/bpe_learner.h"

namespace dd::pretrain {
namespace {

Json curve(const std::vector<train::CurvePoint>& points) {
  Json json = Json::array();
  for (const train::CurvePoint& point : points) json.push_back({point.step, point.value});
  return json;
}

}  // namespace

models::VaeConfig vae_config() {
  models::VaeConfig config;
  config.widths = {16, 32, 64};
  config.layers_per_block = 1;
  // Few channels in many groups would leave a flat picture little more than signs to tell its
  // colour by: a group of two equal-sized planes normalises to plus and minus one.
  config.norm_groups = 1;
  config.sample_size = kPixels;
  return config;
}

models::UNetConfig unet_config() {
  models::UNetConfig config;
  config.sample_size = kPixels / vae_config().factor();
  config.widths = {64, 128};
  config.norm_groups = 16;
  config.attention = {true, true};
  config.heads = {4, 4};
  config.layers_per_block = 1;
  config.context_width = 128;
  config.linear_projection = true;
  return config;
}

models::ClipTextConfig text_config(std::int64_t vocab_size, std::int64_t end_token) {
  models::ClipTextConfig config;
  config.vocab_size = vocab_size;
  config.positions = kContext;
  config.encoder = {.width = 128, .mlp_width = 512, .layers = 2, .heads = 4, .causal = true};
  config.projection = 64;
  config.end_token = end_token;
  return config;
}

models::ClipConfig clip_config(std::int64_t vocab_size, std::int64_t end_token) {
  models::ClipConfig config;
  config.text = text_config(vocab_size, end_token);
  config.vision.image_size = kPixels;
  config.vision.patch_size = 8;
  config.vision.encoder = {.width = 128, .mlp_width = 512, .layers = 4, .heads = 4};
  config.projection = 64;
  return config;
}

std::uint64_t Workshop::seed(const char* part) const {
  return mix_seed(static_cast<std::uint64_t>(common.seed), part);
}

train::EngineOptions Workshop::engine(const std::string& part, std::int64_t steps,
                                      const std::string& schedule) const {
  train::EngineOptions engine;
  engine.name = part;
  engine.steps = steps;
  engine.save_every = 250;
  engine.validate_every = 0;
  engine.preview_every = options.preview_every;
  engine.state_file = state_file(part);
  engine.events = common.out / "events" / part;
  engine.identity = cat("pretrain ", part, " seed ", common.seed);
  // The other schedule's length may still be changed on the way.
  if (schedule == "cosine") engine.identity += cat(" steps ", steps);
  engine.optimizer.warmup = 200;
  engine.optimizer.schedule = schedule;
  return engine;
}

bool Workshop::is_complete(const std::string& part, std::int64_t steps,
                           const std::filesystem::path& product) const {
  if (common.force) {
    // The product first: it stands for the others.
    for (const auto& file : {product, record_file(part), state_file(part)}) drop_record(file);
    return false;
  }
  if (!path_exists(product)) return false;
  if (path_exists(record_file(part))) {
    const Json record = read_json(record_file(part));
    const std::string where = record_file(part).string();
    const auto made_with = [&](const char* key) {
      return json_required<std::int64_t>(record, key, where);
    };
    if (made_with("steps") != steps || made_with("seed") != common.seed) {
      fail_usage(cat("the part ", part, " in ", common.out.string(), " was trained with ",
                     made_with("steps"), " steps and seed ", made_with("seed"),
                     "; use --force to train it anew, or another --out"));
    }
  }
  context.report.info(cat("the part ", part, " in ", common.out.string(), " is complete"));
  return true;
}

void Workshop::write_record(const std::string& part, const train::TrainResult& result) const {
  write_json(record_file(part), {{"part", part},
                                 {"steps", result.steps},
                                 {"seconds", result.seconds},
                                 {"seed", common.seed},
                                 {"losses", curve(result.losses)}});
}

ClipTokenizer world_tokenizer(const std::filesystem::path& folder) {
  if (!path_exists(folder / "vocab.json")) {
    write_learned_tokenizer(folder, World::corpus(), kMerges, kContext);
  }
  return ClipTokenizer::load(folder);
}

at::Tensor to_pixels(const std::vector<Image>& images) {
  return images_to_tensor(images) * 2.0 - 1.0;
}

void write_sheet(const std::filesystem::path& file, const at::Tensor& pixels_nchw, int columns) {
  write_png(file, contact_sheet(tensor_to_images(pixels_nchw * 0.5 + 0.5), columns, 2));
}

}  // namespace dd::pretrain
