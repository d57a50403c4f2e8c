# SPDX-License-Identifier: Apache-2.0
"""Small files as PyTorch itself writes them, and the tensors that it reads from them.

tests/oracle/io/archive.pt     torch.save as it is today
tests/oracle/io/legacy.pt      torch.save as before PyTorch 1.6
tests/oracle/io/lightning.ckpt a training state: weights in `state_dict`, other things beside them
tests/oracle/io/module.pt      a whole pickled module
tests/oracle/io/script.pt      a TorchScript archive
"""

import argparse
import pathlib
from collections import OrderedDict, defaultdict

import numpy
import torch

import common

SEED = 60


class Outer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 2).half()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.register_buffer("positions", torch.arange(5))
        self.size = 7

    def forward(self, x):
        return self.inner(x) * self.scale


def many_tensors():
    """Every number format, and views: a slice, a transpose, two tensors on one storage."""
    base = common.randn(SEED, 4, 6)
    return OrderedDict(
        float=base, half=base.half(), bfloat16=base.bfloat16(), double=base.double(),
        long=torch.arange(6) - 3, int=torch.arange(4, dtype=torch.int32),
        short=torch.arange(4, dtype=torch.int16), char=torch.arange(4, dtype=torch.int8),
        byte=torch.arange(4, dtype=torch.uint8), bool=torch.tensor([True, False]),
        slice=base[1:3, 2:], transposed=base.t(), expanded=base[0, :1].expand(3),
        scalar=torch.tensor(2.5), empty=torch.zeros(0, 3), parameter=torch.nn.Parameter(base[3]))


def training_state(model):
    """What lightning leaves in its files, as far as plain Python objects can stand for it."""
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3, dtype=torch.half)).sum().backward()
    optimiser.step()
    return {"epoch": 3, "global_step": 875000, "pytorch-lightning_version": "1.4.2",
            "state_dict": model.state_dict(), "optimizer_states": [optimiser.state_dict()],
            "callbacks": {argparse.Namespace: {"best": numpy.float64(0.5), "where": pathlib.PurePosixPath("a/b")}},
            "counts": defaultdict(int, {"a": numpy.int64(3)}), "loops": {1, 2}}


def main():
    folder = common.fresh_data(common.arguments(__doc__).out / "io")
    torch.manual_seed(SEED)
    tensors = many_tensors()
    torch.save(tensors, folder / "archive.pt")
    torch.save(tensors, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    model = Outer()
    state = training_state(model)
    torch.save(state, folder / "lightning.ckpt")
    torch.save(state, folder / "lightning-legacy.ckpt", _use_new_zipfile_serialization=False)
    model.zero_grad()
    torch.save(model, folder / "module.pt")
    torch.jit.script(model).save(str(folder / "script.pt"))
    common.save_tensors(folder / "expected.safetensors", {
        **{f"many.{name}": tensor for name, tensor in tensors.items()},
        **{f"module.{name}": tensor for name, tensor in model.state_dict().items()}})
    common.write_note(folder, __file__, SEED, {
        "archive.pt, legacy.pt": "many.* in every number format, some as views",
        "lightning.ckpt, lightning-legacy.ckpt": "module.* as `state_dict`, among other things",
        "module.pt, script.pt": "module.* as a pickled module and as TorchScript"}, ())


if __name__ == "__main__":
    main()
