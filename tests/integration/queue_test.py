#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Queue mode: who sleeps says so, and wakes by an Update before it says anything else."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402
from fieldway_test.scenario import SENML_CBOR  # noqa: E402


class QueueTest(Scenario):
    def start(self, *lines):
        self.start_server(secure=True, names=("gw",))
        self.configure(("queue_mode: true", "liveness: 2m", "notify: {pmin: 0s}") + lines)
        self.start_clock_daemon()
        self.ready("gw")
        return next(e for e in self.server.events if e.word == "registered")

    def test_registers_with_it(self):
        for version, fields in (("1.0", {"b": "UQ"}), ("1.1", {"b": "U", "Q": "1"}), ("1.2", {"b": "U", "Q": "1"})):
            with self.subTest(version):
                event = self.start(f'protocol: "{version}"')
                self.assertEqual({k: event.fields.get(k) for k in ("b", "Q") if k in event.fields}, fields)
                self.stop_daemon(self.daemon)
                self.server.events.clear()

    def words(self, start):
        return [e.word for e in self.server.events[start:] if e.word in ("updated", "notify", "registered")]

    def test_sleeps_and_wakes(self):
        """int-109: nothing comes from a sleeping client, before an Update."""
        self.start("lifetime: 1h")
        self.expect(self.server.observe("gw", "/1/0/2", f"accept={SENML_CBOR}"), "2.05")
        start = self.now()
        self.daemon.step(1200)
        # Asked all the same it answers, which keeps it awake: a notification needs no Update then.
        self.expect(self.put("gw", "/1/0/2", "1"), "2.04")
        self.event("notify", "gw", start)
        self.assertEqual(self.words(start), ["notify"])
        self.expect(self.send("gw", "PUT", "/1/0/2?pmax=200"), "2.04")
        start = self.now()
        self.daemon.step(201)
        self.event("notify", "gw", start)
        self.assertEqual(self.words(start), ["updated", "notify"])

    def test_reload(self):
        """Servers learn by Register whether it sleeps."""
        self.start()
        for count, lines, field in ((2, (), None), (3, ("queue_mode: true",), "1")):
            start = self.now()
            self.configure(lines)
            self.daemon.process.send_signal(signal.SIGHUP)
            self.rig.until(lambda n=count: self.daemon.notify.states.count("READY=1") == n, 20, "READY=1 again")
            self.daemon.step(2)
            self.assertEqual(self.ready("gw", start=start).fields.get("Q"), field)


if __name__ == "__main__":
    main()
