#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of metrics: what stands in it, judged by Prometheus's own parser, and who may read it."""
import http.client
import json
import os
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, build_path, main  # noqa: E402
from fieldway_test.scenario import free_port  # noqa: E402

# Debian's package is for Debian's Python.
PARSER = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
json.dump([[s.name, sorted(s.labels.items()), s.value]
           for family in text_string_to_metric_families(sys.stdin.read()) for s in family.samples], sys.stdout)
"""
SYSTEM_PYTHON = "/usr/bin/python3"
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# As agent/metrics/metrics.c has them; s.
CONNECTIONS, SILENCE, STAY = 8, 10, 60


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=15)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class MetricsTest(Scenario):
    def start(self, listen, devices=2, secure=False, begin=None):
        self.start_server(secure)
        self.start_meters(devices)
        self.configure(more=f'metrics: {{listen: "{listen}"}}')
        (begin or self.start_daemon)()
        for i in range(devices):
            self.registered(f"gw-m{i + 1}")

    def get(self, connection, path="/metrics", method="GET"):
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body

    def read(self, connection):
        """{(name, labels): value} of a page that is right in every line."""
        answer, body = self.get(connection)
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, CONTENT_TYPE))
        self.assertTrue(body.endswith("# EOF\n"))
        parsed = subprocess.run([SYSTEM_PYTHON, "-c", PARSER], input=body, capture_output=True, check=False,
                                encoding="utf-8")
        self.assertEqual(parsed.returncode, 0, parsed.stderr)
        return {(name, tuple(map(tuple, labels))): value for name, labels, value in json.loads(parsed.stdout)}

    def test_the_page_on_a_socket(self):
        path = self.rig.path("metrics")
        self.start("unix:" + path, secure=True)
        self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o666)
        self.simulator.command("0 silent")
        page = {}

        def silent():
            page.update(self.read(UnixConnection(path)))
            return page["fieldway_device_online", (("bus", "lan"), ("device", "m1"))] == 0

        self.rig.until(silent, 15, "m1 is offline")
        first, second = ((("bus", "lan"), ("device", d)) for d in ("m1", "m2"))
        server = (("server", "plant"),)
        self.assertEqual(page["fieldway_endpoints", ()], 3)
        self.assertEqual(page["fieldway_accounts", (*server, ("state", "registered"))], 3)
        self.assertEqual(page["fieldway_accounts", (*server, ("state", "waiting"))], 0)
        self.assertEqual(page["fieldway_configuration_accepted", ()], 1)
        self.assertEqual(page["fieldway_server_handshakes_total", server], 3)
        self.assertGreaterEqual(page["fieldway_server_sent_messages_total", server], 3)
        self.assertGreater(page["fieldway_server_received_bytes_total", server], 0)
        self.assertEqual(page["fieldway_device_online", second], 1)
        self.assertGreater(page["fieldway_device_requests_total", second], 0)
        self.assertGreaterEqual(page["fieldway_device_timeouts_total", first], 2)
        self.assertEqual(page["fieldway_device_timeouts_total", second], 0)
        self.assertEqual(page["fieldway_bus_host_restarts_total", (("bus", "lan"),)], 0)
        version = subprocess.run([build_path("fieldwayd"), "--version"], capture_output=True, check=True,
                                 encoding="ascii").stdout.split()[1]
        self.assertEqual(page["fieldway_build_info", (("version", version),)], 1)
        with open(f"/proc/{self.daemon.process.child.pid}/stat", encoding="utf-8") as f:
            start_ticks = int(f.read().rsplit(")", 1)[1].split()[19])
        with open("/proc/stat", encoding="utf-8") as f:
            boot = int(next(line for line in f if line.startswith("btime")).split()[1])
        self.assertAlmostEqual(page["process_start_time_seconds", ()],
                               boot + start_ticks / os.sysconf("SC_CLK_TCK"), delta=2)
        self.assertGreater(page["process_resident_memory_bytes", ()], 1 << 20)
        self.assertGreater(page["process_open_fds", ()], 5)
        self.stop_daemon(self.daemon)
        self.assertFalse(os.path.exists(path))

    def test_a_port_of_loopback(self):
        for host, text in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
            with self.subTest(host=host):
                self.setUp()
                port = free_port(["127.0.0.1"])
                self.start(f"{text}:{port}", devices=1)
                page = self.read(http.client.HTTPConnection(host, port, timeout=15))
                self.assertEqual(page["fieldway_endpoints", ()], 2)
                self.stop_daemon(self.daemon)

    def test_other_requests(self):
        port = free_port(["127.0.0.1"])
        self.start(f"127.0.0.1:{port}", devices=1)

        def connection():
            return http.client.HTTPConnection("127.0.0.1", port, timeout=15)

        self.assertEqual(self.get(connection(), "/")[0].status, 404)
        self.assertEqual(self.get(connection(), method="DELETE")[0].status, 405)
        answer, body = self.get(connection(), method="HEAD")
        self.assertEqual((answer.status, body), (200, ""))
        c = connection()
        c.request("POST", "/metrics", b"x" * 100000)
        self.assertEqual(c.getresponse().status, 405)
        c.close()
        with socket.create_connection(("127.0.0.1", port), 15) as s:
            s.sendall(b"\x00\xff nonsense\r\n\r\n")
            self.assertIn(s.recv(100)[:9], (b"HTTP/1.0 ", b"HTTP/1.1 ", b""))
        self.read(connection())

    def test_who_does_not_read_keeps_nobody_waiting(self):
        port = free_port(["127.0.0.1"])
        self.start(f"127.0.0.1:{port}", devices=1)
        idle = [socket.create_connection(("127.0.0.1", port), 15) for _ in range(CONNECTIONS - 1)]
        for s in idle[1:]:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        self.read(http.client.HTTPConnection("127.0.0.1", port, timeout=15))
        for s in idle:
            s.close()

    def test_who_reads_forever(self):
        """A word now and then is no silence, and holds a place for a minute."""
        port = free_port(["127.0.0.1"])
        self.start(f"127.0.0.1:{port}", devices=1, begin=self.start_clock_daemon)
        slow = [socket.create_connection(("127.0.0.1", port), SILENCE / 2) for _ in range(CONNECTIONS)]
        for s in slow[1:]:
            s.sendall(b"GET /metrics HTTP/1.1\r\n")
        # One that comes again is asked in time to begin anew.
        again = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENCE / 2)
        again.sock = slow[0]
        again.request("GET", "/metrics")
        answer = again.getresponse()
        answer.read()
        self.assertIsNone(answer.getheader("Connection"))
        self.daemon.step(STAY / 2)
        again.request("GET", "/metrics")
        answer = again.getresponse()
        answer.read()
        self.assertEqual(answer.getheader("Connection").lower(), "close")
        self.daemon.step(STAY / 2)
        for s in slow[1:]:
            self.assertEqual(s.recv(100), b"")
            s.close()
        self.read(http.client.HTTPConnection("127.0.0.1", port, timeout=SILENCE / 2))

    def test_a_place_that_is_taken(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.start(f"127.0.0.1:{port}", devices=1)
            self.log(f"metrics: cannot listen on 127.0.0.1:{port}: Address already in use")
        self.log(f"metrics: listening on 127.0.0.1:{port} now")
        self.read(http.client.HTTPConnection("127.0.0.1", port, timeout=15))

    def test_a_socket_of_another_program(self):
        path = self.rig.path("metrics")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with self.subTest(kind), socket.socket(socket.AF_UNIX, kind) as taken:
                taken.bind(path)
                if kind == socket.SOCK_STREAM:
                    taken.listen()
                inode = os.stat(path).st_ino
                if kind == socket.SOCK_STREAM:
                    self.start("unix:" + path, devices=1)
                else:
                    self.start_daemon()
                self.log(f"metrics: cannot listen on {path}: Address already in use")
                self.stop_daemon(self.daemon)
                self.assertEqual(os.stat(path).st_ino, inode)
                os.unlink(path)

    def test_a_socket_left_behind(self):
        path = self.rig.path("metrics")
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(path)
        self.start("unix:" + path, devices=1)
        self.read(UnixConnection(path))

    def test_a_file_is_not_taken_away(self):
        path = self.rig.write("metrics", "precious")
        self.start("unix:" + path, devices=1)
        self.log(f"metrics: cannot listen on {path}: File exists")
        with open(path, encoding="ascii") as f:
            self.assertEqual(f.read(), "precious")

    def test_none_without_being_asked(self):
        self.start_server()
        self.start_meters()
        self.configure()
        self.start_daemon()
        self.registered("gw-m1")
        inodes = set()
        for fd in os.listdir(f"/proc/{self.daemon.process.child.pid}/fd"):
            try:
                inodes.add(os.readlink(f"/proc/{self.daemon.process.child.pid}/fd/{fd}"))
            except FileNotFoundError:
                continue
        for table in ("tcp", "tcp6"):
            with open(f"/proc/{self.daemon.process.child.pid}/net/{table}", encoding="ascii") as f:
                for line in list(f)[1:]:
                    fields = line.split()
                    self.assertFalse(fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes, line)


if __name__ == "__main__":
    main()
