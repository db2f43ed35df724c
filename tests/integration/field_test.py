#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes to devices: what is refused, what a device did, and what nobody knows
(configuration.md, Writes)."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, coap, encode, main  # noqa: E402
from fieldway_test.coap import ACK, CON  # noqa: E402
from fieldway_test.scenario import TLV  # noqa: E402

NAME = "gw-vfd"
SPEED, RUN, MODE, NUMBER, FIXED = "/3308/0/5900", "/3306/0/5850", "/3306/0/5853", "/3306/0/5851", "/3308/0/5750"
ROUNDED, COARSE = "/3308/1/5900", "/3308/2/5900"
PROFILE = """schema: 1
profile: vfd
plugin: modbus
info: {{manufacturer: ACME, model: VFD}}
rates: {{fast: {rate}}}
stale: {{after: 2h}}
defaults: {{area: holding, type: uint16, rate: fast}}
points:
  speed:    {{address: 100, scale: 0.1, unit: Hz, access: rw, range: 0..50, inexact: reject}}
  rounded:  {{address: 101, scale: 0.5, access: rw, verify: {{within: 500ms, tolerance: 0.5}}}}
  coarse:   {{address: 102, scale: 0.5, access: rw}}
  run:      {{area: coil, address: 0, type: bool, access: rw, verify: {{point: running, within: 400ms}}}}
  running:  {{area: discrete, address: 0, type: bool}}
  mode:     {{address: 110, access: rw, enum: {{0: stop, 1: forward, 2: reverse}}}}
  number:   {{address: 111, access: rw, range: 0..100}}
  read:     {{address: 112}}
  overtemp: {{address: 120, bit: 3}}
  ack:      {{area: coil, address: 9, type: bool, access: w}}
lwm2m:
  3308/0/5900: speed
  3308/0/5750: {{value: "the speed"}}
  3308/1/5900: rounded
  3308/2/5900: coarse
  3306/0/5850: run
  3306/0/5851: number
  3306/0/5853: mode
  3306/1/5850: read
  3/0/11: {{alarms: {{overtemp: 16}}}}
  3/0/12: {{execute: ack, value: true}}
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: {timeout}
retries: 1
offline: {{after: {after}, retry: 300ms..500ms}}
"""
DEVICES = """schema: 1
devices:
  - {name: vfd, profile: vfd, bus: lan, address: {host: 127.0.0.1, unit: 1}}
"""
WRITES = {"5", "6", "15", "16"}     # functions that change something
SILENT_S = 4.5                      # the field deadline is 4 s, retries and all


class FieldScenario(Scenario):
    def write_field(self, kind="--relay", rate="200ms", timeout="300ms", after=3, profile=PROFILE):
        self.simulator = Simulator(self.rig, [kind, "--tcp", "127.0.0.1:0"])
        self.rig.write("etc/buses.d/lan.yaml",
                       BUS.format(port=self.simulator.port(0), timeout=timeout, after=after))
        self.rig.write("etc/profiles.d/vfd.yaml", profile.format(rate=rate))
        self.rig.write("etc/devices.d/site.yaml", DEVICES)

    def start(self, more="", **field):
        self.write_field(**field)
        self.start_server(names=("gw", NAME))
        self.configure(more=more)
        self.start_daemon()
        self.registered(NAME)

    def writes(self):
        """The data of all writing requests since `trace on`."""
        self.simulator.command("requests")
        return [line.split(" data ")[1] for line in self.simulator.traces if line.split(" ")[5] in WRITES]

    def trace(self):
        self.simulator.traces.clear()
        self.simulator.command("trace on")

    def expect_reason(self, answer, code, text):
        self.expect(answer, code)
        self.assertIn(text, answer.payload.decode())


class FieldTest(FieldScenario):
    # Good ones, and those that the agent refuses

    def test_scale(self):
        self.start(kind="--plain")
        for text, raw in (("0", "0"), ("12.3", "123"), ("50", "500")):
            self.expect(self.put(NAME, SPEED, text), "2.04")
            self.assertEqual(self.simulator.command("get holding 100"), raw)
            self.assertEqual(self.read_one(NAME, SPEED), float(text))
        for text in ("12.34", "0.05", "50.1", "-0.1", "1000000"):
            with self.subTest(text):
                self.expect_reason(self.put(NAME, SPEED, text), "4.00", "speed")
        self.assertEqual(self.simulator.command("get holding 100"), "500")

    def test_rounded(self):
        """By default; what is shown is what the device holds, long before its next turn."""
        self.start(kind="--plain", rate="1h")
        for path, address in ((ROUNDED, 101), (COARSE, 102)):
            with self.subTest(path):
                self.until_code(NAME, path, "2.05")
                self.expect(self.put(NAME, path, "3.3"), "2.04")
                self.assertEqual(self.simulator.command(f"get holding {address}"), "7")
                self.until_read(NAME, path, lambda a: self.server.values(a, path) == {path: 3.5}, 5)
                self.expect(self.put(NAME, path, "40000"), "4.00")

    def test_enum(self):
        self.start(kind="--plain")
        for raw, label in enumerate(("stop", "forward", "reverse")):
            self.expect(self.put(NAME, MODE, label), "2.04")
            self.assertEqual(self.simulator.command("get holding 110"), str(raw))
            self.assertEqual(self.read_one(NAME, MODE), label)
        self.expect_reason(self.put(NAME, MODE, "backward"), "4.00", "vfd.mode: no such value")
        self.simulator.command("set holding 110 1")
        self.until_read(NAME, MODE, lambda a: self.server.values(a, MODE)[MODE] == "forward")

    def test_bit_and_alarm(self):
        """The alarm of the relay board is on at first; its coil 9 clears it."""
        self.start()
        codes = self.until_read(NAME, "/3/0/11", lambda a: 16 in self.server.values(a, "/3/0/11").values())
        self.assertEqual(self.server.values(codes, "/3/0/11"), {"/3/0/11/0": 16})
        self.expect(self.post(NAME, "/3/0/12"), "2.04")
        self.until_read(NAME, "/3/0/11", lambda a: self.server.values(a, "/3/0/11") == {"/3/0/11/0": 0})

    def test_not_writable(self):
        self.start(kind="--plain")
        self.trace()
        for path, text in (("/3306/1/5850", "1"), (FIXED, "x"), ("/3/0/0", "x")):
            with self.subTest(path):
                self.expect(self.put(NAME, path, text), "4.05")
        self.expect(self.put(NAME, "/3308/0/5999", "1"), "4.04")
        self.assertEqual(self.writes(), [])

    def test_writes_not_allowed(self):
        self.start(kind="--plain", more="writes: {allow: false}")
        self.trace()
        for path, text in ((SPEED, "1"), (MODE, "stop")):
            self.expect(self.put(NAME, path, text), "4.05")
        self.expect(self.post(NAME, "/3/0/12"), "4.05")
        self.assertEqual(self.writes(), [])

    def test_several_points(self):
        """Checked as a whole before anything is sent."""
        self.start(kind="--plain")
        self.expect(self.put(NAME, MODE, "stop"), "2.04")
        self.trace()
        self.expect(self.post(NAME, "/3306/0", encode.tlv({5851: 500, 5853: "forward"}), TLV), "4.00")
        self.assertEqual(self.writes(), [])
        self.expect(self.post(NAME, "/3306/0", encode.tlv({5851: 50, 5853: "forward"}), TLV), "2.04")
        self.assertEqual(len(self.writes()), 2)
        values = self.read(NAME, "/3306/0")
        self.assertEqual((values[NUMBER], values[MODE]), (50, "forward"))

    def test_audit(self):
        self.start(kind="--plain")
        self.expect(self.put(NAME, NUMBER, "42"), "2.04")
        self.expect(self.put(NAME, NUMBER, "43"), "2.04")
        self.log(f"{NAME}: server plant: write {NUMBER} 42 -> 43: done")

    # What the device says

    def test_verified(self):
        self.start()
        for text in ("1", "0"):
            self.expect(self.put(NAME, RUN, text), "2.04")
            self.assertEqual(self.simulator.command("get coil 0"), text)
            self.assertEqual(self.read_one(NAME, RUN), text == "1")

    def test_verify_fails(self):
        """A contact that does not follow its coil."""
        self.start(kind="--plain")
        self.expect_reason(self.put(NAME, RUN, "1"), "5.00", "run")
        self.assertEqual(self.simulator.command("get coil 0"), "1")

    def test_exceptions(self):
        self.start(kind="--plain", rate="1h")
        self.until_code(NAME, NUMBER, "2.05")
        for number, code in {1: "5.00", 2: "5.00", 3: "4.00", 4: "5.00"}.items():
            with self.subTest(number):
                self.simulator.command(f"exception {number}")
                self.expect_reason(self.put(NAME, NUMBER, "7"), code, f"exception {number}")
        self.simulator.command("talk")
        self.expect(self.put(NAME, NUMBER, "7"), "2.04")

    # What nobody knows

    def test_silent(self):
        """5.04, and the write is never repeated, although reads would be."""
        self.start(kind="--plain", rate="1h", after=30)
        self.until_code(NAME, NUMBER, "2.05")
        self.simulator.command("silent")
        self.trace()
        begin = time.monotonic()
        self.expect_reason(self.put(NAME, NUMBER, "7"), "5.04", "number")
        self.assertLess(time.monotonic() - begin, SILENT_S)
        self.expect(self.server.request(NAME, "GET", NUMBER), "5.03")
        self.simulator.command("talk")
        # Read back long before its hour has come.
        value = self.until_code(NAME, NUMBER, "2.05")
        self.assertEqual(self.server.values(value, NUMBER), {NUMBER: 0})
        self.assertEqual(self.writes(), ["00 6f 00 07"])

    def test_offline(self):
        self.start(kind="--plain")
        self.simulator.command("silent")
        self.log("device vfd is offline")
        self.trace()
        begin = time.monotonic()
        self.expect_reason(self.put(NAME, NUMBER, "7"), "5.03", "")
        self.assertLess(time.monotonic() - begin, 1)
        self.expect(self.post(NAME, "/3/0/12"), "5.03")
        self.assertEqual(self.writes(), [])
        self.simulator.command("talk")
        self.until_code(NAME, NUMBER, "2.05")
        self.expect(self.put(NAME, NUMBER, "7"), "2.04")

    def test_connection_lost(self):
        self.start(kind="--plain", rate="1h", after=30)
        self.until_code(NAME, NUMBER, "2.05")
        self.trace()
        self.simulator.command("hangup")
        self.expect(self.put(NAME, NUMBER, "7"), "5.04")
        self.simulator.command("requests")
        self.assertLessEqual(len(self.writes()), 1)


class LateTest(FieldScenario):
    """Against a server made by hand, to see the messages."""

    def setUp(self):
        super().setUp()
        self.peer = coap.Server(self.rig)
        self.addCleanup(self.peer.close)

    def test_late(self):
        self.write_field(kind="--plain", rate="1h", timeout="3s", after=30)
        self.configure(uri="coap://" + self.peer.place)
        path = self.rig.path("etc/fieldway.yaml")
        with open(path, encoding="ascii") as f:
            text = f.read()
        self.rig.write("etc/fieldway.yaml", text.replace('endpoints: ["*"]', "endpoints: [vfd]"))
        self.start_daemon()
        self.rig.until(lambda: self.peer.registers, 15, "Register")
        self.simulator.command("delay 1500")
        self.trace()
        options = [*coap.uri_path(NUMBER), (coap.CONTENT_FORMAT, b"")]
        sent = self.peer.send(CON, coap.PUT, b"\x11", options, b"9")
        # An empty one after a second, and another for a request that is repeated.
        ack = self.peer.receive()
        self.assertEqual((ack.type, ack.code, ack.id), (ACK, 0, sent))
        self.peer.send(CON, coap.PUT, b"\x11", options, b"9", message_id=sent)
        messages = [self.peer.receive()]
        while messages[-1].code == 0:
            messages.append(self.peer.receive())
        late = messages[-1]
        self.assertEqual((late.type, late.code, late.token), (CON, coap.code("2.04"), b"\x11"))
        self.peer.send(ACK, 0, message_id=late.id)
        self.assertEqual(self.writes(), ["00 6f 00 09"])
        self.assertEqual(self.simulator.command("get holding 111"), "9")


if __name__ == "__main__":
    main()
