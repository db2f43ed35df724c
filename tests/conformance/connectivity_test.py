#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.6.5 and 6.6.8: connectivity monitoring and statistics."""
from ets import SENML_CBOR, Case, case, main


class ConnectivityTest(Case):
    def expect_periodic(self, path, start, pmax, check):
        for _ in range(3):
            number = self.notifications(path, start) + 1
            self.daemon.step(pmax)
            check(self.notified(path, start, number))

    def expect_network(self, values):
        """The mandatory ones, of this machine: a loopback interface."""
        self.assertTrue(0 <= values["/4/0/0"] <= 50, values)
        for resource in (1, 4):
            self.assertTrue([p for p in values if p.startswith(f"/4/0/{resource}/")], values)
        self.assertIsInstance(values["/4/0/2"], int)
        self.assertIn("127.0.0.1", [v for p, v in values.items() if p.startswith("/4/0/4/")])

    @case(701)
    def test_701_read_monitoring(self):
        self.begin("C.3")
        self.expect_network(self.content("/4/0"))

    @case(710)
    def test_710_observe_monitoring(self):
        self.begin("C.3")
        self.attributes("/4/0?pmin=2&pmax=10")
        start = self.now()
        self.expect_network(self.observe("/4/0"))
        self.expect_periodic("/4/0", start, 10, self.expect_network)

    @case(901)
    def test_901_collect(self):
        self.begin("C.3")
        self.execute("/7/0/6")
        for _ in range(20):
            self.content("/3/0")
        self.execute("/7/0/7")
        values = self.content("/7/0", SENML_CBOR)
        sent, received, largest = (values[f"/7/0/{r}"] for r in (2, 3, 4))
        # In kilobytes, of twenty reads of some hundred bytes.
        self.assertTrue(0 < sent < 100 and 0 <= received <= sent, values)
        self.assertTrue(0 < largest <= 2048, values)
        self.assertEqual([values.get(f"/7/0/{r}", 0) for r in (0, 1)], [0, 0])
        # Stopped: nothing is counted.
        self.content("/3/0")
        self.assertEqual({p: v for p, v in self.content("/7/0").items() if p in ("/7/0/2", "/7/0/3")},
                         {"/7/0/2": sent, "/7/0/3": received})

    @case(905)
    def test_905_set_period(self):
        self.begin("C.3")
        before = self.content("/7/0").get("/7/0/8", 0)
        self.write("/7/0/8", before + 60)
        self.assertEqual(self.content("/7/0")["/7/0/8"], before + 60)

    @case(910)
    def test_910_observe_statistics(self):
        self.begin("C.3")
        self.attributes("/7/0?pmin=2&pmax=10")
        self.write("/7/0/8", 0)
        start = self.now()
        first = self.observe("/7/0")
        self.execute("/7/0/6")
        for _ in range(20):
            self.content("/3/0")
        found = []
        self.expect_periodic("/7/0", start, 10, found.append)
        self.assertGreater(found[-1]["/7/0/2"], first.get("/7/0/2", 0))
        self.execute("/7/0/7")
        self.cancel("/7/0")
        count = self.notifications("/7/0", start)
        for _ in range(3):
            self.daemon.step(10)
        self.assertEqual(self.notifications("/7/0", start), count)


if __name__ == "__main__":
    main()
