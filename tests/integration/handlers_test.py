#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The handlers that come as examples, as they lie in the tree: what they say of packages. RAUC is a script here, that
behaves as its manual says."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import source_path  # noqa: E402

DONE, NOT_INTACT, TYPE, FAILED, REBOOT = 0, 85, 86, 88, 100
RAUC = """#!/bin/sh
case "$1" in
info) grep -q signed "$3" || exit 1; echo "RAUC_MF_COMPATIBLE='board'"; echo "RAUC_MF_VERSION='2026.11'" ;;
status) [ "${2-}" = mark-good ] && touch "$0.good" && exit 0
	echo "RAUC_SYSTEM_COMPATIBLE='board'"; echo "RAUC_SYSTEM_BOOTED_BOOTNAME='$(cat "$0.booted")'" ;;
install) grep -q broken "$2" && exit 1; exit 0 ;;
esac
"""


class Handlers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fieldway-handlers-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def call(self, handler, *arguments, stdin=None):
        """Its exit status, and what it printed."""
        done = subprocess.run([source_path("etc/examples/install.d", handler), *arguments], stdin=stdin or subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                              env={"PATH": f"{self.folder}:/usr/sbin:/usr/bin:/sbin:/bin", "STATE_DIRECTORY": self.folder})
        return done.returncode, done.stdout


@unittest.skipUnless(shutil.which("dpkg-deb"), "no dpkg-deb")
class Deb(Handlers):
    def make(self, name="fieldway-more", architecture="all"):
        folder = self.path("tree")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(f"{folder}/DEBIAN")
        os.makedirs(f"{folder}/usr/share/more")
        with open(f"{folder}/usr/share/more/data", "wb") as f:
            f.write(os.urandom(20000))
        self.write("tree/DEBIAN/control", f"Package: {name}\nVersion: 1:2.3-4\nArchitecture: {architecture}\n"
                   "Maintainer: Tests <tests@example.org>\nDescription: test\n")
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", folder, self.path("package")], check=True,
                       stdout=subprocess.DEVNULL)
        return self.path("package")

    def test_check(self):
        package = self.make()
        self.assertEqual(self.call("deb", "check", package), (DONE, "name=fieldway-more\nversion=1:2.3-4\n"))
        # As the daemon has it checked.
        with open(package, "rb") as f:
            self.assertEqual(self.call("deb", "check", "/dev/stdin", stdin=f)[0], DONE)

    def test_others(self):
        self.assertEqual(self.call("deb", "check", self.make("openssh-server")), (TYPE, ""))
        other = "arm64" if subprocess.check_output(["dpkg", "--print-architecture"], text=True) != "arm64\n" else "amd64"
        self.assertEqual(self.call("deb", "check", self.make(architecture=other)), (TYPE, ""))
        self.assertEqual(self.call("deb", "check", self.write("text", "no package")), (TYPE, ""))

    def test_cut(self):
        package = self.make()
        os.truncate(package, os.path.getsize(package) - 5000)
        self.assertEqual(self.call("deb", "check", package)[0], NOT_INTACT)

    def test_nothing_else(self):
        self.assertEqual(self.call("deb")[0], FAILED)
        for action in ("confirm", "uninstall", "activate", "deactivate"):
            self.assertEqual(self.call("deb", action)[0], FAILED)


class Rauc(Handlers):
    def setUp(self):
        super().setUp()
        self.write("rauc", RAUC, 0o755)
        self.write("rauc.booted", "A")

    def test_check(self):
        self.assertEqual(self.call("rauc", "check", self.write("bundle", "hsqs signed")),
                         (DONE, "name=board\nversion=2026.11\n"))
        self.assertEqual(self.call("rauc", "check", self.write("bundle", "hsqs")), (NOT_INTACT, ""))
        self.assertEqual(self.call("rauc", "check", self.write("bundle", "!<arch>")), (TYPE, ""))

    def test_install(self):
        bundle = self.write("bundle", "hsqs signed")
        self.assertEqual(self.call("rauc", "install", bundle)[0], REBOOT)
        self.write("rauc.booted", "B")
        self.assertEqual(self.call("rauc", "confirm")[0], DONE)
        self.assertTrue(os.path.exists(self.path("rauc.good")))

    def test_came_back_on_the_old_one(self):
        self.assertEqual(self.call("rauc", "install", self.write("bundle", "hsqs signed"))[0], REBOOT)
        self.assertEqual(self.call("rauc", "confirm")[0], FAILED)
        self.assertFalse(os.path.exists(self.path("rauc.good")))

    def test_fails(self):
        self.assertEqual(self.call("rauc", "install", self.write("bundle", "hsqs signed broken"))[0], FAILED)
        self.write("rauc.booted", "")
        self.assertEqual(self.call("rauc", "install", self.write("bundle", "hsqs signed"))[0], FAILED)


if __name__ == "__main__":
    unittest.main()
