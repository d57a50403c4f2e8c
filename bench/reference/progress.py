# SPDX-License-Identifier: Apache-2.0
"""What the three loops share: their arguments, and how they tell bench/run what they did."""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def arguments(text):
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="a folder of class folders")
    parser.add_argument("--adapters", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--class-name", help="only this class")
    parser.add_argument("--classes", type=int, help="only the first ones")
    parser.add_argument("--shots", type=int, help="only the first images of a class")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--per-class", type=int, default=1)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    options = parser.parse_args()
    import torch
    torch.set_num_threads(options.threads)
    options.dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def first_done():
    """bench/run takes the time of this line: the first step, of training or of sampling, is finished."""
    print("first", flush=True)


def finished(images, steps):
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"images": images, "steps": steps, "peak_kib": peak}), flush=True)


def labelled(folder):
    """[(path, class name)] of a folder of class folders, in order."""
    return [(file, kind.name) for kind in sorted(folder.iterdir()) if kind.is_dir()
            for file in sorted(kind.iterdir())]
