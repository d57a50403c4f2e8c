# SPDX-License-Identifier: Apache-2.0
"""Draws one image with `datadream generate` and with diffusers from one model, and says how they differ
and what each took: seconds of all cores, wall seconds, peak memory.

    python tools/full_size/measure.py PROGRAM MODEL [--steps 2] [--guidance 7.5] [--size 512] [--dtype f32]

Either side runs in a process of its own, one after the other; `--work` keeps the pictures. diffusers
always computes in float32.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))

PROMPT = "A photo of an old red coat"


def draw_with_diffusers(model, picture, options):
    import common  # noqa: F401  (sets the offline switch before diffusers looks at it)
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        model, torch_dtype=torch.float32, local_files_only=True, safety_checker=None,
        requires_safety_checker=False)
    pipeline(PROMPT, num_inference_steps=options.steps, guidance_scale=options.guidance,
             width=options.size, height=options.size,
             generator=torch.Generator().manual_seed(options.seed)).images[0].save(picture)


def run(name, command):
    """Runs a program and prints its cost. ru_maxrss is the high-water mark of the largest child so far:
    the smaller program has to come first."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {cpu:.0f} CPU seconds, {time.monotonic() - start:.0f} s, "
          f"peak {after.ru_maxrss / 2**20:.2f} GiB", flush=True)


def compare(ours, theirs):
    import numpy
    from PIL import Image

    one, two = (numpy.asarray(Image.open(path)).astype(int) for path in (ours, theirs))
    gap = numpy.abs(one - two)
    print(f"mean difference {gap.mean():.4f} levels, largest {gap.max()}, "
          f"within 2 levels {100 * (gap <= 2).mean():.3f} % (deviation of the picture {two.std():.0f})")
    return gap.mean() < 0.5 and (gap <= 2).mean() >= 0.999


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("model", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--work", type=Path, default=Path("/tmp/full-size/images"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    theirs = options.work / f"{options.model.name}-diffusers.png"
    if options.program == "diffusers":  # the second process of the call below
        draw_with_diffusers(options.model, theirs, options)
        return 0
    out = options.work / f"{options.model.name}-{options.dtype}"
    run("datadream", [options.program, "generate", "--model", options.model, "--prompt", PROMPT, "--steps",
                      options.steps, "--guidance", options.guidance, "--size", options.size, "--seed",
                      options.seed, "--dtype", options.dtype, "--device", "cpu", "--quiet", "--force",
                      "--out", out])
    run("diffusers", [sys.executable, __file__, "diffusers", options.model, *sys.argv[3:]])
    return 0 if compare(out / "00000.png", theirs) else 1


if __name__ == "__main__":
    sys.exit(main())
