#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table in tests/specs.md is what the run of the cases has come to."""
import ast
import glob
import os
import re
import unittest

from cases import CASES
from table import LEDGER, Incomplete, read_results, rows, split_ledger

# ETS INT 1.2.1, section 6: all that have a procedure, without 229, which is void.
PROCEDURES = {
    *range(0, 13), 19, *range(101, 112), 201, 203, 204, 205, 211, 212, 215, 220, *range(221, 229), *range(230, 238),
    241, 256, 257, 260, 261, 264, 266, 280, 281, *range(301, 314), *range(401, 407), 651, 652, 680, 685, 701, 710, 751,
    755, 756, 760, *range(770, 780), 801, 810, 901, 905, 910, 950, 951, *range(1200, 1205), 1250, 1350, 1630, 1635,
    1900, 1901, 2000, 2001}


def tests():
    """{case: name of its test} of the programs beside this one."""
    found = {}
    for path in glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*_test.py")):
        with open(path, encoding="utf-8") as f:
            tree = ast.parse(f.read())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for d in node.decorator_list:
                    if isinstance(d, ast.Call) and getattr(d.func, "id", "") == "case":
                        number = d.args[0].value
                        assert number not in found, f"{number} has two tests"
                        found[number] = node.name
    return found


class TableTest(unittest.TestCase):
    maxDiff = None

    def test_cases(self):
        self.assertEqual(len(PROCEDURES), 117)
        self.assertEqual(set(CASES), PROCEDURES)

    def test_names(self):
        for number, name in tests().items():
            self.assertTrue(re.match(rf"test_{number}_[a-z]", name), name)

    def test_open_or_run(self):
        """Each case has a test, or says why not."""
        closed = {number for number, case in CASES.items() if case.closed()}
        self.assertEqual(closed, set(tests()), "neither open nor tested, or both")

    def test_ledger(self):
        """After other results: make conformance-table."""
        made = rows(read_results())
        if any("skipped" in r for r in made):
            self.skipTest("cases were skipped on this system")
        cells = {c for r in made for c in r.split(" | ")[4:6]}
        self.assertLessEqual(cells, {"passed", "open", "-"})
        with open(LEDGER, encoding="utf-8") as f:
            self.assertEqual(split_ledger(f.read())[1], made)

    def test_what_cannot_be(self):
        for results in ({(9999, "1.1", "host"): "passed"}, {(2, "1.1", "host"): "passed"}):
            with self.assertRaises(Incomplete):
                rows(results)
        self.assertIn("1.1 failed, 1.2 not run", rows({(101, "1.1", "host"): "failed"})[14])


if __name__ == "__main__":
    unittest.main()
