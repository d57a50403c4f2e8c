# SPDX-License-Identifier: Apache-2.0
"""A labelled set with StableDiffusionPipeline and DDIM; where --adapters is given, one LoRA a class."""

import progress

options = progress.arguments(__doc__)

from diffusers import DDIMScheduler, StableDiffusionPipeline

pipeline = StableDiffusionPipeline.from_pretrained(
    options.model, torch_dtype=options.dtype, local_files_only=True, safety_checker=None,
    requires_safety_checker=False)
pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
pipeline.set_progress_bar_config(disable=True)
images = 0


def on_step(_, step, time, state):
    if images == 0 and step == 0:
        progress.first_done()
    return state


for name in sorted(kind.name for kind in options.data.iterdir() if kind.is_dir())[:options.classes]:
    if options.adapters:
        pipeline.load_lora_weights(options.adapters / name, weight_name="pytorch_lora_weights.safetensors")
    (options.out / name).mkdir(exist_ok=True)
    for start in range(0, options.per_class, options.batch):
        count = min(options.batch, options.per_class - start)
        drawn = pipeline(f"a photo of a {name}", num_images_per_prompt=count, num_inference_steps=options.steps,
                         guidance_scale=options.guidance, width=options.size, height=options.size,
                         callback_on_step_end=on_step).images
        for place, image in enumerate(drawn):
            image.save(options.out / name / f"{start + place:05}.png")
        images += count
    if options.adapters:
        pipeline.unload_lora_weights()
progress.finished(images, options.steps)
