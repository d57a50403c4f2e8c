#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tools/setup in an empty tree, with stand-ins for the system's package tools on the PATH, since a
test must neither install packages nor use the network."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "setup"


class Setup(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.holder.name)
        (self.root / "tools").mkdir()
        shutil.copy(TOOL, self.root / "tools" / "setup")
        self.bin = self.root / "bin"
        self.bin.mkdir()
        self.torch = self.root / "given"
        for name in ("include/ATen/core/Tensor.h", "lib/libtorch_cpu.so"):
            (self.torch / name).parent.mkdir(parents=True, exist_ok=True)
            (self.torch / name).touch()
        for name in ("g++", "cmake", "ninja", "pkg-config"):
            self.stand_in(name, "exit 0")
        self.stand_in("dpkg-query", "printf installed")
        self.stand_in("sudo", "exit 1")
        self.stand_in("id", "echo 1000")
        self.stand_in("apt-get", f'echo "$@" >>{self.root}/apt-calls')

    def tearDown(self):
        self.holder.cleanup()

    def stand_in(self, name, body):
        (self.bin / name).write_text("#!/bin/sh\n" + body + "\n")
        (self.bin / name).chmod(0o755)

    def run_setup(self, *arguments, torch=None):
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}",
                       "DATADREAM_TORCH": str(torch if torch is not None else self.torch)}
        return subprocess.run([self.root / "tools/setup", *arguments], env=environment,
                              capture_output=True, text=True, timeout=60)

    def apt_calls(self):
        calls = self.root / "apt-calls"
        return calls.read_text() if calls.exists() else ""

    def test_nothing_to_do_is_silent(self):
        done = self.run_setup()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.apt_calls(), "")

    def test_without_root_the_exact_command_is_named(self):
        self.stand_in("dpkg-query", 'case "$*" in *libspng-dev*) printf not-installed ;; *) printf installed ;; esac')
        done = self.run_setup()
        self.assertEqual(done.returncode, 1)
        self.assertIn("sudo apt-get install -y libspng-dev\n", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertEqual(self.apt_calls(), "")

    def test_with_root_packages_are_installed(self):
        self.stand_in("dpkg-query", 'case "$*" in *libspng-dev*) exit 1 ;; *) printf installed ;; esac')
        self.stand_in("id", "echo 0")
        done = self.run_setup()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(self.apt_calls(), r"install -y .*libspng-dev\n")

    def test_passwordless_sudo_serves_as_root(self):
        self.stand_in("dpkg-query", 'case "$*" in *liblcms2-dev*) exit 1 ;; *) printf installed ;; esac')
        self.stand_in("sudo", '[ "$1" = -n ] && shift; exec "$@"')
        done = self.run_setup()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(self.apt_calls(), r"install -y .*liblcms2-dev\n")

    def test_a_failing_apt_get_is_one_line(self):
        self.stand_in("dpkg-query", "exit 1")
        self.stand_in("id", "echo 0")
        self.stand_in("apt-get", "echo broken >&2; exit 100")
        done = self.run_setup()
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get failed, see .deps/apt.log", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_folder_without_libtorch_is_refused(self):
        done = self.run_setup(torch=self.root / "tools")
        self.assertEqual(done.returncode, 1)
        self.assertIn("holds no LibTorch", done.stderr)

    def test_the_wheel_is_fetched_once(self):
        # python3 -m venv and its pip, as far as the script can tell.
        pip = ('mkdir -p "$V/lib/python3.9/site-packages/torch/include/ATen/core" '
               '"$V/lib/python3.9/site-packages/torch/lib" && '
               'touch "$V/lib/python3.9/site-packages/torch/include/ATen/core/Tensor.h" '
               '"$V/lib/python3.9/site-packages/torch/lib/libtorch_cpu.so"')
        self.stand_in("python3", f"""
case "$1 $2" in
  "-m venv") echo fetched >>{self.root}/fetches; V=$3; mkdir -p "$V/bin"
    printf '#!/bin/sh\\nV=%s\\n%s\\n' "$V" '{pip}' >"$V/bin/python"; chmod +x "$V/bin/python" ;;
esac""")
        for _ in range(2):
            done = self.run_setup(torch="")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertTrue((self.root / ".deps/torch/lib/libtorch_cpu.so").exists())
        self.assertEqual((self.root / "fetches").read_text(), "fetched\n")
        self.assertEqual(done.stdout, "")

    def test_unknown_argument(self):
        done = self.run_setup("demmo")
        self.assertEqual(done.returncode, 1)
        self.assertIn('unknown argument "demmo"', done.stderr)


if __name__ == "__main__":
    unittest.main()
