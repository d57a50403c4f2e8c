# SPDX-License-Identifier: Apache-2.0
"""Shows diffusers what `adapt` and `convert` write: it must load, and draw what `generate` draws.

    python tools/oracle/check_adapt_in_diffusers.py PROGRAM [MODEL …]

For each model folder (default: sd1 and sd2 of tests/oracle/models and the embedded base):
  adapt     a LoRA of `adapt` loads with no missing or unexpected key, drawn with by both
  kohya     the same, after `convert --to kohya`
  merged    the same, after `convert --to diffusers --lora`, without a LoRA
  locon     a kohya LoRA that also changes convolutions and feed-forward layers, ranks mixed
  mixed     the same with an alpha of its own for each layer, after `convert --to diffusers` (of a
            kohya file diffusers 0.42 takes one alpha for all and warns that it ignored the others)
  several   two LoRAs with scales of their own
  single    a model with a LoRA merged, as one file, read with from_single_file
Images agree when their mean difference is below 0.5 of 255 levels and 99.9 % of the values lie
within 2 levels.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import common  # sets the offline switch before diffusers looks at it
import numpy
import torch
from diffusers import StableDiffusionPipeline
from peft.tuners.lora import LoraLayer
from PIL import Image
from safetensors.torch import load_file, save_file

import check_lora_loads

PROMPT = "a photo of a small black dog"
SEED = 3
STEPS = 6
GUIDANCE = 3.0


class Checker:
    def __init__(self, program, model, folder):
        self.program, self.model, self.folder = program, model, folder
        self.failures = 0

    def datadream(self, *words):
        command = [self.program, *map(str, words), "--device", "cpu", "--threads", "1", "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def ours(self, name, *loras, model=None):
        out = self.folder / f"drawn-{name}"
        flags = [word for lora in loras for word in ("--lora", lora)]
        self.datadream("generate", "--model", model or self.model, "--prompt", PROMPT, "--steps", STEPS,
                       "--guidance", GUIDANCE, "--seed", SEED, "--out", out, *flags)
        return numpy.asarray(Image.open(out / "00000.png"), dtype=numpy.float32)

    def pipeline(self, model=None):
        pipeline = StableDiffusionPipeline.from_pretrained(
            model or self.model, dtype=torch.float32, local_files_only=True, safety_checker=None,
            requires_safety_checker=False)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def theirs(self, pipeline):
        image = pipeline(PROMPT, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
                         generator=torch.Generator().manual_seed(SEED)).images[0]
        return numpy.asarray(image, dtype=numpy.float32)

    def fail(self, name, text):
        self.failures += 1
        print(f"{self.model.name} {name}: {text}")

    def compare(self, name, ours, theirs, plain=None):
        gap = numpy.abs(ours - theirs)
        near = (gap <= 2).mean()
        moved = "" if plain is None else f", {numpy.abs(plain - theirs).mean():.1f} from the base's image"
        print(f"{self.model.name} {name}: mean {gap.mean():.4f} levels, {100 * near:.2f} % within 2{moved}")
        if not (gap.mean() < 0.5 and near >= 0.999):
            self.fail(name, "the images differ")
        if plain is not None and numpy.abs(plain - theirs).mean() < 1:
            self.fail(name, "the LoRA hardly changes the image, so nothing was shown")


def write_photos(folder):
    generator = numpy.random.default_rng(1)
    for index, name in enumerate(("dog", "boat")):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            pixels = generator.integers(0, 120, (48, 48, 3)) + numpy.array([index * 130, 60, 120 - index * 100])
            Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8)).save(folder / name / f"{number}.png")


def write_locon(path, pipeline, alphas):
    """Random pairs for every layer that kohya's trainer and LoCon know, ranks and these alphas mixed."""
    generator = torch.Generator().manual_seed(7)
    wanted = {torch.nn.Linear: ("attentions", "self_attn", "mlp"), torch.nn.Conv2d: ("attentions", "resnets")}
    tensors, number = {}, 0
    for prefix, model in (("lora_unet_", pipeline.unet), ("lora_te_", pipeline.text_encoder)):
        for name, module in model.named_modules():
            if not any(word in name for word in wanted.get(type(module), ())):
                continue
            number += 1
            rank, alpha = 1 + number % 3, alphas[number % len(alphas)]
            if prefix == "lora_te_" and not name.startswith("text_model."):
                name = f"text_model.{name}"
            stem = prefix + name.replace(".", "_")
            weight = module.weight
            point = (1, 1) if weight.ndim == 4 else ()
            down = torch.randn((rank, *weight.shape[1:]), generator=generator)
            up = torch.randn((weight.shape[0], rank, *point), generator=generator)
            tensors[f"{stem}.lora_down.weight"] = down / down[0].numel() ** 0.5
            tensors[f"{stem}.lora_up.weight"] = 0.1 * up
            tensors[f"{stem}.alpha"] = torch.tensor(alpha)
    save_file(tensors, path)
    return number


def load_lora(pipeline, path, name=None):
    names = {"adapter_name": name} if name else {}
    pipeline.load_lora_weights(path.parent, weight_name=path.name, **names)
    return pipeline


def layers_of(pipeline):
    return sum(isinstance(module, LoraLayer) for part in (pipeline.unet, pipeline.text_encoder)
               for module in part.modules())


def check_adapt(checker, plain):
    out = checker.folder / "adapters"
    write_photos(checker.folder / "photos")
    checker.datadream("adapt", "--model", checker.model, "--data", checker.folder / "photos", "--shots", 2,
                      "--mode", "dataset", "--steps", 8, "--batch", 2, "--lr", 0.02, "--warmup", 1, "--rank", 3,
                      "--alpha", 5, "--text-encoder", "--out", out)
    lora = out / "pytorch_lora_weights.safetensors"
    pipeline = load_lora(checker.pipeline(), lora)
    for problem in check_lora_loads.problems(pipeline, *check_lora_loads.read_file(lora)):
        checker.fail("adapt", problem)
    drawn = checker.ours("adapt", lora)
    checker.compare("adapt", drawn, checker.theirs(pipeline), plain)
    return lora, drawn


def check_kohya(checker, lora, drawn):
    kohya = checker.folder / "kohya.safetensors"
    checker.datadream("convert", lora, "--to", "kohya", "--out", kohya)
    pipeline = load_lora(checker.pipeline(), kohya)
    pairs = len(load_file(kohya)) // 3
    if layers_of(pipeline) != pairs:
        checker.fail("kohya", f"diffusers took {layers_of(pipeline)} of {pairs} pairs")
    checker.compare("kohya", drawn, checker.theirs(pipeline))


def check_merged(checker, lora, drawn):
    merged = checker.folder / "merged"
    checker.datadream("convert", checker.model, "--to", "diffusers", "--dtype", "f32", "--lora", lora, "--out", merged)
    checker.compare("merged", drawn, checker.theirs(checker.pipeline(merged)))
    checker.compare("merged, drawn by us", checker.ours("merged", model=merged), drawn)


def check_single(checker, lora, drawn):
    file = checker.folder / "single.safetensors"
    checker.datadream("convert", checker.model, "--to", "single-file", "--dtype", "f32", "--lora", lora,
                      "--out", file)
    pipeline = StableDiffusionPipeline.from_single_file(
        str(file), config=str(file.with_suffix("")), local_files_only=True, dtype=torch.float32)
    pipeline.safety_checker = None
    pipeline.set_progress_bar_config(disable=True)
    checker.compare("single", drawn, checker.theirs(pipeline))
    checker.compare("single, drawn by us", checker.ours("single", model=file), drawn)


def check_several(checker, lora, mixed, plain):
    pipeline = load_lora(load_lora(checker.pipeline(), lora, "first"), mixed, "second")
    pipeline.set_adapters(["first", "second"], [0.5, 0.75])
    drawn = checker.ours("several", f"{lora}:0.5", f"{mixed}:0.75")
    checker.compare("several", drawn, checker.theirs(pipeline), plain)


def check_locon(checker, plain):
    path = checker.folder / "locon.safetensors"
    pipeline = checker.pipeline()
    pairs = write_locon(path, pipeline, [2.0])
    load_lora(pipeline, path)
    if layers_of(pipeline) != pairs:
        checker.fail("locon", f"diffusers took {layers_of(pipeline)} of {pairs} pairs")
    drawn = checker.ours("locon", path)
    checker.compare("locon", drawn, checker.theirs(pipeline), plain)


def check_mixed(checker, plain):
    path, current = checker.folder / "mixed-kohya.safetensors", checker.folder / "mixed.safetensors"
    write_locon(path, checker.pipeline(), [1.0, 2.0, 3.0, 4.0])
    checker.datadream("convert", path, "--to", "diffusers", "--out", current)
    drawn = checker.ours("mixed", path)
    checker.compare("mixed", drawn, checker.theirs(load_lora(checker.pipeline(), current)), plain)
    return current


def check(program, model, folder):
    checker = Checker(program, model, folder)
    plain = checker.theirs(checker.pipeline())
    checker.compare("base", checker.ours("base"), plain)
    lora, drawn = check_adapt(checker, plain)
    check_kohya(checker, lora, drawn)
    check_merged(checker, lora, drawn)
    check_single(checker, lora, drawn)
    check_locon(checker, plain)
    check_several(checker, lora, check_mixed(checker, plain), plain)
    return checker.failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("models", type=Path, nargs="*")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    models = given.models or [common.REPOSITORY / "tests/oracle/models/sd1",
                              common.REPOSITORY / "tests/oracle/models/sd2",
                              common.REPOSITORY / "assets/base/stable-diffusion"]
    failures = 0
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            failures += check(given.program.resolve(), model.resolve(), Path(folder))
    print("check_adapt_in_diffusers:", f"{failures} failures" if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
