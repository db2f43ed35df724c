#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packages come, change and go: first installation, upgrades over edited files, a plugin that is taken away, purge."""
import os
import signal
import unittest

from installed import (ETC, NAME, NOT_CONFIGURED, PACKAGES, SOCKET, STATE, UNIT, VOLTS, Installed, deb, dpkg, is_installed,
                       run, show, status)

from fieldway_test import source_path

NEXT = "9.0-1"


def purge():
    present = [p for p in PACKAGES if status("dpkg-query", "-W", p) == 0]
    if present:
        dpkg("--purge", *present)


def processes(*users):
    uids = {int(run("id", "-u", u)) for u in users}
    return [p for p in os.listdir("/proc") if p.isdigit() and uid_of(p) in uids]


def uid_of(process):
    try:
        return os.stat(f"/proc/{process}").st_uid
    except FileNotFoundError:
        return None


class Packages(Installed):
    def next_version(self, package, change=lambda folder: None):
        """The package as it is, with a higher version and what change() makes of its files."""
        folder = self.rig.path(package)
        run("dpkg-deb", "--raw-extract", deb(package), folder)
        control = os.path.join(folder, "DEBIAN", "control")
        with open(control, encoding="utf-8") as f:
            text = f.read()
        version = next(line for line in text.splitlines() if line.startswith("Version: "))
        with open(control, "w", encoding="utf-8") as f:
            f.write(text.replace(version, f"Version: {NEXT}").replace(f"(= {version[9:]})", f"(= {NEXT})"))
        change(folder)
        path = self.rig.path(f"{package}_next.deb")
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, path)
        return path

    def next_versions(self, **changes):
        return [self.next_version(p, changes.get(p.replace("-", "_"), lambda folder: None)) for p in PACKAGES]

    def tearDown(self):
        purge()
        super().tearDown()

    def test_first_installation(self):
        purge()
        begin = run("dpkg", "--install", *map(deb, PACKAGES))
        self.assertNotRegex(begin, "(?i)error|failed")
        self.assertEqual((show(UNIT, "ActiveState"), show(UNIT, "UnitFileState")), ("active", "enabled"))
        self.assertEqual(self.status_text(), NOT_CONFIGURED)
        self.assertEqual(show(SOCKET, "ActiveState"), "active")
        self.rig.until(lambda: not status("busctl", "status", "org.fieldway.Agent1"), 40, "the name on the bus")
        # Nothing to complain of, but for what systemd says of its own.
        for e in self.journal(_SYSTEMD_UNIT=UNIT):
            self.assertTrue(int(e["PRIORITY"]) > 4 or "D-Bus" in e["MESSAGE"], e["MESSAGE"])

    def test_what_autopkgtest_runs(self):
        """The main job, as installed: a meter's power at a server."""
        text = run("python3", "packaging/debian/tests/gateway", cwd=source_path())
        self.assertIn("/3305/3/5800 is 1234", text)

    def test_upgrade_over_an_edited_file(self):
        def change(folder):
            with open(f"{folder}/etc/fieldway/fieldway.yaml", "a", encoding="utf-8") as f:
                f.write("# New in this version.\n")

        self.start_plant()
        with open(f"{ETC}/fieldway.yaml", encoding="utf-8") as f:
            mine = f.read()
        pid, before = self.pid(), self.now()
        text = dpkg("--install", "--force-confold", *self.next_versions(fieldway=change))
        with open(f"{ETC}/fieldway.yaml", encoding="utf-8") as f:
            self.assertEqual(f.read(), mine, text)
        self.assertTrue(self.is_active())
        self.assertNotEqual(self.pid(), pid)
        self.registered(NAME, start=before)
        self.good()

    def test_interrupted(self):
        """The new files are there, and nobody has asked them anything, when the power goes: it starts as ever."""
        self.start_plant()
        pid = self.pid()
        dpkg("--unpack", *self.next_versions())
        self.assertEqual((self.pid(), self.is_active()), (pid, True))
        before = self.now()
        os.kill(pid, signal.SIGKILL)
        self.rig.until(lambda: self.is_active() and self.pid() not in (0, pid), 40, "another process")
        self.registered(NAME, start=before)
        before = self.now()
        dpkg("--configure", "--pending")
        self.assertEqual(run("dpkg", "--audit"), "")
        self.registered(NAME, start=before)
        self.good()

    def test_downgrade(self):
        """State of a later version is read by an earlier one, or left alone."""
        self.start_plant()
        dpkg("--install", *self.next_versions())
        self.good()
        before = self.now()
        dpkg("--install", *map(deb, PACKAGES))
        self.registered(NAME, start=before)
        self.good()

    def test_removed_while_stopped(self):
        """What is configured, and the keys, wait for its return."""
        self.start_plant(secure=True)
        run("systemctl", "stop", UNIT)
        dpkg("--remove", *PACKAGES)
        self.assertTrue(os.path.exists(f"{ETC}/keys/plant.psk"))
        self.assertFalse(any(map(is_installed, PACKAGES)))
        before = self.now()
        dpkg("--install", *map(deb, PACKAGES))
        self.registered(NAME, start=before)
        self.good()

    def test_stopped_stays_stopped(self):
        """A plugin that comes or goes starts nothing that somebody has stopped."""
        self.start_plant()
        run("systemctl", "stop", UNIT)
        dpkg("--install", deb("fieldway-plugin-ble"))
        self.assertEqual(show(UNIT, "ActiveState"), "inactive")
        self.assertEqual(self.hosts(), {})

    def test_purged_and_back(self):
        before = run("id", "fieldway"), run("id", "fieldway-io")
        purge()
        dpkg("--install", *map(deb, PACKAGES))
        self.assertEqual((run("id", "fieldway"), run("id", "fieldway-io")), before)
        self.assertEqual(self.status_text(), NOT_CONFIGURED)
        self.stop()
        self.start_plant(secure=True)

    def test_upgrade_makes_a_profile_invalid(self):
        """It runs on what it last accepted."""
        def change(folder):
            with open(f"{folder}/usr/share/fieldway/profiles.d/eastron-sdm630.yaml", "w", encoding="utf-8") as f:
                f.write("schema: 1\nprofile: eastron-sdm630\nplugin: modbus\npoints: {v1: {adress: 0}}\n")

        self.start_server(names=("gw", NAME))
        self.configure(more="register: {wait: none}")
        self.start_meters(devices=("schema: 1\ndevices:\n"
                                   "  - {{name: m1, profile: eastron-sdm630, bus: lan, address: {{host: 127.0.0.11, unit: 1}}}}\n"))
        self.start()
        self.registered(NAME)
        before = self.now()
        text = dpkg("--install", *self.next_versions(fieldway_profiles=change))
        self.assertIn("eastron-sdm630.yaml:4:", text)
        self.assertTrue(self.is_active(), text)
        self.registered(NAME, start=before)
        self.assertIn("last good", self.status_text())

    def test_no_restart_into_an_error(self):
        """The new version takes neither the files nor those that the former one accepted: this one goes on."""
        self.start_plant(secure=True)
        with open(f"{STATE}/records/gateway.last-good", "r+b") as f:
            f.write(b"damaged")
        self.rig.write("etc/devices.d/broken.yaml", "schema: 1\ndevices:\n  - {name: [}\n")
        pid = self.pid()
        text = dpkg("--install", *self.next_versions())
        self.assertIn("broken.yaml:3:", text)
        self.assertEqual((self.pid(), self.is_active()), (pid, True))
        self.good()

    def test_plugin_is_taken_away(self):
        self.start_plant(more="register: {wait: none}")
        before = self.now()
        dpkg("--remove", "fieldway-plugin-modbus")
        self.registered(NAME, start=before)
        answer = self.until_code(NAME, VOLTS, "5.03", timeout=60)
        self.assertIn("m1", answer.payload.decode())
        self.assertTrue(self.is_active())
        before = self.now()
        dpkg("--install", deb("fieldway-plugin-modbus"))
        self.registered(NAME, start=before)
        self.good(timeout=60)

    def test_purge_leaves_nothing(self):
        self.start_plant(secure=True)
        dpkg("--purge", *PACKAGES)
        self.assertFalse(any(map(is_installed, PACKAGES)))
        self.rig.until(lambda: not processes("fieldway", "fieldway-io"), 10, "the end of its processes")
        left = run("find", "/etc", "/var/lib", "/run", "/usr", "/lib/systemd", "-xdev", "-name", "*fieldway*",
                   "-not", "-path", "/var/lib/dpkg/*", "-not", "-path", "/run/systemd/*", check=False)
        self.assertEqual(left, "")
        units = run("systemctl", "list-units", "--all", "--plain", "--no-legend", "fieldway*").splitlines()
        # What others name may still be known by name.
        self.assertEqual([u for u in units if "not-found" not in u], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
