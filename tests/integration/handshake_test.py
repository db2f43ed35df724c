#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Handshakes that go wrong: a server that is silent from some message on, loses its
alert, has another key, or a wall clock that steps under GnuTLS, which times by it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Relay, Scenario, WallClock, main  # noqa: E402
from registration_test import NONE, OTHERS, start_limited_server  # noqa: E402
from server_trouble_test import TroubleTest, seconds  # noqa: E402

VALUE = "/3305/0/5800"
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST = 1, 2, 3
HANDSHAKE_S, FINISHED_S = 45, 15        # how long a handshake, and its end, may take
HOUR = 3600


def message(data):
    """Type of the handshake message in the clear that a datagram begins with; or None."""
    return data[13] if data[0] == HANDSHAKE and data[3:5] == b"\0\0" else None


def begins(data):
    """A ClientHello without cookie."""
    return message(data) == CLIENT_HELLO and data[60 + data[59]] == 0


def ends(data):
    """A flight that changes to the new keys, behind what it has in the clear: our Finished."""
    while len(data) >= 13:
        if data[0] == CHANGE_CIPHER_SPEC:
            return True
        data = data[13 + int.from_bytes(data[11:13], "big"):]
    return False


class Gate:
    """Nothing of the server from the message on for which `stops` holds, until it is opened."""

    def __init__(self, stops):
        self.stops, self.shut, self.reached = stops, True, 0

    def __call__(self, data):
        if self.shut and (self.reached or self.stops(data)):
            self.reached += 1
            return []
        return [data]


STAGES = {
    "ClientHello": lambda data: message(data) == HELLO_VERIFY_REQUEST,
    "ClientHello with cookie": lambda data: message(data) == SERVER_HELLO,
    "Finished": lambda data: data[0] == CHANGE_CIPHER_SPEC,
}


class Relayed(Scenario):
    def relayed(self, server=("lifetime: 24h",)):
        """A server with DTLS behind a relay, and the files."""
        if self.server is None:
            self.start_server(secure=True)
        self.relay = Relay(self.rig, self.server.places["coaps"])
        self.addCleanup(self.relay.close)
        self.configure(server, uri="coaps://" + self.relay.place)

    def sent(self, fits):
        return sum(fits(data) for link in self.relay.links for data in link.sent)


class WallClockTest(Relayed):
    def start(self):
        self.relayed()
        self.clock = WallClock(self.rig)

    def start_daemon_with_clock(self):
        self.start_daemon(environment=self.clock.environment())

    def check(self, stops, step):
        self.relayed()
        gate, start = Gate(stops), self.now()
        self.relay.to_client = gate
        self.clock.step(0)
        self.start_daemon_with_clock()
        self.rig.until(lambda: gate.reached, 10, "the flight")
        self.clock.step(step)
        # From a new socket: the server may have half of the old one.
        self.rig.until(lambda: len(self.relay.links) > 1, 10, "another handshake")
        self.assertEqual(len(self.relay.links), 2)
        gate.shut = False
        self.registered("gw", start=start)
        self.assertEqual(self.logged("not registered"), [])

    def test_steps(self):
        """In the middle of each flight, both ways: the handshake begins again, nothing has failed."""
        self.start()
        for stage, stops in STAGES.items():
            for step in (HOUR, -HOUR, 30, -30):
                with self.subTest(stage, step=step):
                    try:
                        self.check(stops, step)
                    finally:
                        self.stop_daemon(self.daemon)

    def test_steps_again_and_again(self):
        self.start()
        gate = self.relay.to_client = Gate(STAGES["ClientHello"])
        self.start_daemon_with_clock()
        for number in range(1, 4):
            self.rig.until(lambda: len(self.relay.links) >= number, 10, "a handshake")
            self.clock.step(number * HOUR)
        self.rig.until(lambda: len(self.relay.links) == 4, 10, "a handshake")
        # One for each step: no storm.
        self.rig.turn(0.5)
        self.assertEqual(len(self.relay.links), 4)
        gate.shut = False
        self.registered("gw")
        self.assertEqual(self.logged("not registered"), [])

    def test_steps_when_connected(self):
        self.start()
        self.start_meters()
        self.start_daemon_with_clock()
        self.ready("gw", "gw-m1")
        self.expect(self.server.observe("gw-m1", VALUE, "accept=112"), "2.05")
        start, links = self.now(), len(self.relay.links)
        for step in (HOUR, -HOUR, 0):
            self.clock.step(step)
            begin = self.now()
            self.event("notify", "gw-m1", begin)
            self.until_code("gw-m1", VALUE, "2.05")
        self.assertEqual(len(self.relay.links), links)
        self.assertEqual([e for e in self.server.events[start:] if e.word in ("registered", "updated")], [])


class SilenceTest(TroubleTest, Relayed):
    def check(self, stops, most, text):
        """Gives up in time, says so, stays away for the wait of the sequence, and comes back."""
        self.relayed()
        gate = self.relay.to_client = Gate(stops)
        self.start_clock_daemon()
        self.rig.until(lambda: gate.reached, 10, "the flight")
        self.step_until(self.failures, most + 10, "giving up")
        line = self.failures()[0]
        self.assertIn(text, line)
        wait = seconds(line.rpartition("; next attempt in ")[2])
        self.assertGreaterEqual(wait, 60)
        begun = self.sent(begins)
        # A flight may be repeated, and begun anew, but seldom.
        self.assertLessEqual(sum(len(link.sent) for link in self.relay.links), 40)
        self.daemon.step(wait - 10)
        for _ in range(5):
            self.rig.turn(0.1)
        self.assertEqual(self.sent(begins), begun)
        gate.shut = False
        self.daemon.step(11)
        self.registered("gw")

    def test_client_hello(self):
        self.check(STAGES["ClientHello"], HANDSHAKE_S, "no answer: is it up")

    def test_behind_the_cookie(self):
        self.check(STAGES["ClientHello with cookie"], HANDSHAKE_S, "no answer: is it up")

    def test_finished(self):
        """Like this a wrong key looks to us."""
        self.check(STAGES["Finished"], FINISHED_S, "it does not know this key")

    def test_from_another_address(self):
        """What does not come from the server's own address was never said."""
        self.relayed()
        other = Relay(self.rig, self.server.places["coaps"])
        self.addCleanup(other.close)
        heard = []

        def elsewhere(data):
            heard.append(data)
            other.socket.sendto(data, self.relay.links[-1].client)
            return []

        self.relay.to_client = elsewhere
        self.start_clock_daemon()
        self.rig.until(lambda: heard, 10, "an answer")
        self.step_until(self.failures, HANDSHAKE_S + 10, "giving up")
        self.assertIn("no answer", self.failures()[0])
        self.relay.to_client = lambda data: [data]
        self.daemon.step(76)
        self.registered("gw")

    def test_lost_alert(self):
        """The server's last word is lost, and its next one is a new HelloVerifyRequest."""
        start_limited_server(self, NONE + OTHERS.replace("tls-disabled-cipher = AES-256-GCM\n", ""))
        self.relayed()
        lost = []

        def lose_first(data):
            if data[0] == ALERT and not lost:
                lost.append(data)
                return []
            return [data]

        self.relay.to_client = lose_first
        self.start_daemon()
        self.assertIn("TLS alert 40", self.log("gw: not registered at server plant", 10))
        self.assertTrue(lost)


class KeyAtTheServerTest(TroubleTest, Relayed):
    """Our side is right, and the server's gets mended."""

    NAMES = ("gw", "gw-m1")

    def start(self, server_keys):
        ours = self.write_keys(self.NAMES)
        self.ours = dict(self.keys)
        self.keys = server_keys(self.ours)
        self.start_server(secure=True)
        self.place = self.server.places["coaps"]
        self.start_meters()
        self.relayed()
        self.start_clock_daemon()
        self.assertTrue(os.path.exists(ours))
        self.registered("gw")

    def mend(self):
        self.server.process.child.kill()
        self.server.process.wait_end()
        self.keys = self.ours
        self.start_server(True, self.place)

    def at_its_end(self):
        """Is the newest handshake of each link at our Finished?"""
        for link in self.relay.links:
            begun = max(i for i, data in enumerate(link.sent) if begins(data))
            if not any(ends(data) for data in link.sent[begun:]):
                return False
        return True

    def expect_sequence(self, text):
        """Named, with what to look at; in the waits of the sequence, each time one handshake."""
        for number, wait in enumerate((60, 120, 240), 1):
            # What comes before takes real time, as much as the machine needs.
            self.rig.until(lambda: self.sent(begins) > number and self.at_its_end(), 20, "a handshake's end")
            self.step_until(lambda: len(self.failures("gw-m1")) >= number, FINISHED_S + 10, "a failure", 1)
            line = self.failures("gw-m1")[-1]
            self.assertIn(text, line)
            self.assertNotIn(self.ours["gw-m1"], line)
            told = seconds(line.rpartition("; next attempt in ")[2])
            self.assertGreaterEqual(told, wait)
            self.assertLessEqual(told, wait * 1.25 + 1)
            if number < 3:
                self.daemon.step(told + 1)
        # Those of gw and three; the server asks for a cookie each time.
        self.assertEqual(self.sent(begins), 4)
        self.mend()
        start = self.now()
        self.daemon.step(told + 1)
        self.registered("gw-m1", start=start)
        self.until_code("gw-m1", VALUE, "2.05")

    def test_another_key(self):
        self.start(lambda ours: {**ours, "gw-m1": ours["gw-m1"][::-1]})
        self.expect_sequence("it does not know this key: compare `key` and `identity`")

    def test_no_such_identity(self):
        self.start(lambda ours: {"gw": ours["gw"]})
        self.server.wait_event(lambda e: e.word == "unknown-identity" and e.arguments == ["gw-m1"])
        self.expect_sequence("`identity`")


if __name__ == "__main__":
    main()
