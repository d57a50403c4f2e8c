# SPDX-License-Identifier: Apache-2.0
"""Loads a classifier with peft and compares its logits with those that `datadream evaluate` wrote.

    python tools/oracle/check_classifier_loads.py CLIP_FOLDER CLASSIFIER METRICS IMAGES

METRICS is the folder that `evaluate --classifier CLASSIFIER --data IMAGES` wrote. The images must have
the size that CLIP takes, so that resizing plays no part. Fails on tensors that peft did not take and on
logits that differ by more than 1e-3.
"""

import argparse
import csv
import json
from pathlib import Path

import common  # noqa: F401  sets the offline switch before transformers looks at it
import numpy
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPModel, CLIPTokenizer

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


def pixels_of(path):
    levels = numpy.asarray(Image.open(path).convert("RGB"), dtype=numpy.float32) / 255
    return (torch.from_numpy(levels).permute(2, 0, 1) - MEAN) / STD


def load(clip_folder, classifier):
    clip = CLIPModel.from_pretrained(clip_folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(clip, classifier).eval()
    taken = {name.replace(".default.", "."): value for name, value in model.named_parameters()
             if ".lora_" in name}
    for name, value in load_file(classifier / "adapter_model.safetensors").items():
        if not torch.equal(taken.pop(name), value):
            raise SystemExit(f"{name} changed on the way")
    if taken:
        raise SystemExit(f"the file does not fill {sorted(taken)}")
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clip", "classifier", "metrics", "images"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    model = load(given.clip, given.classifier)
    record = json.loads((given.metrics / "metrics.json").read_text())
    own = given.clip / "tokenizer"
    tokenizer = CLIPTokenizer.from_pretrained(own if own.is_dir() else given.clip)
    prompts = [record["template"].replace("{}", name.replace("_", " "))
               for name in record["class_names"]]
    tokens = tokenizer(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids
    rows = list(csv.reader((given.metrics / "predictions.csv").open()))[1:]
    pixels = torch.stack([pixels_of(given.images / row[0]) for row in rows])
    with torch.no_grad():
        logits = model(input_ids=tokens, pixel_values=pixels).logits_per_image
    ours = torch.tensor([[float(value) for value in row[3:]] for row in rows])
    gap = (logits - ours).abs().max().item()
    print(f"{len(rows)} images, largest difference of a logit {gap:.2e}")
    if gap > 1e-3:
        raise SystemExit("peft computes other logits")


if __name__ == "__main__":
    main()
