#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams that no DTLS server would send, from the server's own address: the
session and its values go on, nothing is done twice, nothing grows (RFC 6347 4.1.2.7)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Daemon, Relay, Scenario, coap, main  # noqa: E402
from fieldway_test.coap import CON, NON, uri_path  # noqa: E402

VALUE = "/3316/0/5700"
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA, HEARTBEAT = 20, 21, 22, 23, 24
DTLS_1_2 = b"\xfe\xfd"
STORM = 5000
GROWTH = 2 << 20


def record(kind, epoch, sequence, content, version=DTLS_1_2, length=None):
    """RFC 6347 4.1."""
    size = len(content) if length is None else length
    return (bytes([kind]) + version + epoch.to_bytes(2, "big") + sequence.to_bytes(6, "big")
            + size.to_bytes(2, "big") + content)


def handshake(kind, content, sequence=0):
    """One whole message (RFC 6347 4.2.2)."""
    size = len(content).to_bytes(3, "big")
    return bytes([kind]) + size + sequence.to_bytes(2, "big") + b"\0\0\0" + size + content


def garbage():
    """Without any knowledge of the session: name, datagram."""
    request = coap.encode(coap.Message(CON, coap.POST, 7, b"\x01", uri_path("/1/0/8"), b""))
    yield "nothing", b""
    yield "a byte", b"\x17"
    yield "plain CoAP", request
    yield "plain NON", coap.encode(coap.Message(NON, coap.POST, 8, b"\x01", uri_path("/1/0/8"), b""))
    yield "reset", b"\x70\x00\x00\x01"
    yield "CoAP as a record in the clear", record(DATA, 0, 9, request)
    yield "CoAP as a record of the next epoch", record(DATA, 2, 0, request)
    yield "CoAP without MAC", record(DATA, 1, 1000, request)
    for version in (b"\x00\x00", b"\x03\x01", b"\x03\x03", b"\xfe\xff", b"\xfe\xfc", b"\xff\xff"):
        yield f"version {version.hex()}", record(DATA, 1, 1001, os.urandom(40), version)
    for kind in (0, CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, HEARTBEAT, 25, 99, 255):
        for epoch in (0, 1, 2, 65535):
            yield f"type {kind}, epoch {epoch}", record(kind, epoch, 1002, os.urandom(20))
    for length in (0, 1, 8, 24, 16385, 18432, 18433, 65535):
        yield f"length {length}", record(DATA, 1, 1003, os.urandom(32), length=length)
    yield "the last sequence number", record(DATA, 1, (1 << 48) - 1, os.urandom(40))
    for size in (16384, 16385, 16640, 16641, 18432, 18433, 60000):
        for epoch in (0, 1):
            yield f"{size} bytes, epoch {epoch}", record(DATA, epoch, 1004, os.urandom(size))
    yield "two, the second too large", (record(DATA, 1, 1004, os.urandom(40))
                                        + record(DATA, 1, 1005, os.urandom(20000)))
    yield "many records", b"".join(record(DATA, 1, 2000 + i, os.urandom(24)) for i in range(100))
    for level, alert in ((1, 0), (2, 0), (2, 20), (2, 40), (2, 49), (1, 90), (1, 100)):
        yield f"alert {level} {alert} in the clear", record(ALERT, 0, 1005, bytes([level, alert]))
    yield "HelloRequest", record(HANDSHAKE, 0, 1006, handshake(0, b""))
    yield "HelloVerifyRequest", record(HANDSHAKE, 0, 1007, handshake(3, DTLS_1_2 + b"\x14" + os.urandom(20)))
    yield "ServerHello", record(HANDSHAKE, 0, 1008, handshake(2, DTLS_1_2 + os.urandom(32) + b"\0\xc0\xa8\0", 1))
    yield "ClientHello", record(HANDSHAKE, 0, 1009, handshake(1, DTLS_1_2 + os.urandom(32) + bytes(4)))
    yield "ChangeCipherSpec", record(CHANGE_CIPHER_SPEC, 0, 1010, b"\x01")


class RecordsTest(Scenario):
    def start(self, to_client=None):
        self.start_server(secure=True)
        self.relay = Relay(self.rig, self.server.places["coaps"])
        self.addCleanup(self.relay.close)
        if to_client:
            self.relay.to_client = to_client
        self.start_meters()
        self.configure(["lifetime: 24h"], uri="coaps://" + self.relay.place)
        self.start_daemon(environment=Daemon.MEASURED)
        self.ready("gw", "gw-m1")
        self.links = len(self.relay.links)

    def tell(self, data):
        """To the sockets of both endpoints."""
        for link in self.relay.links:
            link.tell_client(data)

    def alive(self):
        """Both still speak over the connections that they had."""
        self.assertEqual(self.read_one("gw", "/3/0/16"), "U")
        self.until_code("gw-m1", VALUE, "2.05")
        self.assertEqual(len(self.relay.links), self.links)

    def last_record(self):
        """Of what the server said to the host's endpoint: application data, in good order."""
        self.read_one("gw", "/3/0/16")
        for link in self.relay.links:
            requests = [d for d in link.received if d[0] == DATA]
            if requests and link.received[-1] is requests[-1]:
                yield link, requests[-1]

    def test_garbage(self):
        self.start()
        self.expect(self.server.observe("gw-m1", VALUE, "accept=112"), "2.05")
        start, lines = self.now(), self.daemon.process.now()
        for name, data in garbage():
            with self.subTest(name):
                self.tell(data)
                self.alive()
        self.event("notify", "gw-m1", start)
        self.assertEqual([e for e in self.server.events[start:] if e.word in ("registered", "updated")], [])
        self.assertEqual(self.logged("execute"), [])
        self.assertEqual(self.daemon.process.lines[lines:], [])

    def test_damaged(self):
        """Records of the session itself, changed on their way before the true one comes."""
        self.start()

        def flip(data, at):
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]

        def damage(data):
            if data[0] != DATA:
                return [data]
            size = len(data)
            return [*(flip(data, at) for at in (0, 1, 3, 4, 10, 12, 13, size // 2, size - 1)),
                    *(data[:n] for n in (1, 12, 13, 14, 21, size - 8, size - 1)), data + b"\x00", data]

        self.relay.to_client = damage
        for _ in range(5):
            self.alive()
        start = self.now()
        self.expect(self.post("gw", "/1/0/8"), "2.04")
        self.event("updated", "gw", start)
        self.alive()
        self.assertEqual(len(self.logged("execute /1/0/8")), 1)

    def test_replayed(self):
        self.start()
        self.relay.to_client = lambda data: [data] * 3
        start = self.now()
        self.expect(self.post("gw", "/1/0/8"), "2.04")
        self.event("updated", "gw", start)
        self.alive()
        # And all that there ever was, once more.
        for link in self.relay.links:
            for data in list(link.received):
                link.tell_client(data)
        self.alive()
        self.assertEqual(len(self.logged("execute /1/0/8")), 1)
        self.assertEqual(len([e for e in self.server.events[start:] if e.word == "updated"]), 1)

    def test_in_the_handshake(self):
        """What is no record of a handshake does not end it."""
        noise = [os.urandom(60), b"\x16", b"", coap.encode(coap.Message(CON, coap.GET, 7, b"", uri_path("/3"), b"")),
                 record(DATA, 0, 500, os.urandom(20)), record(DATA, 1, 0, os.urandom(40)),
                 record(HANDSHAKE, 0, 501, b"", length=65535), record(99, 0, 502, b"abc"),
                 record(HANDSHAKE, 0, 503, os.urandom(30), version=b"\x03\x03"),
                 record(HANDSHAKE, 1, 1, os.urandom(30)), record(HANDSHAKE, 0, 504, os.urandom(7))]
        self.start(lambda data: [*noise, data] if data[0] == HANDSHAKE else [data])
        self.alive()
        self.assertEqual(self.logged("not registered"), [])

    def test_a_storm(self):
        self.start()
        self.alive()
        before, lines = self.daemon.memory(), self.daemon.process.now()
        kinds = [data for _, data in garbage()]
        for i in range(STORM):
            self.tell(kinds[i % len(kinds)])
            if i % 100 == 0:
                self.alive()
        self.alive()
        self.assertLess(self.daemon.memory() - before, GROWTH)
        self.assertEqual(self.daemon.process.lines[lines:], [])


if __name__ == "__main__":
    main()
