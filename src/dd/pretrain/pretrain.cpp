// SPDX-License-Identifier: Apache-2.0
#include "dd/pretrain/pretrain.h"

#include <deque>

#include "dd/core/folder_lock.h"
#include "dd/core/memory.h"
#include "dd/core/room.h"
#include "dd/pretrain/parts.h"

namespace dd::pretrain {

void PretrainOptions::visit(FieldVisitor& visitor) {
  visitor.field("part", part,
                {.help = "what to train; parts may run as separate processes",
                 .choices = {"all", "judge", "vae", "unet", "clip"}});
  visitor.field("data", data, {.help = "folder with Fashion-MNIST's IDX files", .required = true});
  visitor.field(
      "judge-steps", judge_steps,
      {.help = "steps of the network that measures label fidelity", .low = 1, .high = 1e7});
  visitor.field("vae-steps", vae_steps,
                {.help = "steps of the autoencoder", .low = 1, .high = 1e7});
  visitor.field("unet-steps", unet_steps,
                {.help = "steps of the U-Net and the text encoder", .low = 1, .high = 1e7});
  visitor.field("clip-steps", clip_steps, {.help = "steps of CLIP", .low = 1, .high = 1e7});
  visitor.field("preview-every", preview_every,
                {.help = "steps between contact sheets and measurements", .low = 0, .high = 1e7});
}

namespace {

/// As measured with the sizes of parts.h.
void report_room(const CommonOptions& common, Reporter& report) {
  constexpr std::int64_t kDisk = std::int64_t{320} << 20;
  constexpr std::int64_t kMemory = std::int64_t{1500} << 20;
  report_space(common.out, kDisk, "models, training states and contact sheets", report);
  report_memory({kMemory, available_memory()}, "the pictures and a part in training", report);
}

}  // namespace

void run_pretrain(const PretrainOptions& options, const CommonOptions& common, Context& context) {
  report_room(common, context.report);
  if (common.dry_run) {
    context.report.info(cat("would train into ", common.out.string(), ": judge ",
                            options.judge_steps, ", vae ", options.vae_steps, ", unet ",
                            options.unet_steps, ", clip ", options.clip_steps, " steps"));
    return;
  }
  const auto wanted = [&](const char* part) {
    return options.part == "all" || options.part == part;
  };
  const World world(options.data, kPixels, static_cast<std::uint64_t>(common.seed));
  // Parts may run side by side, so each has a lock of its own.
  std::deque<FolderLock> locks;
  for (const char* part : {"judge", "vae", "unet", "clip"}) {
    if (!wanted(part)) continue;
    locks.emplace_back(common.out, common.out / cat(".lock-", part));
    if (const std::string text = locks.back().warning(); !text.empty()) context.report.warn(text);
  }
  const Workshop shop{options, common, context, world};
  if (wanted("judge")) train_judge(shop);
  if (wanted("vae")) train_vae(shop);
  if (wanted("unet")) train_unet(shop);
  if (wanted("clip")) train_clip(shop);
}

}  // namespace dd::pretrain
