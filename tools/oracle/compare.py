# SPDX-License-Identifier: Apache-2.0
"""Says how freshly made oracle folders differ from the stored ones; exit status 1 if they do.

Tensors may differ by rounding (another processor sums in another order), versions in a README.json
are printed but do not count. Only folders that the fresh side has are looked at.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from safetensors import safe_open

ROUNDING = 1e-5
TORCH_SUFFIXES = (".pt", ".ckpt", ".bin")
SOURCE_SUFFIXES = (".cpp", ".h", "CMakeLists.txt")


def tensor_differences(stored, fresh):
    with safe_open(stored, "pt") as old, safe_open(fresh, "pt") as new:
        if old.metadata() != new.metadata():
            yield "metadata differs"
        if set(old.keys()) != set(new.keys()):
            yield f"tensor names differ: {sorted(set(old.keys()) ^ set(new.keys()))[:5]}"
            return
        for name in old.keys():
            one, two = old.get_tensor(name), new.get_tensor(name)
            if one.dtype != two.dtype or one.shape != two.shape:
                yield f"{name}: {one.dtype} {list(one.shape)} became {two.dtype} {list(two.shape)}"
            elif one.numel():
                gap = (one.double() - two.double()).abs().max()
                if not gap <= ROUNDING * one.double().abs().max():
                    yield f"{name}: differs by {gap:.3g}"


def torch_tensors(path):
    """The weights in a file that torch.save or TorchScript wrote."""
    import torch_files

    # The name under which the script pickled it.
    sys.modules["__main__"].Outer = torch_files.Outer
    try:
        content = torch.jit.load(path)
    except RuntimeError:
        content = torch.load(path, weights_only=False)
    if isinstance(content, torch.nn.Module):
        return content.state_dict()
    return content.get("state_dict", content)


def torch_differences(stored, fresh):
    """Their bytes hold addresses of the process that wrote them."""
    old, new = torch_tensors(stored), torch_tensors(fresh)
    if list(old) != list(new):
        yield "tensor names differ"
        return
    for name in old:
        if old[name].dtype != new[name].dtype or not torch.equal(old[name], new[name]):
            yield f"{name}: differs"


def zip_differences(stored, fresh):
    with tempfile.TemporaryDirectory() as old, tempfile.TemporaryDirectory() as new:
        for archive, folder in ((stored, old), (fresh, new)):
            zipfile.ZipFile(archive).extractall(folder)
        for path in sorted(Path(old).iterdir()):
            yield from file_differences(path, Path(new) / path.name)


def json_differences(stored, fresh):
    old, new = json.loads(stored.read_text()), json.loads(fresh.read_text())
    if stored.name == "README.json" and old.get("versions") != new.get("versions"):
        print(f"{stored}: made with {old.pop('versions', None)}, now {new.pop('versions', None)}")
    if old != new:
        yield "content differs"


def picture_differences(stored, fresh):
    """Generated pictures: the last rounding to a level may go the other way on another processor."""
    from PIL import Image, ImageChops

    gaps = ImageChops.difference(Image.open(stored), Image.open(fresh)).getextrema()
    widest = max(high for _, high in gaps)
    return [f"a value differs by {widest} levels"] if widest > 1 else []


def file_differences(stored, fresh):
    if stored.suffix == ".safetensors":
        return list(tensor_differences(stored, fresh))
    if stored.suffix == ".json":
        return list(json_differences(stored, fresh))
    if stored.read_bytes() == fresh.read_bytes():
        return []
    if stored.suffix == ".zip":
        return list(zip_differences(stored, fresh))
    if stored.suffix in TORCH_SUFFIXES:
        return list(torch_differences(stored, fresh))
    return picture_differences(stored, fresh) if stored.parent.name == "generate" else ["content differs"]


def data_files(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")
            if path.is_file() and not path.name.endswith(SOURCE_SUFFIXES)}


def main():
    stored, fresh = map(Path, sys.argv[1:3])
    torch.set_num_threads(1)
    count = 0
    for module in sorted(path.name for path in fresh.iterdir() if path.is_dir()):
        old, new = data_files(stored / module), data_files(fresh / module)
        for path in sorted(old ^ new):
            print(f"{module}/{path}: only in the {'stored' if path in old else 'fresh'} files")
            count += 1
        for path in sorted(old & new):
            for difference in file_differences(stored / module / path, fresh / module / path):
                print(f"{module}/{path}: {difference}")
                count += 1
    print("no difference" if count == 0 else f"{count} differences")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
