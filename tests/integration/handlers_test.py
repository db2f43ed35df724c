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

    def call(self, handler, *arguments, stdin=None, software=None):
        """Its exit status, and what it printed."""
        done = subprocess.run([source_path("etc/examples/install.d", handler), *arguments], stdin=stdin or subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                              env={"PATH": f"{self.folder}:/usr/sbin:/usr/bin:/sbin:/bin", "STATE_DIRECTORY": self.folder,
                                   **({"FIELDWAY_SOFTWARE": software} if software else {})})
        return done.returncode, done.stdout


class DebHandlers(Handlers):
    def make(self, name="fieldway-more", architecture="all", units=(), version="1:2.3-4", scripts=None):
        folder = self.path("tree")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(f"{folder}/DEBIAN")
        os.makedirs(f"{folder}/usr/share/{name}")
        with open(f"{folder}/usr/share/{name}/data", "wb") as f:
            f.write(os.urandom(20000))
        for unit in units:
            os.makedirs(f"{folder}/usr/lib/systemd/system", exist_ok=True)
            self.write(f"tree/usr/lib/systemd/system/{unit}", "[Service]\nExecStart=/bin/true\n")
        self.write("tree/DEBIAN/control", f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
                   "Maintainer: Tests <tests@example.org>\nDescription: test\n")
        for script, text in (scripts or {}).items():
            self.write(f"tree/DEBIAN/{script}", text, 0o755)
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", folder, self.path("package")], check=True,
                       stdout=subprocess.DEVNULL)
        return self.path("package")


@unittest.skipUnless(shutil.which("dpkg-deb"), "no dpkg-deb")
class Deb(DebHandlers):
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


DPKG = """#!/bin/sh
exec /usr/bin/{name} {options} "$@"
"""
# Of a package: the first time the power fails.
CUT = """#!/bin/sh
[ -e "$DPKG_ROOT/cut" ] || { touch "$DPKG_ROOT/cut"; kill -9 $PPID; exit 1; }
"""
SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$0.log"
"""


@unittest.skipUnless(shutil.which("dpkg-deb") and os.geteuid() == 0, "no dpkg, or no root to install in a folder")
class DebSoftware(DebHandlers):
    """dpkg is real, and has a folder for its system."""

    def setUp(self):
        super().setUp()
        root = self.path("root")
        os.makedirs(f"{root}/var/lib/dpkg/updates")
        os.makedirs(f"{root}/var/lib/dpkg/info")
        for name in ("status", "available"):
            self.write(f"root/var/lib/dpkg/{name}", "")
        self.write("dpkg", DPKG.format(name="dpkg", options=f"--root={root} --force-script-chrootless --log=/dev/null"), 0o755)
        self.write("dpkg-query", DPKG.format(name="dpkg-query", options=f"--admindir={root}/var/lib/dpkg"), 0o755)
        self.write("systemctl", SYSTEMCTL, 0o755)

    def done(self, action, *arguments, software="app"):
        self.assertEqual(self.call("deb", action, *arguments, software=software)[0], DONE)

    def systemctl(self):
        try:
            with open(self.path("systemctl.log"), encoding="ascii") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def statuses(self):
        return subprocess.check_output([self.path("dpkg-query"), "--show", "--showformat",
                                        "${Package} ${db:Status-Status}\n"], text=True).splitlines()

    def has(self, status):
        return os.path.exists(self.path("root/usr/share/fieldway-more/data")) and status in self.statuses()

    def test_life(self):
        package = self.make(units=("more.service", "more@.service", "more.timer"))
        self.done("check", package)
        self.done("install", package)
        self.assertTrue(self.has("fieldway-more installed"))
        self.assertEqual(self.systemctl(), ["disable --now more.service"])
        self.done("activate")
        # An update leaves it as it is.
        package = self.make(units=("more.service",), version="1:2.4-1")
        self.done("check", package)
        self.done("install", package)
        self.done("deactivate")
        self.assertEqual(self.systemctl()[1:], ["enable --now more.service", "disable --now more.service"])
        self.done("uninstall")
        self.assertFalse(self.has("fieldway-more installed"))
        for action in ("uninstall", "activate", "deactivate"):
            self.assertEqual(self.call("deb", action, software="app")[0], FAILED)

    def test_one_package_each(self):
        self.done("install", self.make("fieldway-one"), software="one")
        other = self.make("fieldway-two")
        self.assertEqual(self.call("deb", "check", other, software="one")[0], TYPE)
        self.done("check", other, software="two")
        # It has nothing that could run.
        self.assertEqual(self.call("deb", "activate", software="one")[0], FAILED)
        self.assertEqual(self.systemctl(), [])

    def test_as_firmware(self):
        """Without a name nothing is written down, and nothing stopped."""
        self.assertEqual(self.call("deb", "install", self.make(units=("more.service",)))[0], DONE)
        self.assertEqual(self.systemctl(), [])
        self.assertEqual(self.call("deb", "uninstall")[0], FAILED)

    def test_power_cut_in_a_script(self):
        """What dpkg was cut off at is brought to its end by the next that is installed; a removal leaves it."""
        for action, ends in (("install", ["fieldway-cut installed", "fieldway-more installed"]),
                             ("uninstall", ["fieldway-cut half-configured"])):
            with self.subTest(action):
                self.setUp()
                more = self.make()
                if action == "uninstall":
                    self.done("install", more)
                shutil.copy(more, self.path("more"))
                cut = self.make("fieldway-cut", scripts={"postinst": CUT})
                self.assertEqual(self.call("deb", "install", cut, software="cut")[0], FAILED)
                self.assertIn("fieldway-cut half-configured", self.statuses())
                self.done(action, *([self.path("more")] if action == "install" else []))
                self.assertEqual(self.statuses(), ends)

    def test_power_cut_in_an_update(self):
        """So early that nothing but another installation, or the removal, ends it."""
        for action in ("install", "uninstall"):
            with self.subTest(action):
                self.setUp()
                self.done("install", self.make())
                newer = self.make(version="1:2.4-1", scripts={"preinst": CUT})
                self.assertEqual(self.call("deb", "install", newer, software="app")[0], FAILED)
                self.assertIn("fieldway-more half-installed", self.statuses())
                self.done(action, *([newer] if action == "install" else []))
                self.assertEqual(self.statuses(), ["fieldway-more installed"] if action == "install" else [])

    def test_another_that_is_broken(self):
        """It is no reason not to install."""
        broken = self.make("fieldway-broken", scripts={"postinst": "#!/bin/sh\nexit 1\n"})
        self.assertEqual(self.call("deb", "install", broken, software="broken")[0], FAILED)
        self.done("install", self.make())
        self.assertEqual(self.statuses(), ["fieldway-broken half-configured", "fieldway-more installed"])


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
