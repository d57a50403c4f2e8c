# SPDX-License-Identifier: Apache-2.0
"""Shows transformers what `train` and `convert` write: peft must load each classifier whole and score as
`evaluate` does, and the merged CLIP must load and score the same without peft.

    python tools/oracle/check_classifier_in_transformers.py PROGRAM

For the tiny CLIP of tests/oracle/models and the embedded base: LoRAs on q, k, v and out, on q and v with
the official code's settings, and on the MLPs too. Logits agree when their largest difference is below 1e-4
of the largest logit. The zero-shot logits must not agree, or the comparison would be blind.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import common  # sets the offline switch before transformers looks at it
import numpy
import torch
from PIL import Image
from transformers import CLIPModel, CLIPTokenizer

import check_classifier_loads

LIMIT = 1e-4
CLASSES = {"red_top": (220, 40, 40), "green_bag": (40, 200, 60), "blue_coat": (40, 60, 220)}
VARIANTS = {
    "qkvo": (),
    "qv, official": ("--targets", "qv", "--alpha", 32, "--dropout", 0.1, "--mix", 0.5,
                     "--augment-preset", "paper"),
    "qkvo+mlp": ("--targets", "qkvo+mlp", "--rank", 3, "--label-smoothing", 0.1)}


class Checker:
    def __init__(self, program, clip, folder):
        self.program, self.clip, self.folder = program, clip, folder
        config = json.loads((clip / "config.json").read_text())
        self.side = config["vision_config"]["image_size"]
        self.length = config["text_config"]["max_position_embeddings"]
        self.failures = 0
        noise = numpy.random.default_rng(7)
        for place in (f"{kind}/{name}" for kind in ("shots", "images") for name in CLASSES):
            (folder / place).mkdir(parents=True)
            for i in range(4):
                colour = CLASSES[Path(place).name]
                levels = noise.normal(colour, 40, (self.side, self.side, 3)).clip(0, 255)
                Image.fromarray(levels.astype(numpy.uint8)).save(folder / place / f"{i}.png")

    def datadream(self, *words):
        command = [self.program, *words, "--device", "cpu", "--threads", 1, "--quiet"]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)

    def ours(self, out, *flags):
        """File names and logits of `evaluate`."""
        self.datadream("evaluate", "--clip", self.clip, "--data", self.folder / "images", "--split", "all",
                       "--out", out, *flags)
        rows = list(csv.reader((out / "predictions.csv").open()))[1:]
        return [row[0] for row in rows], torch.tensor([[float(x) for x in row[3:]] for row in rows])

    def theirs(self, model, files, folder, names, template):
        own = folder / "tokenizer"
        tokenizer = CLIPTokenizer.from_pretrained(own if own.is_dir() else folder)
        prompts = [template.replace("{}", name.replace("_", " ")) for name in names]
        ids = tokenizer(
            prompts, padding="max_length", max_length=self.length, return_tensors="pt").input_ids
        pixels = torch.stack([check_classifier_loads.pixels_of(self.folder / "images" / f) for f in files])
        with torch.no_grad():
            return model(input_ids=ids, pixel_values=pixels).logits_per_image

    def report(self, name, ours, theirs, same=True):
        gap = ((ours - theirs).abs().max() / ours.abs().max()).item()
        passed = (gap < LIMIT) == same
        self.failures += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {self.clip.name}, {name}: {gap:.2e}", flush=True)

    def check(self, name, flags):
        work = self.folder / name.replace(" ", "-")
        classifier, merged = work / "classifier", work / "merged"
        self.datadream("train", "--clip", self.clip, "--real", self.folder / "shots", "--split", "all",
                       "--steps", 12, "--batch", 6, "--lr", 0.01, "--warmup", 2, "--out", classifier,
                       *flags)
        files, ours = self.ours(work / "scored", "--classifier", classifier)
        record = json.loads((work / "scored" / "metrics.json").read_text())
        adapted = check_classifier_loads.load(self.clip, classifier)
        arguments = (files, self.clip, record["class_names"], record["template"])
        self.report(f"{name}, peft", ours, self.theirs(adapted, *arguments))
        self.report(f"{name}, zero-shot is not the same", ours, self.ours(work / "zero")[1], same=False)
        # The base lies in half precision, which would round what is merged.
        self.datadream("convert", classifier, "--clip", self.clip, "--to", "hf-clip", "--dtype", "f32",
                       "--out", merged)
        model, info = CLIPModel.from_pretrained(merged, dtype=torch.float32, output_loading_info=True)
        wrong = {kind: keys for kind, keys in info.items() if keys}
        if wrong:
            self.failures += 1
            print(f"FAIL {self.clip.name}, {name}, merged: {wrong}")
        names = json.loads((merged / "class_names.json").read_text())
        self.report(f"{name}, merged", ours,
                    self.theirs(model.eval(), files, merged, names["class_names"], names["template"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    program = parser.parse_args().program.resolve()
    torch.set_num_threads(1)
    failures = 0
    for clip in ("tests/oracle/models/clip", "assets/base/clip"):
        with tempfile.TemporaryDirectory() as folder:
            checker = Checker(program, common.REPOSITORY / clip, Path(folder))
            for name, flags in VARIANTS.items():
                checker.check(name, flags)
            failures += checker.failures
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
