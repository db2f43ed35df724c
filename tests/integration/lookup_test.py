#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices that are configured by name, and a name server that does not answer."""
import os
import selectors
import shutil
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, enter_namespace, replace_files  # noqa: E402

POWER = "/3305/0/5800"
DEVICES = """schema: 1
devices:
  - {{name: m1, profile: meter, bus: lan, address: {{host: 127.0.0.11, unit: 1}}}}
  - {{name: m2, profile: meter, bus: lan, address: {{host: meter2.example, unit: 1}}}}
"""
A, IN = 1, 1
OBSERVED_S = 2


class NameServer:
    """Knows meter2.example, and holds its tongue until it is told."""

    def __init__(self, rig):
        self.silent, self.asked = True, 0
        self.rig = rig
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.socket.setblocking(False)
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def close(self):
        self.rig.selector.unregister(self.socket)
        self.socket.close()

    def read(self, stream):
        """RFC 1035 4.1: one question; an answer with its name by reference, or none."""
        query, client = self.socket.recvfrom(512)
        self.asked += 1
        if self.silent:
            return
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack(">H", query[end - 4:end - 2])[0]
        found = b"\xc0\x0c" + struct.pack(">HHIH", A, IN, 60, 4) + socket.inet_aton("127.0.0.12") if kind == A else b""
        self.socket.sendto(query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if found else 0, 0, 0) +
                           query[12:end] + found, client)


class LookupTest(Scenario):
    @classmethod
    def setUpClass(cls):
        """A process can do so once: a file that is shown in another's place must stay."""
        folder = tempfile.mkdtemp(prefix="fieldway-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        files = {}
        # Five seconds each, twice, as libc's defaults are.
        for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/nsswitch.conf", "hosts: dns\n")):
            files[path] = os.path.join(folder, os.path.basename(path))
            with open(files[path], "w", encoding="ascii") as f:
                f.write(text)
        cls.is_replaced = IN_NAMESPACE and replace_files(files)

    def start(self):
        if not self.is_replaced:
            self.skipTest("needs a mount namespace, for a resolv.conf of its own")
        self.names = NameServer(self.rig)
        self.addCleanup(self.names.close)
        self.start_meters(2, devices=DEVICES)
        self.start_server()
        self.configure(more="register: {wait: none}")

    def requests(self):
        before = int(self.simulator.command("0 requests"))
        begin = time.monotonic()
        self.rig.until(lambda: time.monotonic() - begin >= OBSERVED_S, OBSERVED_S + 5, "the time to pass")
        return (int(self.simulator.command("0 requests")) - before) / (time.monotonic() - begin)

    def test_silent_name_server(self):
        self.start()
        begin = time.monotonic()
        self.start_daemon()
        self.log("device m2 is offline: bus lan: device m2: ", 10)
        # Two tries of 300 ms, where one of the resolver's takes ten seconds.
        self.assertLess(time.monotonic() - begin, 5)
        answer = self.until_code("gw-m2", POWER, "5.03")
        self.assertIn("cannot look up meter2.example: no answer in time", answer.payload.decode())
        self.until_code("gw-m1", POWER, "2.05")
        self.assertGreater(self.requests(), 3 / 0.2 * 0.7)
        self.read_one("gw-m1", POWER)
        # Many tries later: the loop, two lines, one lookup.
        self.assertLessEqual(len(os.listdir(f"/proc/{self.daemon.hosts()[0]}/task")), 4)
        self.assertGreater(self.names.asked, 0)
        self.names.silent = False
        self.until_code("gw-m2", POWER, "2.05", 25)
        self.assertEqual(self.logged("plugin host"), [])

    def test_ends_with_a_lookup_under_way(self):
        self.start()
        self.start_daemon()
        self.log("device m2 is offline")
        pid = self.daemon.hosts()[0]
        begin = time.monotonic()
        self.stop_daemon(self.daemon)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertFalse(os.path.exists(f"/proc/{pid}"))


if __name__ == "__main__":
    IN_NAMESPACE = enter_namespace()
    unittest.main(verbosity=2 if os.environ.get("FIELDWAY_TEST_VERBOSE") else 1)
