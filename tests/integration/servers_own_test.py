#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each of several servers has for itself: attributes, observations, its
instance of /1, Disable; and what of that a restart leaves."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from fieldway_test.scenario import LINKS  # noqa: E402
from servers_test import ServersScenario  # noqa: E402

OFFSET = "/3/0/14"


class OwnScenario(ServersScenario):
    def start(self, **servers):
        self.start_servers(*servers)
        self.write_servers(**servers)
        self.begin()

    def begin(self):
        starts = {name: server.now() for name, server in self.servers.items()}
        self.start_clock_daemon()
        self.told = {name: self.registered_at(name, start=starts[name]) for name in self.servers}

    def restart(self):
        self.stop_daemon(self.daemon)
        self.begin()

    def do(self, name, method, path, *args, code="2.04", **options):
        with self.at(name):
            return self.expect(self.send("gw", method, path, *args, **options), code)

    def links(self, name, path):
        with self.at(name):
            answer = self.expect(self.server.request("gw", "GET", path, f"accept={LINKS}"), "2.05")
        return answer.payload.decode()

    def observe(self, name, path):
        return self.servers[name].observe("gw", path)

    def notified(self, name, value, start=0):
        """Numbers of what comes are those of `start`."""
        server = self.servers[name]
        return server.wait_event(lambda e: e.word == "notify" and e.path == OFFSET and e.payload.decode() == value,
                                 start=start)

    def notifications(self, name, start=0):
        self.servers[name].command("clients")
        return [e for e in self.servers[name].events[start:] if e.word == "notify"]


class AttributesTest(OwnScenario):
    def test_per_server(self):
        """ETS 951."""
        self.start(a=[], b=["notify: {pmin: 7s}"])
        self.do("a", "PUT", f"{OFFSET}?pmin=3&pmax=60")
        self.do("b", "PUT", f"{OFFSET}?pmax=90")
        self.assertIn(f"<{OFFSET}>;pmin=3;pmax=60", self.links("a", OFFSET))
        own = self.links("b", OFFSET)
        self.assertIn("pmax=90", own)
        self.assertNotIn("pmax=60", own)
        self.assertNotIn("pmin=3", own)
        # Over a restart too.
        self.restart()
        self.assertIn("pmax=60", self.links("a", OFFSET))
        self.assertIn("pmax=90", self.links("b", OFFSET))
        self.assertNotIn("pmax=60", self.links("b", OFFSET))

    def test_each_at_its_own_pace(self):
        self.start(a=[], b=[])
        self.do("b", "PUT", f"{OFFSET}?pmin=20")
        for name in "ab":
            self.observe(name, OFFSET)
        self.do("a", "PUT", OFFSET, "+01:00")
        self.notified("a", "+01:00")
        self.assertEqual(self.notifications("b"), [])
        self.daemon.step(21)
        self.notified("b", "+01:00")


class ObservationsTest(OwnScenario):
    def test_two_observers(self):
        """ETS 950."""
        self.start(a=[], b=[], c=["access: read"])
        for name in "abc":
            self.observe(name, OFFSET)
        self.do("a", "PUT", OFFSET, "+02:00")
        for name in "abc":
            self.notified(name, "+02:00")
        # One of them has enough of it.
        start = len(self.servers["b"].events)
        self.servers["b"].cancel("gw", OFFSET)
        self.do("a", "PUT", OFFSET, "+03:00")
        for name in "ac":
            self.notified(name, "+03:00")
        self.assertEqual(self.notifications("b", start), [])

    def test_one_server_away(self):
        self.start(a=["liveness: 24h"], b=["liveness: 24h"])
        for name in "ab":
            self.observe(name, OFFSET)
        self.servers["a"].process.child.kill()
        self.servers["a"].process.wait_end()
        self.do("b", "PUT", OFFSET, "+04:00")
        self.notified("b", "+04:00")
        self.do("b", "GET", OFFSET, code="2.05")
        self.server = None  # for the goodbye

    def test_another_registration(self):
        """It ends what one server observes, and nobody else's."""
        self.start(a=[], b=[])
        for name in "ab":
            self.observe(name, OFFSET)
        self.servers["a"].command("forget gw")
        start = len(self.servers["a"].events)
        self.do("b", "POST", "/1/1/8")
        self.daemon.step(3500)
        self.registered_at("a", start=start)
        self.do("b", "PUT", OFFSET, "+05:00")
        self.notified("b", "+05:00")
        self.assertEqual(self.notifications("a", start), [])


class SettingsTest(OwnScenario):
    def test_over_a_restart(self):
        """What each has written to its own instance, whatever its number is by then."""
        self.start(a=[], b=[])
        for name, path, lifetime in (("a", "/1/0/1", "700"), ("b", "/1/1/1", "800")):
            self.do(name, "PUT", path, lifetime)
            self.servers[name].wait_event(lambda e, lt=lifetime: e.word == "updated" and e.fields.get("lt") == lt)
        self.do("b", "PUT", "/1/1/2", "9")
        self.restart()
        self.assertEqual([self.told[name].lt for name in "ab"], ["700", "800"])
        self.stop_daemon(self.daemon)
        del self.servers["a"]
        self.server = self.servers["b"]
        self.write_servers(b=[])
        self.begin()
        self.assertEqual(self.told["b"].lt, "800")
        with self.at("b"):
            self.assertEqual(self.read("gw", "/1/0/2"), {"/1/0/2": 9})

    def test_of_yaml(self):
        self.start(a=["lifetime: 0s", "disable_timeout: 5m", "priority: 3", "initial_delay: 0s", "failure_block: true",
                      "bootstrap_on_failure: false", "notify: {pmax: 60s, storing: false, confirmable: true}",
                      "retry: {count: 2, timer: 30s, sequence_delay: 2h, sequence_count: 7}"], b=[])
        self.assertEqual(self.told["a"].lt, "0")
        with self.at("a"):
            values = {int(p.split("/")[3]): v for p, v in self.read("gw", "/1/0").items()}
        self.assertEqual(values, {0: 101, 1: 0, 3: 60, 5: 300, 6: False, 7: "U", 13: 3, 14: 0, 15: True, 16: False,
                                  17: 2, 18: 30, 19: 7200, 20: 7, 23: True, 26: 1})
        # What has its default is not there.
        with self.at("b"):
            self.assertEqual({p.split("/")[3] for p in self.read("gw", "/1/1")}, {"0", "1", "5", "6", "7", "23"})
        for path in ("/1/0/0", "/1/0/13", "/1/0/15", "/1/0/16"):
            self.do("a", "PUT", path, "1", code="4.05")

    def test_lifetime_without_end(self):
        """Only 1.2 has it: others take 0 for expired."""
        self.start(a=[], b=['protocol: "1.1"', "lifetime: 0s"])
        self.assertEqual(self.told["b"].lt, "2147483647")
        self.do("a", "PUT", "/1/0/1", "0")
        self.servers["a"].wait_event(lambda e: e.word == "updated" and e.fields.get("lt") == "0")

    def test_disable(self):
        """It leaves the one that wants it, for as long as YAML says."""
        self.start(a=["disable_timeout: 10m"], b=[])
        self.daemon.hold()
        start = {name: len(self.servers[name].events) for name in "ab"}
        self.do("a", "POST", "/1/0/4")
        self.daemon.step(2)
        self.servers["a"].wait_event(lambda e: e.word == "deregistered", start=start["a"])
        self.do("b", "GET", "/3/0/16", code="2.05")
        self.daemon.step(590)
        self.settle()
        self.assertEqual(self.words("a", start=start["a"]), ["deregistered"])
        self.daemon.step(15)
        self.registered_at("a", start=start["a"])
        self.assertNotIn("deregistered", self.words("b", start=start["b"]))


if __name__ == "__main__":
    main()
