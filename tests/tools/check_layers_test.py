#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows tools/check_layers small source trees, one fault each, and expects it to be named."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "check_layers"
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
TREE = {
    "src/dd/CMakeLists.txt": "foreach(module core io cli)\nendforeach()\n",
    "src/dd/core/CMakeLists.txt": "dd_add_module(core SOURCES a.cpp)\n",
    "src/dd/core/a.cpp": LICENCE + '#include "dd/core/a.h"\n',
    "src/dd/core/a.h": LICENCE + "#pragma once\n#include <string>\n",
    "src/dd/io/CMakeLists.txt": "dd_add_module(io SOURCES b.cpp USES core LIBS dd::torch TESTS b_test.cpp)\n",
    "src/dd/io/b.cpp": LICENCE + '#include <ATen/ops/add.h>\n#include "dd/io/b.h"\n#include "dd/core/a.h"\n',
    "src/dd/io/b.h": LICENCE + "#pragma once\n#include <ATen/core/Tensor.h>\n",
    "src/dd/io/b_test.cpp": LICENCE + '#include "dd/io/b.h"\n#include "support/s.h"\n',
    "src/dd/cli/CMakeLists.txt": "dd_add_module(cli SOURCES c.cpp USES core)\n",
    "src/dd/cli/c.cpp": LICENCE + '#include "dd/core/a.h"\n',
    "tests/support/s.h": LICENCE + "#pragma once\n",
}


class CheckLayers(unittest.TestCase):
    def check(self, changes, expected):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**TREE, **changes}.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run([sys.executable, TOOL, folder], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1 if expected else 0, done.stdout + done.stderr)
        if expected:
            self.assertIn(expected, done.stdout)
            self.assertIn(", 1 problems", done.stdout)

    def test_a_clean_tree_passes(self):
        self.check({}, None)

    def test_include_of_a_folder_that_is_not_named(self):
        self.check({"src/dd/cli/c.cpp": LICENCE + '#include "dd/io/b.h"\n'}, "does not name io")

    def test_use_against_the_order(self):
        self.check({"src/dd/core/CMakeLists.txt": "dd_add_module(core SOURCES a.cpp USES io)\n"},
                   "does not lie above it")

    def test_big_headers(self):
        self.check({"src/dd/io/b.cpp": LICENCE + '#include <torch/torch.h>\n#include "dd/io/b.h"\n'}, "banned")
        self.check({"src/dd/io/b.cpp": LICENCE + '#include <ATen/ATen.h>\n#include "dd/io/b.h"\n'}, "banned")

    def test_questions_that_throw_the_librarys_errors(self):
        source = LICENCE + '#include "dd/core/a.h"\nbool a(fs::path p) { return fs::exists(p%s); }\n'
        self.check({"src/dd/core/a.cpp": source % ""}, "take path_exists")
        self.check({"src/dd/core/a.cpp": source % " / name(1, 2)"}, "take path_exists")
        self.check({"src/dd/core/a.cpp": source % ", problem"}, None)

    def test_operators_in_a_header(self):
        self.check({"src/dd/io/b.h": LICENCE + "#pragma once\n#include <ATen/ops/add.h>\n"}, "at most")

    def test_a_source_that_no_target_names(self):
        self.check({"src/dd/io/lost_test.cpp": LICENCE}, "nothing builds it")

    def test_a_header_that_nobody_includes(self):
        self.check({"src/dd/io/lost.h": LICENCE + "#pragma once\n"}, "no file includes")

    def test_test_helpers_in_the_library(self):
        self.check({"src/dd/cli/c.cpp": LICENCE + '#include "support/s.h"\n'}, "only tests")

    def test_missing_licence_and_guard(self):
        self.check({"src/dd/cli/c.cpp": '#include "dd/core/a.h"\n'}, "licence")
        self.check({"src/dd/io/b.h": LICENCE + "#include <ATen/core/Tensor.h>\n"}, "#pragma once")


if __name__ == "__main__":
    unittest.main()
