#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Leshan dies and comes back: how long until all endpoints are registered and observed values flow.
In real time: this is about the agent as it ships."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from plant import ENDPOINTS, NAMES, Plant, endpoint, main  # noqa: E402

PROMISE_S = 120     # with `liveness: 10s`
PATH = "/3316/0/5700"
OBSERVED = [endpoint(name) for name in NAMES if name.startswith("em-")]


class RestartTest(Plant):
    def observe(self, endpoints):
        for name in endpoints:
            self.assertAnswer(self.leshan.request("POST", name, f"{PATH}/observe"), 205)

    def expect_values(self, start, timeout=30):
        for name in OBSERVED:
            self.leshan.wait("NOTIFICATION", name, start, 1, PATH, timeout)

    def test_restart(self):
        self.start_plant("notify: {pmin: 1s, pmax: 5s}", "liveness: 10s")
        self.observe(OBSERVED)
        self.expect_values(self.leshan.now())
        killed = time.monotonic()
        self.leshan.kill()
        start = self.leshan.now()
        # The keys of before are in its store.
        self.leshan.start()
        back = time.monotonic()
        self.rig.until(lambda: {e.endpoint for e in self.leshan.heard("REGISTRATION", start=start)} >= set(ENDPOINTS),
                       PROMISE_S, "all endpoints coming back")
        registered = time.monotonic()
        self.assertTrue(all(c["secure"] for c in self.leshan.clients().values()))
        start = self.leshan.now()
        self.observe(OBSERVED)
        self.expect_values(start)
        flowing = time.monotonic()
        print(f"== Leshan was away for {back - killed:.1f} s; then all {len(ENDPOINTS)} endpoints were registered after "
              f"{registered - back:.1f} s, observed values flowed after {flowing - back:.1f} s", file=sys.stderr)
        self.assertLess(flowing - killed, PROMISE_S)
        self.assertEqual(set(self.leshan.clients()), set(ENDPOINTS))


if __name__ == "__main__":
    main()
