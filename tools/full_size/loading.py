# SPDX-License-Identifier: Apache-2.0
"""Measures the peak memory of loading a model against the size of its weights in the precision that
computes; exit status 1 where it is more than 1.15 times that size.

    python tools/full_size/loading.py PROGRAM MODEL [--work DIR] [--keep]

MODEL (a diffusers folder, see write_models.py) is first stored by `convert` in float32, float16 and
bfloat16 and as a single file in float16. The peak is that of the whole program drawing the least that it
can, 64 x 64 pixels in one step without guidance: LibTorch itself (about 0.2 GiB), the mapped file and the
drawing count too, so that loading alone takes less than what is printed.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

LIMIT = 1.15
STORED = {"float32": ("f32", "diffusers"), "float16": ("f16", "diffusers"), "bfloat16": ("bf16", "diffusers"),
          "float16, one file": ("f16", "single-file")}
COMPUTED = {"f32": 4, "bf16": 2}


def count_weights(folder):
    """How many numbers the U-Net, the VAE and the text encoder of a diffusers folder have."""
    total = 0
    for file in folder.glob("*/*.safetensors"):
        with file.open("rb") as stream:
            header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        for name, entry in header.items():
            size = 1
            for extent in entry.get("shape", [0]):
                size *= extent
            total += size if name != "__metadata__" else 0
    return total


def run(command):
    """Runs the program; its peak memory in bytes and its processor seconds."""
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command[1]} ended with status {status}")
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, default=Path("/tmp/full-size/loading"))
    parser.add_argument("--keep", action="store_true", help="leave the stored models in the work folder")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    numbers = count_weights(options.model)
    print(f"{numbers / 1e6:.1f} M weights", flush=True)
    worst = 0.0
    for stored, (dtype, layout) in STORED.items():
        place = options.work / (f"{dtype}.safetensors" if layout == "single-file" else dtype)
        peak, _ = run([options.program, "convert", options.model, "--to", layout, "--dtype", dtype,
                       "--threads", 1, "--quiet", "--force", "--out", place])
        print(f"written in {stored}: peak {peak / 2**30:.2f} GiB", flush=True)
        for computed, size in COMPUTED.items():
            out = options.work / "image"
            peak, seconds = run([
                options.program, "generate", "--model", place, "--tokenizer", options.model / "tokenizer",
                "--prompt", "a coat", "--steps", 1, "--guidance", 1, "--size", 64, "--dtype", computed,
                "--device", "cpu", "--threads", 1, "--quiet", "--force", "--out", out])
            ratio = peak / (numbers * size)
            worst = max(worst, ratio)
            print(f"stored in {stored}, computed in {computed}: peak {peak / 2**30:.2f} GiB, weights "
                  f"{numbers * size / 2**30:.2f} GiB, {ratio:.3f} times, {seconds:.0f} CPU seconds", flush=True)
        if not options.keep:
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
