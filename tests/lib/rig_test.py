#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever a test starts ends with it, however the test itself ends."""
import os
import selectors
import shutil
import signal
import subprocess
import sys
import unittest

LIBRARY = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, LIBRARY)

from fieldway_test import ProgramEnded, Rig, Timeout  # noqa: E402

# Starts a program that would go on for ever, tells its number and the rig's folder, and then: %s
SCRIPT = """
import os, sys
sys.path.insert(0, %r)
from fieldway_test import Rig
with Rig() as rig:
    # Does not end with its input.
    child = rig.start(["sh", "-c", "echo up; exec tail -f /dev/null"])
    child.wait_line("up")
    print(child.pid, rig.folder, flush=True)
    %s
"""
WAIT_S = 20


def wait_gone(pid):
    """The kernel tells when a process has ended, whoever its parent is."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        gone = bool(selector.select(WAIT_S))
    os.close(fd)
    return gone


class EndTest(unittest.TestCase):
    def run_script(self, then, number=None):
        script = subprocess.Popen([sys.executable, "-c", SCRIPT % (LIBRARY, then)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        pid, folder = script.stdout.readline().split()
        if number:
            script.send_signal(number)
        script.stdout.close()
        status = script.wait(WAIT_S)
        self.assertTrue(wait_gone(int(pid)), f"process {pid} goes on")
        return status, folder

    def test_end(self):
        status, folder = self.run_script("pass")
        self.assertEqual(status, 0)
        self.assertFalse(os.path.exists(folder))

    def test_exception(self):
        status, folder = self.run_script("1 / 0")
        self.assertEqual(status, 1)
        self.assertFalse(os.path.exists(folder))

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            status, folder = self.run_script("rig.until(lambda: False, 60, 'a signal')", number)
            self.assertEqual(status, 128 + number)
            self.assertFalse(os.path.exists(folder))

    def test_crash(self):
        status, folder = self.run_script("rig.until(lambda: False, 60, 'a signal')", signal.SIGKILL)
        shutil.rmtree(folder)
        self.assertEqual(status, -signal.SIGKILL)


class WaitTest(unittest.TestCase):
    def test_lines(self):
        with Rig() as rig:
            child = rig.start(["sh", "-c", "echo one; read x; echo two $x"])
            self.assertEqual(child.wait_line("one"), "one")
            child.write("more")
            self.assertEqual(child.wait_line("two"), "two more")
            self.assertEqual(child.wait_end(), 0)
            with self.assertRaises(ProgramEnded):
                child.wait_line("three")

    def test_timeout(self):
        with Rig() as rig:
            child = rig.start(["cat"])
            with self.assertRaises(Timeout):
                child.wait_line("never", timeout=0.1)

    def test_unclean_end(self):
        with self.assertRaisesRegex(ProgramEnded, "status 3"):
            with Rig() as rig:
                child = rig.start(["sh", "-c", "trap 'echo bad; exit 3' TERM; echo up; while :; do read x; done"])
                child.wait_line("up")
        self.assertEqual(child.lines[-1], "bad")

    def test_secret_file(self):
        with Rig() as rig:
            self.assertEqual(os.stat(rig.write("keys/a.psk", "a:00", 0o600)).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
