#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Object 5 of the host: a package that is fetched by its URI, and gone on with where it broke off."""
import http.server
import os
import signal
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import firmware_test  # noqa: E402
from firmware_test import DOWNLOADING, IDLE, INITIAL, LOST, NO_STORAGE, STATE, URI  # noqa: E402
from fieldway_test import build_path, main  # noqa: E402

MIB = 1 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        files = self.server.files
        files.asked.append((self.path, self.headers.get("Range")))
        if files.elsewhere:
            self.send_response(302)
            self.send_header("Location", files.elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path != "/image":
            self.send_error(404)
            return
        start, tag = 0, f'"{files.tag}"'
        if self.headers.get("Range") and self.headers.get("If-Range") == tag:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(files.image) - 1}/{len(files.image)}")
        else:
            self.send_response(200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(files.image) - start))
        self.end_headers()
        body, stop = files.image[start:], files.stop_at
        if stop is not None and stop > start:
            # So far, and then the connection stands still until it is let go.
            body = body[:stop - start]
        self.wfile.write(body)
        if len(body) < len(files.image) - start:
            self.wfile.flush()
            files.stood.set()
            files.go.wait(60)
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Who asks may go at any time."""


class Files:
    """A server with one file."""

    def __init__(self, image, certificate=None):
        self.image, self.tag, self.asked, self.stop_at, self.elsewhere = image, "a", [], None, None
        self.stood, self.go = threading.Event(), threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.files = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.uri = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_port}/image"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


class FirmwarePullTest(firmware_test.FirmwareScenario):
    def serve(self, size=3 * MIB, certificate=None):
        self.files = Files(os.urandom(size), certificate and self.rig.path("certificates", certificate))
        self.addCleanup(self.files.end)

    def make_certificates(self):
        os.mkdir(self.rig.path("certificates"))
        subprocess.run([build_path("tests/lib/certificates"), self.rig.path("certificates")], check=True)

    def pull(self, uri=None):
        self.expect(self.put("gw", "/5/0/1", uri or self.files.uri), "2.04")

    def test_http(self):
        """ETS 771"""
        self.begin()
        self.serve(9 * MIB)
        self.pull()
        self.installs()
        self.assertEqual(self.files.asked, [("/image", None)])
        self.assertEqual(self.read("gw", "/5/0")["/5/0/1"], self.files.uri)

    def test_https(self):
        self.make_certificates()
        self.begin(more=f", trust: {self.rig.path('certificates', 'ca.pem')}")
        self.serve(certificate="server")
        self.pull()
        self.installs()

    def test_wrong_certificates(self):
        self.make_certificates()
        self.begin(more=f", trust: {self.rig.path('certificates', 'ca.pem')}")
        for certificate in ("stranger", "expired", "named"):
            with self.subTest(certificate=certificate):
                self.serve(certificate=certificate)
                self.pull()
                self.becomes(IDLE, LOST)
                self.assertEqual(self.files.asked, [])

    def test_redirected_to_less(self):
        """Who was asked for https cannot send it on to http."""
        self.make_certificates()
        self.begin(more=f", trust: {self.rig.path('certificates', 'ca.pem')}")
        self.serve()
        plain = self.files
        self.serve(certificate="server")
        self.files.elsewhere = plain.uri
        self.pull()
        self.becomes(IDLE, URI)
        self.assertEqual((len(self.files.asked), plain.asked), (1, []))

    def test_not_there(self):
        """ETS 778"""
        self.begin()
        self.serve()
        self.pull(self.files.uri + "s")
        self.becomes(IDLE, URI)

    def test_too_large(self):
        """ETS 773"""
        self.begin(more=", max_size: 1MiB")
        self.serve(MIB + 1)
        self.pull()
        self.becomes(IDLE, NO_STORAGE)
        self.rig.until(lambda: not os.listdir(self.rig.path("state/packages")), 10, "the end of the file")

    def test_stopped_on_the_way(self):
        """A reset, and a Cancel; then another one."""
        self.begin()
        self.serve()
        self.files.stop_at = MIB
        for stop in (lambda: self.put("gw", "/5/0/1", ""), lambda: self.post("gw", "/5/0/10")):
            self.pull()
            self.half_way()
            self.assertEqual(self.status(), (DOWNLOADING, INITIAL))
            self.push(code="4.05")
            self.expect(stop(), "2.04")
            self.assertEqual(self.read_one("gw", STATE), IDLE)
            self.files.stood.clear()
        self.files.stop_at = None
        self.pull()
        self.installs()

    def test_connection_lost(self):
        """It goes on by itself."""
        self.begin()
        self.serve()
        self.files.stop_at = MIB
        self.pull()
        self.half_way()
        self.files.go.set()
        self.installs()
        self.assertEqual(self.files.asked, [("/image", None), ("/image", f"bytes={MIB}-")])

    def test_daemon_dies(self):
        """Killed half way, it goes on from there."""
        self.begin()
        self.serve()
        self.files.stop_at = 2 * MIB
        self.pull()
        self.killed_half_way("firmware.part")
        self.installs()
        self.assertEqual(self.files.asked[1:], [("/image", f"bytes={2 * MIB}-")])

    def test_changed_meanwhile(self):
        """Another file stands there: from the beginning."""
        self.begin()
        self.serve()
        self.files.stop_at = MIB
        self.pull()
        self.half_way()
        self.daemon.process.essential = False
        self.daemon.process.send_signal(signal.SIGTERM)
        self.daemon.process.wait_end()
        self.files.image, self.files.tag, self.files.stop_at = os.urandom(2 * MIB), "b", None
        self.run_daemon()
        self.installs()


if __name__ == "__main__":
    main()
