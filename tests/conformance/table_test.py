#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table in tests/specs.md is what the run of the cases has come to."""
import re
import unittest

from cases import CASES, LESHAN
from table import LEDGER, Incomplete, programs, read_results, rows, split_ledger

# ETS INT 1.2.1, section 6: all that have a procedure, without 229, which is void.
PROCEDURES = {
    *range(0, 13), 19, *range(101, 112), 201, 203, 204, 205, 211, 212, 215, 220, *range(221, 229), *range(230, 238),
    241, 256, 257, 260, 261, 264, 266, 280, 281, *range(301, 314), *range(401, 407), 651, 652, 680, 685, 701, 710, 751,
    755, 756, 760, *range(770, 780), 801, 810, 901, 905, 910, 950, 951, *range(1200, 1205), 1250, 1350, 1630, 1635,
    1900, 1901, 2000, 2001}


class TableTest(unittest.TestCase):
    maxDiff = None

    def test_cases(self):
        self.assertEqual(len(PROCEDURES), 117)
        self.assertEqual(set(CASES), PROCEDURES)

    def test_names(self):
        named = [case for _, _, cases in programs() for case in cases.items()]
        self.assertEqual(len(named), len(dict(named)), "a case has two tests")
        for number, name in named:
            self.assertTrue(re.match(rf"test_{number}_[a-z]", name), name)

    def test_open_or_run(self):
        """Each case has a test, or says why not."""
        closed = {number for number, case in CASES.items() if case.closed()}
        tested = {number for _, _, cases in programs() for number in cases}
        self.assertEqual(closed, tested, "neither open nor tested, or both")

    def test_leshan(self):
        """It is given what is tested here, as 1.1."""
        self.assertEqual([number for number in LESHAN if "1.1" not in {v for v, _ in CASES[number].closed()}], [])

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
