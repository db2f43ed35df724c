#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl profile and explain: what files add up to, and what comes of it on a line."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main  # noqa: E402
from fieldway_test.bus import STRANGER  # noqa: E402
from fieldway_test.programs import plugin_folder  # noqa: E402
from ctl_field_test import FOLDERS, HERE, WIRE, WireScenario  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402

TRIED = """schema: 1
profile: tried
extends: tried-base
parameters: {ct: {type: float, default: 1, range: 1..2000, help: ratio}}
points:
  power:   {address: 10, type: int32, unit: W, factor: ct}
"""
TRIED_BASE = """schema: 1
profile: tried-base
plugin: modbus
info: {manufacturer: ACME, model: T1}
rates: {fast: 1s}
defaults: {area: holding, type: uint16, rate: fast, max_gap: 100, address_base: 1}
identify: {point: code, equals: [7, 0x70]}
points:
  code:    {address: 1, rate: once}
  power:   {address: 10, type: int32, unit: W}
  energy:  {address: 12, type: uint32, unit: kWh, scale: 0.1}
  volts:   {address: 14, scale10: digits, unit: V}
  digits:  {address: 15, type: int16}
  gone:    {address: 16, invalid: [0xFFFF, -1]}
  mode:    {address: 17, enum: {0: stop, 1: run}}
  hot:     {address: 18, bit: 3}
  relay:   {area: coil, address: 1, type: bool, access: w}
  on:      {area: coil, address: 2, type: bool, access: rw}
  far:     {area: input, address: 9000}
lwm2m:
  3305/0:      {5800: power, 5805: energy, 5750: {value: "total"}}
  3316/0/5700: volts
  3300/0/5700: gone
  3300/1/5700: far
  3306/0:      {5850: on, 5853: mode}
  3/0/11:      {alarms: {hot: 16}}
  3/0/12:      {execute: relay, value: true}
samples:
  - {registers: {holding: {9: [0xFFFF, 0xFFFE]}}, expect: {power: -2}}
"""


class ProfileTest(CtlScenario):
    def profile(self, *arguments):
        return ("profile", *arguments, *FOLDERS, "--config=" + self.rig.path("mine"),
                "--plugins=" + plugin_folder(self.rig), "--host-program=" + build_path("fieldway-plugin-host"))

    def write_profiles(self, text=TRIED):
        os.makedirs(self.rig.path("mine/profiles.d"), exist_ok=True)
        self.rig.write("mine/profiles.d/tried-base.yaml", TRIED_BASE)
        return self.rig.write("tried.yaml", text)

    def test_samples(self):
        """Without a daemon: by name and by file, with what they extend."""
        file = self.write_profiles()
        self.rig.write("mine/profiles.d/tried-other.yaml", "this: is none of its business")
        self.assertEqual(self.ctl(*self.profile("test", "tried-base", "abb-b23"), environment={}),
                         "tried-base: 1 sample, 1 value, all as expected\nabb-b23: 2 samples, 21 values, all as expected\n")
        self.assertEqual(self.ctl(*self.profile("test", file), environment={}), "tried: no samples\n")
        wrong = TRIED_BASE.replace("{power: -2}", "{power: -3}")
        file = self.rig.write("tried-base.yaml", wrong)
        done = self.run_ctl(*self.profile("test", file, "abb-b23"), environment={})
        line = wrong[:wrong.index("-3}")].count("\n") + 1
        column = wrong.splitlines()[line - 1].index("power: -3") + 1
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"^{file}:{line}:({column}|{column + 7}): .*point power: expected -3, got -2\n$")
        self.assertEqual(done.stdout, "tried-base: 1 sample, 1 value, 1 wrong\n"
                                      "abb-b23: 2 samples, 21 values, all as expected\n")

    def test_unreadable_folder(self):
        """What is wrong beside the profile is no reason not to try it."""
        file = self.rig.write("tried-base.yaml", TRIED_BASE)
        os.makedirs(self.rig.path("mine/devices.d"))
        os.symlink("nowhere", self.rig.path("mine/devices.d/site.yaml"))
        done = self.run_ctl(*self.profile("test", file), environment={})
        self.assertEqual((done.returncode, done.stdout), (0, "tried-base: 1 sample, 1 value, all as expected\n"))
        self.assertRegex(done.stderr, r"^\S+devices.d/site.yaml:1:1: cannot be read: a link to nothing \(warning\)\n$")

    def test_wrong_profiles(self):
        file = self.write_profiles(TRIED + "  volts: {adress: 1}\n")
        self.assertIn("tried.yaml:7:", self.fails("adress", *self.profile("test", file), environment={}))
        self.fails("no profile 'tried-bas' in", *self.profile("test", "tried-bas"), environment={}, status=3)
        self.fails("did you mean 'tried-base'?", *self.profile("test", "tried-bas"), environment={}, status=3)
        self.fails("cannot be read", *self.profile("test", self.rig.path("none.yaml")), environment={})
        for words in (("test",), ("try", file), ("try", file, "lan", "5"), ("run", file)):
            self.fails("profile", "profile", *words, status=2, environment={})
        self.fails("-p NAME=VALUE", "profile", "try", file, "lan", "-p", "ct", status=2, environment={})

    def test_show(self):
        """All of a profile, and where it stands, without a device or its address."""
        file = self.write_profiles()
        base = self.rig.path("mine/profiles.d/tried-base.yaml")
        text = self.ctl(*self.profile("show", file, "-p", "ct=40"), environment={})
        self.assertRegex(text, r"^profile +tried, revision 0\ninfo.manufacturer +ACME\n")
        self.assertRegex(text, r"(?m)^parameters.ct +40$")
        self.assertRegex(text, r"(?m)^rates.fast +1s$")
        self.assertRegex(text, r"(?m)^identify +code equals 7, 112$")
        self.assertRegex(text, r"(?m)^power +W +fast \(1s\) +area: holding, address: 10, .*factor: ct \(40\), lwm2m: 3305/0/5800$")
        self.assertRegex(text, r"(?m)^gone +- +fast \(1s\) +.*invalid: 65535, -1, lwm2m: 3300/0/5700$")
        text = self.ctl(*self.profile("show", file, "--origin", "-p", "ct=40"), environment={})
        for row in (rf"power +factor +ct \(40\) +{file}:6", rf"power +rate +fast \(1s\) +{base}:6",
                    rf"power +lwm2m +3305/0/5800 +{base}:21", rf"mode +enum +0: stop, 1: run +{base}:15",
                    r"\(device\) +max_registers +125 +\(default\)", r"\(device\) +parameters.ct +40 +\(command line\)",
                    rf"\(device\) +rates.fast +1s +{base}:5"):
            with self.subTest(row):
                self.assertRegex(text, rf"(?m)^{row}$")
        # Of another plugin, and with parameters of its own.
        self.assertIn("weight", self.ctl(*self.profile("show", "and-scale"), environment={}))

    def test_show_trouble(self):
        file = self.write_profiles()
        self.fails("no profile 'tried-bas' in", *self.profile("show", "tried-bas"), environment={}, status=3)
        self.fails("ct: 5000 is outside of its range", *self.profile("show", file, "-p", "ct=5000"), environment={})
        self.fails("unknown parameter", *self.profile("show", file, "-p", "cd=1"), environment={})
        file = self.rig.write("tried.yaml", TRIED.replace("extends: tried-base\n", ""))
        self.fails("plugin: is missing", *self.profile("show", file), environment={})
        for words in (("show",), ("show", file, "more"), ("show", file, "--unit", "1")):
            self.fails("profile", "profile", *words, status=2, environment={})

    def start_tried(self):
        self.start(rate="1h")
        # The simulator counts from 0, the profile from 1.
        self.simulator.command("set holding 0 112")
        self.simulator.command("set holding 9 65535 65436 0 12345 2304 65535 65535 1 8")
        return self.write_profiles()

    def test_try(self):
        file = self.start_tried()
        done = self.run_ctl(*self.profile("try", file, "lan", *HERE, "1", "-p", "ct=40"))
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)  # `far` is missing
        text = done.stdout
        for path, value, point, where in (("/3305/0/5800", "-4000 W", "power", "holding 10"),
                                          ("/3305/0/5805", "1234500 Wh", "energy", "holding 12"),
                                          ("/3305/0/5750", "total", "-", "-"), ("/3316/0/5700", "230.4 V", "volts", "holding 14"),
                                          ("/3300/0/5700", "invalid", "gone", "holding 16"), ("/3306/0/5853", "run", "mode", "holding 17"),
                                          ("/3/0/11", "alarm 16: yes", "hot", "holding 18"), ("/3/0/12", "(executed)", "relay", "coil 1"),
                                          ("/3300/1/5700", "illegal address", "far", "input 9000"), ("-", "112", "code", "holding 1")):
            with self.subTest(point):
                self.assertRegex(text, rf"(?m)^{path}\S*  .*  {re.escape(value)}  +{point}  +{where}")
        self.assertIn("\nidentify: code is 112, as it should be\n\n8 of 10 points read, 1 invalid, 1 missing\n", text)
        # Nothing of it stays.
        self.assertEqual(self.ctl("list").count("\n"), 3)
        self.assertEqual(self.ctl("list", "devices").count("\n"), 2)

    def test_another_model(self):
        self.start_tried()
        self.simulator.command("set holding 0 113")
        done = self.run_ctl(*self.profile("try", "tried-base", "lan", *HERE, "1"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("identify: code is 113: ANOTHER MODEL", done.stdout)

    def test_trouble(self):
        file = self.start_tried()
        self.fails("ct", *self.profile("try", file, "lan", *HERE, "1", "-p", "ct=5000"))
        self.fails("cd", *self.profile("try", file, "lan", *HERE, "1", "-p", "cd=5"))
        self.fails("unti", *self.profile("try", file, "lan", "--unti=5", *HERE, "1"))
        self.fails("no bus", *self.profile("try", file, "line", *HERE, "1"), status=3)
        self.fails("plugin", *self.profile("try", "nmea-0183-gnss", "lan", *HERE, "1"))
        self.simulator.command("silent")
        self.fails("no answer", *self.profile("try", file, "lan", *HERE, "1"))


METERS = """schema: 1
profile: meter
plugin: modbus
info: {manufacturer: ACME, model: M}
rates: {fast: 500ms, slow: 1h}
defaults: {area: input, rate: fast, max_registers: 60}
points:
  low:  {address: 0, type: uint16, unit: V, scale: 0.1}
  high: {address: 300, type: uint16}
  rare: {address: 400, type: uint32, order: CDAB, rate: slow}
lwm2m: {3316/0/5700: low, 3300/0/5700: high, 3300/1/5700: rare}
"""
MORE_DEVICES = """schema: 1
devices:
  - {name: "s{unit}", profile: meter, bus: wire, address: {unit: 1-30}}
"""


class ExplainTest(WireScenario):
    def start_line(self):
        """Thirty meters at 1200 baud: far too many for twice a second."""
        self.write_field()
        wire = WIRE.format(path=self.rig.path("ttyWire")).replace("115200", "1200")
        self.rig.write("etc/buses.d/wire.yaml", wire)
        self.rig.write("etc/profiles.d/meter.yaml", METERS)
        self.rig.write("etc/devices.d/more.yaml", MORE_DEVICES)
        self.start_server(names=("gw",))
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        self.until("online", "list", "devices")

    def test_line(self):
        self.start_line()
        self.rig.until(lambda: self.run_ctl("explain", "s7").returncode == 0, 20, "the host")
        text = self.ctl("explain", "s7")
        found = re.search(r"(?m)^Line \S+ttyWire\S*: 30 devices, (\S+) % busy, it cannot keep up:\n"
                          r"  fast wanted 500ms, gets (\S+)s$", text)
        self.assertTrue(found, text)
        # 60 requests of 8 and 7 bytes, 11 bits each, and what pauses take.
        least = 60 * 15 * 11 / 1200
        self.assertGreater(float(found[2]), least)
        self.assertGreater(float(found[1]), 100 * least / 0.5)
        self.assertRegex(text, r"\nMEASURED +WANTED +GETS +ANSWER +LONGEST +ERRORS +TIMEOUTS\n")
        self.assertRegex(text, r"(?m)^POINT +UNIT +RATE +KEYS$")
        self.assertRegex(text, r"(?m)^low +V +fast \(500ms\) +.*address: 0.*scale: 0.1, lwm2m: 3316/0/5700$")
        self.assertRegex(text, r"(?m)^rare +- +slow \(1h\) +.*order: CDAB")

    def test_origin(self):
        self.start_line()
        self.rig.until(lambda: self.run_ctl("explain", "s7").returncode == 0, 20, "the host")
        text = self.ctl("explain", "s7", "--origin")
        lines = METERS.splitlines()
        for point, key, value, line in (("low", "address", "0", "  low:"), ("low", "area", "input", "defaults:"),
                                        ("rare", "order", "CDAB", "  rare:"), ("low", "unit", "V", "  low:")):
            number = next(n for n, text_of in enumerate(lines, 1) if text_of.startswith(line))
            self.assertRegex(text, rf"(?m)^{point} +{key} +{value} +\S+etc/profiles.d/meter.yaml:{number}$")
        self.assertRegex(text, r"(?m)^\(device\) +unit +7 +\S+etc/devices.d/more.yaml:3$")
        self.assertRegex(text, r"(?m)^\(device\) +profile +meter, revision 0 +\S+etc/devices.d/more.yaml:3$")

    def test_connection(self):
        """Of TCP nobody can say beforehand; what was measured is there."""
        self.start()
        self.rig.until(lambda: re.search(r"(?m)^coil 0.* 200ms +2\d\dms|^coil 0.* 200ms +200ms", self.run_ctl(
            "explain", "vfd").stdout), 20, "two turns")
        text = self.ctl("explain", "vfd", user=STRANGER)
        self.assertRegex(text, r"\nLine 127\.0\.0\.1:\S+: 1 device, how long its requests take nobody can say beforehand\n")

    def test_silent_host(self):
        """What the files say is known all the same."""
        self.start()
        self.simulator.command("silent")
        self.until("offline", "explain", "vfd")
        self.assertRegex(self.ctl("explain", "vfd"), r"(?m)^speed +Hz +fast \(200ms\) +.*address: 100")


if __name__ == "__main__":
    main()
