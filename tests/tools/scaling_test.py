#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The schedule that bench/scaling plays is the program's, and its model on paper is what it plays."""
import importlib.machinery
import importlib.util
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(path):
    loader = importlib.machinery.SourceFileLoader("scaling", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("scaling", loader))
    loader.exec_module(module)
    return module


scaling = load(ROOT / "bench/scaling")
TABLE = json.loads((ROOT / "bench/scaling_costs.json").read_text())


class Scaling(unittest.TestCase):
    def test_runs_are_cut_as_the_program_cuts_them(self):
        """By what the program's own test expects of cut_into_runs."""
        test = (ROOT / "src/dd/core/ranks_test.cpp").read_text()
        cases = re.findall(r"cut_into_runs\(\{([\d, ]+)\}, (\d+)\),\s*\(std::vector<std::int64_t>\{([\d,\s]+)\}", test)
        self.assertGreaterEqual(len(cases), 3)
        for ends, ranks, expected in cases:
            sizes = scaling.cut_into_runs([int(end) for end in ends.split(",")], int(ranks))
            positions = [sum(sizes[:i + 1]) for i in range(len(sizes))]
            self.assertEqual(positions, [int(end) for end in expected.split(",")])

    def test_the_model_on_paper_is_near_the_simulation(self):
        for name, work in TABLE["full size"].items():
            costs = {**TABLE["a GPU"], **TABLE["a GPU, by stage"].get(name, {})}
            for ranks in (1, 8, 64, 250, 1000):
                paper = scaling.on_paper(name, work, ranks, costs)
                played = scaling.simulate_stage(name, work, ranks, costs)
                self.assertLess(abs(paper / played - 1), 0.1, f"{name}, {ranks} ranks: {paper} and {played} s")

    def test_work_handed_out_takes_no_less_than_its_share(self):
        jobs = [3.0, 1.0, 2.0, 2.0, 1.0, 1.0]
        for ranks in (1, 2, 3):
            seconds = scaling.hand_out(jobs, ranks, 0.0, [1.0] * ranks)
            self.assertGreaterEqual(seconds, sum(jobs) / ranks)
            self.assertLessEqual(seconds, sum(jobs) / ranks + max(jobs))
        self.assertEqual(scaling.hand_out(jobs, 1, 0.5, [1.0]), sum(jobs) + 0.5 * len(jobs))


if __name__ == "__main__":
    unittest.main()
