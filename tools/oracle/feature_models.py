# SPDX-License-Identifier: Apache-2.0
"""Models whose features images are compared by, and how their pictures are resized.

tests/oracle/models/dinov2*   small random DINOv2s: MLP, SwiGLU, registers; published and new names
tests/oracle/models/inception what torch-fidelity's Inception gives for weights by a formula, and the names
                              and shapes of its parameters
tests/oracle/image/levels     a picture resized by PIL in floats, channel by channel, as clean-fid does it
"""

import zlib

import numpy as np
import torch
from PIL import Image
from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

import common
from fidelity import import_torch_fidelity

SEED = 70
USED = ("transformers", "pillow", "numpy")
SHAPE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=40, patch_size=8)
KINDS = {
    "dinov2": (Dinov2Config, Dinov2Model, dict(layerscale_value=0.7)),
    "dinov2_swiglu": (Dinov2Config, Dinov2Model, dict(use_swiglu_ffn=True, qkv_bias=False)),
    "dinov2_registers": (Dinov2WithRegistersConfig, Dinov2WithRegistersModel,
                         dict(num_register_tokens=3, mlp_ratio=2)),
}
SIZES = {"own": (40, 40), "smaller": (32, 32), "larger": (56, 56), "oblong": (48, 32)}
LEVEL_SIZES = ((7, 31), (60, 5), (75, 56), (33, 20))


def write_dinov2(out):
    for name, (config_class, model_class, extra) in KINDS.items():
        folder = common.fresh_folder(out / "models" / name)
        model = common.randomise(model_class(config_class(**SHAPE, **extra)), SEED)
        model.save_pretrained(folder)
        tensors = {}
        for size, (height, width) in SIZES.items():
            pixels = common.randn(SEED + height + width, 2, 3, height, width)
            tensors["pixels." + size] = pixels
            tensors["features." + size] = model(pixels).pooler_output
        common.save_tensors(folder / "expected.safetensors", tensors)
        if name == "dinov2_swiglu":
            # The names that the classes of transformers 5 have themselves.
            common.save_tensors(folder / "new_names.safetensors", model.state_dict(), {"format": "pt"})
        common.write_note(folder, __file__, SEED,
                          {"model.safetensors": "weights, as save_pretrained writes them",
                           "expected.safetensors": "pixels.SIZE and features.SIZE, the pooler's output"}, USED)


def formula(name, shape):
    """Numbers that another program can compute too: element i of a tensor is uniform in -1 ... 1 by a
    multiplicative hash of i and the CRC of its name."""
    count = int(np.prod(shape, dtype=np.int64))
    hashed = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(zlib.crc32(name.encode())))
    hashed = (hashed & np.uint64(0xffffffff)) * np.uint64(2246822519) & np.uint64(0xffffffff)
    return torch.from_numpy((hashed.astype(np.float64) / 2 ** 31 - 1).reshape(shape))


def weights_by_formula(state):
    """Sizes that keep activations alive through 48 layers, biases and statistics that matter."""
    result = {}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            result[name] = value
            continue
        numbers = formula(name, tuple(value.shape))
        if value.ndim == 4:
            numbers = numbers * (2 / value[0].numel()) ** 0.5
        elif name.endswith("running_var"):
            numbers = 1 + 0.3 * numbers
        elif name.endswith("bn.weight"):
            numbers = 1 + 0.2 * numbers
        else:
            numbers = 0.2 * numbers
        result[name] = numbers.float()
    return result


def inception(folder):
    """torch-fidelity's network with weights by the formula; leaves them as a file, as users have it."""
    fidelity = import_torch_fidelity()
    extractor = fidelity.feature_extractor_inceptionv3.FeatureExtractorInceptionV3
    plain = extractor.load_state_dict
    state = {}

    class Ours(extractor):
        def load_state_dict(self, ignored):
            state.update(weights_by_formula(self.state_dict()))
            return plain(self, state)
    empty = folder / "empty.pth"
    torch.save({}, empty)
    model = Ours("inception", ["2048"], str(empty))
    empty.unlink()
    return model, state


def picture(number):
    """299 x 299 levels by a formula, so that no file is needed; the second picture is dark."""
    y, x, c = np.meshgrid(np.arange(299), np.arange(299), np.arange(3), indexing="ij")
    levels = (x * (3 + number) + y * (7 - number) * (c + 1) + (x * y) // 37) % 256
    return (levels // (1 + 3 * number)).astype(np.uint8)


def write_inception(out):
    folder = common.fresh_folder(out / "models" / "inception")
    model, state = inception(folder)
    pictures = np.stack([picture(number) for number in range(2)])
    features, = model(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    common.save_tensors(folder / "expected.safetensors", {"features": features})
    common.write_json(folder / "parameters.json", {
        name: list(value.shape) for name, value in state.items() if not name.endswith("num_batches_tracked")})
    common.write_note(folder, __file__, 0,
                      {"expected.safetensors": "features of two pictures; weights and pictures by formula",
                       "parameters.json": "names and shapes in pt_inception-2015-12-05-6726825d.pth"}, USED,
                      torch_fidelity=import_torch_fidelity().__version__)


def write_levels(out):
    folder = common.fresh_folder(out / "image" / "levels")
    source = np.asarray(Image.open(common.REPOSITORY / "tests/oracle/image/resize-source.ppm"))
    tensors = {}
    for width, height in LEVEL_SIZES:
        channels = [np.asarray(Image.fromarray(source[:, :, c].astype(np.float32), mode="F")
                               .resize((width, height), Image.BICUBIC)).clip(0, 255) for c in range(3)]
        tensors[f"{width}x{height}"] = torch.from_numpy(np.stack(channels, axis=2))
    common.save_tensors(folder / "expected.safetensors", tensors)
    common.write_note(folder, __file__, 0, {"expected.safetensors": "../resize-source.ppm as WIDTHxHEIGHT"},
                      ("pillow", "numpy"))


def main():
    args = common.arguments(__doc__)
    write_dinov2(args.out)
    write_inception(args.out)
    write_levels(args.out)


if __name__ == "__main__":
    main()
