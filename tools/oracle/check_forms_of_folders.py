# SPDX-License-Identifier: Apache-2.0
"""Saves the models of tests/oracle/models with diffusers in every form it has (PyTorch's .bin, shards of
either kind, the fp16 variant); `datadream generate` has to draw the same image from each.

    python tools/oracle/check_forms_of_folders.py build/datadream
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import common  # sets the offline switch before diffusers looks at it
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging

FORMS = {"PyTorch's files": dict(safe_serialization=False), "shards": dict(max_shard_size="60KB"),
         "shards of PyTorch's": dict(max_shard_size="60KB", safe_serialization=False)}


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def draw(program, model, out):
    run(program, "generate", "--model", model, "--prompt", "A Photo of a Cat", "--steps", 3, "--seed", 3,
        "--device", "cpu", "--dtype", "f32", "--quiet", "--out", out)
    return (out / "00000.png").read_bytes()


def pictures(program, family, folder):
    """(form, the model's own picture, the picture of that form)."""
    source = common.REPOSITORY / "tests" / "oracle" / "models" / family
    own = draw(program, source, folder / "own-picture")
    pipeline = StableDiffusionPipeline.from_pretrained(
        source, torch_dtype=torch.float32, local_files_only=True, safety_checker=None,
        requires_safety_checker=False)
    for number, (form, how) in enumerate(FORMS.items()):
        pipeline.save_pretrained(folder / f"form-{number}", **how)
        yield form, own, draw(program, folder / f"form-{number}", folder / f"picture-{number}")
    pipeline.to(torch.float16).save_pretrained(folder / "fp16", variant="fp16")
    run(program, "convert", source, "--to", "diffusers", "--dtype", "f16", "--quiet", "--out", folder / "half")
    yield ("the fp16 variant", draw(program, folder / "half", folder / "half-picture"),
           draw(program, folder / "fp16", folder / "fp16-picture"))


def main():
    program = Path(sys.argv[1]).resolve()
    torch.set_num_threads(1)
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    failed = 0
    for family in ("sd1", "sd2"):
        with tempfile.TemporaryDirectory() as folder:
            for form, own, other in pictures(program, family, Path(folder)):
                failed += own != other
                print(f"{'ok  ' if own == other else 'FAIL'} {family}, {form}: the same image", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
