# SPDX-License-Identifier: Apache-2.0
"""Draws images with diffusers' StableDiffusionPipeline from the small models of tests/oracle/models.

tests/oracle/generate/images.json   one entry a run: model, prompt, sampler, steps, guidance, seeds …
tests/oracle/generate/N-SEED.png    its images: one call of the pipeline for each seed
"""

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, StableDiffusionPipeline

import common

CLASSES = {"ddim": DDIMScheduler, "dpm++2m": DPMSolverMultistepScheduler}
SEEDS = (0, 1, 2, 3, 4)
PROMPT = "a photo of the small black dog"


def runs():
    """Both families, with and without guidance, by the file's own sampler and by another."""
    for model in ("sd1", "sd2"):
        for sampler in CLASSES:
            for guidance in (1.0, 3.0):
                yield {"model": model, "sampler": sampler, "guidance": guidance, "steps": 8}
    yield {"model": "sd1", "sampler": "ddim", "guidance": 3.0, "steps": 6, "negative": "a red bag"}
    yield {"model": "sd2", "sampler": "ddim", "guidance": 2.0, "steps": 5, "width": 40, "height": 24}
    yield {"model": "sd1", "sampler": "ddim", "guidance": 3.0, "steps": 6, "lora": "sd1", "scale": 0.7}


def load(run, out):
    pipeline = StableDiffusionPipeline.from_pretrained(
        out / "models" / run["model"], local_files_only=True, safety_checker=None,
        requires_safety_checker=False)
    pipeline.scheduler = CLASSES[run["sampler"]].from_config(pipeline.scheduler.config)
    if "lora" in run:
        pipeline.load_lora_weights(out / "lora" / run["lora"])
        pipeline.fuse_lora(components=["unet", "text_encoder"], lora_scale=run["scale"])
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline, run, seed):
    sizes = {key: run[key] for key in ("width", "height") if key in run}
    return pipeline(
        PROMPT, negative_prompt=run.get("negative"), num_inference_steps=run["steps"],
        guidance_scale=run["guidance"], generator=torch.Generator().manual_seed(seed), **sizes).images[0]


def main():
    out = common.arguments(__doc__).out
    folder = out / "generate"
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, run in enumerate(runs()):
        pipeline = load(run, out)
        seeds = SEEDS if "lora" not in run and "negative" not in run and "width" not in run else SEEDS[:2]
        for seed in seeds:
            draw(pipeline, run, seed).save(folder / f"{number}-{seed}.png")
        entries.append({**run, "prompt": PROMPT, "seeds": list(seeds)})
    common.write_json(folder / "images.json", entries)
    common.write_note(folder, __file__, list(SEEDS), {
        "images.json, N-SEED.png": "images of run N of the list"}, ("diffusers", "transformers", "peft"),
        rule="mean difference below 0.5 levels, 99.9 % of the values within 2 levels")


if __name__ == "__main__":
    main()
