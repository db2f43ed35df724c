#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Composite operations over two devices of one endpoint: Read-Composite, and
Write-Composite, which does all of it, or nothing."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, encode, main  # noqa: E402
from fieldway_test.scenario import free_port  # noqa: E402

NAME = "gw-pair"
FIRST, SECOND, PMIN, ERROR = "/3308/0/5900", "/3308/1/5900", "/1/0/2", "/3/0/11"
ETCH_JSON, ETCH_CBOR = 320, 322
HOSTS = ("127.0.0.1", "127.0.0.2")
# What is written to the second one goes elsewhere, so that its reads stay as they are when it refuses.
PROFILE = """schema: 1
profile: drive
plugin: modbus
rates: {fast: 200ms}
stale: {after: 2h}
defaults: {area: holding, type: uint16, rate: fast}
points:
  setpoint: {address: 100, access: rw, range: 0..50}
  other:    {address: 110, access: rw, range: 0..50, write: {address: 200}}
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 300ms
retries: 0
"""
SITE = """schema: 1
devices:
  - {name: a, profile: drive, bus: lan, address: {host: 127.0.0.1, unit: 1}, endpoint: none}
  - {name: b, profile: drive, bus: lan, address: {host: 127.0.0.2, unit: 1}, endpoint: none}
endpoints:
  - {name: pair, lwm2m: {3308/0/5900: a.setpoint, 3308/1/5900: b.other}}
"""


class CompositeTest(Scenario):
    def start(self, more="", first=10, profile=PROFILE):
        port = free_port(HOSTS)
        self.simulator = Simulator(self.rig, ["--plain"] + [w for h in HOSTS for w in ("--tcp", f"{h}:{port}")])
        self.simulator.command(f"0 set holding 100 {first}")
        self.simulator.command("1 set holding 110 20")
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=port))
        self.rig.write("etc/profiles.d/drive.yaml", profile)
        self.rig.write("etc/devices.d/site.yaml", SITE)
        self.start_server(names=("gw", NAME))
        self.configure(more=more)
        self.start_daemon()
        self.registered(NAME)
        self.until_code(NAME, FIRST, "2.05")
        self.until_code(NAME, SECOND, "2.05")

    def patch(self, values, content_format=ETCH_CBOR):
        body = (encode.senml_cbor if content_format == ETCH_CBOR else encode.senml_json)(values)
        return self.send(NAME, "IPATCH", "/", body, content_format)

    def holding(self, device, address):
        return int(self.simulator.command(f"{device} get holding {address}"))

    def fetch(self, *paths, content_format=ETCH_CBOR):
        body = (encode.paths_cbor if content_format == ETCH_CBOR else encode.paths_json)(paths)
        answer = self.expect(self.send(NAME, "FETCH", "/", body, content_format), "2.05")
        return self.server.values(answer, "/")

    def test_read(self):
        self.start()
        for content_format in (ETCH_CBOR, ETCH_JSON):
            self.assertEqual(self.fetch(SECOND, "/3/0/4", "/99/0/1", FIRST, "/3/0/16",
                                        content_format=content_format),
                             {FIRST: 10, SECOND: 20, "/3/0/16": "U"})
        self.assertEqual(self.fetch("/99"), {})
        everything = self.fetch("/")
        self.assertLessEqual({FIRST, SECOND, "/3/0/16", "/1/0/0"}, set(everything))
        self.assertFalse([p for p in everything if p.startswith("/0/")])

    def test_all(self):
        self.start()
        for content_format, value in ((ETCH_CBOR, 31), (ETCH_JSON, 32)):
            self.expect(self.patch({FIRST: value, PMIN: value, SECOND: value + 1}, content_format), "2.04")
            self.assertEqual(self.holding(0, 100), value)
            self.assertEqual(self.holding(1, 200), value + 1)
            self.assertEqual(self.read_one(NAME, FIRST), value)
            self.assertEqual(self.read_one(NAME, PMIN), value)

    def test_checked_first(self):
        self.start()
        self.expect(self.patch({FIRST: 31, SECOND: 51}), "4.00")
        self.expect(self.patch({FIRST: 31, "/3308/2/5900": 1}), "4.04")
        self.expect(self.patch({FIRST: 31, "/3/0/16": "U"}), "4.05")
        self.expect(self.patch({FIRST: 31, "/0/0/0": "x"}), "4.01")
        self.assertEqual(self.holding(0, 100), 10)

    def test_taken_back(self):
        self.start()
        before = self.send(NAME, "GET", PMIN)
        self.simulator.command("1 only 1 200")
        self.simulator.command("1 exception 4")
        answer = self.expect(self.patch({FIRST: 31, PMIN: 77, SECOND: 32}), "5.00")
        text = answer.payload.decode()
        self.assertTrue(text.startswith(f"{SECOND} failed: "), text)
        self.assertTrue(text.endswith(f"; taken back: {FIRST}"), text)
        self.assertEqual(self.holding(0, 100), 10)
        self.assertEqual(self.read_one(NAME, FIRST), 10)
        self.assertEqual(self.send(NAME, "GET", PMIN).code, before.code)
        self.assertEqual(self.read(NAME, ERROR), {f"{ERROR}/0": 0})
        # When it does not refuse any more, all goes.
        self.simulator.command("1 exception 0")
        self.expect(self.patch({FIRST: 31, PMIN: 77, SECOND: 32}), "2.04")
        self.assertEqual(self.read_one(NAME, PMIN), 77)

    def test_verify(self):
        """What a device has taken, and does not show, goes back with the rest."""
        self.start(profile=PROFILE.replace("write: {address: 200}", "write: {address: 200}, verify: {within: 300ms}"))
        answer = self.expect(self.patch({FIRST: 31, SECOND: 32}), "5.00")
        text = answer.payload.decode()
        self.assertTrue(text.startswith(f"{SECOND} failed: "), text)
        self.assertTrue(text.endswith(f"; taken back: {FIRST} {SECOND}"), text)
        self.assertEqual((self.holding(0, 100), self.holding(1, 200)), (10, 20))
        self.assertEqual(self.read(NAME, ERROR), {f"{ERROR}/0": 0})

    def test_not_taken_back(self):
        """The old value is one that may not be written."""
        self.start(first=60)
        self.simulator.command("1 only 1 200")
        self.simulator.command("1 exception 4")
        answer = self.expect(self.patch({FIRST: 31, SECOND: 32}), "5.00")
        self.assertTrue(answer.payload.decode().endswith(f"; not taken back: {FIRST}"), answer.payload)
        self.assertEqual(self.holding(0, 100), 31)
        self.assertEqual(self.read_one(NAME, FIRST), 31)
        self.log(f"{FIRST} (a.setpoint) could not be given its old value back")
        self.assertEqual(self.read(NAME, ERROR), {f"{ERROR}/0": 8})
        self.expect(self.put(NAME, FIRST, "33"), "2.04")
        self.assertEqual(self.read(NAME, ERROR), {f"{ERROR}/0": 0})

    def test_strict(self):
        self.start("writes: {atomic: strict}")
        answer = self.expect(self.patch({FIRST: 31, SECOND: 32}), "4.05")
        self.assertIn(b"2 transactions", answer.payload)
        self.assertEqual((self.holding(0, 100), self.holding(1, 200)), (10, 0))
        self.expect(self.patch({FIRST: 31, PMIN: 5}), "2.04")
        self.assertEqual(self.holding(0, 100), 31)


if __name__ == "__main__":
    main()
