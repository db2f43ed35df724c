#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server made by hand sends what no server should: the session goes on, and
nothing is done twice."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Daemon, DtlsFront, Relay, Scenario, coap, main  # noqa: E402
from fieldway_test.coap import ACK, CON, NON, RST, uri_path  # noqa: E402

UNKNOWN_CRITICAL, IF_NONE_MATCH = 9999, 5
DEADLINE_S = 10
STORM = 3000
GROWTH = 2 << 20


class DatagramsTest(Scenario):
    def open(self):
        """What is in front of the peer; returns the URI."""
        return "coap://" + self.peer.place

    def address(self):
        """Of the daemon's socket."""
        return self.peer.client

    def setUp(self):
        super().setUp()
        self.peer = coap.Server(self.rig)
        self.addCleanup(self.peer.close)
        self.configure(["lifetime: 24h"], uri=self.open())
        self.start_daemon(environment=Daemon.MEASURED)
        self.rig.until(lambda: self.peer.registers, DEADLINE_S, "Register")
        self.alive()

    def alive(self):
        """A request is answered as ever; what else came since the last time."""
        sent = self.peer.send(CON, coap.GET, b"\x77", uri_path("/3/0/16"))
        found = []

        def look():
            # What is random may have had the same id, and was rejected.
            found.extend(m for m in self.peer.received if m.id == sent and m.type != RST)
            return found

        self.rig.until(look, DEADLINE_S, "an answer")
        self.assertEqual((found[0].type, found[0].code, found[0].token, found[0].payload),
                         (ACK, coap.code("2.05"), b"\x77", b"U"))
        self.assertEqual(self.peer.registers, 1)
        others = [m for m in self.peer.received if m not in found]
        self.peer.received.clear()
        return others

    def expect_rejected(self, data):
        """Silence or RST; then life goes on."""
        self.peer.raw(data)
        for m in self.alive():
            self.assertEqual((m.type, m.code, m.payload), (RST, 0, b""), m)

    def test_malformed(self):
        for text in (
                "", "40", "4001", "400112", "00011234", "80011234", "c0011234",        # short, or another version
                "490112340102030405060708 09", "4f011234" + "00" * 15,                 # token too long
                "44011234 0102", "48011234",                                           # and cut
                "40011234ff", "4001 1234 b133ff",                                      # marker without payload
                "40011234f0", "400112340f", "40011234d0", "40011234e000", "40011234b5 33",  # options
                "40011234 bd", "40011234 be00", "40011234 eeffff ffff", "40011234 ff",
                "40001234 00", "41001234 77", "40001234 ff 00",                        # an empty one that is not
                "40201234", "40201234b133", "40c01234", "40ff1234", "40e11234",        # reserved classes
                "5001", "50011234ff", "50c01234", "500f1234" "ff"):
            with self.subTest(text):
                self.expect_rejected(bytes.fromhex(text))

    def test_every_prefix(self):
        whole = coap.encode(coap.Message(CON, coap.PUT, 7, b"12345678", [
            *uri_path("/1/0/2"), (coap.CONTENT_FORMAT, b""), (coap.ACCEPT, b"\x2d\x16")], b"77"))
        # The rest would be requests in good order.
        end = whole.index(b"\xff")
        for size in range(12):
            with self.subTest(size):
                self.expect_rejected(whole[:size])
        self.expect_rejected(whole[:end + 1])

    def test_noise(self):
        for size in (1, 4, 16, 64, 512, 1400, 9000):
            with self.subTest(size):
                self.peer.raw(os.urandom(size))
                self.peer.raw(b"\x40\x01" + b"\xaa\xaa" + b"\xbd" * size)
                self.alive()

    def test_messages_that_belong_to_nothing(self):
        for kind, code, token in ((ACK, "2.05", b"x"), (ACK, "0.00", b""), (RST, "0.00", b""), (CON, "2.05", b"x"),
                                  (NON, "2.05", b"x"), (CON, "4.04", b""), (NON, "5.03", b"12345678")):
            with self.subTest(f"{kind} {code}"):
                self.peer.send(kind, coap.code(code), token)
                for m in self.alive():
                    self.assertEqual(m.type, RST, m)

    def test_ping(self):
        sent = self.peer.send(CON, 0)
        self.assertIn((RST, sent), [(m.type, m.id) for m in self.alive()])

    def test_critical_options(self):
        for option in (UNKNOWN_CRITICAL, IF_NONE_MATCH):
            with self.subTest(option):
                sent = self.peer.send(CON, coap.GET, b"\x01", [*uri_path("/3/0/16"), (option, b"")])
                self.assertIn((ACK, coap.code("4.02"), sent), [(m.type, m.code, m.id) for m in self.alive()])
                # By NON it is rejected.
                self.peer.send(NON, coap.GET, b"\x01", [*uri_path("/3/0/16"), (option, b"")])
                self.assertNotIn(coap.code("2.05"), [m.code for m in self.alive()])

    def test_a_duplicate_is_not_done_twice(self):
        answers = []
        for _ in range(3):
            self.peer.send(CON, coap.POST, b"\x05", uri_path("/1/0/8"), message_id=4242)
            answers += [m for m in self.alive() if m.id == 4242]
        self.assertEqual([(m.type, m.code, m.token) for m in answers], [(ACK, coap.code("2.04"), b"\x05")] * 3)
        self.rig.until(lambda: self.peer.updates, DEADLINE_S, "Update")
        self.alive()
        self.assertEqual(self.peer.updates, 1)
        self.assertEqual(len(self.logged("execute /1/0/8")), 1)

    def test_a_body_without_beginning(self):
        """A later block of something that never began."""
        block = (coap.BLOCK1, b"\x1c")      # number 1, more, 256 bytes
        sent = self.peer.send(CON, coap.PUT, b"\x06", [*uri_path("/1/0/2"), (coap.CONTENT_FORMAT, b""), block], b"1" * 256)
        self.assertIn((coap.code("4.08"), sent), [(m.code, m.id) for m in self.alive()])

    def test_somebody_else(self):
        """Nobody but the server can talk to the session."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(coap.encode(coap.Message(CON, coap.POST, 1, b"\x01", uri_path("/1/0/8"), b"")), self.address())
        self.alive()
        self.assertEqual((self.peer.updates, self.logged("execute")), (0, []))

    def test_a_request_behind_the_end(self):
        """What is too long is cut; no part of it is a message of its own."""
        request = coap.encode(coap.Message(CON, coap.POST, 4711, b"\x05", uri_path("/1/0/8"), b""))
        for size in (2048, 4096, 6144):
            filler = b"\x40\x45\x12\x34\xff"
            with self.subTest(size):
                self.peer.raw(filler + b"x" * (size - len(filler)) + request)
                self.assertNotIn(4711, [m.id for m in self.alive()])
        self.assertEqual((self.peer.updates, self.logged("execute")), (0, []))

    def test_a_storm(self):
        """Many of them neither fill the journal nor the memory."""
        before, lines = self.daemon.memory(), self.daemon.process.now()
        for i in range(STORM):
            self.peer.raw(os.urandom(1 + i % 300))
            options = [*uri_path("/1/0/2"), (coap.CONTENT_FORMAT, b"")]
            self.peer.send(CON, coap.PUT, b"\x06", options, os.urandom(20), 30000 + i)
            if i % 50 == 0:
                self.alive()
        self.alive()
        self.assertLess(self.daemon.memory() - before, GROWTH)
        self.assertLess(self.daemon.process.now() - lines, 20)


class SecuredDatagramsTest(DatagramsTest):
    """The same inside DTLS."""

    def open(self):
        self.write_keys(["gw"])
        front = DtlsFront(self.rig, self.peer.place, "gw", self.keys["gw"])
        self.relay = Relay(self.rig, front.place)
        self.addCleanup(self.relay.close)
        return "coaps://" + self.relay.place

    def address(self):
        return self.relay.links[0].client


if __name__ == "__main__":
    main()
