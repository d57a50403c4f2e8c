# SPDX-License-Identifier: Apache-2.0
"""Compares `datadream align` with live Python; exit status 1 if anything differs.

    python tools/oracle/check_align.py build/datadream

The program is given pictures in folders and models as files, as a user has them: an Inception of full size
under pytorch-fid's names (.pth) and under those of the TorchScript archive (.pt), small DINOv2s, the small
CLIP. Its features must be those of torch-fidelity's Inception after Pillow's resizing in floats (clean-fid's
way) and of transformers' models and image processors within 1e-4 of the largest value (resizing of
transformers may differ by a level: 2e-2 there), its figures those of tools/oracle/alignment.py within 1e-3.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import common  # sets the offline switch before transformers looks at it
import numpy as np
import torch
from PIL import Image
from transformers import AutoModel, BitImageProcessor, CLIPImageProcessor, CLIPModel

import alignment
import feature_models
from fidelity import import_torch_fidelity

MODELS = common.REPOSITORY / "tests" / "oracle" / "models"
PICTURES = common.REPOSITORY / "tests" / "oracle" / "clip" / "images"
TOWERS = {"branch1x1": "conv", "branch5x5": "tower", "branch7x7": "tower", "branch7x7dbl": "tower_1",
          "branch7x7x3": "tower_1", "branch_pool": "tower_2.conv"}
FORKS = {"branch1x1": "conv", "branch3x3_1": "tower_conv", "branch3x3_2a": "tower_mixed_conv",
         "branch3x3_2b": "tower_mixed_conv_1", "branch3x3dbl_1": "tower_1_conv",
         "branch3x3dbl_2": "tower_1_conv_1", "branch3x3dbl_3a": "tower_1_mixed_conv",
         "branch3x3dbl_3b": "tower_1_mixed_conv_1", "branch_pool": "tower_2_conv"}
BLOCKS = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")
STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")
LAST = {"conv.weight": "weight", "bn.bias": "beta", "bn.running_mean": "mean", "bn.running_var": "var"}


def numbered(start, number):
    return start if number == 0 else f"{start}_{number}"


def script_name(name):
    """pytorch-fid's name of a parameter -> the TorchScript archive's; None for those it lacks."""
    head, *rest = name.split(".")
    last = ".".join(rest[-2:])
    if last not in LAST:
        return None
    if head.startswith("Conv2d_"):
        place = numbered("conv", STEM.index(head[len("Conv2d_"):]))
        return f"layers.{place}.{LAST[last]}"
    block = head[len("Mixed_"):]
    branch, _, step = rest[0].rpartition("_")
    if block in ("7b", "7c"):
        inside = FORKS[rest[0]]
    elif rest[0] in TOWERS:
        inside = TOWERS[rest[0]]
    elif rest[0] == "branch3x3":
        inside = "conv"
    else:
        # 3x3dbl is the second tower of an A block and the first of B; 3x3 is the first of D.
        tower = TOWERS.get(branch, "tower_1" if block.startswith("5") else "tower")
        inside = f"{tower}.{numbered('conv', int(step) - 1)}"
    return f"layers.{numbered('mixed', BLOCKS.index(block))}.{inside}.{LAST[last]}"


def archive(state, path):
    """The weights in a TorchScript archive of the layout that StyleGAN's has."""
    root = torch.nn.Module()
    for name, value in state.items():
        *folders, last = script_name(name).split(".") if script_name(name) else (None,)
        if last is None:
            continue
        module = root
        for folder in folders:
            if folder not in module._modules:
                module.add_module(folder, torch.nn.Module())
            module = module._modules[folder]
        module.register_buffer(last, value)
    root.add_module("output", torch.nn.Linear(2048, 1008))
    torch.jit.script(root).save(str(path))


def write_sets(folder):
    """Two sets of seven pictures of all shapes in two classes."""
    files = sorted(PICTURES.iterdir())
    for number, name in enumerate(("real", "synthetic")):
        for place in range(7):
            source = Image.open(files[(place + number) % len(files)]).convert("RGB")
            picture = source.rotate(90 * number + 15 * place, expand=True)
            path = folder / name / ("cat", "dog")[place % 2] / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)


def pictures(folder, name):
    return [np.asarray(Image.open(path)) for path in sorted((folder / name).rglob("*.png"))]


def clean(picture):
    """clean-fid's resizing."""
    channels = [np.asarray(Image.fromarray(picture[:, :, c].astype(np.float32), mode="F")
                           .resize((299, 299), Image.BICUBIC)).clip(0, 255) for c in range(3)]
    return torch.from_numpy(np.stack(channels))


def inception_features(model, images):
    """The network behind its own resizing, which is exchanged for clean-fid's."""
    module = import_torch_fidelity().feature_extractor_inceptionv3
    rows = []
    for picture in images:
        resized = clean(picture)[None]
        module.interpolate_bilinear_2d_like_tensorflow1x = lambda *_, **__: resized
        rows.append(model(torch.zeros(1, 3, 299, 299, dtype=torch.uint8))[0])
    return torch.cat(rows).numpy()


def processed_features(model, processor, images):
    pixels = processor([Image.fromarray(picture) for picture in images], return_tensors="pt")
    with torch.no_grad():
        if isinstance(model, CLIPModel):
            found = model.get_image_features(**pixels)
            return getattr(found, "pooler_output", found).numpy()
        return model(**pixels).pooler_output.numpy()


class Checker:
    def __init__(self, program, folder):
        self.program, self.folder, self.failures, self.count = program, folder, 0, 0

    def align(self, name, *flags):
        out = self.folder / name
        subprocess.run([self.program, "align", "--quiet", "--device", "cpu", "--real", self.folder / "real",
                        "--synthetic", self.folder / "synthetic", "--bootstrap", "0", "--out", out, *flags],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return out

    def check(self, what, gap, limit):
        self.count += 1
        if not gap <= limit:
            self.failures += 1
        print(f"{'ok' if gap <= limit else 'DIFFERS'}  {what}: {gap:.2e} (limit {limit:g})")

    def compare(self, name, theirs, limit):
        """Features of both sets, then the figures that others compute from them."""
        rows = {}
        for side in ("real", "synthetic"):
            rows[side] = np.load(self.folder / name / f"{side}_features.npy")
            expected = theirs(pictures(self.folder, side))
            gap = np.abs(rows[side] - expected).max() / np.abs(expected).max()
            self.check(f"{name}, features of {side} images", gap, limit)
        metrics = json.loads((self.folder / name / "metrics.json").read_text())
        x, y = rows["real"].astype(np.float64), rows["synthetic"].astype(np.float64)
        figures = {"fid": alignment.fid_eigh(x, y), "kid": alignment.kid(x, y),
                   "cmmd": alignment.cmmd(alignment.on_sphere(x), alignment.on_sphere(y))}
        for key, value in figures.items():
            self.check(f"{name}, {key}", abs(metrics[key] - value) / max(abs(value), 1e-3), 1e-3)


def check_inception(checker):
    model, state = feature_models.inception(checker.folder)
    for name in state:
        if name.endswith("bn.weight"):
            state[name].fill_(1)  # as in the published weights; the archive leaves them out
    torch.nn.Module.load_state_dict(model, state)
    torch.save(state, checker.folder / "inception.pth")
    archive(state, checker.folder / "inception.pt")
    for ending in ("pth", "pt"):
        name = "inception-" + ending
        checker.align(name, "--features", "inception", "--inception", checker.folder / f"inception.{ending}")
        checker.compare(name, lambda images: inception_features(model, images), 1e-4)


def check_transformers(checker):
    settings = dict(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}, resample=3)
    for name in feature_models.KINDS:
        folder = checker.folder / f"model-{name}"
        shutil.copytree(MODELS / name, folder)
        processor = BitImageProcessor(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225], **settings)
        processor.save_pretrained(folder)
        checker.align(name, "--features", "dinov2", "--dinov2", folder)
        model = AutoModel.from_pretrained(folder)
        checker.compare(name, lambda images: processed_features(model, processor, images), 2e-2)
    model = CLIPModel.from_pretrained(MODELS / "clip")
    side = model.config.vision_config.image_size
    processor = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    checker.align("clip", "--features", "clip", "--clip", MODELS / "clip")
    checker.compare("clip", lambda images: processed_features(model, processor, images), 2e-2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(args.program.resolve(), Path(folder))
        write_sets(checker.folder)
        check_transformers(checker)
        check_inception(checker)
    print(f"{checker.count - checker.failures} of {checker.count} checks pass")
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())
