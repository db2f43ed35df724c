#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a Modbus point can be: bits, values that are read back, what a device says of itself,
models that each device arranges as it likes (plugins/modbus/README.md)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402

NAME = "gw-plc"
BIT, MASK, MERGED, BACK = "/3306/0/5850", "/3306/0/5851", "/3306/1/5850", "/3308/0/5900"
MANUFACTURER, MODEL, FIRMWARE = "/3/0/0", "/3/0/1", "/3/0/3"
POWER, STORAGE, DIGITS, CLOCK = "/3305/0/5800", "/3305/1/5800", "/3300/0/5700", "/3333/0/5506"
PROFILE = """schema: 1
profile: plc
plugin: modbus
rates: {fast: 200ms}
stale: {after: 2h}
defaults: {rate: fast, base: {find: SunS, at: [40000, 50000, 0]}}
points:
  bit:     {address: 120, bit: 3, access: rw}
  mask:    {address: 121, mask: 0x00f0, access: rw}
  merged:  {address: 122, bit: 0, access: rw, write: {function: 6}}
  back:    {address: 110, type: float32, order: CDAB, access: rw, write: {function: 23}}
  digits:  {address: 130, type: bcd32}
  clock:   {address: 132, type: cp56time2a}
  vendor:  {area: identification, object: vendor_name, rate: once}
  product: {area: identification, object: "1", rate: once}
  version: {area: identification, object: revision, rate: once}
  watts:   {model: [101, 102, 103], address: 14, type: int16, unit: W}
  storage: {model: 124, address: 2, unit: W}
lwm2m:
  3306/0/5850: bit
  3306/0/5851: mask
  3306/1/5850: merged
  3308/0/5900: back
  3300/0/5700: digits
  3333/0/5506: clock
  3/0/0: vendor
  3/0/1: product
  3/0/3: version
  3305/0/5800: watts
  3305/1/5800: storage
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 300ms
retries: 1
offline: {{after: 2, retry: 300ms..500ms}}
"""
DEVICES = """schema: 1
devices:
  - {name: plc, profile: plc, bus: lan, address: {host: 127.0.0.1, unit: 1}}
"""
SUNS = "0x5375 0x6e53"
COMMON = "1 2 0x4142 0"
END = "0xffff 0"


def inverter(watts):
    return f"103 14 {'0 ' * 12}{watts} 0"


class PointsTest(Scenario):
    def begin(self):
        self.simulator = Simulator(self.rig, ["--plain", "--tcp", "127.0.0.1:0"])
        self.chain(40000, COMMON, inverter(4711))
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=self.simulator.port(0)))
        self.rig.write("etc/profiles.d/plc.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", NAME))
        self.configure()
        self.start_daemon()
        self.registered(NAME)

    def chain(self, address, *models):
        self.simulator.command(f"set holding {address} {SUNS} {' '.join(models)} {END}")

    def holding(self, address, count=1):
        return self.simulator.command(f"get holding {address} {count}")

    def functions(self, path, text):
        """Of the requests from a write to its answer that change something or are for its register."""
        self.simulator.traces.clear()
        self.simulator.command("trace on")
        self.expect(self.put(NAME, path, text), "2.04")
        self.simulator.command("trace off")
        return [line.split(" ")[5] for line in self.simulator.traces]

    def until_value(self, path, value):
        self.until_read(NAME, path, lambda a: a.fields.get("code") == "2.05"
                        and self.server.values(a, path) == {path: value})

    def test_bits(self):
        """Function 22 leaves the others alone; what the device holds is what is shown."""
        self.begin()
        self.simulator.command("set holding 120 0x5a00 0x1234 0x8000")
        self.until_value(MASK, 3)
        self.assertIn("22", self.functions(BIT, "1"))
        self.assertEqual(self.holding(120), str(0x5a08))
        self.until_value(BIT, True)
        self.expect(self.put(NAME, BIT, "0"), "2.04")
        self.assertEqual(self.holding(120), str(0x5a00))
        self.expect(self.put(NAME, MASK, "15"), "2.04")
        self.assertEqual(self.holding(121), str(0x12f4))
        answer = self.put(NAME, MASK, "16")
        self.expect(answer, "4.00")
        self.assertIn("mask 0xf0", answer.payload.decode())
        self.assertEqual(self.holding(121), str(0x12f4))

    def test_merged(self):
        """Read, changed and written back only because its profile says so."""
        self.begin()
        self.simulator.command("set holding 122 0x8000")
        self.assertIn("6", self.functions(MERGED, "1"))
        self.assertEqual(self.holding(122), str(0x8001))

    def test_read_back(self):
        self.begin()
        functions = self.functions(BACK, "230.2")
        self.assertIn("23", functions)
        self.assertNotIn("16", functions)
        self.assertEqual(self.holding(110, 2), f"{0x3333} {0x4366}")
        self.until_value(BACK, 230.2)
        self.simulator.command("only 1 110")
        self.simulator.command("fault data 1")
        answer = self.put(NAME, BACK, "50")
        self.expect(answer, "5.04")
        self.assertIn("reads back another value", answer.payload.decode())

    def test_identification(self):
        self.begin()
        self.until_value(MANUFACTURER, "Fieldway")
        self.until_value(MODEL, "SIM-1")
        self.until_value(FIRMWARE, "V1.5")

    def test_digits_and_times(self):
        self.begin()
        # 2026-11-25 17:20:31, as Schneider Electric's meters have it.
        self.simulator.command("set holding 130 0x1234 0x5678 26 0x0b79 0x1114 0x7918")
        self.until_value(DIGITS, 12345678)
        self.until_value(CLOCK, 1795627231)
        self.simulator.command("set holding 130 0x123a")
        self.until_code(NAME, DIGITS, "5.03")

    def test_models(self):
        """Wherever the device has them, also after it was away; a missing one has no value."""
        self.begin()
        self.until_value(POWER, 4711)
        self.expect(self.server.request(NAME, "GET", STORAGE), "5.03")
        self.simulator.command("unplug")
        self.log("device plc is offline")
        self.simulator.command("set holding 40000 0 0")
        self.chain(50000, inverter(815), "124 1 77")
        self.simulator.command("talk")
        self.until_value(POWER, 815)
        self.until_value(STORAGE, 77)


if __name__ == "__main__":
    main()
