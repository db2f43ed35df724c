#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages come out the same, bit for bit, when they are built from their source once more: in
another folder, at another time, with another locale, time zone and umask."""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from root import built, output, skip  # noqa: E402

BUILD_S = 900


def digests(files):
    found = {}
    for file in files:
        with open(file, "rb") as f:
            found[os.path.basename(file)] = hashlib.sha256(f.read()).hexdigest()
    return found


class ReproducibleTest(unittest.TestCase):
    def test_built_again(self):
        folder = tempfile.mkdtemp(prefix="fieldway-another-folder-")
        self.addCleanup(shutil.rmtree, folder)
        output("dpkg-source", "-x", built("fieldway_*.dsc")[0], os.path.join(folder, "source"))
        environment = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "HOME": folder,
                       "DEB_BUILD_OPTIONS": f"nocheck parallel={os.cpu_count()}"}
        done = subprocess.run(["dpkg-buildpackage", "-us", "-uc", "-b"], cwd=os.path.join(folder, "source"), check=False,
                              env=environment, umask=0o077, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=BUILD_S)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        first = digests(built("*.deb"))
        self.assertEqual(digests(os.path.join(folder, name) for name in first), first)
        print(f"== {len(first)} packages are the same, built twice")


if __name__ == "__main__":
    if not shutil.which("dpkg-buildpackage") or not shutil.which("dh"):
        skip("there is no dpkg-buildpackage, or no debhelper, here")
    built("*.deb")
    unittest.main()
