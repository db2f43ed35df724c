#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What systemd-analyze makes of the units as built: both may be exposed by 1.7 at most, and are no more than their
documentation says."""
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, source_path  # noqa: E402

MOST = 1.7
UNITS = ("fieldway.service", "fieldway-host@.service")


def exposure(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", build_path("packaging/systemd", unit)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+) ", done.stdout)
    if not found:
        raise AssertionError(done.stdout)
    return float(found.group(1))


class ExposureTest(unittest.TestCase):
    def test_most(self):
        for unit in UNITS:
            with self.subTest(unit):
                self.assertLessEqual(exposure(unit), MOST)

    def test_documented(self):
        with open(source_path("packaging/systemd/README.md"), encoding="utf-8") as f:
            said = re.search(r"rates them ([\d.]+) and ([\d.]+) ", f.read())
        self.assertEqual([float(n) for n in said.groups()], [exposure(unit) for unit in UNITS])


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("not run: there is no systemd-analyze", file=sys.stderr)
        sys.exit(77)
    unittest.main()
