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
    shots: int = 8
    timed: str = "whole"  # processes with start-up, or "steps" after the first


CASES = [
    Case("adapt-small", "adapt all classes, embedded base", "small", "≥ 3 ×", "adapt", 50, 8, classes=10),
    Case("generate-small", "generate a set, one adapter a class, embedded base", "small", "≥ 3 ×", "generate",
         50, 8, classes=10, per_class=8),
    Case("train-small", "train the embedded CLIP, 512 px files", "small", "≥ 3 ×", "train", 100, 64),
    # As many shots as a batch holds: what is kept of them is there after the first step, as in all but
    # the first epoch of a run.
    Case("adapt-full", "adapt, SD 2.1 shapes, 512 px", "full", "≥ 2.0 ×, memory ≤ 0.6 ×", "adapt", 3, 2,
         pixels=512, shots=2, timed="steps"),
    Case("generate-full", "generate, SD 2.1 shapes, 512 px, DDIM", "full", "≥ 1.3 ×, memory ≤ 0.7 ×",
         "generate", 10, 1, classes=1, per_class=1, pixels=512, timed="steps"),
    Case("train-full", "train CLIP ViT-B/16 shapes, 100 classes, 512 px files", "full", "≥ 3 ×", "train", 5, 16,
         timed="steps"),
]


def reference(case, python, here, place, out, options):
    """Commands, one after the other: the official code adapts each class in a process of its own."""
    common = ["--threads", str(options.threads), "--dtype", options.dtype, "--steps", str(case.steps),
              "--batch", str(case.batch), "--size", str(case.pixels)]
    model = place.clip if case.stage == "train" else place.model
    data = place.photos if case.stage == "train" else place.shots
    base = [python, here / "reference" / f"{case.stage}.py", "--model", model, "--data", data, *common]
    if case.stage == "adapt":
        return [[*base, "--shots", str(case.shots), "--class-name", name, "--out", out / name]
                for name in place.names[:case.classes]]
    if case.stage == "generate":
        more = ["--adapters", place.adapters] if place.adapters else []
        return [[*base, *more, "--classes", str(case.classes), "--per-class", str(case.per_class),
                 "--guidance", "2", "--out", out]]
    return [[*base, "--out", out]]


def datadream(case, program, place, out, options):
    common = ["--threads", str(options.threads), "--dtype", options.dtype, "--device", "cpu", "--verbose",
              "--batch", str(case.batch), "--out", out]
    if case.stage == "adapt":
        return [[program, "adapt", "--model", place.model, "--data", place.shots_of(case.classes), "--mode", "class",
                 "--shots", str(case.shots), "--steps", str(case.steps * case.classes),
                 "--resolution", str(case.pixels), "--validate-every", "0", "--save-every", "0", *common]]
    if case.stage == "generate":
        more = ["--adapters", place.adapters] if place.adapters else []
        return [[program, "generate", "--model", place.model, "--classes", place.shots_of(case.classes), *more, "--sampler", "ddim",
                 "--steps", str(case.steps), "--guidance", "2", "--per-class", str(case.per_class),
                 "--size", str(case.pixels), *common]]
    return [[program, "train", "--clip", place.clip, "--real", place.photos, "--steps", str(case.steps),
             "--targets", "qkvo", "--save-every", "0", *common]]
