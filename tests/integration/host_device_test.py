#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Object 3 of the host: its clock as servers want it, its storage, its error codes."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402


class HostDeviceTest(Scenario):
    def setUp(self):
        super().setUp()
        self.start_server()
        self.configure()
        self.start_daemon()
        self.registered("gw")

    def restart(self):
        start = self.now()
        self.stop_daemon(self.daemon)
        self.start_daemon()
        self.registered("gw", start=start)

    # int-651, int-257

    def test_clock_is_kept(self):
        machine = self.read("gw", "/3/0")
        self.assertLess(abs(machine["/3/0/13"] - time.time()), 5)
        self.assertRegex(machine["/3/0/14"], r"^[+-]\d\d:\d\d$")
        for path, text in (("/3/0/13", "2013"), ("/3/0/14", "+01:00"), ("/3/0/15", "Europe/Berlin")):
            self.expect(self.put("gw", path, text), "2.04")
        self.restart()
        self.assertLess(abs(self.read_one("gw", "/3/0/13") - 2013), 60)
        self.assertEqual(self.read_one("gw", "/3/0/14"), "+01:00")
        self.assertEqual(self.read_one("gw", "/3/0/15"), "Europe/Berlin")

    def test_no_such_clock(self):
        for path, text in (("/3/0/13", "-1"), ("/3/0/14", "CET"), ("/3/0/15", "/etc/passwd")):
            self.expect(self.put("gw", path, text), "4.00")

    def test_storage(self):
        s = os.statvfs(self.rig.folder)
        self.assertEqual(self.read_one("gw", "/3/0/21"), s.f_blocks * s.f_frsize // 1024)
        free = self.read_one("gw", "/3/0/10")
        self.assertGreater(free, 0)
        self.assertLessEqual(free, self.read_one("gw", "/3/0/21"))

    def test_errors(self):
        codes = self.read("gw", "/3/0/11")
        self.assertTrue(codes)
        self.expect(self.post("gw", "/3/0/12"), "2.04")
        self.assertEqual(self.read("gw", "/3/0/11"), {"/3/0/11/0": 0})


if __name__ == "__main__":
    main()
