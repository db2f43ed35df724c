# SPDX-License-Identifier: Apache-2.0
"""CoAP messages (RFC 7252) over one UDP socket: a client by hand, to test the
server of the tests with. Knows no retransmission."""
import os
import selectors
import socket
from collections import namedtuple

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = 1, 2, 3, 4
OBSERVE, LOCATION_PATH, URI_PATH, CONTENT_FORMAT, URI_QUERY, ACCEPT, BLOCK2, BLOCK1, SIZE1 = \
    6, 8, 11, 12, 15, 17, 23, 27, 60

Message = namedtuple("Message", "type code id token options payload")


def code(text):
    return int(text[0]) << 5 | int(text[2:])


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _extended(value):
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes([value - 13])
    return 14, (value - 269).to_bytes(2, "big")


def encode(message):
    parts = [bytes([1 << 6 | message.type << 4 | len(message.token), message.code]),
             message.id.to_bytes(2, "big"), message.token]
    last = 0
    for option, value in sorted(message.options, key=lambda o: o[0]):
        delta, delta_bytes = _extended(option - last)
        length, length_bytes = _extended(len(value))
        parts += [bytes([delta << 4 | length]), delta_bytes, length_bytes, value]
        last = option
    if message.payload:
        parts += [b"\xff", message.payload]
    return b"".join(parts)


def parse(data):
    token_size = data[0] & 15
    at, options, last = 4 + token_size, [], 0

    def extended(nibble):
        nonlocal at
        if nibble < 13:
            return nibble
        size = nibble - 12
        at += size
        return int.from_bytes(data[at - size:at], "big") + (13 if nibble == 13 else 269)

    while at < len(data) and data[at] != 0xFF:
        head = data[at]
        at += 1
        last += extended(head >> 4)
        length = extended(head & 15)
        options.append((last, data[at:at + length]))
        at += length
    return Message(data[0] >> 4 & 3, data[1], int.from_bytes(data[2:4], "big"), data[4:4 + token_size],
                   options, data[at + 1:])


def uri_path(path):
    return [(URI_PATH, p.encode()) for p in path.strip("/").split("/")]


def values(message, option):
    return [value for n, value in message.options if n == option]


class Peer:
    """A socket towards `place`, read through the rig's loop."""

    def __init__(self, rig, place):
        host, port = place.rsplit(":", 1)
        self.rig = rig
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, int(port)))
        self.socket.setblocking(False)
        self.received = []
        self._id = int.from_bytes(os.urandom(2), "big")
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def read(self, stream):
        self.received.append(parse(self.socket.recv(65536)))

    def close(self):
        self.rig.selector.unregister(self.socket)
        self.socket.close()

    def send(self, kind, message_code, token=b"", options=(), payload=b"", message_id=None):
        if message_id is None:
            self._id = message_id = (self._id + 1) & 0xFFFF
        self.socket.send(encode(Message(kind, message_code, message_id, token, list(options), payload)))
        return message_id

    def receive(self, timeout=10):
        self.rig.until(lambda: self.received, timeout, "a datagram of the server")
        return self.received.pop(0)

    def request(self, message_code, path, query=(), options=(), payload=b""):
        """Sends a CON and returns its piggybacked answer."""
        options = uri_path(path) + [(URI_QUERY, q.encode()) for q in query] + list(options)
        sent = self.send(CON, message_code, b"\x01", options, payload)
        answer = self.receive()
        assert (answer.type, answer.id, answer.token) == (ACK, sent, b"\x01"), answer
        return answer

    def register(self, endpoint, links=b"</1/0>,</3/0>", query=("lt=60", "lwm2m=1.1"), content_format=40):
        return self.request(POST, "/rd", [f"ep={endpoint}", *query],
                            [(CONTENT_FORMAT, number(content_format))], links)


class Server(Peer):
    """Answers registrations and Updates; what else comes is left for the test."""

    def __init__(self, rig, port=0):
        self.rig = rig
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.place = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.received, self.updates, self.registers = [], 0, 0
        self.client = None
        self._id = 1000
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def read(self, stream):
        data, self.client = self.socket.recvfrom(65536)
        message = parse(data)
        path = b"/".join(values(message, URI_PATH))
        if message.code != POST:
            self.received.append(message)
        elif path == b"rd":
            self.registers += 1
            self.answer(message, "2.01", [(LOCATION_PATH, b"rd"), (LOCATION_PATH, b"5")])
        else:
            self.updates += 1
            self.answer(message, "2.04")

    def answer(self, request, text, options=()):
        self.raw(encode(Message(ACK, code(text), request.id, request.token, list(options), b"")))

    def raw(self, data):
        self.socket.sendto(data, self.client)

    def send(self, kind, message_code, token=b"", options=(), payload=b"", message_id=None):
        if message_id is None:
            self._id = message_id = self._id + 1
        self.raw(encode(Message(kind, message_code, message_id, token, list(options), payload)))
        return message_id
