# SPDX-License-Identifier: Apache-2.0
"""Becomes the program, on the LibTorch of the torch that Python would import.

A fixed library path in the program could not say where that is: the wheel and torch need not lie in one
folder (a virtual environment over the system's packages, for one).
"""
import importlib.util
import os
import pathlib
import re
import sys

from datadream.built_with import TORCH


def fail(text):
    sys.exit(f"datadream: error: {text}")


def torch_folder():
    spec = importlib.util.find_spec("torch")  # looks, and imports nothing
    if spec is None or not spec.submodule_search_locations:
        fail(f"torch is not installed for {sys.executable}; run: pip install 'torch=={TORCH}.*'")
    folder = pathlib.Path(next(iter(spec.submodule_search_locations)))
    found = re.search(r"__version__ = ['\"](\d+\.\d+)", (folder / "version.py").read_text())
    if not found or found.group(1) != TORCH:
        fail(f"built for torch {TORCH}, but {folder} is {found.group(1) if found else 'another'}; "
             f"run: pip install 'torch=={TORCH}.*', or install datadream anew")
    return folder


def main():
    program = pathlib.Path(__file__).resolve().parent / "bin" / "datadream"
    earlier = os.environ.get("LD_LIBRARY_PATH")
    libraries = str(torch_folder() / "lib") + (f":{earlier}" if earlier else "")
    os.execve(program, [str(program), *sys.argv[1:]], {**os.environ, "LD_LIBRARY_PATH": libraries})


if __name__ == "__main__":
    main()
