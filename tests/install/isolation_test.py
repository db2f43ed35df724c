#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a plugin gets at in its unit, and what others do: a host that spies, one that grows, users without rights."""
import glob
import os
import shutil
import unittest

from installed import NAME, STATE, UNIT, Installed, as_user, build_path, run, show, user

ROGUE = "gw-r1"
COUNT = "/3202/0/5600"
BUS = "schema: 1\nbus: rogue\nplugin: rogue\nmode: {mode}\n"
PROFILE = """schema: 1
profile: rogue
plugin: rogue
info: {manufacturer: ACME, model: R-1}
rates: {fast: 200ms}
defaults: {rate: fast}
points: {count: {}}
lwm2m: {3202/0/5600: count}
"""
DEVICES = "schema: 1\ndevices: [{name: r1, profile: rogue, bus: rogue, address: {}}]\n"
# Of the bits in tests/unit/host/rogue.c: what every plugin may read.
HARMLESS = 64


def plugin_folder():
    return glob.glob("/usr/lib/*/fieldway/plugins")[0]


class Rogue(Installed):
    """With a plugin that does what none may."""

    def setUp(self):
        super().setUp()
        self.plugin = shutil.copy(build_path("tests/unit/host/.libs/rogue.so"), plugin_folder())
        self.addCleanup(os.unlink, self.plugin)

    def start_rogue(self, mode):
        """Beside a meter on a bus of its own."""
        self.rig.write("etc/buses.d/rogue.yaml", BUS.format(mode=mode))
        self.rig.write("etc/profiles.d/rogue.yaml", PROFILE)
        self.rig.write("etc/devices.d/rogue.yaml", DEVICES)
        self.start_server(secure=True, names=("gw", NAME, ROGUE))
        # A number that it has made up has no time: it is always stale.
        self.configure(more="register: {wait: none}\nstale: {after: 3x, read: last}")
        self.start_meters()
        self.start()
        self.registered(NAME, ROGUE)
        self.good()


class Isolation(Rogue):
    def test_a_host_sees_neither_keys_nor_memory(self):
        self.start_rogue("spy")
        self.until_code(ROGUE, COUNT, "2.05")
        self.assertEqual(self.read_one(ROGUE, COUNT), HARMLESS)
        self.assertTrue(os.path.exists("/etc/fieldway/keys/plant.psk"))

    def test_by_its_user_and_folders_alone(self):
        """What is left to one who has left all that the host gives up by itself."""
        self.start_rogue("good")
        _, pid = self.host_of("rogue")
        daemon = self.pid()
        for path in ("/etc/fieldway/keys/plant.psk", STATE, "/etc/fieldway", f"/proc/{daemon}/environ", f"/proc/{daemon}/mem",
                     f"/proc/{daemon}/maps"):
            text = run("nsenter", f"--target={pid}", "--mount", "setpriv", "--reuid=fieldway-io", "--regid=fieldway-io",
                       "--init-groups", "ls" if os.path.isdir(path) else "cat", path, check=False)
            self.assertRegex(text, "Permission denied|No such file", path)
        for user_name in ("fieldway-io", "fieldway"):
            text, code = as_user(user_name, "cat", f"/proc/{daemon}/mem")
            self.assertNotEqual(code, 0)
            self.assertIn("Permission denied", text, user_name)

    def test_a_greedy_host_dies_alone(self):
        self.start_rogue("grow")
        daemon, before, meters = self.pid(), self.now(), self.host_of("lan")
        self.entry("of memory, at most", BUS="rogue")
        self.entry("bus rogue: plugin host", BUS="rogue", _SYSTEMD_UNIT=UNIT)
        self.assertEqual((self.pid(), self.host_of("lan")), (daemon, meters))
        self.assertEqual([e for e in self.server.events[before:] if e.word in ("registered", "deregistered")], [])
        self.good()

    def test_a_plugin_that_crashes(self):
        self.start_rogue("crash")
        meters = self.host_of("lan")
        self.entry("bus rogue: plugin host ended", BUS="rogue")
        self.assertEqual(self.host_of("lan"), meters)
        self.assertTrue(self.is_active())
        # Not even the kernel has written a core.
        self.assertEqual(glob.glob("/core*") + glob.glob("/var/lib/systemd/coredump/*"), [])

    def test_limits(self):
        self.start_rogue("good")
        unit, pid = self.host_of("rogue")
        self.assertEqual(show(unit, "MemoryMax"), str(640 << 20))
        self.assertEqual(show(unit, "TasksMax"), "640")
        for process in (pid, self.pid()):
            with open(f"/proc/{process}/limits", encoding="ascii") as f:
                self.assertRegex(f.read(), r"Max core file size +0 +0 ")


class Users(Installed):
    def fieldwayctl(self, who, *arguments):
        return as_user(who, "fieldwayctl", *arguments)

    def until_on_the_bus(self):
        self.rig.until(lambda: self.fieldwayctl("root", "list")[1] == 0, 30, "the daemon on the bus")

    def test_everybody_sees_and_changes_nothing(self):
        self.start_plant()
        self.until_on_the_bus()
        text, code = self.fieldwayctl(user("nosy"), "list")
        self.assertEqual(code, 0, text)
        self.assertIn(NAME, text)
        call = ("busctl", "--system", "call", "org.fieldway.Agent1", "/org/fieldway/Agent1", "org.fieldway.Agent1.Manager")
        for method in (("Reload",), ("Pause", "t", "1000000")):
            text, code = as_user("nosy", *call, *method)
            self.assertNotEqual(code, 0, text)
        text, code = self.fieldwayctl("nosy", "write", NAME, "/3/0/14", "+02:00")
        self.assertNotEqual(code, 0, text)
        self.assertRegex(text, "(?i)denied|permission|needs root")

    def test_keys_and_state_are_nobodys(self):
        self.start_plant(secure=True)
        for path in ("/etc/fieldway/keys/plant.psk", "/etc/fieldway/keys", STATE):
            text, code = as_user(user("nosy"), "ls" if os.path.isdir(path) else "cat", path)
            self.assertNotEqual(code, 0, path)
            self.assertIn("Permission denied", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
