# SPDX-License-Identifier: Apache-2.0
"""CLIP ViT-B/16 at full size with random weights: does zero-shot scoring give transformers' logits,
how long does it take, how much memory?

    python tools/full_size/clip.py make DIR
    python tools/full_size/clip.py compare DIR [--program build/datadream] [--threads 1]

`make` writes DIR/clip (the Hugging Face folder of write_models.py, half precision on disk),
DIR/openai/ViT-B-16.pt (the same weights as OpenAI's TorchScript archive) and DIR/images (20 photo-like
pictures of 4 classes). Needs what tools/oracle/requirements.txt lists. `compare` runs transformers and
the program, each in a process of its own, and prints both times, peak memories and the largest difference
of a logit.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools" / "oracle"))

CLASSES = ("cat", "dog", "boot", "red shirt")
IMAGES = 20
TEMPLATE = "a photo of a {}"


def write_images(folder):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(16)
    for number in range(IMAGES):
        width, height = int(rng.integers(180, 700)), int(rng.integers(180, 700))
        coarse = rng.integers(0, 256, (rng.integers(3, 9), rng.integers(3, 9), 3)).astype("uint8")
        picture = Image.fromarray(coarse).resize((width, height), Image.BICUBIC)
        noisy = np.asarray(picture).astype("float32") + rng.normal(0, 8, (height, width, 3))
        place = folder / CLASSES[number % len(CLASSES)].replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy.clip(0, 255).astype("uint8")).save(
            place / f"{number:02}.{('png', 'jpg', 'webp')[number % 3]}")


def make(folder):
    import torch
    import write_models
    from clip_files import nested, open_ai_state
    from transformers import CLIPModel

    write_models.write_model("clip-b16", folder / "clip", write_models.fetch_merges())
    model = CLIPModel.from_pretrained(folder / "clip", dtype=torch.float16)
    extras = {"input_resolution": 224, "context_length": 77, "vocab_size": 49408}
    (folder / "openai").mkdir(exist_ok=True)
    torch.jit.script(nested(open_ai_state(model), extras)).save(folder / "openai" / "ViT-B-16.pt")
    write_images(folder / "images")


def score_with_transformers(folder):
    """The logits of every picture, in single precision, as JSON on standard output."""
    import torch
    from PIL import Image
    from transformers import CLIPModel, CLIPTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    begin = time.perf_counter()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    model = CLIPModel.from_pretrained(folder / "clip", dtype=torch.float32).eval()
    tokenizer = CLIPTokenizer.from_pretrained(folder / "clip")
    texts = tokenizer([TEMPLATE.format(name) for name in sorted(CLASSES)], padding="max_length",
                      max_length=77, return_tensors="pt").input_ids
    paths = sorted(path for path in (folder / "images").rglob("*") if path.is_file())
    pictures = [Image.open(path).convert("RGB") for path in paths]
    pixels = CLIPImageProcessorPil()(pictures, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        logits = model(input_ids=texts, pixel_values=pixels).logits_per_image
    scores = {str(path.relative_to(folder / "images")): row for path, row in zip(paths, logits.tolist())}
    print(json.dumps({"logits": scores, "seconds": time.perf_counter() - begin}))


def measured(command, threads):
    """Runs a program; its output, seconds and peak memory in MiB."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}")
    seconds = usage.ru_utime + usage.ru_stime
    return output, time.perf_counter() - begin, seconds, usage.ru_maxrss / 1024


def read_predictions(file):
    rows = list(csv.reader(file.open()))[1:]
    return {row[0]: [float(cell) for cell in row[3:]] for row in rows}


def compare(folder, program, threads):
    output, wall, busy, memory = measured(
        [sys.executable, __file__, "transformers", str(folder)], threads)
    theirs = json.loads(output.splitlines()[-1])["logits"]
    spread = max(max(row) - min(row) for row in theirs.values())
    print(f"transformers: {wall:.1f} s ({busy:.1f} s of a processor), peak {memory:.0f} MiB, "
          f"logits of a picture spread up to {spread:.2f}")
    worst = 0.0
    for name, more in {"clip": [], "openai/ViT-B-16.pt": ["--tokenizer", str(folder / "clip")]}.items():
        out = folder / "scores" / name.replace("/", "-")
        _, wall, busy, memory = measured(
            [program, "evaluate", "--clip", str(folder / name), "--data", str(folder / "images"), "--split",
             "train", "--device", "cpu", "--reading", "transformers", "--threads", str(threads), "--force",
             "--quiet", "--out", str(out), *more], threads)
        ours = read_predictions(out / "predictions.csv")
        assert ours.keys() == theirs.keys(), "not the same pictures"
        gap = max(abs(a - b) for key in ours for a, b in zip(ours[key], theirs[key]))
        other = sum(ours[key].index(max(ours[key])) != theirs[key].index(max(theirs[key])) for key in ours)
        print(f"datadream, {name}: {wall:.1f} s ({busy:.1f} s of a processor), peak {memory:.0f} MiB, "
              f"largest difference of a logit {gap:.5f}, {other} other predictions")
        worst = max(worst, gap)
    return 0 if worst < 0.05 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("make", "compare", "transformers"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--program", default=str(REPOSITORY / "build" / "datadream"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.command == "make":
        return make(options.folder)
    if options.command == "transformers":
        return score_with_transformers(options.folder)
    return compare(options.folder, options.program, options.threads)


if __name__ == "__main__":
    sys.exit(main())
