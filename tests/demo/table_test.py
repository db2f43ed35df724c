#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What matters of the demo's table is visible on a terminal of 80 by 24."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from story import SHOWN  # noqa: E402
from table import Row, Table  # noqa: E402


def full_table():
    table = Table("title")
    for endpoint, paths in SHOWN.items():
        for path in paths:
            table.add(Row(endpoint, path, "Instantaneous active power, or longer", "W"))
    table.steps = [[f"step {i}", i < 3] for i in range(7)]
    table.messages = ["first", "second", "third", "last"]
    return table


class TableTest(unittest.TestCase):
    def draw(self, width, height):
        table = full_table()
        for row in table.rows.values():
            row.stale = True
        return table, [text for _, text in table.lines(width, height)]

    def test_small(self):
        table, lines = self.draw(80, 24)
        self.assertLessEqual(len(lines), 23)
        self.assertLessEqual(max(map(len, lines)), 79)
        self.assertEqual(sum(line.endswith("W    stale") for line in lines), len(table.rows))
        self.assertIn("3 of 7 seen; next: step 3", lines)
        self.assertEqual(lines[-1], "last")

    def test_large(self):
        _, lines = self.draw(120, 50)
        self.assertEqual([line for line in lines if "step" in line][2:4], ["x step 2", "  step 3"])
        self.assertEqual(lines[-3:], ["second", "third", "last"])

    def test_tiny(self):
        for height in range(1, 40):
            for width in (1, 10, 40):
                _, lines = self.draw(width, height)
                self.assertLessEqual(len(lines), height)
                self.assertLessEqual(max(map(len, lines), default=0), width)


if __name__ == "__main__":
    unittest.main()
