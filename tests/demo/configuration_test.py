#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's configuration is good as it stands, samples and all."""
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from demo import write_configuration, write_keys  # noqa: E402
from fieldway_test import Rig, build_path, plugin_folder, source_path  # noqa: E402


class ConfigurationTest(unittest.TestCase):
    def check(self, replacements):
        with Rig() as rig:
            folder = write_configuration(rig, replacements)
            write_keys(rig)
            return subprocess.run(
                [build_path("fieldwayd"), "--check", folder, "--host-program", build_path("fieldway-plugin-host"),
                 "--plugins", plugin_folder(rig), "--shared", rig.path("shared"), "--objects", source_path("objects")],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)

    def test_good(self):
        result = self.check({})
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_wrong_sample_is_an_error(self):
        result = self.check({"230.2": "230.3"})
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"eastron-sdm630\.yaml:\d+:\d+: ")


if __name__ == "__main__":
    unittest.main()
