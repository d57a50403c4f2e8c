# SPDX-License-Identifier: Apache-2.0
"""Builds the wheel (PEP 517): CMake's component `program`, a launcher, and the torch it was built for.

Which torch is the point. LibTorch's C++ interface changes from release to release, so the program is built
against the torch that is installed where the wheel will go, and asks for that release. pip hides installed
packages from a build; the interpreter itself, started anew, sees them. Only where there is none does the
build ask for one.

Settings (pip install --config-settings NAME=VALUE): build-dir, a CMake build folder that is there already, to be
used with the LibTorch that it has (else build-wheel is made); jobs, processes. DATADREAM_TORCH=DIR names
another LibTorch.
"""
import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIND = "import importlib.util as u; s = u.find_spec('torch'); print(*(s.submodule_search_locations if s else ''))"
SUMMARY = "From a few labelled photos to a synthetic training set and a measured classifier"


def project_version():
    return re.search(r"project\(datadream VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def find_torch():
    if os.environ.get("DATADREAM_TORCH"):
        return os.environ["DATADREAM_TORCH"]
    # -I: as without pip's overlay; then with it, where the build's own requirements are.
    for options in (["-I"], []):
        found = subprocess.run([sys.executable, *options, "-c", FIND], capture_output=True, text=True).stdout.strip()
        if found:
            return found
    return None


def get_requires_for_build_wheel(config_settings=None):
    return [] if "build-dir" in (config_settings or {}) or find_torch() else ["torch>=2.6"]


def call(*words):
    subprocess.run([str(word) for word in words], check=True, cwd=ROOT)


def build_program(settings, stage):
    """Installs the program below `stage` and returns the release of LibTorch it was built for ("2.13")."""
    build = ROOT / settings.get("build-dir", "build-wheel")
    if "build-dir" not in settings:
        torch = find_torch()
        if torch is None:
            sys.exit("datadream: no torch to build against; install torch or set DATADREAM_TORCH")
        call("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DDATADREAM_TESTS=OFF",
             f"-DDATADREAM_TORCH={torch}")
    call("cmake", "--build", build, "-j", settings.get("jobs", os.cpu_count() or 1), "--target", "datadream")
    call("cmake", "--install", build, "--component", "program", "--prefix", stage)
    said = subprocess.run([build / "datadream", "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"LibTorch (\d+\.\d+)", said).group(1)


class Wheel:
    """A ZIP file with a RECORD of its members."""

    def __init__(self, path, info):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self.record, self.info = [], info

    def add(self, name, data, executable=False):
        member = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        member.external_attr = (0o100755 if executable else 0o100644) << 16
        member.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(member, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(data)}\n")

    def close(self):
        record = f"{self.info}/RECORD"
        self.zip.writestr(record, "".join(self.record) + f"{record},,\n")
        self.zip.close()


def metadata(version, torch):
    return (f"Metadata-Version: 2.1\nName: datadream\nVersion: {version}\nSummary: {SUMMARY}\n"
            f"License: Apache-2.0\nRequires-Python: >=3.9\n"
            + (f"Requires-Dist: torch=={torch}.*\n" if torch else "")
            + "Description-Content-Type: text/markdown\n\n" + (ROOT / "README.md").read_text())


def place_of(name, version):
    """Where a file of the prefix goes: what belongs to the program stays beside it."""
    beside = name.startswith(("bin/", "lib", "share/datadream/", "share/doc/"))
    return f"datadream/{name}" if beside else f"datadream-{version}.data/data/{name}"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = project_version()
    tag = "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())
    name = f"datadream-{version}-{tag}.whl"
    info = f"datadream-{version}.dist-info"
    with tempfile.TemporaryDirectory() as folder:
        stage = pathlib.Path(folder)
        torch = build_program(config_settings or {}, stage)
        wheel = Wheel(pathlib.Path(wheel_directory) / name, info)
        for path in sorted(stage.rglob("*")):
            if path.is_file():
                inside = place_of(path.relative_to(stage).as_posix(), version)
                wheel.add(inside, path.read_bytes(), os.access(path, os.X_OK))
    for path in sorted((ROOT / "tools/wheel/datadream").glob("*.py")):
        wheel.add(f"datadream/{path.name}", path.read_bytes())
    wheel.add("datadream/built_with.py", f'TORCH = "{torch}"\n'.encode())
    wheel.add(f"{info}/METADATA", metadata(version, torch).encode())
    wheel.add(f"{info}/WHEEL", ("Wheel-Version: 1.0\nGenerator: datadream\nRoot-Is-Purelib: false\n"
                                f"Tag: {tag}\n").encode())
    wheel.add(f"{info}/entry_points.txt", b"[console_scripts]\ndatadream = datadream.__main__:main\n")
    wheel.close()
    return name


def build_sdist(sdist_directory, config_settings=None):
    version = project_version()
    base = f"datadream-{version}"
    files = subprocess.run(["git", "ls-files"], check=True, cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    with tempfile.TemporaryDirectory() as folder:
        about = pathlib.Path(folder) / "PKG-INFO"
        about.write_text(metadata(version, None))
        with tarfile.open(pathlib.Path(sdist_directory) / f"{base}.tar.gz", "w:gz") as archive:
            archive.add(about, f"{base}/PKG-INFO")
            for file in filter(None, files):
                archive.add(ROOT / file, f"{base}/{file}")
    return f"{base}.tar.gz"
