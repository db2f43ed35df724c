#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk of the state folder is full: the daemon starts with what was kept, says so, and writes when there is room."""
import errno
import os
import struct
import sys
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402
from fieldway_test.namespace import LIBC  # noqa: E402

RETRY_S = 301               # STATE_RETRY_USEC
ACCOUNT = "host.server-101"  # what a server has written to its /1


def record(content):
    head = struct.pack(">4sHHI", b"FWST", 1, 0, len(content))
    return head + struct.pack(">I", zlib.crc32(head + content)) + content


def content_of(path):
    with open(path, "rb") as f:
        return f.read()[16:]


class FullDiskTest(Scenario):
    def setUp(self):
        super().setUp()
        self.folder = self.rig.path("state")
        self.records = os.path.join(self.folder, "records")
        os.mkdir(self.folder)
        if LIBC.mount(b"tmpfs", self.folder.encode(), b"tmpfs", 0, b"size=1m") != 0:
            raise unittest.SkipTest("no file system of the test's own")
        self.addCleanup(LIBC.umount2, self.folder.encode(), 2)
        self.start_server()
        self.configure(["lifetime: 1h"])
        self.start_clock_daemon()
        self.registered("gw")
        # What is being written takes room, and leaves some when it has been.
        self.rig.until(lambda: os.path.exists(os.path.join(self.records, "gateway.last-good")) and
                       not os.listdir(os.path.join(self.folder, "temporary")), 20, "a start that is kept")

    def write_lifetime(self, seconds):
        self.expect(self.put("gw", "/1/0/1", str(seconds)), "2.04")

    def stop(self):
        self.stop_daemon(self.daemon)

    def fill(self):
        with open(os.path.join(self.folder, "filler"), "wb", buffering=0) as f:
            with self.assertRaises(OSError) as caught:
                while True:
                    f.write(bytes(512))
        self.assertEqual(caught.exception.errno, errno.ENOSPC)

    def make_room(self):
        os.unlink(os.path.join(self.folder, "filler"))

    def test_journal(self):
        """A power cut left a group in the journal, and then the disk ran full."""
        self.write_lifetime(1700)
        self.stop()
        path = os.path.join(self.records, ACCOUNT)
        content = content_of(path)
        os.unlink(path)
        # As agent/state/journal.c has it.
        journal = bytes([len(ACCOUNT)]) + ACCOUNT.encode() + b"\x01" + struct.pack(">I", len(content)) + content
        with open(os.path.join(self.records, "journal"), "wb") as f:
            f.write(record(journal))
        self.fill()
        start = self.now()
        self.start_clock_daemon()
        self.assertEqual(self.registered("gw", start=start).lt, "1700")
        self.log("records could not be written to")
        # Tried again, and still in vain.
        self.daemon.step(RETRY_S)
        self.assertFalse(os.path.exists(path))
        self.assertTrue(os.path.exists(os.path.join(self.records, "journal")))
        self.make_room()
        self.daemon.step(RETRY_S)
        self.log("can be written again")
        self.assertEqual(content_of(path), content)
        self.assertFalse(os.path.exists(os.path.join(self.records, "journal")))

    def test_what_servers_write(self):
        """It is in force, and on the disk when there is room, also where nobody writes anything more."""
        self.fill()
        self.write_lifetime(1800)
        self.log("records could not be written to")
        self.make_room()
        self.daemon.step(RETRY_S)
        self.log("can be written again")
        self.kill_daemon()
        start = self.now()
        self.start_clock_daemon()
        self.assertEqual(self.registered("gw", start=start).lt, "1800")

    def test_nothing_was_kept(self):
        """Not even the names of the machine."""
        self.stop()
        for name in os.listdir(self.records):
            os.unlink(os.path.join(self.records, name))
        self.fill()
        start = self.now()
        self.start_clock_daemon()
        self.registered("gw", start=start)
        self.log("records could not be written to")


if __name__ == "__main__":
    main()
