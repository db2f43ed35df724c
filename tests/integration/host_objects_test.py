#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Objects of the host: 4 and 7 of its own, and what local programs and the configuration make it show."""
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, encode, main  # noqa: E402
from fieldway_test.bus import Bus, PATH  # noqa: E402
from fieldway_test.scenario import LINKS, TLV  # noqa: E402
from fieldway_test.local import LocalScenario, Program  # noqa: E402

GPS = PATH + "/device/gps"
PROFILE = """schema: 1
profile: gps
plugin: local
points:
  lat:      {{type: float, unit: lat}}
  lon:      {{type: float, unit: lon}}
  when:     {{type: int64}}
  velocity: {{type: bytes}}
  log:      {{type: bytes}}
  class:    {{type: int64, access: rw, range: 0..10}}
  begin:    {{type: string, access: w}}
  end:      {{type: bool, access: w}}
  status:   {{type: int64}}
  data:     {{type: bytes, access: rw}}
  more:     {{type: bytes, access: rw}}
  other:    {{type: string}}
  fault:    {{type: bool}}
  heat:     {{type: float, unit: Cel}}
"""
DEVICES = """schema: 1
devices:
  - {{name: gps, profile: gps, address: {{owner: daemon}}, endpoint: none}}
endpoints:
  - name: tracker
    info: {{manufacturer: Example, model: Tracker}}
    lwm2m:
      6/0: {{0: gps.lat, 1: gps.lon, 5: gps.when}}
      3/0/11: {{alarms: {{gps.heat: {{below: -5, code: 20}}}}}}
"""
HOST = """host:
  lwm2m:
    6/0: {0: gps.lat, 1: gps.lon, 4: gps.velocity, 5: gps.when}
    20/0:
      4010: gps.class
      4011: {execute: gps.begin, argument: true}
      4012: {execute: gps.end}
      4013: gps.status
      4014: gps.log
    19/0/0/0: gps.data
    19/0/0/1: gps.more
    19/0/3: {value: raw}
    3/0/2: {value: "s-17"}
    3/0/22/0: gps.other
    3/0/22/1: {value: "6:0"}
    3/0/11: {alarms: {gps.fault: 17, hot: {point: gps.heat, above: 80, hysteresis: 2, code: 18}}}
"""


class HostObjectsTest(LocalScenario):
    def write_files(self):
        self.rig.write("etc/profiles.d/gps.yaml", PROFILE.format())
        self.rig.write("etc/devices.d/site.yaml", DEVICES.format())

    def begin(self):
        self.configure(more=HOST)
        self.start()
        self.event = self.registered("gw", "gw-tracker")[0]
        self.program = Program(self)

    def say(self, *values):
        self.assertIsNone(self.program.publish(*values, device=GPS), self.program.text)

    def told(self, code="", detail=""):
        serial, point, value = self.program.wait_write()
        self.program.complete_on(GPS, serial, code, detail)
        return point, value

    def test_registered(self):
        self.begin()
        for link in ("</4/0>", "</6/0>", "</7/0>", "</19/0>", "</20/0>"):
            self.assertIn(link, self.event.links)

    # int-801, int-2001

    def test_values(self):
        self.begin()
        self.expect(self.send("gw", "GET", "/6/0/0"), "5.03")
        self.say(("lat", "d", 52.5), ("lon", "d", 13.4), ("when", "x", 1700000000), ("velocity", "ay", b"\x00\x01"))
        self.assertEqual(self.read("gw", "/6/0"), {"/6/0/0": 52.5, "/6/0/1": 13.4, "/6/0/4": b"\x00\x01",
                                                   "/6/0/5": 1700000000})
        # The same device shows in an endpoint of its own, too.
        self.assertEqual(self.read_one("gw-tracker", "/6/0/1"), 13.4)
        self.say(("log", "ay", b"boot"), ("class", "x", 2), ("status", "x", 1))
        self.assertEqual(self.read("gw", "/20/0"), {"/20/0/4010": 2, "/20/0/4013": 1, "/20/0/4014": b"boot"})

    def test_observed(self):
        self.begin()
        self.say(("lat", "d", 52.5), ("lon", "d", 13.4), ("when", "x", 1))
        self.expect(self.server.observe("gw", "/6/0/0"), "2.05")
        start = self.now()
        self.say(("lat", "d", 52.6))
        event = super().event("notify", "gw", start)
        self.assertIn(52.6, self.server.values(event, "/6/0/0").values())

    def test_links_and_constants(self):
        self.begin()
        self.assertEqual(self.read_one("gw", "/3/0/2"), "s-17")
        self.say(("other", "s", "16:0"))
        self.assertEqual(self.read("gw", "/3/0/22"), {"/3/0/22/0": "16:0", "/3/0/22/1": "6:0"})
        self.expect(self.put("gw", "/19/0/3", "x"), "4.05")

    def request(self, method, path, payload):
        """Its answer waits for the program; it is at finish()."""
        words = f"{method} {path} format={42 if method == 'PUT' else 0} payload={payload.hex()}"
        return self.server.send("request", "gw", words)

    # int-1901, int-228

    def test_writes(self):
        self.begin()
        self.say(("data", "ay", b"old"), ("more", "ay", b"two"))
        name = self.request("PUT", "/19/0/0/1", b"\xff\x00")
        self.assertEqual(self.told(), ("more", b"\xff\x00"))
        self.finish(name, "2.04")
        self.assertEqual(self.read("gw", "/19/0/0"), {"/19/0/0/0": b"old", "/19/0/0/1": b"\xff\x00"})

    def test_arguments_reach_the_program(self):
        self.begin()
        self.say()
        name = self.request("POST", "/20/0/4011", b"0='daily',1")
        self.assertEqual(self.told(), ("begin", "0='daily',1"))
        self.finish(name, "2.04")
        name = self.request("POST", "/20/0/4012", b"")
        self.assertEqual(self.told("failed", "no log"), ("end", 1))
        self.assertEqual(self.finish(name, "5.00").payload.decode(),
                         "bus local: device gps: point end: no log")

    # Its own error codes and those of what it shows

    def test_alarms(self):
        self.begin()
        own = self.read("gw", "/3/0/11")
        self.assertNotIn(17, own.values())
        self.say(("fault", "b", 1))
        self.assertIn(17, self.read("gw", "/3/0/11").values())
        self.say(("fault", "b", 0))
        self.assertEqual(self.read("gw", "/3/0/11"), own)
        # Its program leaves the bus.
        self.program.close()
        self.until_read("gw", "/3/0/11", lambda a: 8 in self.server.values(a, "/3/0/11").values())

    def test_conditions(self):
        self.begin()
        for value, hot, cold in ((80, False, False), (80.5, True, False), (78.5, True, False), (78, False, False),
                                 (-6, False, True), (-5, False, False)):
            self.say(("heat", "d", value))
            self.assertEqual(18 in self.read("gw", "/3/0/11").values(), hot, value)
            self.assertEqual(self.read("gw-tracker", "/3/0/11"), {"/3/0/11/0": 20 if cold else 0}, value)

    def test_reload(self):
        self.begin()
        self.say(("lat", "d", 52.5), ("lon", "d", 13.4), ("when", "x", 1))
        start, lines = self.now(), self.daemon.process.now()
        self.configure(more="host: {lwm2m: {6/0: {0: gps.lat, 1: gps.lon, 5: gps.when}}}")
        self.daemon.process.send_signal(1)
        self.log("configuration reloaded", start=lines)
        update = self.server.wait_event(lambda e: e.word == "updated" and "links" in e.fields, 15, start)
        self.assertNotIn("</20/0>", update.links)
        self.assertEqual(self.read_one("gw", "/6/0/0"), 52.5)
        self.assertNotIn("/3/0/2", self.read("gw", "/3/0"))
        self.expect(self.send("gw", "GET", "/20/0"), "4.04")
        self.configure()
        lines = self.daemon.process.now()
        self.daemon.process.send_signal(1)
        self.log("configuration reloaded", start=lines)
        self.expect(self.send("gw", "GET", "/6/0"), "4.04")


class CreateTest(Scenario):
    """Instances that servers make, of what `create:` names."""

    # Of a local device, of which nobody ever says a value.
    SITE = """schema: 1
devices:
  - {name: %s, profile: probe, address: {owner: root}, endpoint: gw-dev, create: %s}
endpoints:
  - {name: box, create: [16], lwm2m: {3/0/2: {value: s1}}}
"""

    def write_site(self, device="dev", create=(16, 19), more=""):
        self.rig.write("etc/devices.d/site.yaml", self.SITE % (device, list(create)) + more)

    def begin(self):
        self.start_server()
        self.configure(more='host: {create: [19, 20, 3300], lwm2m: {16/5/0/0: {value: fixed}, 19/7/0/0: {value: "AAE="}}}\n'
                            'register: {wait: none}')
        self.rig.write("etc/profiles.d/probe.yaml", """schema: 1
profile: probe
plugin: local
points: {level: {type: int64}}
lwm2m: {3/0/2: {value: s2}, 16/4/0/0: {value: shown}}
""")
        self.write_site()
        self.bus = Bus(self.rig)
        self.run_daemon()

    def run_daemon(self):
        start = self.now()
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.bus.wait_name()
        self.registered("gw", "gw-box", "gw-dev", start=start)

    def create(self, endpoint, path, values):
        return self.expect(self.post(endpoint, path, encode.tlv(values), TLV), "2.01").location

    def restart(self):
        self.stop_daemon(self.daemon)
        self.run_daemon()

    def reload(self, **site):
        self.write_site(**site)
        self.bus.call(PATH, "Manager", "Reload", "t", "0", timeout=20)

    def test_of_a_device(self):
        self.begin()
        self.assertEqual(self.create("gw-dev", "/16", {0: {0: "mine"}}), "/16/0")
        self.assertEqual(self.create("gw-dev", "/19", {0: {0: b"data"}}), "/19/0")
        self.expect(self.send("gw-dev", "DELETE", "/16/4"), "4.05")
        # Another name for people; to servers it is the same endpoint.
        self.reload(device="roof")
        self.assertEqual(self.read("gw-dev", "/16/0"), {"/16/0/0/0": "mine"})
        self.restart()
        self.assertEqual(self.read("gw-dev", "/16"), {"/16/0/0/0": "mine", "/16/4/0/0": "shown"})
        self.assertEqual(self.read("gw-dev", "/19"), {"/19/0/0/0": b"data"})
        # What servers may not make is not there; it comes back with the right to it.
        self.reload(device="roof", create=[16])
        self.expect(self.send("gw-dev", "GET", "/19/0"), "4.04")
        self.expect(self.post("gw-dev", "/19", encode.tlv({0: {0: b"x"}}), TLV), "4.04")
        # It goes along under another name meanwhile, and is not of who takes that one.
        roof = "  - {name: roof, endpoint: gw-roof, create: [19], lwm2m: {3/0/2: {value: s3}}}\n"
        self.reload(device="attic", create=[16], more=roof)
        self.registered("gw-roof")
        self.expect(self.send("gw-roof", "GET", "/19/0"), "4.04")
        self.reload(device="attic", create=[19, 16], more=roof)
        self.assertEqual(self.read("gw-dev", "/19"), {"/19/0/0/0": b"data"})
        self.reload(device="roof", create=[19, 16])
        self.assertEqual(self.read("gw-dev", "/19"), {"/19/0/0/0": b"data"})
        self.expect(self.send("gw-dev", "DELETE", "/19/0"), "2.02")
        self.restart()
        self.expect(self.send("gw-dev", "GET", "/19/0"), "4.04")

    def test_create_and_delete(self):
        self.begin()
        start = self.now()
        self.assertEqual(self.create("gw", "/19", {0: {0: b"data", 3: b"more"}, 1: 200, 3: "note"}), "/19/0")
        self.assertEqual(self.create("gw-box", "/16", {0: {0: "box"}}), "/16/0")
        self.server.wait_event(lambda e: e.word == "updated" and "</19/0>" in e.fields.get("links", ""), 15, start)
        made = {"/19/0/0/0": b"data", "/19/0/0/3": b"more", "/19/0/1": 200, "/19/0/3": "note"}
        self.assertEqual(self.read("gw", "/19/0"), made)
        self.expect(self.put("gw", "/19/0/3", "other"), "2.04")
        self.restart()
        self.assertEqual(self.read("gw", "/19/0"), {**made, "/19/0/3": "other"})
        self.assertEqual(self.read("gw-box", "/16/0"), {"/16/0/0/0": "box"})
        self.expect(self.send("gw", "DELETE", "/19/0"), "2.02")
        self.expect(self.send("gw-box", "DELETE", "/16/0"), "2.02")
        self.restart()
        self.expect(self.send("gw", "GET", "/19/0"), "4.04")
        self.expect(self.send("gw-box", "GET", "/16/0"), "4.04")

    def test_an_empty_one_is_kept_too(self):
        self.begin()
        self.assertEqual(self.expect(self.post("gw", "/3300", b"", TLV), "2.01").location, "/3300/0")
        self.log("create /3300/0: done")
        self.assertEqual(self.create("gw", "/3300", {5750: "hall"}), "/3300/1")
        self.restart()
        links = self.expect(self.send("gw", "GET", "/3300", options=f"accept={LINKS}"), "2.05")
        self.assertIn(b"</3300/0>", links.payload)
        self.assertEqual(self.read("gw", "/3300/1"), {"/3300/1/5750": "hall"})
        self.expect(self.send("gw", "DELETE", "/3300/0"), "2.02")
        self.restart()
        self.expect(self.send("gw", "GET", "/3300/0"), "4.04")
        self.assertEqual(self.read("gw", "/3300"), {"/3300/1/5750": "hall"})

    def test_not_what_the_configuration_shows(self):
        self.begin()
        for path in ("/16/5", "/19/7", "/4/0"):
            self.expect(self.send("gw", "DELETE", path), "4.05")
        self.expect(self.post("gw", "/19/7", encode.tlv({3: "x"}), TLV), "4.04")
        self.assertEqual(self.read("gw", "/16/5"), {"/16/5/0/0": "fixed"})
        for endpoint, path in (("gw-box", "/19"), ("gw", "/6"), ("gw-box", "/3")):
            answer = self.post(endpoint, path, encode.tlv({0: {0: b"x"}}), TLV)
            self.assertIn(answer.fields["code"], ("4.04", "4.05"), answer)


class NetworkTest(Scenario):
    def setUp(self):
        super().setUp()
        self.start_server()

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, timeout=20)

    # int-701

    def test_network(self):
        self.ip("link", "add", "lan0", "type", "bridge")
        self.addCleanup(self.ip, "link", "del", "lan0")
        self.ip("addr", "add", "192.0.2.7/24", "dev", "lan0")
        self.ip("link", "set", "lan0", "up")
        self.ip("route", "add", "default", "via", "192.0.2.1", "dev", "lan0", "metric", "20")
        self.configure()
        self.start_daemon()
        self.registered("gw")
        network = self.read("gw", "/4/0")
        self.assertEqual(network["/4/0/0"], 41)
        self.assertEqual(network["/4/0/1/0"], 41)
        self.assertEqual(network["/4/0/2"], 0)
        self.assertEqual(network["/4/0/4/0"], "192.0.2.7")
        self.assertEqual(network["/4/0/5/0"], "192.0.2.1")
        # It is told of changes; the better router comes first.
        self.expect(self.server.observe("gw", "/4/0/5"), "2.05")
        start = self.now()
        self.ip("route", "add", "default", "via", "192.0.2.2", "dev", "lan0", "metric", "10")
        event = self.event("notify", "gw", start)
        self.assertEqual(list(self.server.values(event, "/4/0/5").values()), ["192.0.2.2", "192.0.2.1"])

    def test_loopback_only(self):
        self.configure()
        self.start_daemon()
        self.registered("gw")
        self.assertIn("127.0.0.1", self.read("gw", "/4/0/4").values())

    # int-901, int-905, int-910

    def test_statistics(self):
        self.start_meters(1)
        self.configure()
        self.start_daemon()
        self.registered("gw", "gw-m1")
        for endpoint in ("gw", "gw-m1"):
            with self.subTest(endpoint):
                self.assertEqual(self.read(endpoint, "/7/0"), {
                    "/7/0/2": 0, "/7/0/3": 0, "/7/0/4": 0, "/7/0/5": 0, "/7/0/8": 0})
                self.expect(self.put(endpoint, "/7/0/8", "600"), "2.04")
                self.assertEqual(self.read_one(endpoint, "/7/0/8"), 600)
                self.expect(self.put(endpoint, "/7/0/8", "-1"), "4.00")
                self.expect(self.post(endpoint, "/7/0/6"), "2.04")
                for _ in range(40):
                    self.read(endpoint, "/3/0")
                figures = self.read(endpoint, "/7/0")
                # Of 40 exchanges, each of at least 28 bytes of headers one way and the other.
                self.assertGreaterEqual(figures["/7/0/2"], 40 * 28 // 1024 + 1)
                self.assertGreaterEqual(figures["/7/0/3"], 40 * 28 // 1024)
                self.assertGreater(figures["/7/0/4"], figures["/7/0/5"])
                self.assertGreater(figures["/7/0/5"], 4)
                self.expect(self.post(endpoint, "/7/0/7"), "2.04")
                stopped = self.read(endpoint, "/7/0")
                for _ in range(40):
                    self.read(endpoint, "/3/0")
                self.assertEqual(self.read(endpoint, "/7/0"), stopped)
                self.expect(self.post(endpoint, "/7/0/6"), "2.04")
                self.assertLess(self.read_one(endpoint, "/7/0/2"), stopped["/7/0/2"])

    def test_statistics_are_notified(self):
        self.configure()
        daemon = self.start_clock_daemon()
        self.ready("gw")
        self.expect(self.put("gw", "/7/0/8", "60"), "2.04")
        self.expect(self.server.observe("gw", "/7/0/2"), "2.05")
        self.expect(self.post("gw", "/7/0/6"), "2.04")
        for _ in range(40):
            self.read("gw", "/3/0")
        start = self.now()
        daemon.clock.step(11)
        event = self.event("notify", "gw", start)
        self.assertGreaterEqual(max(self.server.values(event, "/7/0/2").values()), 1)
        # The period ends it.
        daemon.clock.step(60)
        value = self.read_one("gw", "/7/0/2")
        for _ in range(40):
            self.read("gw", "/3/0")
        self.assertEqual(self.read_one("gw", "/7/0/2"), value)


if __name__ == "__main__":
    main()
