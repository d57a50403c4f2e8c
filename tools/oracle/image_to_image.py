# SPDX-License-Identifier: Apache-2.0
"""Draws images with diffusers' StableDiffusionImg2ImgPipeline from the small models of tests/oracle/models.

tests/oracle/image_to_image/start-MODEL.png  the picture that its runs start from, of its own size
tests/oracle/image_to_image/images.json      one entry a run: model, prompt, sampler, steps, strength, seeds …
tests/oracle/image_to_image/N-SEED.png       its images: one call of the pipeline for each seed
"""

import numpy
import torch
from diffusers import (
    DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler,
    StableDiffusionImg2ImgPipeline, UniPCMultistepScheduler)
from PIL import Image

import common

CLASSES = {
    "ddim": DDIMScheduler, "pndm": PNDMScheduler, "dpm++2m": DPMSolverMultistepScheduler,
    "euler": EulerDiscreteScheduler, "unipc": UniPCMultistepScheduler}
SEEDS = (0, 1)
PROMPT = "a photo of the small black dog"


def runs():
    """Every sampler from the middle of its way, from near its end, and from the very beginning."""
    for sampler in CLASSES:
        yield {"model": "sd1", "sampler": sampler, "guidance": 3.0, "steps": 10, "strength": 0.75}
        yield {"model": "sd2", "sampler": sampler, "guidance": 1.0, "steps": 8, "strength": 0.4}
    yield {"model": "sd2", "sampler": "ddim", "guidance": 2.0, "steps": 5, "strength": 1.0}


def start_picture(side):
    """Smooth colours with a hard edge."""
    rows, columns = numpy.mgrid[0:side, 0:side]
    picture = numpy.stack([rows * 255 // side, columns * 255 // side, (rows + columns) * 120 // side], -1)
    picture[side // 4: side // 2, side // 4: 3 * side // 4] = (250, 40, 60)
    return Image.fromarray(picture.astype("uint8"))


def load(run, out):
    pipeline = StableDiffusionImg2ImgPipeline.from_pretrained(
        out / "models" / run["model"], local_files_only=True, safety_checker=None,
        requires_safety_checker=False)
    pipeline.scheduler = CLASSES[run["sampler"]].from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline, run, start, seed):
    return pipeline(
        PROMPT, image=start, strength=run["strength"], num_inference_steps=run["steps"],
        guidance_scale=run["guidance"], generator=torch.Generator().manual_seed(seed)).images[0]


def main():
    out = common.arguments(__doc__).out
    folder = common.fresh_data(out / "image_to_image")
    entries = []
    for number, run in enumerate(runs()):
        pipeline = load(run, out)
        start = start_picture(pipeline.unet.config.sample_size * pipeline.vae_scale_factor)
        start.save(folder / f"start-{run['model']}.png")
        for seed in SEEDS:
            draw(pipeline, run, start, seed).save(folder / f"{number}-{seed}.png")
        entries.append({**run, "prompt": PROMPT, "seeds": list(SEEDS)})
    common.write_json(folder / "images.json", entries)
    common.write_note(folder, __file__, list(SEEDS), {
        "start-MODEL.png": "what is noised", "images.json, N-SEED.png": "images of run N of the list"},
        ("diffusers", "transformers"),
        rule="mean difference below 0.5 levels, 99.9 % of the values within 2 levels")


if __name__ == "__main__":
    main()
