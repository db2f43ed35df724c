#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Object 5 of the host: a package that is fetched block by block, over CoAP and DTLS."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import firmware_test  # noqa: E402
from firmware_test import IDLE, LOST, PROTOCOL, URI  # noqa: E402
from fieldway_test import coap, main  # noqa: E402
from fieldway_test.programs import DtlsFront  # noqa: E402

ETAG, SIZE2 = 4, 28
CONTENT, NOT_FOUND = coap.code("2.05"), coap.code("4.04")
BLOCK = 1024


class Files:
    """A CoAP server with one file, which knows no more of RFC 7959 than it has to."""

    def __init__(self, image):
        self.image, self.tag, self.asked, self.stop_at = image, b"a", [], None
        self.stood = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.place = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            data, client = self.socket.recvfrom(2048)
            if not data:
                return
            request = coap.parse(data)
            if request.code != coap.GET:
                continue
            answer = self.answer(request)
            if answer:
                self.socket.sendto(coap.encode(answer), client)

    def answer(self, request):
        def reply(code, options=(), payload=b""):
            return coap.Message(coap.ACK, code, request.id, request.token, list(options), payload)

        if coap.values(request, coap.URI_PATH) != [b"fw", b"image"]:
            return reply(NOT_FOUND)
        value = int.from_bytes(coap.values(request, coap.BLOCK2)[0], "big")
        number, size = value >> 4, 16 << (value & 7)
        if self.stop_at is not None and number * size >= self.stop_at:
            self.stood.set()
            return None
        self.asked.append(number)
        more = (number + 1) * size < len(self.image)
        return reply(CONTENT, [(ETAG, self.tag), (coap.BLOCK2, coap.number(number << 4 | more << 3 | value & 7)),
                               (SIZE2, coap.number(len(self.image)))], self.image[number * size:(number + 1) * size])

    def end(self):
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class FirmwareCoapTest(firmware_test.FirmwareScenario):
    def serve(self, blocks=300):
        self.files = Files(os.urandom(blocks * BLOCK - 1))
        self.addCleanup(self.files.end)

    def pull(self, scheme="coap", place=None, path="/fw/image"):
        self.expect(self.put("gw", "/5/0/1", f"{scheme}://{place or self.files.place}{path}"), "2.04")

    def test_coap(self):
        """ETS 771; the server of the registration is not disturbed."""
        self.begin()
        self.serve()
        self.pull()
        self.installs()
        self.assertEqual(self.files.asked, list(range(300)))

    def test_not_there(self):
        self.begin()
        self.serve()
        self.pull(path="/fw/other")
        self.becomes(IDLE, URI)
        self.pull(path="/fw/%00")
        self.becomes(IDLE, URI)
        self.pull(scheme="coap+tcp")
        self.becomes(IDLE, PROTOCOL)

    def test_daemon_dies(self):
        """Killed half way, it goes on with the next block."""
        self.begin()
        self.serve()
        self.files.stop_at = 200 * BLOCK
        self.pull()
        self.killed_half_way("firmware.part")
        self.installs()
        self.assertEqual(self.files.asked, list(range(300)))

    def test_coaps(self):
        """With the key of the account at the same server; a server that has another key is none."""
        self.begin(secure=True)
        self.serve(20)
        front = DtlsFront(self.rig, self.files.place, "gw", self.keys["gw"])
        self.pull("coaps", front.place)
        self.installs()
        front = DtlsFront(self.rig, self.files.place, "gw", "00" * 16)
        self.pull("coaps", front.place)
        self.becomes(IDLE, LOST)

    def test_source(self):
        """A server of its own, with a key of its own."""
        key = os.urandom(16).hex()
        self.rig.write("etc/keys/files.psk", f"gw-files:{key}\n", 0o600)
        security = '{mode: psk, identity: "{endpoint}-files", key: "psk-file:keys/files.psk"}'
        self.begin(more=', source: {uri: "coaps://127.0.0.1", security: ' + security + "}")
        self.serve(20)
        front = DtlsFront(self.rig, self.files.place, "gw-files", key)
        self.pull("coaps", front.place)
        self.installs()
        self.pull("coaps", front.place.replace("127.0.0.1", "localhost"))
        self.becomes(IDLE, LOST)

    def test_no_key(self):
        self.begin()
        self.pull("coaps", "127.0.0.1:5684")
        self.becomes(IDLE, LOST)


if __name__ == "__main__":
    main()
