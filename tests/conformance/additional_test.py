#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.7: additional objects, of which a program tells."""
from ets import OPAQUE, TLV, Case, case, encode, main

TIMERS = {"/10/0/4": (5, 15), "/10/0/5": (10, 20), "/10/0/8": (5, 15), "/10/0/9": (10, 20)}
MODES = {"/10/0/12": (5, 15), "/10/0/13": (10, 20)}
CELLULAR = {"/10/0/4": 3600, "/10/0/5": 600, "/10/0/8": b"\2", "/10/0/9": b"\5"}


class ReportCase(Case):
    def observe_each(self, periods):
        """pmin and pmax of each; regular notifications follow."""
        for path, (pmin, pmax) in periods.items():
            self.attributes(f"{path}?pmin={pmin}&pmax={pmax}")
        start = self.now()
        first = {path: self.observe(path, accept=TLV) for path in periods}
        for seconds in 15, 5, 15, 5:
            before = {path: self.notifications(path, start) for path in periods}
            self.daemon.step(seconds)
            for path, (_, pmax) in periods.items():
                if seconds == pmax or seconds == 5 and pmax == 20:
                    self.assertEqual(self.notified(path, start, before[path] + 1), first[path])
        return first


class CellularTest(ReportCase):
    def expect_links(self, *resources):
        """At least these, under a version that is known as one other than 1.0."""
        links = self.discover("/10")
        self.assertEqual((links[0][0], links[0][1]["ver"]), ("/10", "1.1"))
        self.assertLessEqual({"/10/0", *(f"/10/0/{r}" for r in resources)}, {path for path, _ in links})

    @case(1200)
    def test_1200_read(self):
        self.begin("C.11")
        values = self.content("/10/0", TLV)
        self.assertEqual({p: values.get(p) for p in CELLULAR}, CELLULAR)

    @case(1201)
    def test_1201_read_1_1(self):
        event = self.begin("C.11")
        self.assertIn("</10>;ver=1.1", event.links)
        self.expect_links(4, 5, 8, 9, 11, 12, 13)
        values = self.content("/10/0", TLV)
        wanted = {**CELLULAR, "/10/0/11/0": "11:0", "/10/0/12": 3, "/10/0/13": 1}
        self.assertEqual({p: values.get(p) for p in wanted}, wanted)

    @case(1202)
    def test_1202_set_modes(self):
        self.begin("C.11")
        self.expect_links(11, 12, 13)
        self.assertEqual(self.value("/10/0/12"), 3)
        self.asked("PUT", "/10/0/13", bytes.fromhex("c10d02"), TLV, "mode", 2)
        self.publish(("mode", "t", 2))
        self.assertEqual(self.value("/10/0/13"), 2)

    @case(1203)
    def test_1203_observe_modes(self):
        self.begin("C.11")
        self.expect_links(11, 12, 13)
        self.assertEqual(self.observe_each(MODES), {"/10/0/12": {"/10/0/12": 3}, "/10/0/13": {"/10/0/13": 1}})

    @case(1204)
    def test_1204_observe_timers(self):
        self.begin("C.11")
        self.expect_links(4, 5, 8, 9)
        self.assertEqual(self.observe_each(TIMERS), {path: {path: CELLULAR[path]} for path in TIMERS})


class AppDataTest(ReportCase):
    @case(1900)
    def test_1900_observe(self):
        self.begin("C.15")
        links = dict(self.discover("/19"))
        self.assertNotIn("ver", links["/19"])
        self.assertLessEqual({"/19", "/19/0", "/19/0/0"}, set(links))
        self.attributes("/19/0/0?pmin=300&pmax=3600")
        start = self.now()
        self.assertEqual(self.observe("/19/0/0"), {"/19/0/0/0": b"meter 1"})
        self.publish(("up", "ay", b"meter 2"))
        self.daemon.step(290)
        self.assertEqual(self.notifications("/19/0/0", start), 0)
        self.daemon.step(10)
        self.assertEqual(self.notified("/19/0/0", start), {"/19/0/0/0": b"meter 2"})
        for n in 2, 3:
            self.daemon.step(3600)
            self.assertEqual(self.notified("/19/0/0", start, n), {"/19/0/0/0": b"meter 2"})

    @case(1901)
    def test_1901_write(self):
        self.begin("C.15")
        self.asked("PUT", "/19/1/0", encode.tlv({0: {0: b"a command"}}), TLV, "down", b"a command")
        self.publish(("down", "ay", b"a command"))
        self.assertEqual(self.content("/19/1/0", TLV), {"/19/1/0/0": b"a command"})


class EventLogTest(Case):
    @case(2000)
    def test_2000_start(self):
        self.begin("C.16")
        self.write("/20/0/4011", b"\x00", OPAQUE, "4.05")
        self.get("/20/0/4011", code="4.05")
        # What it is for.
        self.asked("POST", "/20/0/4011", b"", 0, "start", True)

    @case(2001)
    def test_2001_read(self):
        self.begin("C.16")
        values = self.content("/20/0", TLV)
        wanted = {"/20/0/4010": 0, "/20/0/4013": 3, "/20/0/4014": b"line 1"}
        self.assertEqual({p: values.get(p) for p in wanted}, wanted)


if __name__ == "__main__":
    main()
