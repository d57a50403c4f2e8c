# SPDX-License-Identifier: Apache-2.0
"""What the oracle scripts share: seeded weights, writing of folders, notes on how a folder was made."""

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import safetensors.torch  # noqa: E402
import torch  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
RELATIVE_TOLERANCE = 1e-4
TOLERANCE_RULE = "max|ours - recorded| <= relative * max|recorded|, tensor by tensor"


def arguments(description):
    """The one option every oracle script has: where tests/oracle (or a copy to compare with) lies."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "oracle")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return parser.parse_args()


def use_torchvision():
    """Makes torchvision and torchmetrics importable; they lie apart (environment.sh), because other
    scripts' transformers would compute with torchvision where it finds it. torchvision insists on its
    compiled operators, which pictures do not need and which load only beside the torch that they were
    built for: where they are missing, their names are declared."""
    sys.path.append(os.environ.get("ORACLE_APART", str(REPOSITORY / ".deps" / "oracle-apart")))
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        names = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            names.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        import torchvision  # noqa: F401


def fresh_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def fresh_data(path):
    """The folder without what an earlier run wrote; tests that lie in it stay."""
    path.mkdir(parents=True, exist_ok=True)
    for file in path.iterdir():
        if file.is_file() and file.suffix not in (".cpp", ".h") and file.name != "CMakeLists.txt":
            file.unlink()
    return path


def randomise(model, seed, gain=1.0):
    """Fills every parameter, in the order of their names, so that no bias and no norm is neutral:
    a forgotten bias, a swapped pair of norms or a wrong epsilon must show in the output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if name.endswith("logit_scale"):
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            if "embedding" in name and "patch" not in name and "linear" not in name:
                parameter.copy_(0.3 * noise)
            elif parameter.ndim >= 2:
                parameter.copy_(gain * noise / parameter[0].numel() ** 0.5)
            elif name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise)
            else:
                parameter.copy_(0.1 * noise)
    return model.eval().requires_grad_(False)


def randn(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def save_tensors(path, tensors, metadata=None):
    """Contiguous copies: safetensors refuses views that share memory."""
    plain = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
    safetensors.torch.save_file(plain, str(path), metadata=metadata)


def settle_header(path):
    """Orders the metadata of a safetensors file: the library writes it in a new order at each call."""
    content = path.read_bytes()
    data_begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:data_begin])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(data_begin - 8)
    assert len(text) == data_begin - 8
    path.write_bytes(content[:8] + text + content[data_begin:])


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def versions(*names):
    from importlib.metadata import version

    found = {"python": platform.python_version()}
    found.update({name: version(name) for name in ("torch", "safetensors") + names})
    return found


def write_note(folder, script, seed, files, used, relative=RELATIVE_TOLERANCE, **more):
    """README.json: who made this folder, from what, and how near a test must come."""
    note = {
        "script": f"tools/oracle/{Path(script).name}",
        "regenerate": "tools/oracle/regenerate",
        "versions": versions(*used),
        "seed": seed,
        "dtype": "float32",
        "tolerance": {"relative": relative, "rule": TOLERANCE_RULE},
        "files": files,
    }
    note.update(more)
    write_json(folder / "README.json", note)
