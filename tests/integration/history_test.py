#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""History: what profiles choose is recorded, waits while the server is away, and arrives in order with its times."""
import errno
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import ClockDaemon, build_path, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from fieldway_test.decode import LABELS, read_cbor  # noqa: E402
from fieldway_test.local import CLIENT, DEVICES, PEOPLE, LocalScenario, Program  # noqa: E402
from fieldway_test.namespace import LIBC  # noqa: E402

CAMERA, PLACE = PATH + "/endpoint/door_2dcamera", "/3300/1/5750"
HOUR_S = 3600
FLUSH_S = 301               # HISTORY_FLUSH_USEC
SEND_VALUES = 24            # HISTORY_SEND_VALUES
SEND_CBOR = 112
PACE_S = 0.05               # HISTORY_PACE_USEC
OTHER_CLIENT = "gw-window-camera"
OTHER_CAMERA, OTHER_DEVICE = (f"{PATH}/{kind}/window_2dcamera" for kind in ("endpoint", "device"))


class HistoryScenario(LocalScenario):
    recorded = "{points: [people, place]}"
    elapsed = 0

    @property
    def silence(self):
        return f"history: {self.recorded}"

    def start_daemon(self, **options):
        daemon = super().start_daemon(kind=ClockDaemon, **options)
        self.addCleanup(daemon.clock.close)
        # One that starts again does so at the time that it has been made by now.
        if self.elapsed:
            daemon.clock.push(self.elapsed)
            self.rig.until(daemon.clock.moved, 20, "the daemon's clock")
        return daemon

    def begin(self, bounds="{}", more="", server=("send: true",)):
        self.configure(server, more=f"register: {{wait: none}}\nhistory: {bounds}\n{more}")
        self.start()
        self.program = Program(self, None)

    def again(self):
        self.stop_daemon(self.daemon)
        self.start()

    def step(self, seconds):
        self.daemon.step(seconds)
        self.elapsed += seconds

    def kill_server(self):
        self.server.process.child.kill()
        self.server.process.wait_end()

    def back(self):
        """The server is there again, and the endpoint does not wait for its next attempt."""
        self.restart_server()
        self.bus.call(CAMERA, "Endpoint", "Restart")
        self.registered(CLIENT)

    def waiting(self):
        history = self.bus.get(PATH, "Manager", "History")
        return tuple(history[name] for name in ("waiting", "bytes", "oldest", "lost"))

    def until_waiting(self, n, timeout=20):
        self.rig.until(lambda: self.waiting()[0] == n, timeout, f"{n} values waiting")

    def publish(self, point, letter, value):
        self.assertIsNone(self.program.publish((point, letter, value)))

    def sends(self, start=0):
        """Of each Send its (path, value, time)."""
        found = []
        for event in self.server.events[start:]:
            if event.word != "sent" or event.arguments[0] != CLIENT:
                continue
            self.assertEqual(event.format, SEND_CBOR)
            base, base_time, values = "", 0, []
            for record in ({LABELS.get(k, k): v for k, v in r.items()} for r in read_cbor(event.payload)):
                base = record.get("bn", base)
                base_time = record.get("bt", base_time)
                values.append((base + record.get("n", ""), record.get("v", record.get("vs")),
                               base_time + record.get("t", 0)))
            found.append(values)
        return found

    def sent(self, start=0):
        return [value for values in self.sends(start) for value in values]

    def until_sent(self, n, start=0, timeout=60):
        self.rig.until(lambda: len(self.sent(start)) >= n, timeout, f"{n} values at the server")
        values = self.sent(start)
        self.assertEqual(len(values), n)
        return values


class AwayTest(HistoryScenario):
    def test_two_days(self):
        """Recorded while the server is away, over a restart of the daemon, and delivered when it is back."""
        self.begin()
        self.publish("people", "x", 0)
        self.registered(CLIENT)
        (path, value, when), = self.until_sent(1)
        self.assertEqual((path, value), (PEOPLE, 0))
        self.assertLess(abs(time.time() - when), 30)
        self.until_waiting(0)
        self.kill_server()
        expected = []
        for hour in range(1, 49):
            self.step(HOUR_S)
            self.publish("people", "x", hour)
            expected.append((PEOPLE, hour, time.time() + self.elapsed))
            self.until_waiting(hour)
            if hour in (17, 33):
                self.again()
                self.until_waiting(hour)
        account, = self.bus.get(CAMERA, "Endpoint", "Accounts")
        self.assertEqual(account["HistoryWaiting"], 48)
        _, size, oldest, lost = self.waiting()
        self.assertLess(size, 48 * 20 + 3 * 200)
        self.assertLess(abs(oldest / 1e6 - expected[0][2]), 30)
        self.assertEqual(lost, 0)
        self.back()
        values = self.until_sent(48)
        self.assertEqual([v[:2] for v in values], [e[:2] for e in expected])
        for value, wanted in zip(values, expected):
            self.assertLess(abs(value[2] - wanted[2]), 30, (value, wanted))
        self.assertTrue(all(len(s) <= SEND_VALUES for s in self.sends()))
        self.until_waiting(0)
        # And it is known that it has them.
        start = self.now()
        self.again()
        self.publish("people", "x", 100)
        self.registered(CLIENT, start=start)
        self.assertEqual(self.until_sent(1, start)[0][:2], (PEOPLE, 100))

    def test_power_cut(self):
        """What was recorded before the last five minutes is there."""
        self.kill_server()
        self.begin()
        for n in range(5):
            self.publish("people", "x", n)
        self.until_waiting(5)
        self.step(FLUSH_S)
        folder = self.rig.path("state/history")
        self.rig.until(lambda: any(os.path.getsize(os.path.join(folder, f)) > 0 for f in os.listdir(folder)), 20,
                       "the disk")
        self.kill_daemon()
        self.start()
        self.until_waiting(5)
        self.publish("people", "x", 5)
        self.back()
        self.assertEqual([v[1] for v in self.until_sent(6)], [0, 1, 2, 3, 4, 5])

    def test_muted(self):
        """Nothing is recorded for who wants no Send; what waits when it is muted goes out behind that."""
        self.begin(server=())
        self.publish("people", "x", 1)
        self.registered(CLIENT)
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 1)
        self.assertEqual(self.waiting(), (0, 0, 0, 0))
        self.expect(self.put(CLIENT, "/1/0/23", "0"), "2.04")
        self.publish("people", "x", 2)
        self.until_sent(1)
        self.until_waiting(0)
        self.server.command("fault send 4.05")
        self.publish("people", "x", 3)
        self.log("does not take what was recorded: the server answered 4.05")
        self.until_waiting(1)
        self.expect(self.put(CLIENT, "/1/0/23", "1"), "2.04")
        self.server.command("fault send none")
        self.step(120)
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 3)
        self.assertEqual([v[1] for v in self.sent()], [2])
        self.expect(self.put(CLIENT, "/1/0/23", "0"), "2.04")
        self.assertEqual([v[1] for v in self.until_sent(2)], [2, 3])

    def test_status(self):
        self.kill_server()
        self.begin()
        self.publish("people", "x", 1)
        self.publish("people", "x", 2)
        self.until_waiting(2)
        status, lines = self.bus.run([build_path("fieldwayctl"), "status", "--bus=" + self.bus.address])
        self.assertEqual(status, 0)
        line, = (line for line in lines if line.startswith("History"))
        self.assertRegex(line, r"^History +2 values wait, [0-9]+ bytes, the oldest of 20[0-9-]+ [0-9:]+$")


class PaceTest(HistoryScenario):
    MESSAGES = 20   # of each

    def write_files(self, **options):
        super().write_files(devices=DEVICES.replace("{more}", "") +
                            "  - {{name: window-camera, profile: vision, address: {{owner: daemon}}}}\n", **options)

    def count(self):
        """Sends of both, each with an account of its own."""
        return sum(e.word == "sent" and e.arguments[0] in (CLIENT, OTHER_CLIENT) for e in self.server.events)

    def test_pace(self):
        """Who comes back with much is told so many messages a second, of all accounts together, by the daemon's clock."""
        self.kill_server()
        self.begin()
        for n in range(self.MESSAGES * SEND_VALUES):
            self.publish("people", "x", n)
            self.assertIsNone(self.program.publish(("people", "x", n), device=OTHER_DEVICE))
        self.until_waiting(2 * self.MESSAGES * SEND_VALUES)
        self.restart_server()
        for camera in (CAMERA, OTHER_CAMERA):
            self.bus.call(camera, "Endpoint", "Restart")
        self.registered(CLIENT, OTHER_CLIENT)
        self.step(1)    # HISTORY_GATHER_USEC
        self.rig.until(self.count, 20, "a Send")
        began, stepped = time.monotonic(), self.elapsed
        self.server.command("clients")
        first = self.count()
        for _ in range(10):
            self.step(PACE_S)
        self.rig.until(lambda: self.count() == 2 * self.MESSAGES, 20, "all Sends")
        passed = time.monotonic() - began + self.elapsed - stepped
        # One that came at the same time as the first, and one that is due at the end.
        self.assertLessEqual(self.count() - first, passed / PACE_S + 2)
        self.until_waiting(0)


class RefusedTest(HistoryScenario):
    """What the server will never take does not stand before the rest."""

    def fill(self, texts):
        self.begin()
        self.publish("people", "x", 0)
        self.registered(CLIENT)
        self.until_sent(1)
        self.until_waiting(0)
        self.server.command("fault send 5.00")
        for text in texts:
            self.publish("place", "s", text)
        self.until_waiting(len(texts))
        return self.now()

    def places(self, start):
        found = [v[1] for v in self.sent(start)]
        # One that is asked for as another than the refused one comes again in its turn.
        return list(dict.fromkeys(sorted(found)))

    def test_some(self):
        texts = [f"{n:03}" + ("-bad" if n in (3, 17, 18, 45) else "y" * (700 if n % 10 == 0 else 1)) for n in range(60)]
        start = self.fill(texts)
        self.log("the server answered 5.00")
        self.assertEqual(self.waiting()[3], 0)
        self.server.command("refuse -bad")
        self.server.command("fault send none")
        self.step(61)
        self.until_waiting(0, 60)
        self.assertEqual(self.places(start), [t for t in texts if "-bad" not in t])
        self.assertEqual(self.waiting()[3], 4)
        self.log("refuses a recorded value of /3300/1/5750 and takes others")

    def test_all(self):
        """But who refuses all loses none."""
        texts = [f"{n:03}" for n in range(30)]
        start = self.fill(texts)
        self.log("the server answered 5.00")
        for code in ("4.00", "4.04", "4.06"):
            self.server.command("fault send " + code)
            self.step(61)
            self.log("the server answered " + code)
        self.assertEqual(self.waiting()[0::3], (30, 0))
        self.server.command("fault send none")
        self.step(61)
        self.until_waiting(0)
        self.assertEqual(self.places(start), texts)
        self.assertEqual(self.waiting()[3], 0)

    def test_last(self):
        """The last one waits, as nothing tells whether others would be taken."""
        start = self.fill(["-bad"])
        self.server.command("refuse -bad")
        self.server.command("fault send none")
        self.step(61)
        self.log("the server answered 4.00")
        self.assertEqual(self.waiting()[0::3], (1, 0))
        self.publish("place", "s", "good")
        self.step(61)
        self.until_waiting(0)
        self.assertEqual(self.places(start), ["good"])
        self.assertEqual(self.waiting()[3], 1)


class EveryTest(HistoryScenario):
    recorded = "{points: [people], every: 10m}"

    def test_every(self):
        """One value in so long, the newest, and none twice."""
        self.begin()
        self.publish("people", "x", 1)
        self.publish("people", "x", 2)
        self.registered(CLIENT)
        self.read(CLIENT, "/3/0/16")
        self.step(600)
        self.assertEqual([v[:2] for v in self.until_sent(1)], [(PEOPLE, 2)])
        # The answer has come, too, so that no step makes it come too late.
        self.until_waiting(0)
        self.step(600)
        self.publish("people", "x", 3)
        self.step(600)
        self.assertEqual([v[1] for v in self.until_sent(2)], [2, 3])


class FullTest(HistoryScenario):
    TEXTS = 200

    def fill(self, full):
        self.kill_server()
        self.begin("{memory: 64KiB, disk: none, full: " + full + "}")
        for n in range(self.TEXTS):
            self.publish("place", "s", f"{n:04}" + "x" * 900)
        waiting, size, _, lost = self.waiting()
        self.assertEqual(waiting + lost, self.TEXTS)
        self.assertLessEqual(size, 64 << 10)
        self.assertGreater(waiting, 20)
        self.log("recorded values are gone since the start")
        self.back()
        return [int(v[1][:4]) for v in self.until_sent(waiting)]

    def test_drop_oldest(self):
        numbers = self.fill("drop-oldest")
        self.assertEqual(numbers, list(range(self.TEXTS - len(numbers), self.TEXTS)))

    def test_thin(self):
        numbers = self.fill("thin")
        self.assertEqual((numbers[0], numbers[-1]), (0, self.TEXTS - 1))
        steps = [b - a for a, b in zip(numbers, numbers[1:])]
        self.assertGreaterEqual(min(steps), 1)
        self.assertLessEqual(max(steps), 16)
        self.assertEqual(steps[-1], 1)

    def test_full_disk(self):
        """What the disk does not take stays in memory, until it does."""
        state = self.rig.path("state")
        os.mkdir(state)
        if LIBC.mount(b"tmpfs", state.encode(), b"tmpfs", 0, b"size=2m") != 0:
            raise unittest.SkipTest("no file system of the test's own")
        self.addCleanup(LIBC.umount2, state.encode(), 2)
        self.kill_server()
        self.begin()
        filler = os.path.join(state, "filler")
        with open(filler, "wb", buffering=0) as f:
            with self.assertRaises(OSError) as caught:
                while True:
                    f.write(bytes(512))
        self.assertEqual(caught.exception.errno, errno.ENOSPC)
        for n in range(5):
            self.publish("people", "x", n)
        self.step(FLUSH_S)
        self.rig.until(lambda: self.publish("people", "x", self.waiting()[0]) or
                       self.logged("what is recorded cannot be written to"), 20, "a disk that is full")
        os.unlink(filler)
        self.step(FLUSH_S)
        self.rig.until(lambda: self.publish("people", "x", self.waiting()[0]) or
                       self.logged("what is recorded can be written to"), 20, "a disk that is not")
        n = self.waiting()[0]
        self.again()
        self.until_waiting(n)
        self.back()
        self.assertEqual([v[1] for v in self.until_sent(n)], list(range(n)))


if __name__ == "__main__":
    main()
