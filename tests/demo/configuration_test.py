#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's configuration is good as it stands, samples and all, and so is that of the README."""
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from demo import write_configuration, write_keys  # noqa: E402
from fieldway_test import Rig, build_path, plugin_folder, source_path  # noqa: E402


def run_check(rig, folder, shared):
    return subprocess.run(
        [build_path("fieldwayd"), "--check", folder, "--host-program", build_path("fieldway-plugin-host"),
         "--plugins", plugin_folder(rig), "--shared", shared, "--objects", source_path("objects")],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


class ConfigurationTest(unittest.TestCase):
    def check(self, replacements):
        with Rig() as rig:
            folder = write_configuration(rig, replacements)
            write_keys(rig)
            return run_check(rig, folder, rig.path("shared"))

    def test_good(self):
        result = self.check({})
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_wrong_sample_is_an_error(self):
        result = self.check({"230.2": "230.3"})
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"eastron-sdm630\.yaml:\d+:\d+: ")

    def test_a_folder_that_is_not_there_is_an_error(self):
        with Rig() as rig:
            result = run_check(rig, rig.path("etcetera"), rig.path("shared"))
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, "etcetera: No such file or directory")

    def test_an_empty_folder_says_so(self):
        with Rig() as rig:
            os.mkdir(rig.path("etc"))
            result = run_check(rig, rig.path("etc"), rig.path("shared"))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, "not configured: fieldway.yaml is missing or empty")


class ReadmeTest(unittest.TestCase):
    def test_good(self):
        """Everything that it shows, together, with the keys of all of these."""
        with open(source_path("README.md"), encoding="utf-8") as f:
            blocks = re.findall("```yaml\n(.*?)```", f.read(), re.S)
        self.assertEqual(len(blocks), 2)
        devices = [f"em1-{n:03}" for n in range(1, 41)] + ["balance", "th-hall"]
        names = ["gw7"] + [f"urn:dev:ops:32473-gw7-{name}" for name in devices]
        with Rig() as rig:
            for document in "---\n".join(blocks).split("---\n"):
                rig.write(os.path.join("etc", re.match(r"schema: 1 +# (\S+\.yaml)\n", document).group(1)), document)
            rig.write("etc/keys/plant.psk", "".join(f"{name}:00112233445566778899aabbccddeeff\n"
                                                    for name in names), 0o600)
            result = run_check(rig, rig.path("etc"), source_path("etc"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
