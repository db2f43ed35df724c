#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What servers see of an endpoint that goes on with other files: its values, what
they observe, wrote and made, as far as it is the same (agent/mapping/mapping.h)."""
import os
import signal
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, encode, main  # noqa: E402
from fieldway_test.scenario import TLV, free_port  # noqa: E402

HOST = "127.0.0.11"
VALUE, SECOND, LOWEST, SETPOINT = "/3303/0/5700", "/3303/1/5700", "/3303/0/5601", "/3308/0/5900"
PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 200ms, slow: 1h}
defaults: {area: holding, type: uint16, rate: fast}
points:
  value:  {address: 30, unit: Cel}
  second: {address: 31, unit: Cel}
  wanted: {address: 40, unit: Cel, access: rw}
lwm2m:
  3303/0/5700: value
  3303/1/5700: second
  3308/0/5900: wanted
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 2s
"""
DEVICES = """schema: 1
devices:
  - {{name: d1, profile: board, bus: lan, address: {{host: {host}, unit: 1}}}}
"""
TEMPERATURE = """schema: 1
object: {id: 3303, name: Temperature, version: "1.9", instances: multiple}
resources:
  5700: {name: Sensor Value, operations: R, type: float, mandatory: true}
  5701: {name: Sensor Units, operations: R, type: string}
  5999: {name: Own, operations: RW, type: string}
"""


class ReloadValuesTest(Scenario):
    def begin(self, server=()):
        port = free_port([HOST])
        self.simulator = Simulator(self.rig, ["--plain", "--tcp", f"{HOST}:{port}"])
        self.simulator.command("0 set holding 30 20")
        self.simulator.command("0 set holding 31 30")
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=port))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES.format(host=HOST))
        self.start_server(names=("gw", "gw-d1"))
        self.configure(server)
        self.start_daemon()
        self.registered("gw", "gw-d1")
        self.reloads = 1

    def reload(self):
        """As systemd does it, which is told when it is over."""
        self.reloads += 1
        self.daemon.process.send_signal(signal.SIGHUP)
        self.rig.until(lambda: self.daemon.notify.states.count("READY=1") == self.reloads, 20, "READY=1 again")

    def profile(self, *changes):
        text = PROFILE
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.rig.write("etc/profiles.d/board.yaml", text)

    def test_observations(self):
        """One of a path that goes ends with 4.04; the other hears nothing of it, and then the next value."""
        self.begin()
        for path in (VALUE, SECOND):
            self.until_code("gw-d1", path, "2.05")
            self.expect(self.server.observe("gw-d1", path), "2.05")
        start = self.now()
        self.profile(("  3303/1/5700: second\n", ""))
        self.reload()
        ended = self.server.wait_event(lambda e: e.word == "notify" and e.path == SECOND, 15, start)
        self.assertEqual(ended.code, "4.04")
        links = self.event("updated", "gw-d1", start).links
        self.assertIn("</3303/0>", links)
        self.assertNotIn("</3303/1>", links)
        self.expect(self.server.request("gw-d1", "GET", SECOND), "4.04")
        self.simulator.command("0 set holding 30 25")
        told = self.server.wait_event(lambda e: e.word == "notify" and e.path == VALUE, 15, start)
        self.assertEqual(self.server.values(told, VALUE), {VALUE: 25})
        self.assertEqual(self.read_one("gw-d1", LOWEST), 20)

    def test_another_rate(self):
        """Nothing is unread for a moment, nor are extremes lost."""
        self.begin()
        self.until_code("gw-d1", VALUE, "2.05")
        self.simulator.command("0 set holding 30 10")
        self.until_read("gw-d1", VALUE, lambda a: self.server.values(a, VALUE) == {VALUE: 10})
        self.profile(("defaults: {area: holding, type: uint16, rate: fast}",
                      "defaults: {area: holding, type: uint16, rate: slow}"))
        self.simulator.command("0 silent")
        self.reload()
        self.assertEqual(self.read_one("gw-d1", VALUE), 10)
        self.assertEqual(self.read_one("gw-d1", LOWEST), 10)

    def test_another_point(self):
        """What the resource shows is something else: no old value, and no old extremes."""
        self.begin()
        self.until_code("gw-d1", VALUE, "2.05")
        self.profile(("3303/0/5700: value", "3303/0/5700: second"), ("  3303/1/5700: second\n", ""))
        self.reload()
        self.until_code("gw-d1", VALUE, "2.05")
        self.assertEqual(self.read_one("gw-d1", VALUE), 30)
        self.assertEqual(self.read_one("gw-d1", LOWEST), 30)

    def test_facts(self):
        self.begin()
        start = self.now()
        self.profile(("manufacturer: ACME, model: Board", "manufacturer: Other"))
        self.reload()
        self.assertEqual(self.read_one("gw-d1", "/3/0/0"), "Other")
        self.expect(self.server.request("gw-d1", "GET", "/3/0/1"), "4.04")
        self.assertEqual([e for e in self.server.events[start:] if e.word in ("updated", "registered")], [])

    def test_overlay(self):
        """A server's word stands against YAML, which is said; what YAML alone has said follows it."""
        self.begin(["lifetime: 1h", "notify: {pmin: 1s}"])
        self.expect(self.put("gw-d1", "/1/0/1", "1800"), "2.04")
        start = self.now()
        self.configure(["lifetime: 2h", "notify: {pmin: 3s}"])
        self.reload()
        self.assertEqual(self.event("updated", "gw", start).lt, "7200")
        self.log("d1: settings of server plant were changed in YAML; those that the server wrote to /1 stay in force")
        self.assertEqual(self.read_one("gw-d1", "/1/0/1"), 1800)
        self.assertEqual(self.read_one("gw-d1", "/1/0/2"), 1)
        self.assertEqual(self.read_one("gw", "/1/0/1"), 7200)
        self.assertEqual(self.read_one("gw", "/1/0/2"), 3)
        # YAML's was no server's word: the next one counts again, over a restart, too.
        self.stop_daemon(self.daemon)
        self.configure(["lifetime: 3h", "notify: {pmin: 3s}"])
        start = self.now()
        self.start_daemon()
        self.registered("gw", "gw-d1", start=start)
        self.assertEqual(self.read_one("gw", "/1/0/1"), 10800)
        self.assertEqual(self.read_one("gw-d1", "/1/0/1"), 1800)

    def test_write_meanwhile(self):
        """A Write that waits for its device ends as it would have where its row stays, and soon where it goes."""
        self.begin()
        self.until_code("gw-d1", SETPOINT, "2.05")
        for row, code in (("3308/0/5900: wanted", "2.04"), ("3308/1/5900: wanted", None)):
            with self.subTest(row):
                self.simulator.command("0 delay 1000")
                name = self.server.send("request", "gw-d1", f"PUT {SETPOINT} format=0 payload={b'21'.hex()}")
                # The server takes its commands in their order: the daemon has that one.
                self.read_one("gw", "/3/0/16")
                self.profile(("3308/0/5900: wanted", row))
                self.reload()
                self.rig.until(lambda: name in self.server.answers, 15, "an answer to the Write")
                answer = self.server.answers.pop(name)
                if code:
                    self.assertEqual(answer.code, code)
                else:
                    self.assertTrue(answer.code.startswith("5."), answer)
                self.simulator.command("0 delay 0")

    def test_read_while_leaving(self):
        """A Read that waits for its device is answered at a server that the endpoint is on its way from."""
        self.begin()
        self.profile(("  wanted: {address: 40, unit: Cel, access: rw}",
                      "  wanted: {address: 40, unit: Cel, access: rw, rate: on-demand}"))
        self.reload()
        self.until_code("gw-d1", SETPOINT, "2.05")
        former = self.server
        former.command("fault deregister silent")
        self.simulator.command("0 delay 1000")
        name = former.send("request", "gw-d1", f"GET {SETPOINT}")
        self.start_server(names=("gw", "gw-d1"))
        self.configure()
        self.reload()
        self.rig.until(lambda: name in former.answers, 15, "an answer to the Read")
        self.assertEqual(former.answers.pop(name).code, "2.05")
        self.simulator.command("0 delay 0")
        self.registered("gw", "gw-d1")

    def test_object(self):
        """An object that is defined otherwise: another version in the list, values stay, extremes have no place."""
        self.begin()
        self.until_code("gw-d1", VALUE, "2.05")
        self.read_one("gw-d1", LOWEST)
        start = self.now()
        self.rig.write("etc/objects.d/temperature.yaml", TEMPERATURE)
        self.reload()
        self.assertIn("</3303>;ver=1.9", self.event("updated", "gw-d1", start).links)
        self.assertEqual(self.read_one("gw-d1", VALUE), 20)
        self.expect(self.server.request("gw-d1", "GET", LOWEST), "4.04")
        os.unlink(self.rig.path("etc", "objects.d", "temperature.yaml"))
        self.reload()
        self.until_code("gw-d1", LOWEST, "2.05")

    def test_modbus_objects(self):
        """They come with YAML, with what servers had made of them before, and go with it."""
        self.begin()
        main_text = open(self.rig.path("etc", "fieldway.yaml"), encoding="utf-8").read()
        allowed = main_text.replace("gateway: {", "gateway: {modbus_objects: {access: change}, ")
        self.expect(self.server.request("gw", "GET", "/10374"), "4.04")
        start = self.now()
        self.rig.write("etc/fieldway.yaml", allowed)
        self.reload()
        self.assertIn("</10374/0>", self.event("updated", "gw", start).links)
        settings = {0: struct.pack(">HH", 10374, 0), 1: 3, 2: 1, 3: 30, 4: 2}
        self.expect(self.post("gw", "/10375", encode.tlv(settings), TLV), "2.01")
        self.assertEqual(self.read("gw", "/10375/0/5"), {"/10375/0/5/0": 20, "/10375/0/5/1": 30})
        self.reload()
        self.assertEqual(self.read_one("gw", "/10375/0/5/0"), 20)
        start = self.now()
        self.rig.write("etc/fieldway.yaml", main_text)
        self.reload()
        self.assertNotIn("</1037", self.event("updated", "gw", start).links)
        self.rig.write("etc/fieldway.yaml", allowed)
        self.reload()
        self.assertEqual(self.read("gw", "/10375/0/5"), {"/10375/0/5/0": 20, "/10375/0/5/1": 30})


if __name__ == "__main__":
    main()
