#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Observe, Notify, Cancel: what a server hears of field values, and when."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, encode, main, read_cbor  # noqa: E402
from fieldway_test.scenario import BUS, SENML_CBOR, TEXT, TLV  # noqa: E402

PROFILE = """schema: 1
profile: probe
plugin: modbus
info: {manufacturer: Fieldway, model: Probe}
rates: {fast: 100ms, slow: 1h}
stale: {after: 10h}
defaults: {area: holding, rate: fast}
points:
  temperature: {address: 0, type: int16, scale: 0.1, unit: Cel}
  level:       {address: 1, type: int16, unit: "%", access: rw}
  relay:       {area: coil, address: 0, type: bool, access: rw}
  slow:        {address: 2, type: int16, scale: 0.1, unit: Cel, rate: slow}
lwm2m:
  3303/1/5700: slow
  3303/0/5700: temperature
  3308/0/5900: level
  3306/0/5850: relay
"""
DEVICES = """schema: 1
devices:
  - {name: p, profile: probe, bus: lan, address: {host: 127.0.0.1, unit: 1}}
"""
NAME, PATH = "gw-p", "/3303/0/5700"
# Shows the same point: by it a server sees what the agent has read, while it has disabled the other.
TWIN = "gw-twin"
TWINS = DEVICES + """endpoints:
  - {name: twin, info: {manufacturer: Fieldway, model: Twin}, lwm2m: {3303/0/5700: p.temperature}}
"""


class ObserveTest(Scenario):
    def start(self, secure=True, more="", silent=False, devices=DEVICES, profile=PROFILE):
        self.start_server(secure, names=("gw", NAME, TWIN))
        self.simulator = Simulator(self.rig, ["--plain", "--tcp", "127.0.0.1:0"])
        self.set(20)
        if silent:
            self.simulator.command("silent")
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=self.simulator.port(0)))
        self.rig.write("etc/profiles.d/probe.yaml", profile)
        self.rig.write("etc/devices.d/site.yaml", devices)
        self.configure(["lifetime: 24h", "liveness: 24h"], more=more)
        self.start_clock_daemon()
        self.ready("gw", NAME)
        self.daemon.hold()

    def set(self, value):
        """What the probe measures."""
        self.simulator.command(f"set holding 0 {round(value * 10) & 0xFFFF}")

    def measure(self, value):
        """... and the agent has read."""
        self.set(value)
        self.until_read(NAME, PATH, lambda a: self.server.values(a, PATH)[PATH] == value)

    def attributes(self, query, path=PATH):
        self.expect(self.server.request(NAME, "PUT", f"{path}?{query}"), "2.04")

    def observe(self, path=PATH, name=NAME, accept=SENML_CBOR):
        self.start_of_events = self.now()
        answer = self.expect(self.server.observe(name, path, f"accept={accept}"), "2.05")
        self.token = answer.token
        return self.server.values(answer, path)

    def notifications(self):
        return [e for e in self.server.events[self.start_of_events:] if e.word == "notify"]

    def notification(self, number=1):
        """The n-th since Observe."""
        self.rig.until(lambda: len(self.notifications()) >= number, 10, f"notification {number}")
        self.server.catch_up()
        return self.notifications()[number - 1]

    def heard(self):
        """The values of all notifications since Observe, when nothing is on its way."""
        self.read(NAME, "/3/0/16")
        return [self.server.values(e, PATH)[PATH] for e in self.notifications()]

    def test_change(self):
        self.start()
        self.assertEqual(self.observe(), {PATH: 20.0})
        self.set(21.5)
        event = self.notification()
        self.assertEqual((event.code, event.con, event.path, event.format), ("2.05", "0", PATH, SENML_CBOR))
        self.assertEqual(self.server.values(event, PATH), {PATH: 21.5})
        self.set(-3)
        self.notification(2)
        self.assertEqual(self.heard(), [21.5, -3.0])

    def test_formats(self):
        self.start()
        for accept in (TEXT, TLV, 60, 110):
            with self.subTest(accept):
                self.observe(accept=accept)
                self.set(22 + accept % 7)
                event = self.notification()
                self.assertEqual(event.format, accept)
                self.assertEqual(self.server.values(event, PATH), {PATH: 22.0 + accept % 7})
                self.expect(self.server.cancel(NAME, PATH), "2.05")

    def test_pmin(self):
        self.start()
        self.attributes("pmin=60")
        self.observe()
        self.measure(21)
        self.measure(20)
        self.daemon.step(50)
        self.assertEqual(self.heard(), [])
        self.daemon.step(10)
        self.notification()
        # Owed, with the value of this moment, though it went back (Core table 7.3.2-1).
        self.assertEqual(self.heard(), [20.0])
        self.daemon.step(120)
        self.assertEqual(self.heard(), [20.0])

    def test_pmax(self):
        self.start()
        self.attributes("pmax=600")
        self.observe()
        self.daemon.step(590)
        self.assertEqual(self.heard(), [])
        self.daemon.step(10)
        self.notification()
        self.daemon.step(600)
        self.notification(2)
        self.assertEqual(self.heard(), [20.0, 20.0])

    def test_periods_of_the_account(self):
        self.start()
        self.expect(self.put(NAME, "/1/0/3", "300"), "2.04")
        self.observe()
        self.daemon.step(301)
        self.notification()
        # Changed while it runs.
        self.attributes("pmax=50", "/3303")
        self.daemon.step(51)
        self.notification(2)

    def test_conditions(self):
        for query, values, heard in (
                ("gt=25", (24, 26, 30, 24, 20, 25.5), [26.0, 24.0, 25.5]),
                ("lt=10", (11, 9, 5, 12, 20), [9.0, 12.0]),
                ("st=10", (25, 29.9, 30, 39, 20.5, 20), [30.0, 20.0]),
                ("gt=45&st=10", (50, 49, 38, 48, 55), [50.0, 38.0, 48.0]),
                ("lt=20&gt=85&st=10", (24, 87, 99), [87.0, 99.0])):
            with self.subTest(query):
                if not self.daemon:
                    self.start()
                self.measure(20)
                self.attributes(query)
                self.observe()
                for value in values:
                    self.measure(value)
                self.assertEqual(self.heard(), heard)
                self.expect(self.server.cancel(NAME, PATH), "2.05")
                self.attributes("gt&lt&st")

    def test_edge(self):
        self.start()
        path = "/3306/0/5850"
        self.attributes("edge=1&con=1", path)
        self.observe(path)
        for state in (1, 0, 1):
            self.simulator.command(f"set coil 0 {state}")
            self.until_read(NAME, path, lambda a: self.server.values(a, path)[path] == bool(state))
        self.assertEqual([self.server.values(e, path)[path] for e in self.notifications()], [True, True])
        self.assertEqual({e.con for e in self.notifications()}, {"1"})

    def test_evaluation_periods(self):
        """epmax: a point that is polled each hour is read that often; the YAML's rate is as it was for others."""
        self.start()
        path = "/3303/1/5700"
        self.observe(path)
        self.simulator.command("set holding 2 215")
        self.daemon.step(600)
        self.read(NAME, "/3/0/16")
        self.assertEqual(self.notifications(), [])
        self.attributes("epmin=10&epmax=60", path)
        self.daemon.step(60)
        self.assertEqual(self.server.values(self.notification(), path), {path: 21.5})
        self.simulator.command("set holding 2 220")
        self.daemon.step(60)
        self.assertEqual(self.server.values(self.notification(2), path), {path: 22.0})

    def test_stored_while_disabled(self):
        """hqmax: what the server has missed comes with its times, when it observes again."""
        self.start(devices=TWINS)
        self.ready(TWIN)
        self.attributes("hqmax=3")
        self.expect(self.put(NAME, "/1/0/5", "600"), "2.04")
        self.observe()
        start = self.now()
        self.expect(self.post(NAME, "/1/0/4"), "2.04")
        self.daemon.step(1)
        self.event("deregistered", NAME, start)
        for value in (21, 22, 23, 24):
            self.set(value)
            self.until_read(TWIN, PATH, lambda a: self.server.values(a, PATH)[PATH] == value)
            self.daemon.step(10)
        self.daemon.step(600)
        self.registered(NAME, start=start)
        self.assertEqual(self.observe(), {PATH: 24.0})
        self.read(NAME, "/3/0/16")
        self.assertEqual(self.notifications(), [])
        self.daemon.step(2)
        event = self.notification()
        self.assertEqual(event.con, "1")
        records = read_cbor(event.payload)
        self.assertEqual([r[2] for r in records], [22, 23, 24])
        times = [r.get(6, 0) for r in records]
        self.assertEqual(times, sorted(set(times)))

    def test_attributes_of_the_profile(self):
        """Every server starts with them; what one has written is kept in their place."""
        self.start(profile=PROFILE + "notify: {3303/*/5700: {st: 5}, 3303: {pmax: 10m}}\n")

        def links(path):
            answer = self.expect(self.server.request(NAME, "GET", path, "accept=40"), "2.05")
            return answer.payload.decode().split(",")

        self.assertEqual(links(PATH), [f"<{PATH}>;pmax=600;st=5"])
        self.assertIn("</3303/1/5700>;st=5", links("/3303/1"))
        self.observe()
        self.measure(24)
        self.assertEqual(self.heard(), [])
        self.measure(25)
        self.assertEqual(self.heard(), [25.0])
        for path, query in ((PATH, "st"), ("/3303/1/5700", "st"), ("/3303", "pmax")):
            self.attributes(query, path)
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start_clock_daemon()
        self.ready("gw", NAME, start=start)
        self.assertNotIn("st=", ",".join(links("/3303/1") + links(PATH)))

    def test_cancel(self):
        self.start()
        self.observe()
        self.measure(21)
        answer = self.expect(self.server.cancel(NAME, PATH), "2.05")
        self.assertNotIn("observe", answer.fields)
        self.measure(22)
        self.assertEqual(self.heard(), [21.0])

    def test_reset(self):
        self.start()
        self.observe()
        self.server.command(f"reset {NAME} {self.token}")
        self.measure(21)
        self.rig.until(lambda: any(e.word in ("notify", "stray") for e in self.server.events[self.start_of_events:]),
                       10, "the notification that is refused")
        before = self.heard()
        self.measure(22)
        self.measure(23)
        self.assertEqual(self.heard(), before)
        self.assertEqual([e for e in self.server.events if e.word == "stray"][1:], [])

    def test_confirmable(self):
        self.start()
        self.expect(self.put(NAME, "/1/0/26", "1"), "2.04")
        self.observe()
        self.set(21)
        self.assertEqual(self.notification().con, "1")

    def test_newer_values_go_in_the_place_of_what_is_sent_again(self):
        """RFC 7641 4.5.2: no value is sent again that is not so any more."""
        self.start(devices=TWINS)
        self.ready(TWIN)
        self.expect(self.put(NAME, "/1/0/26", "1"), "2.04")
        self.observe()
        self.server.command("fault notify silent")
        for value in (21, 22):
            self.set(value)
            self.until_read(TWIN, PATH, lambda a: self.server.values(a, PATH)[PATH] == value)
        self.daemon.step(3)
        self.set(23)
        self.until_read(TWIN, PATH, lambda a: self.server.values(a, PATH)[PATH] == 23)
        self.server.command("fault notify none")
        self.daemon.step(6)
        self.notification()
        self.set(24)
        self.notification(2)
        self.daemon.step(60)
        self.assertEqual(self.heard(), [23.0, 24.0])
        numbers = [int(e.observe) for e in self.notifications()]
        self.assertLess(numbers[0], numbers[1])
        self.assertEqual([e.con for e in self.notifications()], ["1", "1"])

    def test_one_confirmable_a_day(self):
        self.start()
        self.observe()
        self.set(21)
        self.assertEqual(self.notification().con, "0")
        self.daemon.step(24 * 3600)
        self.set(22)
        self.rig.until(lambda: any(e.con == "1" for e in self.notifications()), 10, "a CON after 24 h")

    def test_instance(self):
        self.start()
        values = self.observe("/3303/0")
        self.assertEqual(values[PATH], 20.0)
        self.set(30)
        event = self.notification()
        values = self.server.values(event, "/3303/0")
        self.assertEqual((values[PATH], values["/3303/0/5602"], values["/3303/0/5701"]), (30.0, 30.0, "Cel"))

    def test_written_values_come_behind_the_answer(self):
        self.start()
        self.observe("/3308/0/5900")
        self.expect(self.put(NAME, "/3308/0/5900", "33"), "2.04")
        event = self.notification()
        self.assertEqual(self.server.values(event, "/3308/0/5900"), {"/3308/0/5900": 33.0})
        words = [e.word for e in self.server.events[self.start_of_events:] if e.word in ("response", "notify")]
        self.assertEqual(words, ["response", "response", "notify"])

    def observe_all(self, *paths, accept=SENML_CBOR, name=NAME):
        self.start_of_events = self.now()
        body = encode.paths_cbor(paths).hex()
        answer = self.expect(self.server.observe(name, "/", f"accept={accept} format=322 payload={body}"), "2.05")
        self.token = answer.token
        return self.server.values(answer, "/")

    def test_composite(self):
        """int-304, 305, 310: a list of paths is one observation, with the window of all."""
        self.start()
        listed = (PATH, "/3308/0/5900", "/3303/0/5604")
        self.attributes("pmin=30&pmax=45")
        self.attributes("pmin=10", "/3308/0/5900")
        self.assertEqual(self.observe_all(*listed), {PATH: 20.0, "/3308/0/5900": 0.0})
        self.expect(self.put(NAME, "/3308/0/5900", "33"), "2.04")
        self.daemon.step(25)
        self.read(NAME, "/3/0/16")
        self.assertEqual(self.notifications(), [])
        self.daemon.step(5)
        self.assertEqual(self.server.values(self.notification(), "/"), {PATH: 20.0, "/3308/0/5900": 33.0})
        self.daemon.step(45)
        self.notification(2)
        self.attributes("pmin=5&pmax=20")
        self.daemon.step(20)
        self.notification(3)
        self.expect(self.server.cancel(NAME, "/"), "2.05")
        self.daemon.step(60)
        self.read(NAME, "/3/0/16")
        self.assertEqual(len(self.notifications()), 3)

    def test_composite_with_instances_that_come_and_go(self):
        """int-308, 309."""
        self.start()
        self.assertEqual(self.observe_all("/16", "/3/0/16", name="gw"), {"/3/0/16": "U"})
        self.expect(self.post("gw", "/16", encode.tlv({0: {0: "a"}}), TLV), "2.01")
        self.assertEqual(self.server.values(self.notification(), "/"), {"/16/0/0/0": "a", "/3/0/16": "U"})
        self.expect(self.send("gw", "DELETE", "/16/0"), "2.02")
        self.rig.until(lambda: self.server.values(self.notifications()[-1], "/") == {"/3/0/16": "U"}, 10,
                       "a notification without what was deleted")

    def test_composite_reset(self):
        self.start()
        self.observe_all(PATH, "/3308/0/5900")
        self.server.command(f"reset {NAME} {self.token}")
        self.measure(21)
        self.rig.until(lambda: any(e.word in ("notify", "stray") for e in self.server.events[self.start_of_events:]),
                       10, "the notification that is refused")
        self.read(NAME, "/3/0/16")
        before = len(self.notifications())
        self.measure(22)
        self.assertEqual(len(self.notifications()), before)

    def test_what_ends_an_observation(self):
        self.start()
        self.observe()
        # An Update does not.
        start = self.now()
        self.expect(self.post(NAME, "/1/0/8"), "2.04")
        self.event("updated", NAME, start)
        self.measure(21)
        self.assertEqual(self.heard(), [21.0])
        # A Register does.
        start = self.now()
        self.expect(self.post(NAME, "/3/0/4"), "2.04")
        self.daemon.step(1)
        self.registered(NAME, start=start)
        self.measure(22)
        self.assertEqual(self.heard(), [21.0])

    def test_removal_ends_it(self):
        self.start()
        self.expect(self.post("gw", "/16", encode.tlv({0: {0: "a"}}), TLV), "2.01")
        self.observe("/16/0/0", "gw")
        self.expect(self.send("gw", "DELETE", "/16/0"), "2.02")
        self.assertEqual(self.notification().code, "4.04")

    def test_large(self):
        """The first block is pushed, the server asks for the rest."""
        self.start()
        self.expect(self.post("gw", "/16", encode.tlv({0: {0: "a"}}), TLV), "2.01")
        self.observe("/16/0", "gw")
        wanted = {f"/16/0/0/{n}": f"{n} " + "y" * 200 for n in range(20)}
        self.expect(self.put("gw", "/16/0/0", encode.senml_cbor(wanted), SENML_CBOR), "2.04")
        event = self.notification()
        self.assertTrue(self.server.values(event, "/16/0") == wanted)

    def test_refused(self):
        self.start()
        for path, code in {"/0/0": "4.01", "/3303/0/9999": "4.04", "/3303/7": "4.04", "/3303/0/5605": "4.05",
                           "/17": "4.04"}.items():
            with self.subTest(path):
                self.expect(self.server.observe(NAME, path), code)
        self.expect(self.server.observe(NAME, "/3303/0", "accept=0"), "4.06")

    def test_never_read(self):
        """The first value is the answer; it comes when there is one."""
        self.start(more="register: {wait: none, at_most: 10m}", silent=True)
        name = self.server.send("observe", NAME, f"{PATH} accept=112")
        self.read(NAME, "/3/0/16")
        self.log("device p is offline")
        self.read(NAME, "/3/0/16")
        self.assertNotIn(name, self.server.answers)
        self.simulator.command("talk")
        self.rig.until(lambda: name in self.server.answers, 15, "the answer to Observe")
        answer = self.expect(self.server.answers.pop(name), "2.05")
        self.assertEqual(self.server.values(answer, PATH), {PATH: 20.0})
        self.assertIn("token", answer.fields)

    def test_never_read_at_all(self):
        self.start(more="register: {wait: none, at_most: 30s}", silent=True)
        name = self.server.send("observe", NAME, f"{PATH} accept=112")
        self.read(NAME, "/3/0/16")
        self.daemon.step(31)
        self.rig.until(lambda: name in self.server.answers, 15, "the answer to Observe")
        self.expect(self.server.answers.pop(name), "5.03")


if __name__ == "__main__":
    main()
