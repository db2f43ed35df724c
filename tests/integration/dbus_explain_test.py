#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What org.fieldway.Agent1 says of a resource: what it is, and where its value comes from."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from dbus_test import BUS, DEVICE, HOST, VFD, DbusScenario  # noqa: E402


class DescribeTest(DbusScenario):
    """What resources are, by their definitions and by what stands behind them."""

    def describe(self, path, endpoint=VFD, **options):
        return {row[0]: row[1:] for row in self.bus.call(endpoint, "Endpoint", "Describe", "s", path, **options)[0]}

    def test_resources(self):
        self.start()
        every = self.describe("/")
        for path, row in {"/3308/0/5900": ("Set Point", "Set Point Value", "float", "RW", "", False, ""),
                          # Mapped to a constant, and to a point that is only read: no server writes them.
                          "/3308/0/5750": ("Set Point", "Application Type", "string", "R", "", False, ""),
                          "/3306/1/5850": ("Actuation", "On/Off", "boolean", "R", "", False, ""),
                          "/3306/0/5850": ("Actuation", "On/Off", "boolean", "RW", "", False, ""),
                          "/3306/0/5851": ("Actuation", "Dimmer", "integer", "RW", "/100", False, "0..100"),
                          "/3/0/11": ("Device", "Error Code", "integer", "R", "", True, "0..32"),
                          "/3/0/12": ("Device", "Reset Error Code", "", "E", "", False, "")}.items():
            with self.subTest(path):
                self.assertEqual(every[path], row)
                self.assertEqual(self.describe(path), {path: row})
        self.assertEqual(self.describe("/3308"), {path: row for path, row in every.items() if path.startswith("/3308/")})
        self.assertEqual(list(every), sorted(every, key=lambda path: [int(part) for part in path.split("/")[1:]]))
        self.assertTrue(all(not path.startswith(("/0/", "/21/", "/23/")) for path in every))
        self.assertEqual(self.describe("/1/0/1", HOST)["/1/0/1"], ("LwM2M Server", "Lifetime", "integer", "RW", "s", False, ""))

    def test_refused(self):
        self.start()
        for path, text in {"/0": "denied", "/9": "no such path", "/3308/0/1": "no such path",
                           "/3/0/11/0": "is no path", "x": "is no path"}.items():
            with self.subTest(path):
                self.refused(text, self.describe, path)


class ExplainTest(DbusScenario):
    """From the device's bytes to what servers were told."""

    def explain(self, path, **options):
        return self.bus.call(VFD, "Endpoint", "Explain", "s", path, **options)[0]

    def test_a_point(self):
        self.start()
        self.simulator.command("set holding 100 123")
        self.rig.until(lambda: self.read("/3308/0/5900") == 12.3, 20, "the speed")
        # The exchange is asked for on its own, and may be a later one than the value.
        facts = self.explain("/3308/0/5900")
        for key, value in {"Object": "Set Point", "Name": "Set Point Value", "Type": "float", "Operations": "RW",
                           "Value": 12.3, "Source": "point", "Device": "vfd", "Bus": "lan", "DeviceState": "online",
                           "Point": "point speed (holding 100)", "PointUnit": "Hz", "Rate": "fast", "Period": 200000,
                           "Request": "holding 100-102 (3 registers)", "Cut": False, "Observations": []}.items():
            with self.subTest(key):
                self.assertEqual(facts[key], value)
        self.assertEqual(facts["Decoding"], "area holding, address 100, type uint16; raw x 0.1 Hz")
        # Modbus TCP: transaction, protocol, length, unit, function, then the request and its answer.
        self.assertEqual(facts["Sent"][2:], [0, 0, 0, 6, 1, 3, 0, 100, 0, 3])
        self.assertEqual(facts["Received"][:9], [*facts["Sent"][:2], 0, 0, 0, 9, 1, 3, 6])
        self.assertEqual(facts["Received"][9:11], [0, 123])
        now = time.time() * 1e6
        for key in ("Time", "Asked"):
            self.assertTrue(0 <= now - facts[key] < 30e6, (key, facts[key], now))
        self.assertNotIn("Problem", facts)

    def test_who_was_told(self):
        self.start()
        self.until_property(PATH, "Manager", "Registered", lambda n: n == 2)
        self.observe_instance()
        observed, = self.explain("/3308/0/5900")["Observations"]
        self.assertEqual((observed["Server"], observed["Path"], observed["InFlight"]), ("plant", "/3308/0", False))
        self.assertEqual((observed["MinimumPeriod"], observed["MaximumPeriod"]), (2000000, 60000000))
        self.assertTrue(0 <= time.time() * 1e6 - observed["Notified"] < 30e6)
        self.assertEqual(self.explain("/3306/0/5850")["Observations"], [])

    def test_other_sources(self):
        self.start()
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        for path, source in {"/3308/0/5750": "constant", "/3/0/11": "alarm", "/3/0/12": "execute", "/3/0/0": "agent",
                             "/1/0/1": "agent"}.items():
            with self.subTest(path):
                facts = self.explain(path)
                self.assertEqual((facts["Source"], "Device" in facts), (source, source in ("alarm", "execute")))

    def test_silent(self):
        self.start()
        self.simulator.command("set holding 100 77")
        self.rig.until(lambda: self.read("/3308/0/5900") == 7.7, 20, "the speed")
        self.simulator.command("silent")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "offline")
        facts = self.explain("/3308/0/5900")
        self.assertEqual((facts["Value"], facts["DeviceState"]), (7.7, "offline"))
        self.assertIn("vfd", facts["Problem"])
        self.assertIn("DeviceReason", facts)
        self.bus.call(BUS, "Bus", "Pause")
        facts = self.explain("/3308/0/5900")
        self.assertEqual((facts["DeviceState"], facts["RequestProblem"]), ("paused", "its plugin host does not run"))
        self.assertNotIn("Sent", facts)

    def test_refused(self):
        self.start()
        for path, text in {"/0/0/5": "denied", "/3308/0/1": "no such path", "/9/0/0": "no such path",
                           "/3308/0": "no path of a resource", "/": "no path of a resource"}.items():
            with self.subTest(path):
                self.refused(text, self.explain, path)


if __name__ == "__main__":
    main()
