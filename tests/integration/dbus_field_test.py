#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The field side on org.fieldway.Agent1: buses, what can be asked of them and of devices, and who
may (agent/dbus/agent1.h)."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from fieldway_test.bus import GROUP_ID, MEMBER, PATH, STRANGER, Refused, add_group  # noqa: E402
from dbus_test import BUS, DEVICE, DbusScenario  # noqa: E402

HERE = ("2", "host", "s", "127.0.0.1", "unit", "s")     # an address as busctl wants it, less the unit
SECOND = "1000000"


class FieldScenarioOnBus(DbusScenario):
    def online(self, **options):
        self.start(**options)
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")

    def attempt(self, *points, unit="1", within=SECOND, **options):
        """points: (name, key, value, ...) with texts; {name: (problem, value)}."""
        words = []
        for name, *settings in points:
            words += [name, str(len(settings) // 2)]
            for i in range(0, len(settings), 2):
                words += [settings[i], "s", settings[i + 1]]
        found = self.bus.call(BUS, "Bus", "Attempt", "a{sv}a(sa{sv})t", *HERE, unit, str(len(points)), *words, within,
                              **options)[0]
        return {name: (problem, value) for name, problem, value in found}

    def statistics(self):
        requests, points = self.bus.call(DEVICE, "Device", "GetStatistics")
        return requests, {name: tuple(numbers) for name, *numbers in points}

    def raw(self, *request, unit="1", **options):
        return self.bus.call(BUS, "Bus", "Raw", "a{sv}ayt", *HERE, unit, str(len(request)),
                             *(str(byte) for byte in request), "0", **options)[0]


class FieldTest(FieldScenarioOnBus):
    def test_properties(self):
        self.online()
        self.assertEqual(self.bus.call(PATH, "Manager", "GetBus", "s", "lan"), [BUS])
        for name, value in (("Name", "lan"), ("Plugin", "modbus"), ("State", "online"), ("Devices", 1), ("Online", 1)):
            self.assertEqual(self.bus.get(BUS, "Bus", name), value)
        statistics = self.bus.get(BUS, "Bus", "Statistics")
        self.assertGreater(statistics["requests"], 0)
        self.assertEqual(statistics["host_restarts"], 0)
        name, text = self.bus.error(PATH, "Manager.GetBus", "string:nowhere")
        self.assertEqual((name, text), ("org.fieldway.Agent1.Error.NoSuchBus", "There is no bus nowhere"))
        self.simulator.command("unplug")
        self.until_property(BUS, "Bus", "Online", lambda n: n == 0)
        self.assertIn(self.bus.get(BUS, "Bus", "State"), ("offline", "failed"))

    def test_read(self):
        """Now, and not when its turn comes."""
        self.online(rate="1h")
        self.simulator.command("set holding 100 123")
        self.assertEqual(self.bus.call(DEVICE, "Device", "Read", "as", "1", "speed"), [[("speed", "", 12.3)]])
        everything = {name: value for name, problem, value in
                      self.bus.call(DEVICE, "Device", "Read", "as", "0")[0] if not problem}
        self.assertEqual(everything["speed"], 12.3)
        self.assertNotIn("ack", everything)     # is only written
        self.refused("There is no point sped", self.bus.call, DEVICE, "Device", "Read", "as", "1", "sped")
        self.simulator.command("exception 2")
        (name, problem, _), = self.bus.call(DEVICE, "Device", "Read", "as", "1", "speed")[0]
        self.assertEqual((name, problem), ("speed", "illegal address"))

    def test_statistics(self):
        self.online()
        self.rig.until(lambda: self.statistics()[1]["speed"][0] > 2, 20, "polls")
        # A mean, which the first polls of a machine that is busy weigh on for a while.
        self.rig.until(lambda: abs(self.statistics()[0][0][2] - 200000) < 100000, 20, "its pace")
        requests, points = self.statistics()
        text, *numbers = requests[0]
        self.assertIn("coil 0", text)
        period, _, sent, errors, _, _, last, mean, longest = numbers
        self.assertEqual((period, errors), (200000, 0))
        self.assertGreater(sent, 2)
        self.assertTrue(0 < last <= longest and 0 < mean <= longest)
        self.assertEqual(points["speed"][1:], (0, 0, 0, 0, ""))

    def test_attempt(self):
        """Units and registers that no file names, on the line of those that one does."""
        self.online()
        self.simulator.command("set holding 200 17254 13107")
        found = self.attempt(("a", "address", "200", "type", "float32"), ("b", "address", "0xC8", "scale", "0.1"),
                             ("c", "area", "coil", "address", "3"), unit="7")
        self.assertEqual(found, {"a": ("", 230.2), "b": ("", 1725.4), "c": ("", False)})
        self.assertEqual(self.attempt(("far", "area", "input", "address", "60000")),
                         {"far": ("illegal address", "")})
        for points, text in (((("a", "adress", "1"),), "adress: the plugin has no such key here"),
                             ((("a", "address", "x"),), "address: of a wrong type"),
                             ((("a", "address", "70000"),), "address"),
                             ((("a", "area", "nowhere", "address", "1"),), "area")):
            with self.subTest(text):
                self.refused(text, self.attempt, *points)
        self.simulator.command("silent")
        self.refused("no answer", self.attempt, ("a", "address", "0"), within="5000000")
        # Nothing of it stays.
        self.assertEqual(set(self.statistics()[1]), {"speed", "rounded", "coarse", "run", "running", "mode", "number",
                                                     "read", "overtemp", "ack"})

    def test_limits_of_attempts(self):
        self.online(rate="1h")
        many = [(f"p{i}", "address", str(i % 100)) for i in range(1000)]
        self.assertEqual(len(self.attempt(*many, within="20000000")), 1000)
        self.refused("Too many", self.attempt, *many, ("more", "address", "0"))
        self.refused("Too many", self.attempt, ("a", *(["address", "1"] * 257)))
        self.refused("there is no such point for scale10", self.attempt, ("a", "address", "0", "scale10", "b"))
        self.refused("is no list of values", self.attempt, ("a", "address", "0", "invalid", "5"))

    def test_raw(self):
        self.online()
        self.simulator.command("set holding 100 513")
        self.assertEqual(self.raw(3, 0, 100, 0, 1), [3, 2, 2, 1])
        self.assertEqual(self.raw(0x41), [0xC1, 1])      # exceptions are answers
        self.log("uid 0 sends a raw request of 5 bytes")
        self.refused("unit", self.raw, 3, 0, 100, 0, 1, unit="999")
        self.simulator.command("silent")
        self.refused("no answer", self.raw, 3, 0, 100, 0, 1)

    def test_release(self):
        """The line is free for another program, and comes back by itself or when it is told to."""
        self.online()
        self.bus.call(BUS, "Bus", "Release", "t", "60000000")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "failed")
        self.assertIn("lent", self.bus.get(DEVICE, "Device", "Reason"))
        before = self.simulator.command("requests")
        self.refused("lent", self.bus.call, PATH + "/endpoint/vfd", "Endpoint", "Write", "sv", "/3308/0/5900", "d", "1")
        self.assertEqual(self.simulator.command("requests"), before)
        self.bus.call(BUS, "Bus", "Release", "t", "0")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        self.bus.call(BUS, "Bus", "Release", "t", "3000000")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "failed")
        begin = time.monotonic()
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        self.assertLess(time.monotonic() - begin, 10)

    def test_scan_of_what_is_polled(self):
        self.online()
        self.refused("finds nothing in this way", self.bus.call, BUS, "Bus", "Scan", "t", SECOND)


class RightsTest(FieldScenarioOnBus):
    """By the shipped policy, and by the daemon alone."""

    CALLS = (("Bus", "Attempt", "a{sv}a(sa{sv})t", *HERE, "1", "0", SECOND),
             ("Bus", "Raw", "a{sv}ayt", *HERE, "1", "5", "3", "0", "0", "0", "1", "0"),
             ("Bus", "Scan", "t", SECOND), ("Bus", "Release", "t", "0"), ("Device", "Read", "as", "0"))

    def check(self, permissive):
        self.permissive = permissive
        self.online()
        for interface, *call in self.CALLS:
            path = BUS if interface == "Bus" else DEVICE
            with self.subTest(call[0]):
                with self.assertRaises(Refused) as caught:
                    self.bus.call(path, interface, *call, user=STRANGER)
                self.assertRegex(str(caught.exception), "(?i)access|denied|fieldway-admin|rejected")
        self.assertTrue(self.bus.call(DEVICE, "Device", "GetStatistics", user=STRANGER))
        self.assertEqual(self.bus.call(PATH, "Manager", "GetBus", "s", "lan", user=STRANGER), [BUS])

    def test_policy(self):
        self.check(False)

    def test_daemon(self):
        self.check(True)

    def test_member(self):
        add_group()
        self.online()
        self.assertTrue(self.attempt(("a", "address", "0"), user=MEMBER, groups=[GROUP_ID]))


if __name__ == "__main__":
    main()
