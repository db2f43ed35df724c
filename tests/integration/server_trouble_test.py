#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that refuse, fail, are silent, restart, come late, have another key or
no address: the endpoints try again in growing waits, and come back."""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6}
STEP_S = 2
EXCHANGE_S = 93 + 6 * STEP_S    # the most that a CON is repeated for, each time seen a step late


def seconds(text):
    """Of "1h 2m 3s" and the like."""
    return sum(int(n) * UNITS[u] for n, u in re.findall(r"(\d+)([a-z]+)", text))


class TroubleTest(Scenario):
    def start(self, secure=False, meters=0, server=("lifetime: 24h",), fault=None, uri=None):
        if uri is None:
            self.start_server(secure)
        if fault:
            self.server.command("fault register " + fault)
        if meters:
            self.start_meters(meters)
        self.configure(server, uri=uri)
        self.start_clock_daemon()

    def step_until(self, condition, most, what, step=STEP_S):
        """In small steps, with some real time behind each; how much of the daemon's time it took."""
        passed = 0
        while not condition():
            self.assertLess(passed, most, f"{most} s passed without {what}")
            self.daemon.step(step)
            passed += step
            for _ in range(3):
                self.rig.turn(0.02)
                if self.server:
                    self.server.catch_up()
        return passed

    def failures(self, name="gw"):
        return self.logged(f"{name}: not registered at server plant")

    def wait_failure(self, number):
        """Of the n-th attempt; how long it says to wait."""
        self.rig.until(lambda: len(self.failures()) >= number, 20, f"failure {number}")
        lines = self.failures()
        self.assertEqual(len(lines), number, lines)
        return seconds(lines[-1].rpartition("; next attempt in ")[2].partition("(")[0])


class RefusalTest(TroubleTest):
    def expect_sequence(self, code):
        self.start(fault=code)
        # Core 6.2.1.1; what is drawn by lot only lengthens.
        for number, wait in enumerate((60, 120, 240, 480, 24 * 3600), 1):
            told = self.wait_failure(number)
            self.assertGreaterEqual(told, wait)
            self.assertLessEqual(told, wait * 1.25 + (1 if told < 3600 else 1800))
            # It is told roughly, and real time passes as well, but not that much of it.
            slack = 20 if told < 3600 else 1900
            self.daemon.step(told - slack)
            self.server.command("clients")
            self.server.command("clients")
            refused = [e.code for e in self.server.events if e.word == "refused"]
            self.assertEqual(refused, [code] * number)
            self.daemon.step(2 * slack + 1)
        self.assertGreaterEqual(self.wait_failure(6), 60)
        self.server.command("fault register none")
        self.daemon.step(76)
        self.registered("gw")

    def test_4_03(self):
        self.expect_sequence("4.03")

    def test_5_00(self):
        self.expect_sequence("5.00")

    def test_settings_of_the_server(self):
        """/1/0/17 to 20 name other waits."""
        self.start()
        self.ready("gw")
        for resource, value in {17: 2, 18: 10, 19: 300, 20: 2}.items():
            self.expect(self.put("gw", f"/1/0/{resource}", str(value)), "2.04")
        self.server.command("fault register 5.00")
        self.expect(self.post("gw", "/3/0/4"), "2.04")
        for number, wait in enumerate((10, 300, 10), 1):
            told = self.wait_failure(number)
            self.assertGreaterEqual(told, wait)
            self.assertLessEqual(told, wait * 1.25 + 1)
            self.daemon.step(told + 1)

    def test_silent(self):
        self.start(fault="silent")
        took = self.step_until(self.failures, EXCHANGE_S, "an end of the attempt")
        # Four repetitions: RFC 7252 4.8.2.
        self.assertGreaterEqual(took, 45)
        self.assertIn("no answer: is it up", self.failures()[0])
        self.server.command("fault register none")
        self.daemon.step(76)
        self.registered("gw")


class RestartTest(TroubleTest):
    NAMES = ("gw", "gw-m1", "gw-m2")

    def back(self, start, names=NAMES):
        return all(any(e.word == "registered" and e.arguments == [name] for e in self.server.events[start:])
                   for name in names)

    def expect_return(self, most):
        self.step_until(lambda: self.back(0), most, "all endpoints coming back")
        for name in self.NAMES[1:]:
            self.until_code(name, "/3305/0/5800", "2.05")
            # What the old one observed is forgotten with it, the new one's flows.
            self.expect(self.server.observe(name, "/3305/0/5800", "accept=112"), "2.05")
            self.event("notify", name, self.now())

    def restart(self, secure):
        self.start(secure, 2, ("lifetime: 24h", "liveness: 1m"))
        self.ready(*self.NAMES)
        for name in self.NAMES[1:]:
            self.expect(self.server.observe(name, "/3305/0/5800", "accept=112"), "2.05")
            self.event("notify", name)
        self.restart_server()

    def test_without_security(self):
        self.restart(False)
        self.expect_return(60 + 5)

    def test_psk(self):
        self.restart(True)
        self.expect_return(60 + EXCHANGE_S + 20)

    def test_away_for_a_while(self):
        self.start(True, 2, ("lifetime: 24h", "liveness: 1m"))
        self.ready(*self.NAMES)
        place = self.server.places["coaps"]
        self.server.process.child.kill()
        self.server.process.wait_end()
        for name in self.NAMES:
            self.step_until(lambda: self.failures(name), 60 + 2 * EXCHANGE_S, f"{name} noticing it")
        self.start_server(True, place)
        self.expect_return(75 * 4)

    def test_silent_to_updates(self):
        """Under a new security context the same Update once more, then a Register (Transport 6.4.3)."""
        self.start(True, 1, ("lifetime: 24h", "liveness: 1m"))
        self.ready("gw", "gw-m1")
        self.server.command("fault update silent")
        start = self.now()
        self.step_until(lambda: self.logged("gw-m1: Update did not get to server plant: no answer"), 60 + EXCHANGE_S,
                        "the first being given up")
        self.assertTrue(self.logged("gw-m1: Update did not get to server plant")[0].endswith("; once more"))
        self.step_until(lambda: self.back(start, self.NAMES[:2]), EXCHANGE_S + 60, "Registers")
        self.assertTrue(self.logged("gw-m1: Update did not get to server plant")[1].endswith("; registering again"))
        self.assertEqual(self.failures("gw-m1"), [])
        self.until_code("gw-m1", "/3305/0/5800", "2.05")

    def test_comes_late(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            place = f"127.0.0.1:{s.getsockname()[1]}"
        self.write_keys(self.NAMES)
        self.start(meters=2, uri="coaps://" + place)
        for name in self.NAMES:
            self.step_until(lambda: self.failures(name), EXCHANGE_S, f"{name} giving up")
        self.assertIn("nobody listens at its port", self.failures()[0])
        self.start_server(True, place)
        self.expect_return(75 + 20)


class KeyTest(TroubleTest):
    def test_wrong_key(self):
        self.start_server(True)
        right = self.keys["gw-m1"]
        path = self.rig.path("etc/keys/plant.psk")
        with open(path, encoding="ascii") as f:
            text = f.read()
        with open(path, "w", encoding="ascii") as f:
            f.write(text.replace(right, right[::-1]))
        self.start_meters()
        self.configure()
        self.start_clock_daemon()
        self.registered("gw")
        line = self.log("gw-m1: not registered at server plant", 40)
        self.assertNotIn(right[::-1], line)
        self.assertIn("it does not know this key: compare `key` and `identity`", line)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        self.daemon.step(76)
        self.registered("gw-m1")
        self.assertEqual([e for e in self.server.events if e.word == "registered" and e.arguments == ["gw"]][1:], [])
        self.assertEqual([line for line in self.daemon.process.lines for key in self.keys.values() if key in line], [])

    def test_an_identity_without_key(self):
        self.start_server(True)
        path = self.rig.path("etc/keys/plant.psk")
        with open(path, encoding="ascii") as f:
            text = f.read()
        with open(path, "w", encoding="ascii") as f:
            f.writelines(line for line in text.splitlines(True) if not line.startswith("gw-m1:"))
        self.start_meters()
        self.configure()
        self.start_clock_daemon()
        self.registered("gw")
        self.log("gw-m1: no new key for server plant: ")
        self.log("gw-m1: not registered at server plant")
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        self.daemon.step(76)
        self.registered("gw-m1")

    def test_a_server_that_does_not_know_us(self):
        self.write_keys(["gw", "gw-m1"])
        mine = dict(self.keys)
        self.keys = {"somebody": "00112233445566778899aabbccddeeff"}
        self.start(True)
        self.assertIn("gw", mine)
        self.server.wait_event(lambda e: e.word == "unknown-identity" and e.arguments == ["gw"])
        self.log("gw: not registered at server plant", 40)


class NameTest(TroubleTest):
    def test_unknown_host(self):
        self.write_keys(["gw"])
        self.start(uri="coaps://nonesuch.invalid:5684")
        line = self.log("gw: not registered at server plant", 60)
        self.assertIn("its name is unknown, or no route leads there", line)
        # It is tried again.
        self.daemon.step(76)
        self.rig.until(lambda: len(self.failures()) == 2, 60, "a second attempt")


if __name__ == "__main__":
    main()
