#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tests of packaging/debian/tests, as autopkgtest runs them on an installed system, without it: the
gateway does what it is for, a plugin can be written with what fieldway-dev has."""
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from root import PACKAGES, Root, built, deb, installed_tarball  # noqa: E402
from fieldway_test.programs import source_path  # noqa: E402

TESTS = source_path("packaging", "debian", "tests")


def tests():
    """{name: packages that are not ours} of the file `control`."""
    with open(os.path.join(TESTS, "control"), encoding="ascii") as f:
        found = re.findall(r"^Tests: (\S+)\nDepends: (.*)$", f.read(), re.M)
    return {name: [d for d in depends.split(", ") if d not in PACKAGES] for name, depends in found}


class AutopkgtestTest(unittest.TestCase):
    def setUp(self):
        self.tests = tests()
        self.root = Root(installed_tarball(sorted({d for depends in self.tests.values() for d in depends})))
        self.addCleanup(self.root.close)
        self.root.dpkg("-i", *(deb(name) for name in PACKAGES))
        for name in self.tests:
            os.makedirs(self.root.path("/source/packaging/debian/tests"), exist_ok=True)
            shutil.copy(os.path.join(TESTS, name), self.root.path("/source/packaging/debian/tests"))
        os.makedirs(self.root.path("/source/tests/lib/fieldway_test"))
        shutil.copy(source_path("tests", "lib", "fieldway_test", "coap.py"),
                    self.root.path("/source/tests/lib/fieldway_test"))

    def test_all(self):
        self.assertEqual(set(self.tests), set(os.listdir(TESTS)) - {"control"})
        for name in self.tests:
            with self.subTest(name):
                os.makedirs(self.root.path(f"/tmp/{name}"))
                said = self.root.run("sh", "-c", f"cd /source && packaging/debian/tests/{name}",
                                     AUTOPKGTEST_TMP=f"/tmp/{name}")[1]
                print("".join(f"== {line}\n" for line in said.splitlines() if line.startswith(("/", "All"))), end="")


if __name__ == "__main__":
    built("*.deb")
    unittest.main()
