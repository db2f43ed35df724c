#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Thirty-two devices on one RS-485 line, from one row of a file: what dead ones among them cost the others. Turns are
counted where that can be, because a busy machine is slow for everybody."""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, Scenario, Simulator, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402

COUNT, DEAD, ALIVE = 32, 9, 7       # devices, and two of them
UNITS = range(1, COUNT + 1)
VALUE, NUMBER = "/3303/0/5700", "/3308/0/5900"
WRITES = {"6", "16"}
PERIOD_MS, TIMEOUT_MS = 500, 100
WRITE_TURNS = 10                    # of others, that a write may see: it has a way to go
TURNS = 12                          # of each living device, that are looked at
PROFILE = f"""schema: 1
profile: board
plugin: modbus
info: {{manufacturer: ACME, model: Board}}
rates: {{fast: {PERIOD_MS}ms}}
stale: {{after: 30s}}
defaults: {{area: holding, type: uint16, rate: fast}}
points:
  value:  {{address: 30, unit: Cel}}
  number: {{address: 111, access: rw, rate: on-demand}}
lwm2m:
  3303/0/5700: value
  3308/0/5900: number
"""
BUS = f"""schema: 1
bus: line
plugin: modbus
rtu: {{{{device: {{path}}, baud: 115200, format: "8N1"}}}}
timeout: {TIMEOUT_MS}ms
retries: 0
offline: {{{{after: 2, retry: 2s..8s}}}}
"""
DEVICES = f"""schema: 1
devices:
  - {{name: "d{{n}}", profile: board, bus: line, each: {{n: 1-{COUNT}}}, address: {{unit: "{{n}}"}}}}
"""


class CrowdedLineTest(Scenario):
    def setUp(self):
        super().setUp()
        path = self.rig.path("ttyLine")
        self.simulator = Simulator(self.rig, ["--unit", "0", "--rtu", path])
        self.simulator.command("set holding 30 7")
        self.rig.write("etc/buses.d/line.yaml", BUS.format(path=path))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", *(f"gw-d{n}" for n in UNITS)))
        self.configure(more="register: {wait: none}")
        self.bus = Bus(self.rig)
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.registered(*(f"gw-d{n}" for n in UNITS), timeout=60)
        for n in UNITS:
            self.until_code(f"gw-d{n}", VALUE, "2.05")

    def request(self, n):
        """The statistics of its polls."""
        requests, _ = self.bus.call(f"{PATH}/device/d{n}", "Device", "GetStatistics")
        polls = next(r for r in requests if r[1] == PERIOD_MS * 1000)
        return dict(zip(("period", "effective", "requests", "errors", "timeouts"), polls[1:6]))

    def answers(self, n):
        """What a machine without time for the simulator loses is not the line's."""
        polls = self.request(n)
        self.assertLess(polls["timeouts"], polls["requests"] / 4)
        self.assertEqual(self.read_one(f"gw-d{n}", VALUE), 7)

    def effective_ms(self, units):
        return statistics.median(self.request(n)["effective"] for n in units) / 1000

    def asked(self):
        """The units in the order in which they are asked."""
        self.simulator.command("requests")
        return [int(t.split(" ")[3]) for t in self.simulator.traces]

    def watch(self, units, turns=TURNS):
        """Until each of them has had its turns."""
        self.simulator.traces.clear()
        self.simulator.command("trace on")
        self.rig.until(lambda: min(map(self.asked().count, units)) >= turns, 60, "turns of all")
        asked = self.asked()
        self.simulator.command("trace off")
        return asked

    def offline(self, n):
        self.rig.until(lambda: self.bus.get(f"{PATH}/device/d{n}", "Device", "State") == "offline", 60, f"d{n} offline")

    def test_one_dead_device(self):
        others = [n for n in UNITS if n != DEAD]
        self.watch(others)
        before = self.effective_ms(others)
        self.simulator.command(f"only {DEAD}")
        self.simulator.command("silent")
        self.offline(DEAD)
        asked = self.watch(others)
        after = self.effective_ms(others)
        turns = [asked.count(n) for n in others]
        print(f"== 32 devices each {PERIOD_MS} ms on a line: effectively {before:.0f} ms, one dead: {after:.0f} ms; "
              f"turns of the others {min(turns)} to {max(turns)}, probes {asked.count(DEAD)}", file=sys.stderr)
        # Each of the others had its turn, whoever is next to the dead one; that is only probed.
        self.assertLessEqual(max(turns) - min(turns), 3)
        self.assertLessEqual(asked.count(DEAD), TURNS // 2)
        self.assertLess(after, 2 * before)
        for n in others:
            self.answers(n)
        self.simulator.command("talk")
        self.rig.until(lambda: self.bus.get(f"{PATH}/device/d{DEAD}", "Device", "State") == "online", 60, "it again")
        self.until_code(f"gw-d{DEAD}", VALUE, "2.05")

    def test_one_living_device(self):
        """Between two of its turns there are no more probes than fit between them."""
        dead = [n for n in UNITS if n != ALIVE]
        self.simulator.command(f"only -{ALIVE}")
        self.simulator.command("silent")
        for n in dead:
            self.offline(n)
        asked = self.watch([ALIVE])
        turns = [i for i, n in enumerate(asked) if n == ALIVE]
        gaps = [b - a - 1 for a, b in zip(turns, turns[1:])]
        print(f"== 31 of 32 devices dead: the living one effectively each {self.effective_ms([ALIVE]):.0f} ms, "
              f"at most {max(gaps)} probes between two of its turns", file=sys.stderr)
        self.assertLessEqual(max(gaps), PERIOD_MS // TIMEOUT_MS + 1)
        self.answers(ALIVE)
        self.assertEqual(self.bus.get(f"{PATH}/bus/line", "Bus", "Online"), 1)
        self.simulator.command("talk")
        for n in dead:
            self.until_code(f"gw-d{n}", VALUE, "2.05", timeout=60)

    def test_writes_go_ahead_of_polls(self):
        """On a line that cannot keep up, where everything else waits for its turn."""
        self.simulator.command("delay 30")
        self.watch(UNITS, 2)
        self.simulator.traces.clear()
        self.simulator.command("trace on")
        self.expect(self.put(f"gw-d{DEAD}", NUMBER, "5"), "2.04")
        self.simulator.command("requests")
        turn = next(i for i, t in enumerate(self.simulator.traces) if t.split(" ")[5] in WRITES)
        print(f"== a write on a line of 32 devices that cannot keep up: behind {turn} polls", file=sys.stderr)
        self.assertLessEqual(turn, WRITE_TURNS)
        self.assertEqual(self.simulator.command("get holding 111"), "5")


if __name__ == "__main__":
    main()
