#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the plugin host makes of requests and values before a server sees them:
which model answers, what a device reads at once, what is no news, powers of
ten in another register."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402

NAME = "gw-board"
FIRST, SECOND, THIRD, POWER = "/3303/0/5700", "/3303/1/5700", "/3303/2/5700", "/3305/0/5800"
SET_POINT, ASKED = "/3308/0/5900", "/3303/3/5700"
# The simulator has no input registers from 512 on.
PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 200ms}
stale: {after: 2h}
defaults: {area: input, type: uint16, rate: fast}
%s
points:
  code:   {address: 5, rate: once}
  first:  {address: 510, unit: Cel}
  second: {address: 511, unit: Cel, deadband: 5}
  third:  {address: 512, unit: Cel}
  sf:     {address: 30, type: int16, rate: once}
  power:  {address: 20, unit: W, scale10: sf}
  level:  {area: holding, address: 100, access: rw, scale10: sf}
lwm2m:
  3303/0/5700: first
  3303/1/5700: second
  3303/2/5700: third
  3305/0/5800: power
  3308/0/5900: level
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {port: %d}
timeout: 300ms
retries: 0
offline: {after: 2, retry: 300ms..600ms}
"""
DEVICES = """schema: 1
devices:
  - {name: board, profile: board, bus: lan, address: {host: 127.0.0.1, unit: 1}}
"""


class PollsTest(Scenario):
    def start(self, identify="", code=33, profile=PROFILE):
        self.simulator = Simulator(self.rig, ["--tcp", "127.0.0.1:0"])
        self.simulator.command(f"set input 5 {code}")
        self.simulator.command("set input 510 20 30")
        self.simulator.command("set input 20 2302")
        self.simulator.command("set input 30 65535")
        self.rig.write("etc/buses.d/lan.yaml", BUS % self.simulator.port(0))
        self.rig.write("etc/profiles.d/board.yaml", profile % identify)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", NAME))
        # A point that is refused has no first value.
        self.configure(more="register: {wait: none}")
        self.start_daemon()
        self.registered(NAME)

    def test_on_demand(self):
        """A point that nobody polls is read when a server does, and its silence is told."""
        self.start(profile=PROFILE.replace(
            "lwm2m:\n", "  asked: {area: holding, address: 7, unit: Cel, rate: on-demand}\nlwm2m:\n  3303/3/5700: asked\n"))
        self.until_value(FIRST, 20)
        for value in (21, 22):
            self.simulator.command(f"set holding 7 {value}")
            # What is not older than a second is not asked for again.
            self.until_value(ASKED, value)
        self.simulator.command("exception 2")
        answer = self.until_code(NAME, ASKED, "5.00")
        self.assertIn("holding 7", answer.payload.decode())
        self.simulator.command("silent")
        self.until_read(NAME, ASKED, lambda a: a.fields["code"] in ("5.03", "5.04"))

    def until_value(self, path, value):
        self.until_read(NAME, path, lambda a: a.fields.get("code") == "2.05"
                        and self.server.values(a, path) == {path: value})

    def test_what_is_refused_together_is_read_apart(self):
        self.start()
        self.until_value(FIRST, 20)
        self.until_value(SECOND, 30)
        answer = self.until_read(NAME, THIRD, lambda a: b"point third (input 512)" in a.payload)
        self.expect(answer, "5.03")
        line = self.log("is not readable as one request")
        self.assertIn("bus lan: device board: input 510-512 is not readable as one request, "
                      "reads input 510-511 instead; refused: input 512", line)
        # Learned once: two values of one answer, and the third is left alone.
        self.simulator.command("trace on")
        self.simulator.traces.clear()
        self.simulator.command("set input 510 21")
        self.until_value(FIRST, 21)
        self.simulator.command("requests")
        spans = {t.split(" data ")[1] for t in self.simulator.traces if " function 4 " in t}
        self.assertIn("01 fe 00 02", spans)
        self.assertEqual([s for s in spans if s.startswith("02 00") or s == "01 fe 00 03"], [])
        self.assertEqual(len(self.logged("is not readable as one request")), 1)

    def test_deadband(self):
        self.start()
        self.until_value(SECOND, 30)
        self.simulator.command("set input 510 22 34")
        self.until_value(FIRST, 22)
        self.assertEqual(self.read_one(NAME, SECOND), 30)
        self.simulator.command("set input 511 36")
        self.until_value(SECOND, 36)

    def test_another_model(self):
        self.start(identify="identify: {point: code, equals: [112, 113]}")
        text = "bus lan: device board: input 5 (1 register): is another model: code is 33, not 112 or 113"
        self.log(text)
        payload = self.until_read(NAME, FIRST, lambda a: b"another model" in a.payload).payload.decode()
        self.assertIn("is another model: code is 33, not 112 or 113", payload)
        self.simulator.command("trace on")
        self.simulator.traces.clear()
        self.expect(self.put(NAME, SET_POINT, "3"), "5.03")
        before = len(self.simulator.traces)
        self.rig.until(lambda: self.simulator.command("requests") and len(self.simulator.traces) > before + 1, 20,
                       "the device to be looked at again")
        # Looked at, and asked for nothing else.
        self.assertEqual({t.split(" data ")[1] for t in self.simulator.traces}, {"00 05 00 01"})
        self.simulator.command("set input 5 113")
        self.until_value(FIRST, 20)

    def test_power_of_ten(self):
        self.start()
        self.until_value(POWER, 230.2)
        self.expect(self.put(NAME, SET_POINT, "1.5"), "2.04")
        self.assertIn("15", self.simulator.command("get holding 100"))


if __name__ == "__main__":
    main()
