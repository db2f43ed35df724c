#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: what they have, what lintian says, and what becomes of a system on which they
are installed, upgraded, removed and purged."""
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from root import PACKAGES, Root, built, deb, deb_misfits, installed_tarball, output, patterns, skip  # noqa: E402
from fieldway_test.programs import source_path  # noqa: E402

RESTART = "deb-systemd-invoke restart fieldway-host.socket fieldway.service"
TRY_RESTART = RESTART.replace(" restart ", " try-restart ")
# 'systemctl reload' would accept what is on trial.
RELOAD = ["systemctl --quiet is-active fieldway.service", "systemctl --signal=HUP --kill-who=main kill fieldway.service"]
RIGHT = "schema: 1\ngateway: {name: gw}\nservers: [{name: s, short_id: 1, uri: 'coap://127.0.0.1'}]\n"
SECURE = RIGHT.replace("coap:", "coaps:").replace(
    "0.1'", "0.1', security: {mode: psk, identity: gw, key: 'psk-file:keys/plant.psk'}")
WRONG = "schema: 1\ngateway: {nmae: gw}\n"
# dpkg, and files of which no package is the owner.
NOT_OURS = ("/var/lib/dpkg/", "/var/log/", "/var/cache/", "/etc/.pwd.lock")


def newer(name, folder, change=None):
    """The package once more with a higher version; change(FOLDER) is done to its files."""
    tree = os.path.join(folder, name)
    output("dpkg-deb", "-R", deb(name), tree)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control, encoding="utf-8") as f:
        text = f.read()
    version = next(line.split(": ")[1] for line in text.splitlines() if line.startswith("Version: "))
    with open(control, "w", encoding="utf-8") as f:
        f.write(text.replace(f"Version: {version}", f"Version: {version}+1").replace(f"(= {version})", f"(= {version}+1)"))
    if change:
        change(tree)
    return output("dpkg-deb", "-b", "--root-owner-group", tree, folder).rsplit("'", 2)[-2]


class ContentsTest(unittest.TestCase):
    def test_contents(self):
        self.assertEqual(set(patterns("")), set(PACKAGES))
        for name in PACKAGES:
            self.assertEqual(deb_misfits(name, deb(name)), ([], []), name)

    def test_scripts(self):
        """Nobody but the daemon's own package has something to do."""
        for name in PACKAGES:
            with tempfile.TemporaryDirectory() as folder:
                output("dpkg-deb", "-e", deb(name), folder)
                scripts = {f for f in os.listdir(folder) if f not in ("control", "md5sums", "conffiles", "triggers")}
            self.assertEqual(scripts, {"postinst", "postrm", "prerm"} if name == "fieldway" else set(), name)

    def test_conffiles(self):
        with tempfile.TemporaryDirectory() as folder:
            output("dpkg-deb", "-e", deb("fieldway"), folder)
            with open(os.path.join(folder, "conffiles"), encoding="ascii") as f:
                self.assertEqual(f.read().split(), ["/etc/fieldway/fieldway.yaml"])

    def test_lintian(self):
        if not shutil.which("lintian"):
            self.skipTest("there is no lintian here")
        tags = source_path("packaging", "debian", "lintian-tags")
        done = subprocess.run(["lintian", "--pedantic", "-I", "-E", "--no-override", "--suppress-tags-from-file", tags,
                               *built("fieldway_*.changes")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=240, check=False)
        self.assertEqual((done.stdout, done.returncode), ("", 0), done.stderr)


class SystemTest(unittest.TestCase):
    def setUp(self):
        self.root = Root(installed_tarball())
        self.addCleanup(self.root.close)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def install(self, *names):
        return self.root.dpkg("-i", *(deb(name) for name in names or PACKAGES))[1]

    def mode(self, name):
        """Owner, group and mode, names as there."""
        found = os.lstat(self.root.path(name))
        names = {kind: {int(line.split(":")[2]): line.split(":")[0] for line in self.root.read(f"/etc/{kind}").splitlines()}
                 for kind in ("passwd", "group")}
        return f"{names['passwd'][found.st_uid]}:{names['group'][found.st_gid]} {stat.S_IMODE(found.st_mode):o}"

    def test_installed(self):
        self.install()
        self.assertEqual(self.root.run("dpkg", "--audit")[1], "")
        self.assertEqual(self.mode("/etc/fieldway"), "root:root 755")
        self.assertEqual(self.mode("/etc/fieldway/keys"), "root:fieldway 2750")
        self.assertEqual(self.mode("/var/lib/fieldway"), "fieldway:fieldway 700")
        for user in ("fieldway", "fieldway-io"):
            entry = next(line for line in self.root.read("/etc/passwd").splitlines() if line.startswith(user + ":"))
            self.assertEqual(entry.rsplit(":", 1)[1], "/usr/sbin/nologin")
        self.assertIn("dialout", self.root.run("id", "-nG", "fieldway-io")[1].split())
        self.assertNotIn("dialout", self.root.run("id", "-nG", "fieldway")[1].split())
        self.assertIn("\nfieldway-admin:", self.root.read("/etc/group"))
        self.assertIn("not configured", self.root.run("fieldwayd", "--check")[1])
        for plugin in ("modbus", "serial", "ble"):
            self.assertIn(plugin, self.root.run("/usr/libexec/fieldway/fieldway-plugin-host", "--describe", plugin)[1])
        profile = "/usr/share/fieldway/profiles.d/eastron-sdm630.yaml"
        self.assertIn("SDM630", self.root.run("fieldwayctl", "profile", "show", profile)[1])

    def test_keys(self):
        """What root makes in keys/ with mode 640 the daemon can read, and others cannot."""
        self.install()
        self.root.run("sh", "-c", "umask 027; echo gw:00112233445566778899aabbccddeeff >/etc/fieldway/keys/plant.psk")
        self.root.write("/etc/fieldway/fieldway.yaml", SECURE)
        self.assertEqual(self.as_user("fieldway", "fieldwayd", "--check")[0], 0)
        self.assertNotEqual(self.as_user("fieldway-io", "cat", "/etc/fieldway/keys/plant.psk")[0], 0)

    def as_user(self, user, *command):
        return self.root.run("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command, check=False)

    def test_upgrade(self):
        """An edited configuration stays, also where the package has another one; devices of users stay."""
        self.install()
        self.root.write("/etc/fieldway/fieldway.yaml", RIGHT)
        self.root.write("/etc/fieldway/devices.d/site.yaml", "schema: 1\ndevices: []\n")

        def change(tree):
            with open(os.path.join(tree, "etc/fieldway/fieldway.yaml"), "a", encoding="utf-8") as f:
                f.write("# Another line.\n")

        self.root.dpkg("-i", newer("fieldway", self.folder, change), *(newer(n, self.folder) for n in PACKAGES[1:]))
        self.assertEqual(self.root.read("/etc/fieldway/fieldway.yaml"), RIGHT)
        self.assertIn("Another line", self.root.read("/etc/fieldway/fieldway.yaml.dpkg-dist"))
        self.assertTrue(os.path.exists(self.root.path("/etc/fieldway/devices.d/site.yaml")))

    def test_purge(self):
        before = self.root.files()
        self.install()
        self.root.write("/etc/fieldway/buses.d/b.yaml", "schema: 1\nbus: b\nplugin: modbus\ntcp: {}\n")
        self.root.write("/etc/fieldway/keys/a", "00\n")
        self.root.write("/var/lib/fieldway/records/gateway.last-good", "")
        self.root.dpkg("--remove", *PACKAGES)
        self.assertTrue(os.path.exists(self.root.path("/etc/fieldway/keys/a")), "a removal took the configuration")
        self.assertTrue(os.path.exists(self.root.path("/var/lib/fieldway/records/gateway.last-good")))
        self.root.dpkg("--purge", *PACKAGES)
        left = sorted(f for f in self.root.files() - before if not f.startswith(NOT_OURS))
        # Backups of what got new users.
        self.assertEqual([f for f in left if f not in ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-")], [])

    def accept(self, text):
        """The daemon has run on this configuration, as its user."""
        record = "/var/lib/fieldway/records/gateway.last-good"
        os.unlink(self.root.path(record))
        self.root.run("chown", "-R", "fieldway:", "/var/lib/fieldway")
        self.root.write("/etc/fieldway/fieldway.yaml", text)
        self.root.run("setpriv", "--reuid=fieldway", "--regid=fieldway", "--clear-groups", "sh", "-c",
                      "fieldwayd --bus=none & pid=$!; "
                      f"while kill -0 $pid && [ ! -e {record} ]; do sleep 0.1; done; kill $pid; wait $pid")

    def test_restarts(self):
        self.root.pretend_systemd()
        self.install()
        self.assertIn("deb-systemd-invoke start fieldway.service", self.root.actions())
        with self.subTest("right"):
            self.root.write("/etc/fieldway/fieldway.yaml", RIGHT)
            self.install("fieldway")
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [RESTART])
        with self.subTest("wrong, and nothing else to start on"):
            self.root.write("/etc/fieldway/fieldway.yaml", WRONG)
            said = self.install("fieldway")
            self.assertIn("fieldway.yaml:2:11: ", said)
            self.assertIn("nothing is restarted", said)
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [])
        with self.subTest("wrong, and the record of an accepted one is damaged"):
            self.root.write("/var/lib/fieldway/records/gateway.last-good", "")
            said = self.install("fieldway")
            self.assertIn("its record is damaged", said)
            self.assertIn("nothing is restarted", said)
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [])
        with self.subTest("wrong, and an accepted one is there"):
            self.accept(RIGHT)
            self.root.write("/etc/fieldway/fieldway.yaml", WRONG)
            self.assertIn("the last one that was accepted is in use", self.install("fieldway"))
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [RESTART])
        with self.subTest("wrong, and the accepted one has lost its key"):
            self.root.write("/etc/fieldway/keys/plant.psk", "gw:00112233445566778899aabbccddeeff\n", 0o640)
            self.accept(SECURE)
            self.root.write("/etc/fieldway/fieldway.yaml", WRONG)
            os.unlink(self.root.path("/etc/fieldway/keys/plant.psk"))
            self.assertIn("the last one that was accepted is in use", self.install("fieldway"))
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [RESTART])
        with self.subTest("device types, wrong files"):
            self.install("fieldway-profiles")
            self.assertEqual(self.root.actions(), [])
        self.root.write("/etc/fieldway/fieldway.yaml", RIGHT)
        with self.subTest("device types"):
            self.install("fieldway-profiles")
            self.assertEqual(self.root.actions(), RELOAD)
        with self.subTest("a plugin"):
            self.install("fieldway-plugin-serial")
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [TRY_RESTART])
        with self.subTest("a plugin that goes"):
            self.root.dpkg("--remove", "fieldway-plugin-ble")
            self.assertEqual([a for a in self.root.actions() if "invoke" in a], [TRY_RESTART])
        with self.subTest("the daemon goes"):
            self.root.dpkg("--remove", *PACKAGES)
            self.assertEqual([a for a in self.root.actions() if "invoke" in a],
                             ["deb-systemd-invoke stop fieldway.service fieldway-host.socket fieldway-install.socket"])

    def test_restarted_once(self):
        """All of them are upgraded: one restart."""
        self.root.pretend_systemd()
        self.install()
        self.root.actions()
        self.root.write("/etc/fieldway/fieldway.yaml", RIGHT)
        self.root.dpkg("-i", *(newer(n, self.folder) for n in PACKAGES))
        self.assertEqual([a for a in self.root.actions() if "invoke" in a], [RESTART])


if __name__ == "__main__":
    if not shutil.which("dpkg-deb"):
        skip("there is no dpkg here")
    built("*.deb")
    unittest.main()
