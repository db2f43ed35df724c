#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Objects 10374 and 10375 of the host: a server sees Modbus buses, switches them
off, and reads and writes registers that no profile names."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, encode, main  # noqa: E402
from fieldway_test.scenario import SENML_CBOR, TLV, free_port  # noqa: E402

COIL, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4
DISABLED, CONNECTING, CONNECTED, INVALID, ERROR = range(5)
HOST = "127.0.0.31"
PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 200ms}
defaults: {area: holding, type: uint16, rate: fast}
points:
  value:  {address: 30, unit: Cel}
lwm2m:
  3303/0/5700: value
"""
BUS = """schema: 1
bus: {name}
plugin: modbus
{section}
timeout: 300ms
retries: 0
offline: {{after: 2, retry: 300ms..500ms}}
"""
DEVICE = "  - {{name: {name}, profile: board, bus: {bus}, address: {{{address}}}}}\n"


class ModbusObjectsTest(Scenario):
    def begin(self, access=None, lines=1, serial=False, more=""):
        """A bus of so many TCP devices, and perhaps a serial one without devices."""
        self.start_server()
        self.port = free_port([HOST])
        places = ["--tcp", f"{HOST}:{self.port}"]
        places += ["--tcp", f"127.0.0.32:{self.port}"] * (lines - 1)
        if serial:
            self.line = self.rig.path("line")
            places += ["--rtu", self.line]
        self.simulator = Simulator(self.rig, ["--plain", *places])
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(name="lan", section=f"tcp: {{port: {self.port}}}"))
        devices = [DEVICE.format(name=f"d{i + 1}", bus="lan", address=f"host: 127.0.0.3{i + 1}, unit: 1")
                   for i in range(lines)]
        if serial:
            self.rig.write("etc/buses.d/yard.yaml", BUS.format(
                name="yard", section=f'rtu: {{device: "{self.line}", baud: 19200, format: "8O1"}}'))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + "".join(devices))
        self.configure()
        if access is not None:
            path = self.rig.path("etc/fieldway.yaml")
            with open(path, encoding="utf-8") as f:
                text = f.read()
            self.rig.write("etc/fieldway.yaml", text.replace(
                "gateway: {", f"gateway: {{modbus_objects: {{access: {access}{more}}}, "))
        self.start_daemon()
        self.registered("gw", "gw-d1")

    def settings(self, kind, start, quantity=None, unit=1, connection=0):
        values = {0: struct.pack(">HH", 10374, connection), 1: kind, 2: unit, 3: start}
        if quantity is not None:
            values[4] = quantity
        return encode.tlv(values)

    def create(self, *settings, **more):
        answer = self.expect(self.post("gw", "/10375", self.settings(*settings, **more), TLV), "2.01")
        return answer.location

    def refused(self, code, reason, *settings, **more):
        answer = self.expect(self.post("gw", "/10375", self.settings(*settings, **more), TLV), code)
        self.assertIn(reason, answer.payload.decode())

    def values(self, path):
        read = self.read("gw", path + "/5")
        return [read[f"{path}/5/{i}"] for i in range(len(read))]

    def fails(self, path, code, reason):
        answer = self.expect(self.send("gw", "GET", path), code)
        self.assertIn(reason, answer.payload.decode())

    def put_values(self, path, values, code):
        body = encode.tlv({5: dict(values)})
        return self.expect(self.put("gw", path + "/5", body, TLV), code)

    def until_state(self, path, state):
        self.until_read("gw", path, lambda a: self.server.values(a, path) == {path: state})

    # Off

    def test_off(self):
        self.begin()
        for path in ("/10374", "/10374/0", "/10375"):
            self.expect(self.send("gw", "GET", path), "4.04")
        self.expect(self.post("gw", "/10375", self.settings(HOLDING, 0), TLV), "4.04")
        self.assertNotIn("/1037", self.server.events[0].fields.get("links", ""))
        self.assertFalse([e for e in self.server.events if "/10374" in e.fields.get("links", "")])

    def test_only_buses_that_are_named(self):
        self.begin("read", serial=True, more=', buses: ["y*"]')
        self.assertEqual(self.read("gw", "/10374/0")["/10374/0/0"], self.line)
        self.expect(self.send("gw", "GET", "/10374/1"), "4.04")

    # Connections

    def test_connections(self):
        self.begin("read", lines=2, serial=True)
        self.until_state("/10374/1/8", CONNECTED)
        self.until_state("/10374/2/8", CONNECTED)
        self.assertEqual(self.read("gw", "/10374/0"), {
            "/10374/0/0": self.line, "/10374/0/1": 1, "/10374/0/2": True, "/10374/0/3": 19200, "/10374/0/4": 1,
            "/10374/0/5": 2, "/10374/0/6": 0, "/10374/0/7/0": self.line, "/10374/0/8": CONNECTING})
        self.assertEqual(self.read("gw", "/10374/2"), {
            "/10374/2/0": f"127.0.0.32:{self.port}", "/10374/2/1": 0, "/10374/2/2": True,
            "/10374/2/7/0": self.line, "/10374/2/8": CONNECTED})
        for path, value in {"/10374/0/2": "0", "/10374/0/3": "9600", "/10374/0/0": "x"}.items():
            self.expect(self.put("gw", path, value), "4.05")
        self.expect(self.put("gw", "/10374/0/3", "19200"), "2.04")
        self.expect(self.send("gw", "DELETE", "/10374/0"), "4.05")
        self.expect(self.post("gw", "/10374", encode.tlv({0: "x", 1: 0, 2: True}), TLV), "4.05")

    def test_state_is_observed(self):
        self.begin("read")
        self.until_state("/10374/0/8", CONNECTED)
        self.expect(self.server.observe("gw", "/10374/0/8", f"accept={SENML_CBOR}"), "2.05")
        start = self.now()
        self.simulator.command("0 unplug")
        self.notified("/10374/0/8", ERROR, start)
        start = self.now()
        self.simulator.command("0 talk")
        self.notified("/10374/0/8", CONNECTED, start)

    def notified(self, path, value, start):
        self.server.wait_event(lambda e: e.word == "notify" and e.path == path and
                               self.server.values(e, path) == {path: value}, 20, start)

    # Clusters

    def test_registers(self):
        self.begin("read")
        numbers = [(i * 1031) % 65536 for i in range(60)]
        self.simulator.command("0 set holding 100 " + " ".join(map(str, numbers)))
        path = self.create(HOLDING, 100, 60)
        self.assertEqual(path, "/10375/0")
        self.assertEqual(self.values(path), numbers)
        self.simulator.command("0 set holding 100 4711")
        self.assertEqual(self.values(path)[0], 4711)
        self.assertEqual(self.read_one("gw", path + "/5/1"), numbers[1])
        # What has been read, until it is to begin anew.
        self.assertEqual([self.read_one("gw", f"{path}/{r}/0") for r in (6, 7)], [numbers[0], 4711])
        self.expect(self.post("gw", path + "/8"), "2.04")
        self.assertEqual([self.read_one("gw", f"{path}/{r}/0") for r in (6, 7)], [4711, 4711])
        self.expect(self.put("gw", path + "/6/0", "1"), "4.05")
        read = self.read("gw", path)
        self.assertEqual(read["/10375/0/0"], "10374:0")
        self.assertEqual((read["/10375/0/4"], read["/10375/0/5/59"]), (60, numbers[59]))
        # Of something else from now on.
        self.simulator.command("0 set coil 7 1 0 1")
        body = self.settings(COIL, 7, 3)
        self.expect(self.put("gw", path, body, TLV), "2.04")
        self.assertEqual(self.values(path), [1, 0, 1])
        # Without a quantity it is one.
        self.expect(self.put("gw", path, self.settings(COIL, 9), TLV), "2.04")
        self.assertEqual(self.values(path), [1])
        self.expect(self.send("gw", "DELETE", path), "2.02")
        self.expect(self.send("gw", "GET", path), "4.04")

    def test_many_coils(self):
        self.begin("read")
        self.simulator.command("0 set discrete 1999 1")
        values = self.values(self.create(DISCRETE, 0, 2000))
        self.assertEqual((len(values), sum(values), values[1999]), (2000, 1, 1))

    def test_refused_clusters(self):
        self.begin("read", serial=True)
        self.refused("4.00", "at most 125", HOLDING, 0, 126)
        self.refused("4.00", "behind 65535", COIL, 65000, 600)
        self.refused("4.00", "unit", HOLDING, 0, 1, unit=248)
        self.refused("4.00", "unit", HOLDING, 0, 1, unit=255)       # of a serial line
        self.refused("4.00", "everybody", HOLDING, 0, 1, unit=0)
        self.refused("4.00", "", HOLDING, 0, 1, connection=9)
        self.refused("4.00", "", 5, 0)
        body = encode.tlv({0: struct.pack(">HH", 3, 0), 1: HOLDING, 2: 1, 3: 0})
        self.expect(self.post("gw", "/10375", body, TLV), "4.00")
        self.assertEqual(self.create(HOLDING, 0, 1, unit=255, connection=1), "/10375/0")
        path = self.create(INPUT, 0, 2, connection=1)
        self.expect(self.put("gw", path + "/4", "126"), "4.00")
        self.expect(self.put("gw", path + "/4", "3"), "2.04")
        # Not with this access.
        self.put_values(self.create(HOLDING, 0, 1, connection=1), {0: 1}, "4.05")

    def test_number_of_clusters(self):
        self.begin("read")
        for _ in range(64):
            self.create(HOLDING, 0)
        self.refused("4.00", "64 clusters", HOLDING, 0)
        self.expect(self.send("gw", "DELETE", "/10375/5"), "2.02")
        self.assertEqual(self.create(HOLDING, 0), "/10375/5")
        # All of them together.
        self.assertEqual(len([p for p in self.read("gw", "/10375") if p.split("/")[3] == "5"]), 64)

    def test_failures(self):
        self.begin("read")
        path = self.create(INPUT, 600, 2)
        self.fails(path + "/5", "5.00", "exception 2")
        self.assertNotIn(path + "/5/0", self.read("gw", path))
        self.expect(self.put("gw", path + "/3", "0"), "2.04")
        self.assertEqual(self.values(path), [0, 0])
        self.simulator.command("0 exception 6")
        self.fails(path + "/5", "5.03", "exception 6")
        self.simulator.command("0 exception 0")
        self.simulator.command("0 silent")
        self.fails(path + "/5", "5.04", "no answer")
        self.simulator.command("0 talk")
        self.until_code("gw", path + "/5", "2.05")
        self.simulator.command("0 unplug")
        self.fails(path + "/5", "5.03", "")
        self.simulator.command("0 talk")
        self.until_code("gw", path + "/5", "2.05")

    def test_values_are_observed(self):
        self.begin("read")
        path = self.create(HOLDING, 40)
        answer = self.expect(self.server.observe("gw", path + "/5", f"accept={SENML_CBOR}"), "2.05")
        self.assertEqual(self.server.values(answer, path + "/5"), {path + "/5/0": 0})
        start = self.now()
        self.simulator.command("0 set holding 40 77")
        self.server.wait_event(lambda e: e.word == "notify" and self.server.values(e, path + "/5") == {
            path + "/5/0": 77}, 20, start)
        # Nobody looks any more: nothing is read for it.
        self.expect(self.server.cancel("gw", path + "/5"), "2.05")

    # Change

    def test_writes(self):
        self.begin("change")
        path = self.create(HOLDING, 300, 60)
        self.values(path)
        self.put_values(path, {i: i + 1 for i in range(60)}, "2.04")
        self.assertEqual(self.values(path), list(range(1, 61)))
        self.assertEqual(self.simulator.command("0 get holding 300 3").split()[-3:], ["1", "2", "3"])
        self.log("write /10375/0/5/0 0 -> 1")
        # Two that are apart, by two requests.
        self.expect(self.post("gw", path + "/5", encode.tlv({5: {3: 1000, 7: 2000}}), TLV), "2.04")
        values = self.values(path)
        self.assertEqual((values[2:5], values[7]), ([3, 1000, 5], 2000))
        self.expect(self.put("gw", path + "/5/4", "65535"), "2.04")
        self.assertEqual(self.values(path)[4], 65535)
        # What would change which instances there are.
        self.put_values(path, {0: 1}, "4.00")
        self.expect(self.post("gw", path + "/5", encode.tlv({5: {60: 1}}), TLV), "4.00")
        self.expect(self.put("gw", path + "/5/60", "1"), "4.00")
        self.expect(self.send("gw", "DELETE", path + "/5/3"), "4.05")
        coils = self.create(COIL, 8, 10)
        self.put_values(coils, {i: i % 3 == 0 for i in range(10)}, "2.04")
        self.assertEqual(self.values(coils), [1, 0, 0, 1, 0, 0, 1, 0, 0, 1])
        self.put_values(coils, {i: 2 for i in range(10)}, "4.00")
        self.put_values(self.create(INPUT, 0), {0: 1}, "4.05")
        self.simulator.command("0 exception 4")
        answer = self.put_values(path, {i: 9 for i in range(60)}, "5.00")
        self.assertIn("exception 4", answer.payload.decode())

    def test_enable(self):
        self.begin("change")
        path = self.create(HOLDING, 0)
        self.values(path)
        self.expect(self.put("gw", "/10374/0/2", "0"), "2.04")
        self.assertEqual(self.read_one("gw", "/10374/0/8"), DISABLED)
        self.log("bus lan is switched off")
        self.fails(path + "/5", "5.03", "")
        self.until_read("gw-d1", "/3303/0/5700", lambda a: a.fields.get("code") == "5.03")
        self.rig.until(lambda: self.simulator.command("0 connected").split()[-1] == "0", 10, "no connection")
        self.expect(self.put("gw", "/10374/0/2", "1"), "2.04")
        self.until_code("gw-d1", "/3303/0/5700", "2.05")
        self.assertEqual(self.values(path), [0])
        self.until_state("/10374/0/8", CONNECTED)

    def test_enable_of_several(self):
        self.begin("change", lines=2)
        answer = self.expect(self.put("gw", "/10374/0/2", "0"), "4.05")
        self.assertIn("other connections", answer.payload.decode())

    def test_restart(self):
        self.begin("change", serial=True)
        self.create(INPUT, 3, 2, connection=1)
        serial = self.create(HOLDING, 1, 2)
        self.assertEqual(self.values(serial), [0, 0])
        self.assertEqual(self.read_one("gw", "/10374/0/8"), CONNECTED)
        self.expect(self.put("gw", "/10374/1/2", "0"), "2.04")
        self.stop_daemon(self.daemon)
        # A connection before them: theirs keep their numbers.
        self.rig.write("etc/buses.d/a.yaml", BUS.format(name="a", section='rtu: {device: "/dev/ttyS99"}'))
        start = self.now()
        self.start_daemon()
        self.registered("gw", start=start)
        self.log("bus lan stays switched off")
        self.assertEqual(self.read_one("gw", "/10374/1/2"), False)
        self.assertEqual(self.read_one("gw", "/10374/1/8"), DISABLED)
        self.assertEqual(self.read_one("gw", "/10374/2/0"), "/dev/ttyS99")
        self.assertEqual(self.values(serial), [0, 0])
        self.fails("/10375/0/5", "5.03", "")
        self.expect(self.put("gw", "/10374/1/2", "1"), "2.04")
        self.until_code("gw", "/10375/0/5", "2.05")
        self.assertEqual(self.read("gw", "/10375/0/3"), {"/10375/0/3": 3})


if __name__ == "__main__":
    main()
