#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What users of other gateways complain about, with the daemon as it ships: back-off settings that are ignored, one
request for each register, small request limits, pauses, one rate for all, memory that grows with every outage. The
rest of the twenty is in the tests that tests/specs.md names."""
import collections
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402
from stopped_test import is_sanitized, memory_kb  # noqa: E402

NAME, VALUE = "gw-a", "/3303/0/5700"
REGISTERS = 6       # neighbours, from address 30
OUTAGES, WARM = 40, 10
GROWTH_KB = 512
PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 100ms, slow: 2s}
stale: {after: 1m}
defaults: {area: holding, type: uint16, rate: fast%s}
%s
lwm2m:
  3303/0/5700: p0
"""
POINTS = "points:\n" + "".join(f"  p{i}: {{address: {30 + i}, unit: Cel}}\n" for i in range(REGISTERS))
BUS = """schema: 1
bus: {name}
plugin: modbus
tcp: {{port: {port}{tcp}}}
timeout: {timeout}
retries: 0
offline: {{after: {after}, retry: {retry}}}
"""
DEVICE = "  - {{name: {name}, profile: board, bus: {bus}, address: {{host: 127.0.0.1, unit: {unit}}}}}\n"


class ComplaintScenario(Scenario):
    def start(self, buses=("a",), retry=(), points=POINTS, defaults="", tcp="", timeout="200ms", after=2, units=1):
        """A bus with one device for each name; all of them have the same unit. units: as many on the first one."""
        self.simulator = Simulator(self.rig, [w for _ in buses for w in ("--tcp", "127.0.0.1:0")])
        devices = ""
        for i, name in enumerate(buses):
            self.rig.write(f"etc/buses.d/{name}.yaml", BUS.format(
                name=name, port=self.simulator.port(i), tcp=tcp, timeout=timeout, after=after,
                retry=retry[i] if retry else "300ms..400ms"))
            devices += DEVICE.format(name=name, bus=name, unit=1)
        devices += "".join(DEVICE.format(name=f"a{n}", bus="a", unit=n + 1) for n in range(1, units))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE % (defaults, points))
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + devices)
        names = [f"gw-{name}" for name in buses] + [f"gw-a{n}" for n in range(1, units)]
        self.start_server(names=("gw", *names))
        self.configure(more="register: {wait: none}")
        self.start_daemon()
        self.registered(*names)
        for name in names:
            self.until_code(name, VALUE, "2.05")

    def requests(self, index=0):
        return int(self.simulator.command(f"{index} requests"))

    def asked(self, polls):
        """How often each (address, count) has been asked for, once something has been so often."""
        self.simulator.traces.clear()
        self.simulator.command("trace on")

        def count():
            self.simulator.command("requests")
            data = (t.split(" data ")[1].split(" ") for t in self.simulator.traces)
            found = collections.Counter((int(d[0] + d[1], 16), int(d[2] + d[3], 16)) for d in data)
            return found if max(found.values(), default=0) >= polls else None

        self.rig.until(count, 60, "polls")
        return count()


class RequestsTest(ComplaintScenario):
    def test_neighbours_share_a_request(self):
        self.start()
        self.assertEqual(set(self.asked(5)), {(30, REGISTERS)})

    def test_a_device_that_gives_little_at_once(self):
        self.start(defaults=", max_registers: 2")
        self.assertEqual(set(self.asked(5)), {(30, 2), (32, 2), (34, 2)})

    def test_a_rate_for_each(self):
        self.start(points="points:\n  p0: {address: 30, unit: Cel}\n  p1: {address: 50, rate: slow}\n"
                          "  p2: {address: 70, rate: once}\n  p3: {address: 90, rate: on-demand}\n")
        self.rig.until(lambda: self.requests() > 30, 20, "polls")
        found = self.asked(60)
        # Once was then, and on demand is not now.
        self.assertEqual(set(found), {(30, 1), (50, 1)})
        # 20 times as often; on a machine that is late they are late together.
        self.assertLess(5 * found[50, 1], found[30, 1])

    def test_pauses(self):
        """As the device sees them."""
        self.start(tcp=", pause: 60ms", points=POINTS + "  far: {address: 500}\n")
        begin = self.requests()
        self.simulator.command("pause")
        self.rig.until(lambda: self.requests() > begin + 10, 20, "polls")
        self.assertGreaterEqual(int(self.simulator.command("0 pause")), 59000)

    def test_units_share_a_connection(self):
        """Of a gateway that takes one: nobody is turned away, and nobody waits for more than his turn."""
        self.start(units=3)
        self.simulator.command("single")
        made = self.simulator.command("connections")
        begin = self.requests()
        self.rig.until(lambda: self.requests() > begin + 12, 20, "polls")
        self.assertEqual(self.simulator.command("connections"), made)
        self.assertEqual(self.simulator.command("connected"), "1")
        for n in range(3):
            self.read_one(f"gw-a{n}" if n else NAME, VALUE)
        self.assertEqual(self.logged(" is offline"), [])


class OutagesTest(ComplaintScenario):
    def test_back_off_is_each_bus_s_own(self):
        """Two dead devices with the same unit on two buses: each is probed as its bus says."""
        self.start(buses=("a", "b"), retry=("200ms..300ms", "2s..3s"))
        self.simulator.command("* silent")
        for name in ("a", "b"):
            self.log(f"device {name} is offline")
        # From one probe to the second one after it there are two waits, of at least 2 s less a jitter.
        first = self.requests(1)
        self.rig.until(lambda: self.requests(1) > first, 20, "a probe")
        begin, other = time.monotonic(), self.requests(0)
        self.rig.until(lambda: self.requests(1) > first + 2, 20, "two more")
        self.assertGreater(time.monotonic() - begin, 2)
        probes = self.requests(0) - other
        self.assertGreaterEqual(probes, 4)
        # Never faster than 200 ms of waiting and 200 ms of a time-out.
        self.assertLess(probes, (time.monotonic() - begin) / 0.3 + 2)

    def test_memory_over_outages(self):
        """Neither the daemon nor its host keeps anything of one, and values come back each time."""
        self.start(timeout="30ms", after=1)
        host = self.daemon.hosts()[0]
        sizes = []
        for i in range(OUTAGES):
            self.simulator.command("silent")
            self.until_code(NAME, VALUE, "5.03")
            self.simulator.command("talk")
            self.until_code(NAME, VALUE, "2.05")
            if i in (WARM, OUTAGES - 1):
                sizes.append((memory_kb(self.daemon.process.pid), memory_kb(host)))
        growths = [after - before for before, after in zip(*sizes)]
        print(f"== {OUTAGES - 1 - WARM} outages: the daemon grew by {growths[0]} kB, its host by {growths[1]} kB",
              file=sys.stderr)
        if not is_sanitized(host):
            self.assertLess(max(growths), GROWTH_KB)


if __name__ == "__main__":
    main()
