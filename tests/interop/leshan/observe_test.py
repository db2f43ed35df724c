#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against Eclipse Leshan: what it is told of observed values, and when."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from leshan import values  # noqa: E402
from plant import Plant, endpoint, main  # noqa: E402

METER = endpoint("em-03")
LATE_S = 3              # a loaded machine may be, above the poll's second
EARLY_S = 1.5           # ... so may the one before be late; less than what the limits are told from


class ObserveTest(Plant):
    PATH = "/3316/0/5700"

    def attributes(self, query):
        self.assertAnswer(self.leshan.request("PUT", METER, f"{self.PATH}/attributes?{query}"), 204)

    def observe(self, timeout=5, name=METER):
        return self.assertAnswer(self.leshan.request(
            "POST", name, f"{self.PATH}/observe?timeout={timeout}", timeout=timeout + 5), 205)["content"]

    def gaps(self, count, start):
        """Between `count` notifications from here on, and the first one's number."""
        for number in range(1, count + 2):
            self.leshan.wait("NOTIFICATION", METER, start, number, self.PATH)
        times = [e.time for e in self.leshan.heard("NOTIFICATION", METER, start, self.PATH)]
        return [b - a for a, b in zip(times, times[1:])]

    def test_pmin_and_pmax(self):
        self.start_plant()
        self.attributes("pmin=3&pmax=5")
        self.assertEqual(self.observe()["type"], "FLOAT")
        # It moves with every poll, once a second: pmin holds it back.
        for gap in self.gaps(2, self.leshan.now()):
            self.assertGreater(gap, 3 - EARLY_S)
            self.assertLess(gap, 3 + 1 + LATE_S)
        self.device("em-03", "freeze")
        # Those of before the frost.
        self.leshan.wait("NOTIFICATION", METER, self.leshan.now(), 2, self.PATH)
        start = self.leshan.now()
        for gap in self.gaps(2, start):
            self.assertGreater(gap, 5 - EARLY_S)
            self.assertLess(gap, 5 + 1 + LATE_S)
        said = {e.data["val"]["value"] for e in self.leshan.heard("NOTIFICATION", METER, start, self.PATH)}
        self.assertEqual(said, {str(self.number_of_meter("em-03", 0))})

    def test_cancel(self):
        """Asked for, then by RST alone; a new Observe works after either."""
        self.start_plant()
        self.attributes("pmin=1&pmax=2")
        for query in ("?active", ""):
            start = self.leshan.now()
            self.observe()
            self.leshan.wait("NOTIFICATION", METER, start, 1, self.PATH)
            status, _ = self.leshan.ask("DELETE", f"clients/{METER}{self.PATH}/observe{query}")
            self.assertEqual(status, 200)
        self.observe()
        self.leshan.wait("NOTIFICATION", METER, self.leshan.now(), 2, self.PATH)

    def test_every_level_and_format(self):
        """Each notification is all that a Read tells."""
        self.start_plant("notify: {pmin: 1s, pmax: 5s}")
        start = self.leshan.now()
        for path, content_format in (("/3316", "SENML_JSON"), ("/3305/3", "SENML_CBOR"), ("/3316/1", "TLV"),
                                     (self.PATH, "TEXT"), ("/3316/1/5700", "CBOR"), ("/3316/2", "")):
            with self.subTest(path):
                query = content_format and f"?format={content_format}"
                self.assertAnswer(self.leshan.request("POST", METER, f"{path}/observe{query}"), 205)
                first, second = (values(self.leshan.wait("NOTIFICATION", METER, start, n, path).data["val"], path)
                                 for n in (2, 3))
                self.assertNotEqual(first, second)
                read = self.assertAnswer(self.leshan.request("GET", METER, path), 205)["content"]
                self.assertEqual(set(second), set(values(read, path)))

    def test_before_the_first_poll(self):
        self.start_plant("notify: {pmin: 1s, pmax: 10s}", silent=["em-03"], more="register: {wait: none, at_most: 1m}")
        start = self.leshan.now()
        call = self.leshan.send("POST", f"clients/{METER}{self.PATH}/observe?timeout=30")
        # Others are served meanwhile, and so is this endpoint.
        self.assertAnswer(self.leshan.request("GET", METER, "/3/0/0"), 205)
        self.assertFalse(call.done)
        self.device("em-03", "talk")
        status, answer = self.leshan.answer(call, 30)
        self.assertEqual((status, answer["status"]), (200, "CONTENT(205)"))
        self.assertGreater(float(answer["content"]["value"]), 200)
        self.leshan.wait("NOTIFICATION", METER, start, 2, self.PATH)


if __name__ == "__main__":
    main()
