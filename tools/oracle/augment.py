# SPDX-License-Identifier: Apache-2.0
"""Reference for augmentation: what torchvision makes of two small pictures at given parameters.

tests/oracle/augment   every operation of RandAugment at several magnitudes, the colour changes, blur,
solarise, grey, flip and random crops whose box is given. index.json holds the parameters of each case
and how near a test must come: `most` levels at one value, `mean` on average.
"""

import math

import numpy
import torch
from PIL import Image, ImageFilter

import common

common.use_torchvision()
from torchvision.transforms import InterpolationMode, autoaugment  # noqa: E402
from torchvision.transforms import functional as tv  # noqa: E402

WIDTH, HEIGHT = 28, 24
SEED = 900
MAGNITUDES = (9, 17, 30)
# Blends are rounded here and cut off in PIL. Hues are kept in 256 steps there.
EXACT = {"most": 0, "mean": 0}
BLEND = {"most": 1, "mean": 1}
HUE = {"most": 12, "mean": 2}


def pictures():
    """Smooth colours with noise; and one of few dark values whose blue is flat."""
    noise = numpy.random.default_rng(SEED)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [127 + 100 * numpy.sin(x / (3.0 + c) + y / (5.0 - c) + c) for c in range(3)]
    bright = numpy.stack(planes, -1) + noise.normal(0, 12, (HEIGHT, WIDTH, 3))
    dark = numpy.stack([20 + x, 60 + 2 * (y % 9), numpy.full_like(x, 77)], -1)
    return {name: Image.fromarray(numpy.clip(value, 0, 255).astype(numpy.uint8))
            for name, value in (("bright", bright), ("dark", dark))}


def rand_augment_cases():
    space = autoaugment.RandAugment()._augmentation_space(31, (HEIGHT, WIDTH))
    for number, (name, (magnitudes, signed)) in enumerate(space.items()):
        leveled = magnitudes.ndim > 0
        for magnitude in MAGNITUDES if leveled else (9,):
            for negative in (False, True) if signed else (False,):
                value = float(magnitudes[magnitude]) if leveled else 0.0
                blends = name in ("Brightness", "Color", "Contrast")
                for picture in ("bright",) if leveled else ("bright", "dark"):
                    case = {"kind": "rand", "operation": number, "magnitude": magnitude,
                            "negative": negative, "picture": picture,
                            "name": f"{name} {'-' if negative else ''}{magnitude} {picture}"}
                    yield case, BLEND if blends else EXACT, (
                        lambda image, name=name, value=-value if negative else value:
                        autoaugment._apply_op(image, name, value, InterpolationMode.NEAREST, None))


def colour_cases():
    changes = {
        "brightness": (tv.adjust_brightness, (0.3, 1.0, 1.6), BLEND),
        "contrast": (tv.adjust_contrast, (0.0, 0.6, 1.4), BLEND),
        "saturation": (tv.adjust_saturation, (0.0, 0.8, 1.8), BLEND),
        "hue": (tv.adjust_hue, (-0.5, -0.1, 0.05, 0.3), HUE),
        "solarise": (tv.solarize, (128, 200), EXACT),
        "blur": (lambda image, radius: image.filter(ImageFilter.GaussianBlur(radius)),
                 (0.3, 0.5, 1.0, 2.0, 3.4), EXACT)}
    for kind, (change, values, near) in changes.items():
        for value in values:
            yield ({"kind": kind, "value": value, "picture": "bright", "name": f"{kind} {value}"}, near,
                   lambda image, change=change, value=value: change(image, value))
    yield ({"kind": "grey", "picture": "bright", "name": "grey"}, EXACT,
           lambda image: tv.to_grayscale(image, 3))
    yield ({"kind": "flip", "picture": "bright", "name": "flip"}, EXACT, tv.hflip)


def crop_cases():
    for left, top, width, height, size in ((3, 2, 17, 20, 24), (0, 0, 28, 24, 16), (20, 5, 7, 9, 24)):
        yield ({"kind": "crop", "left": left, "top": top, "width": width, "height": height, "size": size,
                "picture": "bright", "name": f"crop {left} {top} {width} {height} to {size}"}, EXACT,
               lambda image, box=(top, left, height, width), size=size:
               tv.resized_crop(image, *box, [size, size], InterpolationMode.BICUBIC))


def main():
    out = common.arguments(__doc__).out
    folder = common.fresh_data(out / "augment")
    sources = pictures()
    tensors = {name: torch.from_numpy(numpy.array(image)) for name, image in sources.items()}
    index = []
    for case, near, change in (*rand_augment_cases(), *colour_cases(), *crop_cases()):
        result = numpy.array(change(sources[case["picture"]]))
        assert math.prod(result.shape) > 0
        tensors[case["name"]] = torch.from_numpy(result)
        index.append({**case, "near": near})
    common.save_tensors(folder / "pictures.safetensors", tensors)
    common.write_json(folder / "index.json", index)
    common.write_note(
        folder, __file__, SEED,
        {"pictures.safetensors": "the two sources and each case's result, [height, width, 3] in 8 bits",
         "index.json": "the cases"}, ("torchvision", "pillow", "numpy"), dtype="uint8",
        tolerance={"rule": "index.json states it for each case, in levels of 255"})


if __name__ == "__main__":
    main()
