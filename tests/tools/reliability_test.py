#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each test that docs/reliability.md names as proof exists in the sources."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Reliability(unittest.TestCase):
    def test_every_named_test_exists(self):
        sources = [path.read_text() for top in ("src", "tests") for path in (ROOT / top).rglob("*_test.cpp")]
        there = {".".join(found) for text in sources
                 for found in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", text, re.M)}
        named = re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", (ROOT / "docs/reliability.md").read_text())
        self.assertGreater(len(named), 40)
        self.assertEqual([name for name in named if name not in there], [])

    def test_every_fuzz_target_is_listed(self):
        lists = (ROOT / "tests/fuzz/CMakeLists.txt").read_text()
        page = (ROOT / "docs/reliability.md").read_text()
        for target in re.findall(r"^dd_add_fuzz\((\w+)\.cpp", lists, re.M):
            self.assertIn(f"`{target}`", page)


if __name__ == "__main__":
    unittest.main()
