# SPDX-License-Identifier: Apache-2.0
"""Compares the images of `datadream generate` with those of live diffusers; exit status 1 if any differs.

    python tools/oracle/conformance.py build/datadream

Models are the small random ones of tests/oracle/models, each with both prediction types, and the
embedded base. The U-Nets' output is damped: undamped, strong guidance makes sampling chaotic (a millionth
more noise at the start moved pixels by 154 levels within diffusers alone), as no trained model does.
Cases cover every combination of model (with its prediction type), sampler and guidance, every pair of
values of all the axes below (a greedy covering design, the same at every call), and single ones for what
does not combine; for each model another prompt must break the rule, or the
comparison would be blind. Rule: mean difference under 0.5 of 255 levels, 99.9 % of the values within 2
levels; between batch sizes at most 1 level, or, where rounding grows that much, no more than diffusers'
own pictures differ between the same batch sizes. A picture that hardly varies, or is mostly black or white,
would prove nothing and fails too.
"""

import argparse
import html
import itertools
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import common  # sets the offline switch before diffusers looks at it
import ftfy
import numpy
import torch
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler,
                       StableDiffusionPipeline, UniPCMultistepScheduler)
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from safetensors.torch import load_file

DPM = DPMSolverMultistepScheduler
SAMPLERS = {"ddim": (DDIMScheduler, {}), "pndm": (PNDMScheduler, {}),
            "dpm++1m": (DPM, {"solver_order": 1}), "dpm++2m": (DPM, {"solver_order": 2}),
            "dpm++3m": (DPM, {"solver_order": 3}),
            "euler": (EulerDiscreteScheduler, {}), "unipc": (UniPCMultistepScheduler, {})}
KARRAS = ("dpm++2m", "dpm++3m", "euler", "unipc")
PROMPTS = {
    "plain": "a photo of the small black dog", "empty": "", "upper case": "A PHOTO Of The RED Cat",
    "emoji": "a photo of a cat \U0001F408\u200d⬛ and a \U0001F600",
    "accents": "un café très doux, naïve Ångström",
    "quotes": "a photo of \"the\" dog's 'red' coat; it's   small\n",
    "long": "a photo of the red cat and " * 14,
    "curly quotes": "the \u201cblack\u201d dog\u2019s &amp; cat\u2019s \uff43\uff4f\uff41\uff54"}
AXES = {
    "model": ("sd1 epsilon", "sd1 v_prediction", "sd2 epsilon", "sd2 v_prediction"),
    "sampler": tuple(SAMPLERS) + tuple(name + " karras" for name in KARRAS),
    "guidance": (1.0, 2.0, 7.5),
    "size": ("", "72x56", "40x24", "56x88"),
    "prompt": tuple(PROMPTS),
    "lora": (False, True),
    "batch": (1, 5),
    "spacing": ("", "trailing", "linspace", "leading"),
}
IN_FULL = ("model", "sampler", "guidance")
MEAN_LIMIT, NEAR_LEVELS, NEAR_SHARE, BATCH_LIMIT = 0.5, 2, 0.999, 1
LEAST_DEVIATION, MOST_SATURATED = 8.0, 0.5
LORA_SCALE = 0.7
DAMPING = 0.25
UNET_WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass
class Case:
    model: str
    sampler: str = "ddim"
    guidance: float = 2.0
    size: str = ""
    prompt: str = "plain"
    lora: object = False  # True: the recorded one of the family; or a path
    batch: int = 1
    spacing: str = ""
    steps: int = 8
    negative: str = ""
    zero_snr: bool = False
    seed: int = 0

    def name(self):
        words = [self.model, self.sampler, f"guidance {self.guidance:g}", self.size or "default size",
                 self.prompt, f"{self.steps} steps", f"batch {self.batch}"]
        words += ["lora" if self.lora is True else "lora of adapt"] if self.lora else []
        words += [self.spacing] if self.spacing else []
        words += ["negative"] if self.negative else []
        words += ["zero SNR"] if self.zero_snr else []
        return ", ".join(words)


def covering_design():
    """Rows with every combination of the axes IN_FULL, and such that every two values of every two axes
    meet in one of them: each row starts from a combination, then from a pair that has not met, and takes,
    axis by axis, the value that brings most new pairs."""
    names, chance = list(AXES), random.Random(4)
    missing = {((a, x), (b, y)) for a, b in itertools.combinations(names, 2)
               for x in AXES[a] for y in AXES[b]}
    starts = [dict(zip(IN_FULL, values)) for values in itertools.product(*(AXES[axis] for axis in IN_FULL))]
    rows = []
    while starts or missing:
        row = starts.pop() if starts else dict(min(missing, key=str))
        for name in chance.sample([axis for axis in names if axis not in row], len(names) - len(row)):
            def gain(value):
                return sum((((name, value), (a, x)) in missing or ((a, x), (name, value)) in missing)
                           for a, x in row.items())
            row[name] = max(AXES[name], key=lambda value: (gain(value), chance.random()))
        missing -= {pair for pair in itertools.combinations([(n, row[n]) for n in names], 2)}
        rows.append(row)
    return rows


def cases(base, trained_lora):
    for number, row in enumerate(covering_design()):
        yield Case(**row, steps=4 + number % 7, seed=100 * number)
    for sampler in ("ddim", "dpm++2m", "euler", "unipc", "unipc karras"):
        yield Case("sd2 v_prediction", sampler, zero_snr=True, spacing="trailing", steps=6)
    for sampler in ("ddim", "pndm", "euler"):
        yield Case("sd1 epsilon", sampler, guidance=7.5, negative="a red bag", steps=20)
    yield Case("sd1 epsilon", "auto", steps=10)
    yield Case("sd1 epsilon", "dpm++2m", lora=trained_lora, steps=6)
    for sampler in ("auto", "pndm", "dpm++2m", "dpm++3m karras", "euler", "unipc"):
        yield Case(base, sampler, prompt="plain", guidance=2.0, batch=5, steps=10)


class Workshop:
    """Models, LoRAs and the two programs that draw."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.oracle = common.REPOSITORY / "tests" / "oracle"
        self.base = common.REPOSITORY / "assets" / "base" / "stable-diffusion"
        self.pipelines = {}

    def model(self, case):
        """The model folder of a case: a copy by links with a scheduler file of its own."""
        if case.model == "base":
            return self.base
        family, prediction = case.model.split()
        name = "-".join(filter(None, (family, prediction, case.spacing, "zero" * case.zero_snr)))
        folder = self.folder / "models" / name
        if not folder.exists():
            source = self.oracle / "models" / family
            (folder / "unet").mkdir(parents=True)
            for part in ("unet/config.json", "vae", "text_encoder", "tokenizer", "model_index.json"):
                (folder / part).symlink_to(source / part)
            tensors = load_file(source / "unet" / UNET_WEIGHTS)
            tensors["conv_out.weight"] *= DAMPING
            common.save_tensors(folder / "unet" / UNET_WEIGHTS, tensors, {"format": "pt"})
            settings = common.json.loads((source / "scheduler" / "scheduler_config.json").read_text())
            settings["prediction_type"] = prediction
            settings["rescale_betas_zero_snr"] = case.zero_snr
            if case.spacing:
                settings["timestep_spacing"] = case.spacing
            (folder / "scheduler").mkdir()
            common.write_json(folder / "scheduler" / "scheduler_config.json", settings)
        return folder

    def lora(self, case):
        if case.lora is True:
            return self.oracle / "lora" / case.model.split()[0] / "pytorch_lora_weights.safetensors"
        return case.lora or None

    def pipeline(self, case):
        """diffusers with the case's model, LoRA and scheduler; the models are small and are kept."""
        key = (self.model(case), self.lora(case))
        if key not in self.pipelines:
            pipeline = StableDiffusionPipeline.from_pretrained(
                key[0], torch_dtype=torch.float32, local_files_only=True, safety_checker=None,
                requires_safety_checker=False)
            if key[1]:
                pipeline.load_lora_weights(key[1].parent, weight_name=key[1].name)
                pipeline.fuse_lora(components=["unet", "text_encoder"], lora_scale=LORA_SCALE)
            pipeline.set_progress_bar_config(disable=True)
            self.pipelines[key] = (pipeline, pipeline.scheduler)
        pipeline, own = self.pipelines[key]
        name, _, karras = case.sampler.partition(" ")
        if name == "auto":
            pipeline.scheduler = own
        else:
            kind, changes = SAMPLERS[name]
            changes = {**changes, "use_karras_sigmas": True} if karras else changes
            pipeline.scheduler = kind.from_config(own.config, **changes)
        return pipeline

    def theirs(self, case, count):
        sizes = dict(zip(("width", "height"), map(int, case.size.split("x")))) if case.size else {}
        # transformers' tokenizer leaves out OpenAI's cleaning of the text, so it is done here.
        prompt = ftfy.fix_text(html.unescape(html.unescape(PROMPTS[case.prompt])))
        generators = [torch.Generator().manual_seed(case.seed + i) for i in range(count)]
        images = self.pipeline(case)(
            prompt, negative_prompt=case.negative or None, num_inference_steps=case.steps,
            guidance_scale=case.guidance, generator=generators, num_images_per_prompt=count, **sizes).images
        return [numpy.asarray(image) for image in images]

    def ours(self, case, count, batch):
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        name, _, karras = case.sampler.partition(" ")
        command = [self.program, "generate", "--model", self.model(case), "--prompt", PROMPTS[case.prompt],
                   "--count", count, "--batch", batch, "--sampler", name, "--steps", case.steps,
                   "--guidance", case.guidance, "--seed", case.seed, "--negative", case.negative,
                   "--device", "cpu", "--dtype", "f32", "--quiet", "--out", out]
        command += ["--size", case.size] if case.size else []
        command += ["--karras"] if karras else []
        command += ["--lora", f"{self.lora(case)}:{LORA_SCALE}"] if case.lora else []
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, text=True)
        return [numpy.asarray(Image.open(out / f"{i:05}.png")) for i in range(count)]

    def train_lora(self):
        """A LoRA that `datadream adapt` makes from four pictures: large steps, so that it shows."""
        photos, out = self.folder / "photos", self.folder / "adapted"
        noise = numpy.random.default_rng(1)
        for name in ("cat", "dog"):
            (photos / name).mkdir(parents=True)
            for i in range(2):
                picture = Image.fromarray(noise.integers(0, 256, (32, 32, 3), numpy.uint8))
                picture.save(photos / name / f"{i}.png")
        subprocess.run([str(word) for word in (
            self.program, "adapt", "--model", self.oracle / "models" / "sd1", "--data", photos, "--shots", 2,
            "--mode", "dataset", "--steps", 6, "--batch", 2, "--rank", 4, "--lr", 0.02, "--warmup", 0,
            "--split", "all", "--text-encoder", "--device", "cpu", "--quiet", "--out", out)],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return out / "pytorch_lora_weights.safetensors"


def follows_rule(gap):
    return gap.mean() < MEAN_LIMIT and (gap <= NEAR_LEVELS).mean() >= NEAR_SHARE


def gaps(ours, theirs):
    return numpy.abs(numpy.stack(ours).astype(int) - numpy.stack(theirs).astype(int))


def check(workshop, case):
    """The line of a case, and whether it passed."""
    count = 5 if case.batch > 1 else 2
    ours, theirs = workshop.ours(case, count, case.batch), workshop.theirs(case, count)
    if ours[0].shape != theirs[0].shape:
        return f"sizes {ours[0].shape} and {theirs[0].shape}", False
    gap = gaps(ours, theirs)
    deviation = min(image.std() for image in theirs)
    saturated = max(((image == 0) | (image == 255)).mean() for image in theirs)
    passed = follows_rule(gap) and deviation >= LEAST_DEVIATION and saturated <= MOST_SATURATED
    near = 100 * (gap <= NEAR_LEVELS).mean()
    text = f"mean {gap.mean():.4f} max {gap.max()} within {NEAR_LEVELS} {near:.2f} %"
    if case.batch > 1:
        widest = gaps(ours, workshop.ours(case, count, 1)).max()
        text += f", batch {widest}"
        if widest > BATCH_LIMIT:
            single = [workshop.theirs(replace(case, seed=case.seed + i), 1)[0] for i in range(count)]
            own = gaps(theirs, single).max()
            text += f", diffusers' own {own}"
            passed = passed and widest <= own
    return f"{text} (deviation {deviation:.0f}, saturated {100 * saturated:.0f} %)", passed


def check_sight(workshop, model):
    """Two prompts in diffusers alone: their pictures have to differ by more than the rule lets pass."""
    one, two = (workshop.theirs(Case(model, "ddim", 7.5, prompt=prompt), 1) for prompt in ("plain", "empty"))
    gap = gaps(one, two)
    return f"mean {gap.mean():.4f} max {gap.max()}", not follows_rule(gap)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default="", help="checks whose name holds this text")
    options = parser.parse_args()
    torch.set_num_threads(1)
    diffusers_logging.disable_progress_bar()
    failed, count = [], 0
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(options.program.resolve(), Path(folder))
        checks = [(f"{model}, another prompt shows", lambda model=model: check_sight(workshop, model))
                  for model in (*AXES["model"], "base")]
        checks += [(case.name(), lambda case=case: check(workshop, case))
                   for case in cases("base", workshop.train_lora())]
        for name, action in checks:
            if options.only not in name:
                continue
            try:
                text, passed = action()
            except subprocess.CalledProcessError as error:
                text, passed = error.stderr.strip(), False
            count += 1
            if not passed:
                failed.append(name)
            print(f"{'ok  ' if passed else 'FAIL'} {name}: {text}", flush=True)
    print(f"conformance: {count - len(failed)} of {count} checks passed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
