#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The RPM packages: what they have, what rpmlint says, and what their scripts do to a system. It is a
Debian with rpm's own database: what is tried are our files and scripts, not the names of dependencies."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from root import Root, built, installed_tarball, misfits, output, patterns, skip  # noqa: E402
from fieldway_test.programs import source_path  # noqa: E402

RESTART = "systemctl try-restart fieldway-host.socket fieldway.service"
RELOAD = ["systemctl --quiet is-active fieldway.service", "systemctl --signal=HUP --kill-who=main kill fieldway.service"]
# What %doc and %license copy, and links that rpmbuild makes by itself.
BY_RPM = ("/usr/share/doc/fieldway-", "/usr/share/licenses/", "/usr/lib/.build-id")
RIGHT = "schema: 1\ngateway: {name: gw}\nservers: [{name: s, short_id: 1, uri: 'coap://127.0.0.1'}]\n"


def rpms():
    """{name: file}."""
    files = [f for f in built("*.rpm") if not f.endswith(".src.rpm")]
    return {output("rpm", "-qp", "--qf", "%{NAME}", f): f for f in files}


class ContentsTest(unittest.TestCase):
    def test_contents(self):
        """The same as in the Debian packages, and every folder of ours belongs to a package."""
        wanted = patterns("/usr/lib64")
        wanted["fieldway-devel"] = wanted.pop("fieldway-dev")
        found = rpms()
        self.assertEqual(set(found), set(wanted))
        for name, file in found.items():
            lines = output("rpm", "-qp", "--qf", r"[%{FILEMODES:perms} %{FILENAMES}\n]", file).splitlines()
            files = [line.split(" ", 1)[1] for line in lines if not line.startswith("d")]
            ours = [f for f in files if not f.startswith(BY_RPM)]
            self.assertEqual(misfits(ours, wanted[name]), ([], []), name)

    def test_configuration(self):
        self.assertEqual(output("rpm", "-qpc", rpms()["fieldway"]).split(), ["/etc/fieldway/fieldway.yaml"])

    def test_rpmlint(self):
        if not shutil.which("rpmlint"):
            self.skipTest("there is no rpmlint here")
        done = subprocess.run(["rpmlint", "-c", source_path("packaging", "rpm", "rpmlint.toml"), *built("*.rpm")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False)
        self.assertIn(" 0 errors, 0 warnings", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)


class SystemTest(unittest.TestCase):
    def setUp(self):
        self.root = Root(installed_tarball())
        self.addCleanup(self.root.close)
        # Libraries of Debian lie elsewhere: what the packages say that they need is no name here.
        self.root.pretend_systemd()

    def rpm(self, action, *packages):
        # Of the host is only the program; scripts run in the root.
        script = 'mount -t proc proc "$0/proc" && exec rpm --root "$0" --dbpath /var/lib/rpm --nodeps "$@"'
        return output("unshare", "-m", "-p", "-f", "--kill-child", "-n", "sh", "-c", script, self.root.folder, action, *packages,
                      stderr=subprocess.STDOUT)

    def install(self):
        return self.rpm("-i", *rpms().values())

    def again(self, *names):
        found = rpms()
        return self.rpm("-U", "--replacepkgs", *(found[n] for n in names))

    def test_life(self):
        with self.subTest("installed"):
            self.install()
            self.assertIn("dialout", self.root.run("id", "-nG", "fieldway-io")[1].split())
            self.assertIn("not configured", self.root.run("fieldwayd", "--check")[1])
            self.assertTrue(os.path.isdir(self.root.path("/etc/fieldway/keys")))
            self.assertEqual(os.lstat(self.root.path("/etc/fieldway/keys")).st_mode & 0o7777, 0o2750)
            # What is newly installed is not started: that is for presets and the administrator.
            self.assertIn("systemctl --no-reload preset fieldway.service", done := self.root.actions())
            self.assertEqual([a for a in done if " start " in a], [])
        with self.subTest("again"):
            self.root.write("/etc/fieldway/fieldway.yaml", RIGHT)
            self.again("fieldway")
            # What a reload finds behind a restart is no difference.
            self.assertEqual(sorted(self.root.actions()), sorted([*RELOAD, RESTART]))
            self.assertEqual(self.root.read("/etc/fieldway/fieldway.yaml"), RIGHT)
        with self.subTest("wrong files"):
            self.root.write("/etc/fieldway/fieldway.yaml", RIGHT.replace("name: gw", "nmae: gw"))
            said = self.again("fieldway")
            self.assertIn("fieldway.yaml:2:", said)
            self.assertEqual(self.root.actions(), [])
            self.again("fieldway-profiles")
            self.assertEqual(self.root.actions(), [])
        self.root.write("/etc/fieldway/fieldway.yaml", RIGHT)
        with self.subTest("device types"):
            self.again("fieldway-profiles")
            self.assertEqual(self.root.actions(), RELOAD)
        with self.subTest("a plugin"):
            self.again("fieldway-plugin-ble")
            self.assertEqual(self.root.actions(), [RESTART])
        with self.subTest("a plugin that goes"):
            self.rpm("-e", "fieldway-plugin-ble")
            self.assertEqual(self.root.actions(), [RESTART])
        with self.subTest("all go"):
            self.rpm("-e", *(n for n in rpms() if n != "fieldway-plugin-ble"))
            self.assertIn("systemctl --no-reload disable --now fieldway-host.socket fieldway-install.socket fieldway.service", self.root.actions())
            self.assertTrue(os.path.exists(self.root.path("/etc/fieldway/fieldway.yaml.rpmsave")))
            for name in ("/usr/sbin/fieldwayd", "/usr/libexec/fieldway", "/usr/share/fieldway", "/usr/lib64/fieldway"):
                self.assertFalse(os.path.lexists(self.root.path(name)), name)


if __name__ == "__main__":
    if not shutil.which("rpm"):
        skip("there is no rpm here")
    built("*.rpm")
    unittest.main()
