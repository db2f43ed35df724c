#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.6.6: firmware update."""
import os

from ets import OPAQUE, TLV, Case, case, main
from installer import Files, Installer
import machine

IDLE, DOWNLOADING, DOWNLOADED, UPDATING = range(4)
STATE, RESULT, PACKAGE, URI, UPDATE = "/5/0/3", "/5/0/5", "/5/0/0", "/5/0/1", "/5/0/2"
OLD, NEW = "Probe 1.0", "Probe 2.0"


def package(word, size=3000):
    """Some blocks of it."""
    return (word + "\n" + "x" * size).encode()


class FirmwareTest(Case):
    def start(self, size="1MiB"):
        """C.8"""
        self.installer = None
        self.prepare_machine("C.8")
        machine.set_release(OLD)
        self.installer = Installer(self.rig, machine.release(), NEW)
        self.addCleanup(self.installer.close)
        self.begin("C.3", more=f"firmware: {{handler: probe, max_size: {size}}}",
                   arguments=["--install-socket", self.installer.place])

    def state(self):
        """State and Update Result, by one Read."""
        values = self.content("/5/0", TLV)
        return values[STATE], values[RESULT]

    def until(self, *wanted):
        """Polls; what was seen on the way."""
        seen = []

        def look():
            seen.append(self.state())
            return seen[-1] in wanted

        self.rig.until(look, 20, f"State and Result {wanted}")
        return seen

    def push(self, data, code="2.04"):
        return self.write(PACKAGE, data, OPAQUE, code)

    def pull(self, data, limit=None):
        """By HTTP."""
        self.files = Files(self.rig, data, limit)
        self.addCleanup(self.files.close)
        self.write(URI, self.files.uri())

    def expect_downloaded(self):
        """Over State 1, and without an error."""
        for state, result in self.until((DOWNLOADED, 0)):
            self.assertEqual((state in (DOWNLOADING, DOWNLOADED), result), (True, 0))

    @case(751)
    def test_751_read(self):
        self.start()
        values = self.content("/5/0", TLV)
        self.assertEqual((values[STATE], values[RESULT]), (IDLE, 0))
        self.assertIn(values["/5/0/9"], (0, 1, 2))
        # Without resource 8 only CoAP is there.
        if values["/5/0/9"] != 1:
            self.assertTrue(any(p == "/5/0/8" or p.startswith("/5/0/8/") for p in values), values)

    @case(755)
    def test_755_package(self):
        self.start()
        self.push(b"\0")
        self.assertEqual(self.state(), (IDLE, 0))
        self.push(package("good"))
        self.expect_downloaded()
        # And back.
        self.push(b"\0")
        self.assertEqual(self.state(), (IDLE, 0))

    @case(760)
    def test_760_observe(self):
        self.start()
        self.attributes("/5/0?pmin=2&pmax=10")
        start = self.now()
        self.assertEqual(self.observe(STATE), {STATE: IDLE})
        self.push(package("good"))
        self.expect_downloaded()
        self.daemon.step(2)
        number = 1
        while self.notified(STATE, start, number) != {STATE: DOWNLOADED}:
            number += 1
            self.daemon.step(2)

    @case(756)
    def test_756_uri(self):
        self.start()
        self.write(URI, "")
        self.assertEqual(self.state(), (IDLE, 0))
        self.pull(package("good"))
        self.expect_downloaded()

    def expect_updated(self):
        """Execute, the restart of the machine, and what is there then."""
        start = self.now()
        self.execute(UPDATE)
        self.rig.until(lambda: os.path.exists(self.installer.rebooted), 20, "the restart of the machine")
        self.stop_daemon(self.daemon)
        self.installer.boot += 1
        self.start_clock_daemon(arguments=["--install-socket", self.installer.place])
        self.registered(self.name, start=start)
        for state, result in self.until((IDLE, 1)):
            self.assertIn((state, result), ((UPDATING, 0), (IDLE, 1)))
        self.assertEqual(self.value("/3/0/3"), NEW)

    @case(770)
    def test_770_push(self):
        self.start()
        self.assertEqual(self.value("/3/0/3"), OLD)
        self.push(b"\0")
        self.push(package("good", 20000))
        self.expect_downloaded()
        self.expect_updated()

    @case(771)
    def test_771_pull(self):
        self.start()
        self.assertEqual(self.value("/3/0/3"), OLD)
        self.write(URI, "")
        self.pull(package("good", 20000))
        self.expect_downloaded()
        self.expect_updated()

    @case(772)
    def test_772_no_package(self):
        self.start()
        before = self.state()
        self.assertNotEqual(before[0], DOWNLOADED)
        self.execute(UPDATE, code="4.05")
        self.assertEqual(self.state(), before)

    def check_refused(self, word, result, size=3000, code="2.04"):
        """What arrives is of no use: never Downloaded."""
        self.start("4KiB")
        self.assertEqual(self.value(STATE), IDLE)
        self.push(package(word, size), code)
        for state, found in self.until((IDLE, result)):
            self.assertIn((state, found), ((DOWNLOADING, 0), (IDLE, result)))

    @case(773)
    def test_773_storage(self):
        self.check_refused("good", 2, 20000, "4.13")

    @case(774)
    def test_774_memory(self):
        self.check_refused("memory", 3)

    @case(775)
    def test_775_connection(self):
        self.start()
        self.pull(package("good", 200000), 100000)
        # Until all attempts to go on are over.
        for _ in range(60):
            state = self.state()
            self.assertIn(state, ((DOWNLOADING, 0), (IDLE, 4)))
            if state == (IDLE, 4):
                break
            self.daemon.step(60)
            self.settle()
        self.assertEqual(self.state(), (IDLE, 4))

    @case(776)
    def test_776_integrity(self):
        self.check_refused("corrupt", 5)

    @case(777)
    def test_777_type(self):
        self.check_refused("strange", 6)

    @case(778)
    def test_778_uri(self):
        self.start()
        self.pull(package("good"))
        self.expect_downloaded()
        self.write(URI, "")
        for uri in self.files.uri("nothing"), "http//nonsense":
            self.write(URI, uri)
            for state in self.until((IDLE, 7)):
                self.assertIn(state, ((DOWNLOADING, 0), (IDLE, 7)))
            self.write(URI, "")
            self.assertEqual(self.state(), (IDLE, 0))

    @case(779)
    def test_779_installation(self):
        self.start()
        self.assertEqual((self.value(STATE), self.value("/3/0/3")), (IDLE, OLD))
        self.push(package("fails"))
        self.expect_downloaded()
        self.execute(UPDATE)
        for state, result in self.until((DOWNLOADED, 8)):
            self.assertIn((state, result), ((UPDATING, 0), (DOWNLOADED, 8)))
        self.assertEqual(self.value("/3/0/3"), OLD)


if __name__ == "__main__":
    main()
