# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: the same work as commands of both sides."""

import dataclasses

SHOTS_DATA = {"small": (10, 8, 32), "full": (2, 8, 512)}
TRAIN_DATA = {"small": (10, 32, 512), "full": (100, 4, 512)}


@dataclasses.dataclass
class Case:
    name: str
    what: str
    size: str
    target: str
    stage: str            # adapt, generate or train
    steps: int
    batch: int
    classes: int = 1      # reference processes for adapt, classes drawn for generate
    per_class: int = 1
    pixels: int = 32


CASES = [
    Case("adapt-small", "adapt all classes, embedded base", "small", "≥ 3 ×", "adapt", 10, 8, classes=10),
    Case("generate-small", "generate a set, one adapter a class, embedded base", "small", "≥ 3 ×", "generate",
         50, 8, classes=10, per_class=8),
    Case("train-small", "train the embedded CLIP, 512 px files", "small", "≥ 3 ×", "train", 30, 64),
    Case("adapt-full", "adapt, SD 2.1 shapes, 512 px", "full", "≥ 2.0 ×, memory ≤ 0.6 ×", "adapt", 3, 2,
         pixels=512),
    Case("generate-full", "generate, SD 2.1 shapes, 512 px, DDIM", "full", "≥ 1.3 ×, memory ≤ 0.7 ×",
         "generate", 5, 1, classes=2, per_class=1, pixels=512),
    Case("train-full", "train CLIP ViT-B/16 shapes, 100 classes, 512 px files", "full", "≥ 3 ×", "train", 4, 16),
]


def reference(case, python, here, place, out, options):
    """Commands, one after the other: the official code adapts each class in a process of its own."""
    common = ["--threads", str(options.threads), "--dtype", options.dtype, "--steps", str(case.steps),
              "--batch", str(case.batch), "--size", str(case.pixels)]
    model = place.clip if case.stage == "train" else place.model
    data = place.photos if case.stage == "train" else place.shots
    base = [python, here / "reference" / f"{case.stage}.py", "--model", model, "--data", data, *common]
    if case.stage == "adapt":
        return [[*base, "--class-name", name, "--out", out / name] for name in place.names[:case.classes]]
    if case.stage == "generate":
        more = ["--adapters", place.adapters] if place.adapters else []
        return [[*base, *more, "--per-class", str(case.per_class), "--guidance", "2", "--out", out]]
    return [[*base, "--out", out]]


def datadream(case, program, place, out, options):
    common = ["--threads", str(options.threads), "--dtype", options.dtype, "--device", "cpu", "--verbose",
              "--batch", str(case.batch), "--out", out]
    if case.stage == "adapt":
        return [[program, "adapt", "--model", place.model, "--data", place.shots_of(case.classes), "--mode", "class",
                 "--shots", "8", "--steps", str(case.steps * case.classes), "--resolution", str(case.pixels),
                 "--save-every", "0", *common]]
    if case.stage == "generate":
        more = ["--adapters", place.adapters] if place.adapters else []
        return [[program, "generate", "--model", place.model, "--classes", place.shots, *more, "--sampler", "ddim",
                 "--steps", str(case.steps), "--guidance", "2", "--per-class", str(case.per_class),
                 "--size", str(case.pixels), *common]]
    return [[program, "train", "--clip", place.clip, "--real", place.photos, "--steps", str(case.steps),
             "--save-every", "0", *common]]
