#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayd --check: every error with file, line and column, and exit codes."""
import glob
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, build_path, main, source_path  # noqa: E402
from fieldway_test.programs import plugin_folder  # noqa: E402

MAIN = """schema: 1
gateway: {name: gw, endpoint: "{gateway}", endpoint_template: "{gateway}-{name}"}
servers:
  - name: plant
    short_id: 101
    uri: coaps://127.0.0.1:5684
    security: {mode: psk, identity: "{endpoint}", key: "derive:keys/plant.key"}
    endpoints: ["*"]
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {port: 502}
"""
PROFILE = """schema: 1
profile: meter
plugin: modbus
info: {manufacturer: Eastron, model: SDM630}
rates: {fast: 2s}
defaults: {area: input, type: float32, rate: fast}
points:
  v1:     {address: 0, unit: V}
  energy: {address: 72, unit: kWh}
  relay:  {area: coil, type: bool, address: 0, access: rw}
lwm2m:
  3316/0/5700: v1
  3305/0: {5800: {value: 1.5}, 5805: energy}
  3306/0/5850: relay
samples:
  - {registers: {input: {0: [0x4366, 0x3333], 72: [0x449a, 0x5000]}}, expect: {v1: 230.2, energy: 1234.5}}
"""
DEVICES = """schema: 1
devices:
  - {name: "m{n}", profile: meter, bus: lan, each: {n: 1-3}, address: {host: "10.0.0.{n}", unit: 1}}
"""
FILES = {"fieldway.yaml": MAIN, "buses.d/lan.yaml": BUS, "profiles.d/meter.yaml": PROFILE,
         "devices.d/site.yaml": DEVICES}

# (file, what is replaced, by what, where it is found, what is said)
BROKEN = (
    ("fieldway.yaml", "short_id: 101", "short_id: [101", r"\d+:\d+", "."),
    ("fieldway.yaml", "short_id: 101", "\tshort_id: 101", r"5:\d+", "."),
    ("fieldway.yaml", "short_id: 101", "short_id: 101\n    short_id: 102", "6:5", "short_id"),
    ("fieldway.yaml", "short_id: 101", "short_id: 0", "5:15", "1 to 65534|between"),
    ("fieldway.yaml", "short_id: 101", "short_id: 70000", "5:15", "."),
    ("fieldway.yaml", "short_id: 101", "short_di: 101", "5:5", 'did you mean "?short_id'),
    ("fieldway.yaml", "short_id: 101", "short_id: 101\n    queue_mode: yes", "6:17", "true"),
    ("fieldway.yaml", "short_id: 101", "short_id: 101\n    lifetime: 5 minutes", "6:15", "."),
    ("fieldway.yaml", "short_id: 101", "short_id: 101\n    protocol: \"2.0\"", "6:15", "."),
    ("fieldway.yaml", "short_id: 101", "short_id: 101\n    formats: [tlv, xml]", r"6:\d+|4:5", "xml"),
    ("fieldway.yaml", "coaps://127", "coap://127", r"\d+:\d+", "coaps"),
    ("fieldway.yaml", "coaps://127", "coap+tcp://127", "6:10", "not in this version"),
    ("fieldway.yaml", "coaps://127.0.0.1:5684", "http://127.0.0.1", "6:10", "coap"),
    ("fieldway.yaml", "derive:keys/plant.key", "psk-file:keys/nonesuch.psk", r"\d+:\d+", "nonesuch.psk"),
    ("fieldway.yaml", "derive:keys/plant.key", "psk-file:keys/open.psk", r"\d+:\d+", "open.psk"),
    ("fieldway.yaml", "derive:keys/plant.key", "00112233", r"\d+:\d+", "psk-file"),
    ("fieldway.yaml", "mode: psk", "mode: x509", r"7:\d+", "not in this version"),
    ("fieldway.yaml", "servers:", "bootstrap: {uri: coaps://b}\nservers:", r"3:\d+", "coaps needs security"),
    ("fieldway.yaml", "servers:", "bootstrap: {use: first}\nservers:", r"3:\d+", "uri"),
    ("fieldway.yaml", "servers:", "bootstrap: {uri: coap://b, use: never}\nservers:", r"3:\d+", "first"),
    ("fieldway.yaml", "servers:", "bootstrap: {uri: coap://b, hold_off: 2d}\nservers:", r"3:\d+", "1d"),
    ("fieldway.yaml", "servers:",
     "bootstrap: {uri: coaps://b, security: {mode: psk, key: \"psk-file:keys/nonesuch.psk\"}}\nservers:", r"3:\d+",
     "nonesuch.psk"),
    ("fieldway.yaml", MAIN, MAIN + MAIN[MAIN.index("  - name"):].replace("plant", "two"),
     r"9:5", "another server has short_id 101, in line 4"),
    ("fieldway.yaml", "schema: 1", "schema: 2", "1:9", "."),
    ("fieldway.yaml", "schema: 1\n", "", "1:1", "schema"),
    ("buses.d/lan.yaml", "plugin: modbus", "plugin: modbsu", "3:9", "modbsu"),
    ("buses.d/lan.yaml", "port: 502", "port: 70000", "4:13", "65535"),
    ("buses.d/lan.yaml", "port: 502", "prot: 502", "4:7", 'did you mean "?port'),
    ("buses.d/lan.yaml", "tcp: {port: 502}", "tcp: {host: 10.0.0.1, port: 502}", "4:7", "address:.* of a device"),
    ("profiles.d/meter.yaml", "unit: kWh}", "unit: kWh, write: {address: 1}}", r"9:\d+", "access is r"),
    ("buses.d/lan.yaml", "tcp: {port: 502}", "", r"\d+:\d+", "tcp|rtu"),
    ("buses.d/lan.yaml", "tcp: {port: 502}", "rtu: {device: /dev/ttyS9, format: 8E1}", r"4:\d+", "quote"),
    ("buses.d/lan.yaml", BUS, BUS + "---\n" + BUS, r"7:\d+", "lan"),
    ("profiles.d/meter.yaml", "unit: kWh}", "unit: V}", r"13:\d+", "Wh"),
    ("profiles.d/meter.yaml", "unit: V}", "unit: Volt}", r"\d+:\d+", "Volt"),
    ("profiles.d/meter.yaml", "3316/0/5700: v1", "3316/0/5700: v2", "12:16", 'v2.*did you mean "?v1'),
    ("profiles.d/meter.yaml", "3316/0/5700: v1", "3316/0/9999: v1", "12:3", "9999"),
    ("profiles.d/meter.yaml", "3316/0/5700: v1", "9316/0/5700: v1", "12:3", "9316"),
    ("profiles.d/meter.yaml", "3306/0/5850: relay", "3306/0/5850: relay\n  3300/0/5518: relay", r"15:\d+", "5518"),
    ("profiles.d/meter.yaml", "3316/0/5700: v1", "3316/0/5605: v1", r"12:\d+", "."),
    ("profiles.d/meter.yaml", "3316/0/5700: v1", "3316/0/5701: {value: V}", r"12:\d+", "5700|mandatory"),
    ("profiles.d/meter.yaml", "address: 0, unit: V", "address: 65535, unit: V", r"8:\d+", "."),
    ("profiles.d/meter.yaml", "address: 0, unit: V", "unit: V", r"8:\d+", "address"),
    ("profiles.d/meter.yaml", "area: coil, type: bool", "area: coil, type: float32", r"10:\d+", "v|float|coil"),
    ("profiles.d/meter.yaml", "area: coil, type: bool", "area: input, type: bool", r"10:\d+", "."),
    ("profiles.d/meter.yaml", "rate: fast}", "rate: slow}", r"6:\d+|8:\d+", "slow"),
    ("profiles.d/meter.yaml", "unit: kWh}", "unit: kWh, deadband: wide}", "9:46", "number"),
    ("profiles.d/meter.yaml", "unit: kWh}", "unit: kWh, persist: true}", "9:36", 'unknown key "persist"'),
    ("profiles.d/meter.yaml", "info: {", "extends: meetr\ninfo: {", "4:10", 'did you mean "?meter'),
    ("profiles.d/meter.yaml", "info: {", "identify: {point: v2, equals: 1}\ninfo: {", "4:19", "v2"),
    ("profiles.d/meter.yaml", "v1: 230.2,", "v1: 230.3,", r"16:\d+", "230.2"),
    ("profiles.d/meter.yaml", "energy: 1234.5}", "energy: invalid}", r"16:\d+", "1234.5"),
    ("profiles.d/meter.yaml", "expect: {v1", "expect: {v9", r"16:\d+", "v9"),
    ("profiles.d/meter.yaml", "profile: meter", "profile: other", r"\d+:\d+", "meter|other"),
    ("devices.d/site.yaml", "profile: meter", "profile: metre", r"3:\d+", 'did you mean "?meter'),
    ("devices.d/site.yaml", "bus: lan", "bus: wan", r"3:\d+", "wan"),
    ("devices.d/site.yaml", '"m{n}"', '"m"', r"3:\d+", "."),
    ("devices.d/site.yaml", '"10.0.0.{n}"', '"10.0.0.1"', r"3:\d+", "."),
    ("devices.d/site.yaml", '"10.0.0.{n}"', '"10.0.0.{x}"', r"3:\d+", "x"),
    ("devices.d/site.yaml", "unit: 1}", "unit: 300}", r"3:\d+", "300|255|247"),
    ("devices.d/site.yaml", DEVICES, DEVICES + "endpoints:\n  - {name: e, lwm2m: {3303/0/5700: m1.nothing}}\n",
     r"5:\d+", "nothing"),
    ("devices.d/site.yaml", DEVICES, "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
     r"\d+:\d+", "."),
    ("devices.d/site.yaml", DEVICES, "schema: 1\ndevices: " + "[" * 200 + "]" * 200 + "\n", r"\d+:\d+", "."),
)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class CheckTest(Scenario):
    def write(self, changed=None):
        for name, text in {**FILES, **(changed or {})}.items():
            self.rig.write("etc/" + name, text)
        self.rig.write("etc/keys/plant.key", "0" * 32, 0o600)
        for name, mode in (("plant", 0o600), ("open", 0o644)):
            self.rig.write(f"etc/keys/{name}.psk", f"gw:{'00' * 16}\n", mode)

    def check(self, *arguments, folder="etc", shared=None):
        """(exit status, lines)"""
        done = subprocess.run(
            [build_path("fieldwayd"), "--check", self.rig.path(folder), "--objects", source_path("objects"),
             "--host-program", build_path("fieldway-plugin-host"), "--plugins", plugin_folder(self.rig),
             "--shared", shared or self.rig.path("shared"), *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, timeout=60, text=True, check=False)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr.splitlines()

    def test_good(self):
        self.write()
        self.assertEqual(self.check(), (0, []))

    def test_broken(self):
        for name, old, new, place, text in BROKEN:
            with self.subTest(f"{name}: {new[:60]}"):
                self.assertIn(old, FILES[name])
                self.write({name: FILES[name].replace(old, new, 1)})
                status, lines = self.check()
                self.assertEqual(status, 1, lines)
                path = re.escape(self.rig.path("etc", name))
                self.assertTrue([line for line in lines if re.search(f"^{path}:({place}): .*({text})", line)], lines)
                self.assertTrue(all(re.match(r"\S+:\d+:\d+: ", line) for line in lines), lines)

    def test_where_metrics_may_be(self):
        """On this machine alone; anything else is said with its place."""
        elsewhere = ("0.0.0.0:9464", "10.0.0.1:9464", "[::]:9464", "[::ffff:127.0.0.1]:9464", "[fe80::1]:9464",
                     "localhost:9464", ":9464", "[]:9464")
        for listen in (*elsewhere, "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "unix:metrics", "unix:",
                       "unix:/" + "x" * 107, "", "9464"):
            with self.subTest(listen):
                self.write({"fieldway.yaml": MAIN + f'metrics: {{listen: "{listen}"}}\n'})
                status, lines = self.check()
                self.assertEqual((status, len(lines)), (1, 1), lines)
                self.assertRegex(lines[0], r"fieldway\.yaml:9:19: .*" + ("only on loopback" if listen in elsewhere else ""))
        for listen in ("127.0.0.1:9464", "127.255.0.1:1", "[::1]:65535", "unix:/" + "x" * 106):
            with self.subTest(listen):
                self.write({"fieldway.yaml": MAIN + f'metrics: {{listen: "{listen}"}}\n'})
                self.assertEqual(self.check(), (0, []))

    def test_all_errors_in_one_run(self):
        self.write({"fieldway.yaml": MAIN.replace("101", "0"), "buses.d/lan.yaml": BUS.replace("502", "70000"),
                    "devices.d/site.yaml": DEVICES.replace("bus: lan", "bus: wan")})
        status, lines = self.check()
        self.assertEqual(status, 1)
        for name in ("fieldway.yaml:", "lan.yaml:", "site.yaml:"):
            self.assertTrue([line for line in lines if name in line], lines)

    def test_warnings(self):
        self.write({"devices.d/more.yml": DEVICES})
        status, lines = self.check()
        self.assertEqual((status, len(lines)), (0, 1), lines)
        self.assertRegex(lines[0], r"more\.yml:1:1: .*\(warning\)$")

    def warned(self, changed):
        """The warnings of a configuration that is right otherwise, without the folder."""
        self.write(changed)
        status, lines = self.check(shared=source_path("etc"))
        self.assertEqual(status, 0, lines)
        self.assertTrue(all(line.endswith(" (warning)") for line in lines), lines)
        return [line.removeprefix(self.rig.path("etc") + "/").removesuffix(" (warning)") for line in lines]

    def test_line_that_cannot_keep_up(self):
        bus = 'schema: 1\nbus: lan\nplugin: modbus\nrtu: {device: /dev/ttyS9, baud: 9600, format: "8N1"}\n'
        rows = ('schema: 1\ndevices:\n  - {name: "m{unit}", profile: eastron-sdm630, bus: lan,\n'
                "     address: {unit: %s}}\n")
        few = self.warned({"profiles.d/meter.yaml": "", "buses.d/lan.yaml": bus,
                           "devices.d/site.yaml": rows % "1-5"})
        self.assertEqual(few, [])
        many = self.warned({"profiles.d/meter.yaml": "", "buses.d/lan.yaml": bus,
                            "devices.d/site.yaml": rows % "1-40"})
        self.assertEqual(len(many), 1, many)
        self.assertRegex(many[0], r"^buses\.d/lan\.yaml:1:1: bus lan: line /dev/ttyS9 cannot keep up, it is \d+ % busy: "
                                  r"fast wanted 2 s, gets \d+(\.\d)? s$")
        there = rows.replace("{unit: %s}", "{host: h, unit: 1-5}")
        paused = self.warned({"profiles.d/meter.yaml": "", "devices.d/site.yaml": there,
                              "buses.d/lan.yaml": BUS.replace("port: 502", "port: 502, pause: 300ms")})
        self.assertRegex("".join(paused), r"line h:502/0 cannot keep up, it is \d+ % busy: fast wanted 2 s, gets \d")
        slower = self.warned({"profiles.d/meter.yaml": "", "buses.d/lan.yaml": bus + "rates: {fast: 15s}\n",
                              "devices.d/site.yaml": rows % "1-40"})
        self.assertEqual(slower, [])

    def test_line_of_two_buses(self):
        bus = 'schema: 1\nbus: %s\nplugin: %s\n%s: {device: %s, baud: 9600}\n'
        self.rig.write("tty", "")
        os.symlink(self.rig.path("tty"), self.rig.path("by-id"))
        site = ("schema: 1\ndevices:\n  - {name: m, profile: eastron-sdm630, bus: lan, address: {unit: 1}}\n"
                "  - {name: b, profile: mettler-sics, bus: bench}\n")
        for other, name in ((self.rig.path("by-id"), f", as {self.rig.path('tty')}"), (self.rig.path("tty"), "")):
            warned = self.warned({
                "profiles.d/meter.yaml": "", "devices.d/site.yaml": site,
                "buses.d/lan.yaml": bus % ("lan", "modbus", "rtu", self.rig.path("tty")),
                "buses.d/scale.yaml": bus % ("bench", "serial", "serial", other)})
            lan = self.rig.path("etc", "buses.d", "lan.yaml")
            self.assertEqual(warned, [f"buses.d/scale.yaml:1:1: bus bench: line {other} is one of bus lan ({lan}:1) too"
                                      f"{name}: what shares a line belongs on one bus"])

    def test_device_in_two_rows(self):
        """Also where the rows write its address in two ways, or it has none; two types may listen to one line."""
        serial = "schema: 1\nbus: lan\nplugin: serial\nserial: {device: /dev/ttyS9}\n"
        ble = "schema: 1\nbus: lan\nplugin: ble\n"
        row = "  - {name: %s, profile: %s, bus: lan, address: %s}\n"
        for bus, a, b, wrong in (
                (BUS, ("xy-md02", "{host: h, unit: 1}"), ("xy-md02", "{host: h, port: 502, unit: 1}"), True),
                (BUS, ("xy-md02", "{host: h, unit: 1}"), ("xy-md02", "{host: H, unit: 1}"), True),
                (BUS, ("xy-md02", "{host: h, unit: 1}"), ("xy-md02", "{host: h, port: 503, unit: 1}"), False),
                (BUS, ("xy-md02", "{host: h, unit: 1}"), ("eastron-sdm120", "{host: h, unit: 2}"), False),
                (serial, ("mettler-sics", "{}"), ("mettler-sics", "{}"), True),
                (serial, ("nmea-0183-gnss", "{}"), ("nmea-0183-weather", "{}"), False),
                (ble, ("ruuvitag", '{mac: "A4:C1:38:00:11:01"}'), ("ruuvitag", '{mac: "a4:c1:38:00:11:01"}'), True)):
            with self.subTest(f"{a} {b}"):
                self.write({"profiles.d/meter.yaml": "", "buses.d/lan.yaml": bus,
                            "devices.d/site.yaml": "schema: 1\ndevices:\n" + row % ("a", *a) + row % ("b", *b)})
                site = self.rig.path("etc/devices.d/site.yaml")
                self.assertEqual(self.check(shared=source_path("etc")),
                                 (1, [f"{site}:4:12: b has the address of a on bus lan ({site}:3)"]) if wrong else (0, []))

    def test_keys_that_are_missing(self):
        main = MAIN.replace("derive:keys/plant.key", "psk-file:keys/plant.psk")
        self.assertEqual(self.warned({"fieldway.yaml": main}),
                         ["fieldway.yaml:4:5: server plant: psk-file:keys/plant.psk has no key for 3 of 4 endpoints; "
                          "the first is gw-m1"])
        self.assertEqual(self.warned({"fieldway.yaml": main.replace('"*"', "host")}), [])

    def test_words_that_count_for_nothing(self):
        nothing = ("access: counts for nothing: no endpoint of it registers at another server, too; "
                   "`writes: {allow: false}` makes the gateway read-only")
        second = '  - {name: b, short_id: 2, uri: "coap://127.0.0.1", endpoints: [m1]}\n'
        main = MAIN + "    access: read\n"
        self.assertEqual(self.warned({"fieldway.yaml": main}), [f"fieldway.yaml:4:5: server plant: {nothing}"])
        self.assertEqual(self.warned({"fieldway.yaml": main + second}), [])
        apart = main.replace('["*"]', '[m2, m3]') + second
        self.assertEqual(self.warned({"fieldway.yaml": apart}), [f"fieldway.yaml:4:5: server plant: {nothing}"])
        self.assertEqual(self.warned({"fieldway.yaml": MAIN + "bootstrap: {uri: coap://b, endpoints: [host, \"x*\"]}\n"}),
                         ['fieldway.yaml:9:46: no endpoint has a name like "x*"'])

    def test_handlers(self):
        main = MAIN + ("firmware: {handler: deb, trust: /nonesuch.pem}\n"
                       "software: [{name: app, handler: deb, max_size: 1048576}, {name: other, handler: nonesuch}]\n")
        handlers = self.rig.path("etc/install.d")
        missing = f"software other: handler: {handlers}/nonesuch: No such file or directory"
        trust = "fieldway.yaml:9:33: firmware: trust: /nonesuch.pem: No such file or directory"
        for mode, trouble in (0o755, None), (0o644, "is no program: chmod 755"), \
                (0o775, "may be changed by others, and so is not run: chmod 755"):
            self.rig.write("etc/install.d/deb", "#!/bin/sh\n", mode)
            os.chmod(os.path.join(handlers, "deb"), mode)
            self.assertEqual(self.warned({"fieldway.yaml": main}), [
                *([f"fieldway.yaml:9:21: firmware: handler: {handlers}/deb: {trouble}"] if trouble else []), trust,
                *([f"fieldway.yaml:10:33: software app: handler: {handlers}/deb: {trouble}"] if trouble else []),
                f"fieldway.yaml:10:81: {missing}"])
        self.rig.write("etc/install.d/deb", "#!/bin/sh\n", 0o755)
        os.chmod(handlers, 0o775)
        self.assertEqual(self.warned({"fieldway.yaml": MAIN + "firmware: {handler: deb}\n"}), [
            f"fieldway.yaml:9:21: firmware: handler: {handlers}/deb: its folder may be changed by others, and so it is "
            "not run: chown root, chmod 755"])

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_handler_of_somebody(self):
        self.rig.write("etc/install.d/deb", "#!/bin/sh\n", 0o755)
        path = self.rig.path("etc/install.d/deb")
        os.chown(path, 65534, 65534)
        self.assertEqual(self.warned({"fieldway.yaml": MAIN + "firmware: {handler: deb}\n"}), [
            f"fieldway.yaml:9:21: firmware: handler: {path}: may be changed by others than root, and so is not run: "
            "chown root"])

    def test_points_that_look_wrong(self):
        text = PROFILE.replace("  relay:", "  halved: {address: 1, unit: V}\n  relay:")
        self.assertEqual([line.split(": ", 1)[0] for line in self.warned({"profiles.d/meter.yaml": text})],
                         ["profiles.d/meter.yaml:10:3", "profiles.d/meter.yaml:10:21"])
        self.assertRegex(self.warned({"profiles.d/meter.yaml": text})[1], "halved.*overlaps.*v1")

    def test_extended(self):
        """A profile that says what is different from a shipped one; its errors stand where they were made."""
        extending = "schema: 1\nprofile: meter\nextends: eastron-sdm630\nrates: {fast: 7s}\n"
        site = DEVICES.replace("unit: 1}", "unit: 1}, parameters: {ct: 40}")
        self.assertEqual(self.warned({"profiles.d/meter.yaml": extending, "devices.d/site.yaml": site}), [])
        self.write({"profiles.d/meter.yaml": extending + 'points: {"v{p}": {address: far}, none: null}\n'})
        status, lines = self.check(shared=source_path("etc"))
        self.assertEqual((status, len(lines)), (1, 1), lines)
        self.assertRegex(lines[0], r"meter\.yaml:5:34: null removes .* no none here")
        self.write({"profiles.d/meter.yaml": extending + 'points: {"v{p}": {address: far}}\n'})
        status, lines = self.check(shared=source_path("etc"))
        self.assertRegex("".join(lines), r"meter\.yaml:5:28: expected an integer, found far")

    def test_files_of_a_plugin(self):
        """What a key of a bus leads to, and who may read it."""
        bus = BUS.replace("tcp: {port: 502}", "tls: {ca: certs/ca.pem, certificate: certs/gw.pem, key: certs/gw.key}")
        self.write({"buses.d/lan.yaml": bus})
        self.assertEqual(self.check(), (1, [f"{self.rig.path('etc/buses.d/lan.yaml')}:4:11: bus lan: tls.ca: "
                                            f"{self.rig.path('etc/certs/ca.pem')}: No such file or directory"]))
        for name in ("ca.pem", "gw.pem", "gw.key"):
            self.rig.write("etc/certs/" + name, "x" * 65537 if name == "gw.pem" else "x", 0o644)
        self.assertRegex("".join(self.check()[1]), r"4:38: bus lan: tls.certificate: .*gw\.pem: larger than 64 KiB$")
        self.rig.write("etc/certs/gw.pem", "x", 0o644)
        self.assertRegex("".join(self.check()[1]), r"4:57: bus lan: tls.key: .*gw\.key: other users can read")

    def test_not_configured(self):
        os.mkdir(self.rig.path("etc"))
        status, lines = self.check()
        self.assertEqual((status, len(lines)), (0, 1))
        self.assertIn("not configured", lines[0])
        self.rig.write("etc/fieldway.yaml", "")
        self.assertEqual(self.check()[0], 0)

    def test_no_folder(self):
        status, lines = self.check(folder="nonesuch")
        self.assertIn("nonesuch", "".join(lines))
        self.assertEqual(status, 1, "a mistyped folder is no configuration")

    def test_unreadable(self):
        self.write()
        self.rig.write("etc/devices.d/bad.yaml", "")
        with open(self.rig.path("etc/devices.d/bad.yaml"), "wb") as f:
            f.write(b"schema: 1\nnote: \xff\xfe\n")
        status, lines = self.check()
        self.assertEqual(status, 1)
        self.assertIn("bad.yaml:", lines[0])

    def test_wrong_options(self):
        for arguments in (["--nonesuch"], ["surplus"], ["--log-level", "loud"], ["--log-level", "lwm2m=loud"], ["--log-level", "ctl=info"]):
            done = subprocess.run([build_path("fieldwayd"), *arguments], stderr=subprocess.PIPE, timeout=20,
                                  check=False)
            self.assertEqual(done.returncode, 64)
            self.assertTrue(done.stderr)

    def test_shipped(self):
        """Every device type that is shipped: its samples, and a device of it, without a word."""
        names = sorted(os.path.basename(path)[:-5] for path in glob.glob(source_path("etc", "profiles.d", "*.yaml")))
        modbus = [name for name in names if "\nplugin: modbus\n" in read(source_path("etc", "profiles.d", name + ".yaml"))]
        self.assertGreater(len(modbus), 3)
        rows = "".join(f"  - {{name: {name}, profile: {name}, bus: lan, address: {{host: 10.0.0.1, unit: {i + 1}}}}}\n"
                       for i, name in enumerate(modbus))
        serial = [name for name in names if "\nplugin: serial\n" in read(source_path("etc", "profiles.d", name + ".yaml"))]
        self.assertGreater(len(serial), 3)
        rows += "".join(f"  - {{name: {name}, profile: {name}, bus: {name}}}\n" for name in serial)
        ble = [name for name in names if "\nplugin: ble\n" in read(source_path("etc", "profiles.d", name + ".yaml"))]
        self.assertGreater(len(ble), 3)
        rows += "".join(f'  - {{name: {name}, profile: {name}, bus: radio, address: {{mac: "A4:C1:38:00:11:{i:02}"}}}}\n'
                        for i, name in enumerate(ble))
        buses = "".join(f"---\nschema: 1\nbus: {name}\nplugin: serial\nserial: {{device: /dev/{name}}}\n" for name in serial)
        self.write({"profiles.d/meter.yaml": "", "devices.d/site.yaml": "schema: 1\ndevices:\n" + rows,
                    "buses.d/serial.yaml": buses[4:] + "---\nschema: 1\nbus: radio\nplugin: ble\n"})
        self.assertEqual(self.check(shared=source_path("etc")), (0, []))

    def test_own_object(self):
        """One of the user's without a resource that shipped types map: only a device of such a type is wrong."""
        name = "3303-temperature.yaml"
        text = read(source_path("objects", name))
        self.assertIn("\n  5750:", text)
        lines = [line for line in text.splitlines(True) if not line.startswith("  5750:")]
        self.rig.write("etc/objects.d/" + name, "".join(lines))
        told = self.warned({})
        self.assertIn("danfoss-vlt.yaml", "".join(told))
        self.assertTrue(all("3303" in line for line in told), told)
        self.write({"devices.d/site.yaml": DEVICES.replace("profile: meter", "profile: danfoss-vlt")})
        status, lines = self.check(shared=source_path("etc"))
        self.assertEqual((status, [line for line in lines if "(warning)" not in line]),
                         (1, [f"{source_path('etc', 'profiles.d', 'danfoss-vlt.yaml')}:19:29: "
                              "object 3303 (Temperature) 1.1 has no resource 5750"]))

    def test_shipped_samples_run(self):
        """A sample of a shipped type that no device uses is run, and can fail."""
        self.write()
        name = "eastron-sdm120.yaml"
        text = read(source_path("etc", "profiles.d", name))
        self.assertIn("voltage: 230.2", text)
        self.rig.write("broken/profiles.d/" + name, text.replace("voltage: 230.2", "voltage: 230.3"))
        status, lines = self.check(shared=self.rig.path("broken"))
        self.assertEqual((status, len(lines)), (1, 1), lines)
        self.assertRegex(lines[0], name + r":\d+:\d+: .*voltage.*230\.3.*230\.2")

    def test_shipped_listed(self):
        """What lies in etc/profiles.d is installed, and has a row in its table."""
        lists = read(source_path("etc", "etc.am")), read(source_path("etc", "profiles.d", "README.md"))
        for path in glob.glob(source_path("etc", "profiles.d", "*.yaml")):
            name = os.path.basename(path)
            self.assertIn(f"etc/profiles.d/{name}", lists[0])
            self.assertIn(f"| `{name[:-5]}` |", lists[1])

    def test_keys_are_documented(self):
        """Every key of the tables, of which one that comes later has no place in a page for users."""
        page = read(source_path("etc", "README.md"))
        code = "".join(map(read, glob.glob(source_path("agent", "config", "keys*.c"))))
        keys = set(re.findall(r'\{ "(\w+)", KEY_', code))
        self.assertGreater(len(keys), 60)
        self.assertEqual(sorted(key for key in keys if not re.search(rf"\b{key}\b", page)), [])
        self.assertEqual(sorted(key for key in re.findall(r'LATER\("(\w+)"', code)
                                if key not in keys and f"`{key}`" in page), [])

    def test_examples(self):
        """The examples, each plugin's own checks and all: with the keys that they name there is nothing to say."""
        paths = glob.glob(source_path("etc", "examples", "**", "*.yaml"), recursive=True)
        lists = read(source_path("etc", "etc.am"))
        for path in paths:
            name = os.path.relpath(path, source_path("etc", "examples"))
            self.assertIn("etc/examples/" + name, lists)
            self.rig.write("etc/" + name, read(path))
        self.assertEqual(sorted(set(re.findall(r"(?m)^plugin: (\w+)$", "".join(map(read, paths))))),
                         ["ble", "local", "modbus", "serial"])
        key = "00" * 16
        for name, text in (("plant.psk", f"gw:{key}"), ("air.passkey", "123456"),
                           ("bthome.keys", f"A4:C1:38:00:11:01:{key}\nA4:C1:38:00:11:02:{key}")):
            self.rig.write("etc/keys/" + name, text + "\n", 0o600)
        status, lines = self.check(shared=source_path("etc"))
        self.assertEqual((status, len(lines)), (0, 1), lines)
        self.assertRegex(lines[0], r"psk-file:keys/plant\.psk has no key for \d+ of \d+ endpoints; .*\(warning\)$")

    def test_leaves_nothing_behind(self):
        """Neither state nor connections nor a device opened."""
        self.start_meters()
        before = self.simulator.command("0 requests")
        self.start_server()
        self.configure()
        self.assertEqual(self.check()[0], 0)
        self.assertEqual(self.simulator.command("0 requests"), before)
        self.assertEqual(sorted(os.listdir(self.rig.path("etc"))), ["buses.d", "devices.d", "fieldway.yaml", "profiles.d"])


if __name__ == "__main__":
    main()
