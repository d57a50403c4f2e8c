# SPDX-License-Identifier: Apache-2.0
"""make_data.py OUT CLASSES EACH SIDE: a folder of class folders with pictures of Fashion-MNIST (Debian's
dataset-fashion-mnist). More classes than ten repeat the ten under numbered names."""

import gzip
import sys
from pathlib import Path

import numpy
from PIL import Image

SOURCE = Path("/usr/share/datasets/fashion-mnist")
NAMES = ["top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]


def read(name, header):
    with gzip.open(SOURCE / name) as file:
        return numpy.frombuffer(file.read(), numpy.uint8)[header:]


out, classes, each, side = Path(sys.argv[1]), *map(int, sys.argv[2:])
images = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
labels = read("train-labels-idx1-ubyte.gz", 8)
for number in range(classes):
    round_, label = divmod(number, 10)
    folder = out / (NAMES[label] + (f" {round_}" if round_ else ""))
    folder.mkdir(parents=True)
    for place in range(each):
        found = numpy.flatnonzero(labels == label)[round_ * each + place]
        image = Image.fromarray(images[found]).convert("RGB").resize((side, side), Image.BICUBIC)
        image.save(folder / f"{place:04}.jpg", quality=92)
