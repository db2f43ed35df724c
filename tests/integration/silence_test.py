#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices that fall silent, were never there, or lose their line; buses that
cannot work. Everybody else goes on as if nothing had happened."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402

POWER = "/3305/0/5800"
PERIOD_S = 0.2
OBSERVED_S = 3          # how long the requests of the others are counted
RTU_BUS = """schema: 1
bus: cabinet
plugin: modbus
rtu: {{device: {device}, baud: 115200, format: "8N1"}}
timeout: 300ms
retries: 0
offline: {{after: 2, retry: 300ms..500ms}}
"""
BOARD = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: Demo, model: Board}
rates: {fast: 200ms}
points:
  temperature: {area: input, address: 0, type: int16, scale: 0.1, unit: Cel, rate: fast}
lwm2m: {3303/0/5700: temperature}
"""
BOARD_DEVICES = """schema: 1
devices:
  - {name: board, profile: board, bus: cabinet, address: {unit: 1}}
"""
WAIT_NONE = "register: {wait: none, at_most: 10s}"


class SilenceTest(Scenario):
    def start(self, silent=(), more=""):
        self.start_meters(3)
        for index in silent:
            self.simulator.command(f"{index} silent")
        self.start_server(secure=True)
        self.configure(more=more)
        self.start_daemon()
        self.registered("gw-m1", "gw-m2", "gw-m3")

    def expect_error(self, name, codes):
        self.until_read(name, "/3/0/11", lambda a: sorted(self.server.values(a, "/3/0/11").values()) == codes)

    def requests(self, index):
        """How many come in a while that a silent neighbour must not stretch."""
        before = int(self.simulator.command(f"{index} requests"))
        begin = time.monotonic()
        self.rig.until(lambda: time.monotonic() - begin >= OBSERVED_S, OBSERVED_S + 5, "the time to pass")
        return (int(self.simulator.command(f"{index} requests")) - before) / (time.monotonic() - begin)

    def test_falls_silent_and_returns(self):
        self.start()
        self.expect(self.server.observe("gw-m2", "/3/0/11", "accept=112"), "2.05")
        start = self.now()
        before = self.requests(0)
        self.simulator.command("1 silent")
        event = self.event("notify", "gw-m2", start)
        self.assertEqual(self.server.values(event, "/3/0/11"), {"/3/0/11/0": 8})
        answer = self.until_code("gw-m2", POWER, "5.03")
        # The reason is in the payload: device and age.
        self.assertRegex(answer.payload.decode(), r"^m2: last read \S+ ago")
        # An instance read leaves it out; nothing but constants may be left.
        values = self.read("gw-m2", "/3316/0")
        self.assertNotIn("/3316/0/5700", values)
        line = self.log("device m2 is offline")
        self.assertIn("no answer", line)
        # The others are asked as often as ever.
        self.assertGreater(self.requests(0), before * 0.7)
        for name in ("gw-m1", "gw-m3"):
            self.expect_error(name, [0])
            self.read_one(name, POWER)
        # And their endpoint is told nothing.
        self.assertEqual([e for e in self.server.events[start:] if e.word in ("deregistered", "registered")], [])
        start = self.now()
        self.simulator.command("1 talk")
        event = self.event("notify", "gw-m2", start)
        self.assertEqual(self.server.values(event, "/3/0/11"), {"/3/0/11/0": 0})
        self.until_code("gw-m2", POWER, "2.05")

    def test_only_probes_reach_a_silent_one(self):
        self.start(silent=(1,), more=WAIT_NONE)
        self.log("device m2 is offline")
        # One each 300 to 500 ms, instead of three each 200.
        self.assertLess(self.requests(1), 5)

    def test_off_at_start(self):
        self.start(silent=(1,), more=WAIT_NONE)
        self.assertEqual(self.until_code("gw-m2", POWER, "5.03").payload[:14], b"m2: never read")
        self.expect_error("gw-m2", [8])
        # The rest of /3 is there.
        self.assertEqual(self.read_one("gw-m2", "/3/0/0"), "Eastron")
        self.expect(self.server.request("gw-m2", "GET", "/3305/0", "accept=112"), "5.03")
        self.simulator.command("1 talk")
        self.until_code("gw-m2", POWER, "2.05")
        self.expect_error("gw-m2", [0])

    def test_nobody_listens(self):
        """The host is there, but not its port."""
        self.start()
        self.simulator.command("1 unplug")
        self.until_code("gw-m2", POWER, "5.03")
        self.expect_error("gw-m2", [8])
        self.read_one("gw-m1", POWER)
        self.simulator.command("1 talk")
        self.until_code("gw-m2", POWER, "2.05")

    def test_exceptions_are_no_silence(self):
        self.start()
        self.simulator.command("1 exception 4")
        answer = self.until_code("gw-m2", POWER, "5.03")
        self.assertIn("m2: last read", answer.payload.decode())
        self.expect_error("gw-m2", [0])
        self.simulator.command("1 talk")
        self.until_code("gw-m2", POWER, "2.05")

    def test_garbled(self):
        self.start()
        self.simulator.command("1 garble")
        self.until_code("gw-m2", POWER, "5.03")
        self.simulator.command("1 talk")
        self.until_code("gw-m2", POWER, "2.05")
        self.read_one("gw-m1", POWER)

    def test_last_value(self):
        """stale: {read: last} goes on to answer, and never reads an error."""
        self.start(more="stale: {after: 3x, read: last}")
        self.simulator.command("1 silent")
        self.expect_error("gw-m2", [8])
        self.read_one("gw-m2", POWER)
        self.assertIn("/3316/0/5700", self.read("gw-m2", "/3316/0"))

    def test_staleness(self):
        """A value goes bad after three of its own intervals, its device still being there."""
        self.start_server(secure=True)
        self.start_meters(1)
        self.configure(more="stale: {after: 10m}")
        self.start_clock_daemon()
        self.ready("gw-m1")
        self.simulator.command("0 exception 4")
        self.rig.until(lambda: self.logged("exception 4"), 15, "the device failing")
        self.daemon.step(590)
        self.expect(self.server.request("gw-m1", "GET", POWER, "accept=112"), "2.05")
        self.daemon.step(15)
        answer = self.until_code("gw-m1", POWER, "5.03")
        self.assertRegex(answer.payload.decode(), r"^m1: last read 10m\b")


class SerialTest(Scenario):
    TEMPERATURE = "/3303/0/5700"

    def start(self, device=None, simulate=True):
        self.device = device or self.rig.path("ttyBoard")
        if simulate:
            self.simulator = Simulator(self.rig, ["--relay", "--rtu", self.device])
        self.rig.write("etc/buses.d/cabinet.yaml", RTU_BUS.format(device=self.device))
        self.rig.write("etc/profiles.d/board.yaml", BOARD)
        self.rig.write("etc/devices.d/board.yaml", BOARD_DEVICES)
        self.start_server(names=("gw", "gw-board"))
        self.configure(more=WAIT_NONE)
        self.start_daemon()
        self.registered("gw-board")

    def test_unplugged_and_plugged(self):
        self.start()
        self.until_code("gw-board", self.TEMPERATURE, "2.05")
        for _ in range(2):
            self.simulator.command("unplug")
            self.until_code("gw-board", self.TEMPERATURE, "5.03")
            self.simulator.command("talk")
            self.until_code("gw-board", self.TEMPERATURE, "2.05")
        self.assertEqual([e for e in self.server.events if e.word == "deregistered"], [])
        self.assertIn("cabinet", self.log("device board is failed"))

    def test_silent(self):
        self.start()
        self.until_code("gw-board", self.TEMPERATURE, "2.05")
        self.simulator.command("silent")
        self.until_code("gw-board", self.TEMPERATURE, "5.03")
        self.log("device board is offline")
        self.simulator.command("talk")
        self.until_code("gw-board", self.TEMPERATURE, "2.05")

    def test_no_device_at_start(self):
        """A missing adapter is the bus's state, not an error of the files."""
        self.start(simulate=False)
        line = self.log("device board is failed")
        self.assertIn(self.device, line)
        self.until_code("gw-board", self.TEMPERATURE, "5.03")
        self.simulator = Simulator(self.rig, ["--relay", "--rtu", self.device])
        self.until_code("gw-board", self.TEMPERATURE, "2.05")

    def test_no_serial_device(self):
        path = self.rig.write("plain-file", "")
        self.start(device=path, simulate=False)
        self.assertIn(path, self.log("device board is "))
        self.until_code("gw-board", self.TEMPERATURE, "5.03")


if __name__ == "__main__":
    main()
