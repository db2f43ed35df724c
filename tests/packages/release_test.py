#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages, built in a root of each release that is not this machine's: they build, have the same files,
and that release's lintian says nothing either."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from release import fetched, lintian, others, packages_of  # noqa: E402
from root import PACKAGES, built, deb_misfits, skip  # noqa: E402


class ReleaseTest(unittest.TestCase):
    def setUp(self):
        try:
            self.folders = {release: packages_of(release) for release in others()}
        except fetched.Unavailable as e:
            skip(str(e))

    def test_contents(self):
        for release, folder in self.folders.items():
            for name in PACKAGES:
                with self.subTest(release=release, package=name):
                    file = next(f for f in os.listdir(folder) if f.startswith(name + "_"))
                    self.assertEqual(deb_misfits(name, os.path.join(folder, file)), ([], []))

    def test_lintian(self):
        for release, folder in self.folders.items():
            with self.subTest(release):
                self.assertEqual(lintian(release, folder), (0, ""))


if __name__ == "__main__":
    built("*.dsc")
    unittest.main()
