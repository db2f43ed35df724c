#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Firmware on a booted machine: a Debian package that a server sends is installed by root's unit, the daemon itself
included, and nothing else gets there."""
import os
import shutil
import unittest

from installed import ETC, UNIT, Installed, as_user, deb, is_installed, run, show

from fieldway_test import source_path

# That of the sources: the machine is made without documents.
EXAMPLE = source_path("etc/examples/install.d/deb")
HANDLERS = f"{ETC}/install.d"
SOCKET = "fieldway-install.socket"
OPAQUE = 42
IDLE, DOWNLOADED, UPDATING = 0, 2, 3
UPDATED, NOT_ALLOWED = 1, 6


class Firmware(Installed):
    def setUp(self):
        super().setUp()
        shutil.rmtree("/var/lib/fieldway-install", ignore_errors=True)
        os.makedirs(HANDLERS, exist_ok=True)
        shutil.copy(EXAMPLE, f"{HANDLERS}/deb")
        os.chmod(f"{HANDLERS}/deb", 0o755)
        self.addCleanup(shutil.rmtree, HANDLERS)

    def begin(self):
        self.start_server()
        self.configure(more="firmware: {handler: deb}")
        self.start()
        self.registered("gw")

    def make(self, name, script="exit 0"):
        """A package of that name; its postinst."""
        folder = self.rig.path(name)
        os.makedirs(f"{folder}/DEBIAN")
        with open(f"{folder}/DEBIAN/control", "w", encoding="ascii") as f:
            f.write(f"Package: {name}\nVersion: 1.2\nArchitecture: all\nMaintainer: Tests <tests@example.org>\n"
                    "Description: test\n")
        with open(f"{folder}/DEBIAN/postinst", "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\n{script}\n")
        os.chmod(f"{folder}/DEBIAN/postinst", 0o755)
        run("dpkg-deb", "--root-owner-group", "--build", folder, f"{folder}.deb")
        self.addCleanup(run, "dpkg", "--purge", name, check=False)
        return f"{folder}.deb"

    def push(self, path):
        self.expect(self.server.request("gw", "PUT", "/5/0/0", f"format={OPAQUE} payload-file={path} timeout=60", 60), "2.04")

    def status(self):
        values = self.read("gw", "/5/0")
        return values["/5/0/3"], values["/5/0/5"]

    def becomes(self, state, result):
        self.rig.until(lambda: self.status() == (state, result), 60, f"state {state}, result {result}")

    def test_package(self):
        self.begin()
        self.push(self.make("fieldway-test-roof", "id -u >/run/test-roof; cat /proc/self/cgroup >>/run/test-roof"))
        values = self.read("gw", "/5/0")
        self.assertEqual((values["/5/0/3"], values["/5/0/6"], values["/5/0/7"]), (DOWNLOADED, "fieldway-test-roof", "1.2"))
        self.expect(self.post("gw", "/5/0/2"), "2.04")
        self.becomes(IDLE, UPDATED)
        self.assertTrue(is_installed("fieldway-test-roof"))
        with open("/run/test-roof", encoding="ascii") as f:
            text = f.read()
        self.assertTrue(text.startswith("0\n"))
        self.assertIn("fieldway-install@", text)
        # Its own complaints are there, and nothing was refused to the daemon.
        for text in self.complaints():
            self.assertNotRegex(text, "sandbox|Failed to|not permitted")

    def test_not_allowed(self):
        self.begin()
        self.push(self.make("other"))
        self.becomes(IDLE, NOT_ALLOWED)
        self.assertFalse(is_installed("other"))

    def test_the_daemon_itself(self):
        """Its package restarts it in the middle; the end is known all the same."""
        self.begin()
        pid, start = self.pid(), self.now()
        self.push(deb("fieldway"))
        self.becomes(DOWNLOADED, 0)
        self.expect(self.post("gw", "/5/0/2"), "2.04")
        self.rig.until(lambda: self.is_active() and self.pid() not in (0, pid), 120, "another daemon")
        self.registered("gw", start=start)
        self.becomes(IDLE, UPDATED)

    def test_handler_that_others_may_change(self):
        os.chmod(f"{HANDLERS}/deb", 0o777)
        self.begin()
        self.push(self.make("fieldway-test-door"))
        self.becomes(IDLE, 8)
        self.entry("may be changed by others", SYSLOG_IDENTIFIER="fieldway-install")

    def test_socket_is_the_daemons(self):
        self.begin()
        self.assertEqual(run("stat", "-c", "%U:%G %a", "/run/fieldway-install.socket").strip(), "fieldway:fieldway 600")
        connect = ("python3", "-c", "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)"
                   ".connect('/run/fieldway-install.socket')")
        self.assertIn("PermissionError", as_user("fieldway-io", *connect)[0])
        self.assertEqual(as_user("fieldway", *connect)[1], 0)

    def test_stopped_daemon_leaves_it(self):
        """An installation goes on when the daemon's unit is stopped."""
        self.begin()
        os.mkfifo("/run/test-go")
        self.addCleanup(os.unlink, "/run/test-go")
        self.push(self.make("fieldway-test-slow", "read line </run/test-go"))
        self.expect(self.post("gw", "/5/0/2"), "2.04")
        self.becomes(UPDATING, 0)
        run("systemctl", "stop", UNIT)
        self.assertEqual(show(SOCKET, "ActiveState"), "active")
        with open("/run/test-go", "w", encoding="ascii") as f:
            f.write("\n")
        self.rig.until(lambda: is_installed("fieldway-test-slow"), 30, "the package")
        start = self.now()
        self.start()
        self.registered("gw", start=start)
        self.becomes(IDLE, UPDATED)
        self.assertEqual(run("systemctl", "--failed", "--no-legend", "list-units", "fieldway-install@*"), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
