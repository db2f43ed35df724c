#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.3 and 6.4: Read-, Write- and Observe-Composite."""
from ets import ETCH_CBOR, ETCH_JSON, HOST, SENML_CBOR, SENML_JSON, TLV, Case, case, encode, main, read_links

SERVER = {"/1/0/0": 1, "/1/0/1": 86400, "/1/0/6": False, "/1/0/7": "U"}
# Of requests and of answers.
FORMATS = {"1.1": ((SENML_CBOR, SENML_CBOR), (SENML_JSON, SENML_JSON)),
           "1.2": ((SENML_CBOR, SENML_CBOR), (SENML_JSON, SENML_JSON), (ETCH_CBOR, SENML_CBOR), (ETCH_JSON, SENML_JSON))}
MOVING = ("/3/0/10", "/3/0/13")
FIRST, SECOND = ["aa", "bb", "cc", "dd"], ["11", "22", "33", "44"]


def portfolio(instance, texts):
    return {f"/16/{instance}/0/{i}": text for i, text in enumerate(texts)}


class CompositeCase(Case):
    @staticmethod
    def paths(paths, content_format):
        write = encode.paths_json if content_format in (SENML_JSON, ETCH_JSON) else encode.paths_cbor
        return write(paths)

    def fetch(self, paths, content_format=SENML_CBOR, accept=SENML_CBOR):
        """{path: value}; each path once."""
        answer = self.expect(self.server.request(
            self.name, "FETCH", "/",
            f"format={content_format} accept={accept} payload={self.paths(paths, content_format).hex()}"), "2.05")
        self.assertEqual(answer.format, accept)
        return self.server.values(answer, "/")

    def fetch_all(self, paths, check):
        """In each format that there is."""
        for content_format, accept in FORMATS[self.version]:
            check(self.fetch(paths, content_format, accept))

    def patch(self, body, content_format):
        return self.expect(self.server.request(
            self.name, "IPATCH", "/", f"format={content_format} payload={body.hex()}"), "2.04")

    def create(self, instance, texts):
        body = encode.tlv_entry(encode.INSTANCE, instance, encode.tlv({0: dict(enumerate(texts))}))
        start = self.now()
        self.expect(self.send(self.name, "POST", "/16", body, TLV), "2.01")
        self.event("updated", self.name, start)

    def observe_all(self, paths, content_format=SENML_CBOR, accept=SENML_CBOR):
        answer = self.expect(self.server.observe(
            self.name, "/",
            f"format={content_format} accept={accept} payload={self.paths(paths, content_format).hex()}"), "2.05")
        self.assertIn("observe", answer.fields)
        self.assertEqual(answer.format, accept)
        return self.server.values(answer, "/")


class ReadTest(CompositeCase):
    @case(235)
    def test_235_root(self):
        registered = self.begin()
        wanted = {}
        for path, _ in read_links(registered.links.encode()):
            if path.count("/") == 2:
                wanted.update(self.content(path))

        def check(values):
            self.assertEqual({p: v for p, v in values.items() if p not in MOVING},
                             {p: v for p, v in wanted.items() if p not in MOVING})
            self.assertEqual([p for p in values if p.startswith(("/0/", "/21/", "/23/"))], [])

        self.fetch_all(["/"], check)

    @case(236)
    def test_236_partial_presence(self):
        self.begin()
        wanted = {**self.content("/1/0"), "/3/0/11/0": 0}
        self.fetch_all(["/1/0", "/1/0/1", "/3/0/11/0", "/3339/0/5522", "/3353/0/6030"],
                       lambda values: self.assertEqual(values, wanted))

    @case(280)
    def test_280_successful(self):
        self.begin()

        def check(values):
            wanted = {**SERVER, "/3/0/11/0": 0, "/3/0/16": "U"}
            self.assertEqual({p: values.get(p) for p in wanted}, wanted)
            # Other resources of /1/0 may be there, and nothing else.
            self.assertEqual([p for p in values if p not in wanted and not p.startswith("/1/0/")], [])

        self.fetch_all(["/3/0/16", "/3/0/11/0", "/1/0"], check)

    @case(281)
    def test_281_partially_successful(self):
        self.begin()
        self.fetch_all(["/1/0/1", "/1/0/7", "/1/0/8"],
                       lambda values: self.assertEqual(values, {"/1/0/1": 86400, "/1/0/7": "U"}))


class WriteTest(CompositeCase):
    @case(230)
    def test_230_write(self):
        self.begin()
        self.create(0, ["x"])
        for lifetime, content_format in enumerate({f for f, _ in FORMATS[self.version]}, 61):
            values = {"/1/0/1": lifetime, "/1/0/6": True, **portfolio(0, FIRST)}
            body = (encode.senml_json if content_format in (SENML_JSON, ETCH_JSON) else encode.senml_cbor)(values)
            start = self.now()
            self.patch(body, content_format)
            self.updated(start, lt=str(lifetime))
            server = self.content("/1/0")
            self.assertEqual((server["/1/0/1"], server["/1/0/6"]), (lifetime, True))
            self.assertEqual(self.content("/16"), portfolio(0, FIRST))
            self.patch(encode.senml_cbor({"/1/0/6": False, "/16/0/0/1": "x"}), SENML_CBOR)

    @case(257)
    def test_257_server_and_device(self):
        self.begin("C.6")
        before = {**self.content("/1"), **self.content("/3")}
        self.assertEqual({p: before[p] for p in ("/1/0/2", "/1/0/6")}, {"/1/0/2": 1, "/1/0/6": False})
        self.assertGreater(before["/3/0/13"], 1000000000)
        for body, content_format in (
                (b'[{"bn":"/","n":"1/0/2","v":101},{"n":"1/0/6","vb":true},{"n":"3/0/13","v":0}]', SENML_JSON),
                (bytes.fromhex("83a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200"), SENML_CBOR)):
            self.patch(body, content_format)
            values = {**self.content("/1"), **self.content("/3")}
            self.assertEqual({p: values[p] for p in ("/1/0/2", "/1/0/6")}, {"/1/0/2": 101, "/1/0/6": True})
            self.assertTrue(0 <= values["/3/0/13"] < 60, values)
            self.write("/1/0/2", 1)
            self.write("/1/0/6", False)
            self.write("/3/0/13", 1367491215)


class ObserveTest(CompositeCase):
    PATHS = ["/1/0/1", "/3/0/11/0", "/3/0/16"]
    VALUES = {"/1/0/1": 86400, "/3/0/11/0": 0, "/3/0/16": "U"}

    def window(self, start, number, wanted):
        """A notification comes 30 to 45 seconds after the last one, with these values."""
        self.daemon.step(27)
        self.assertEqual(self.notifications("/", start), number - 1)
        self.daemon.step(18)
        self.assertEqual(self.notified("/", start, number), wanted)

    @case(304)
    def test_304_observe(self):
        for content_format, accept in FORMATS[self.version][:1] + FORMATS[self.version][-1:]:
            self.begin() if not self.daemon else None
            self.attributes("/1/0/1?pmin=30&pmax=45")
            start = self.now()
            self.assertEqual(self.observe_all(self.PATHS, content_format, accept), self.VALUES)
            self.window(start, 1, self.VALUES)
            self.assertEqual([e.format for e in self.events("notify", start)], [accept])
            self.cancel("/")

    @case(305)
    def test_305_cancel(self):
        self.begin()
        self.attributes("/1/0/1?pmin=30&pmax=45")
        start = self.now()
        self.assertEqual(self.observe_all(self.PATHS), self.VALUES)
        self.window(start, 1, self.VALUES)
        answer = self.cancel("/")
        self.assertEqual(self.server.values(answer, "/"), self.VALUES)
        self.assertNotIn("observe", answer.fields)
        start = self.now()
        for _ in range(3):
            self.daemon.step(45)
        self.assertEqual(self.notifications("/", start), 0)
        self.assertEqual(self.events("stray", start), [])

    @case(308)
    def test_308_create(self):
        self.begin()
        self.create(0, FIRST)
        self.attributes("/16/0?pmin=30&pmax=45")
        start = self.now()
        self.assertEqual(self.observe_all(["/16/0", "/16/1"]), portfolio(0, FIRST))
        self.window(start, 1, portfolio(0, FIRST))
        self.create(1, SECOND)
        self.window(start, 2, {**portfolio(0, FIRST), **portfolio(1, SECOND)})

    @case(309)
    def test_309_delete(self):
        self.begin()
        self.create(0, FIRST)
        self.create(1, SECOND)
        self.attributes("/16/0?pmin=30&pmax=45")
        start = self.now()
        both = {**portfolio(0, FIRST), **portfolio(1, SECOND)}
        self.assertEqual(self.observe_all(["/16/0", "/16/1"]), both)
        self.window(start, 1, both)
        self.delete("/16/1")
        self.window(start, 2, portfolio(0, FIRST))

    @case(310)
    def test_310_attributes(self):
        self.begin("C.3")
        wanted = {"/1/0/3", *self.content("/3/0")}
        start = self.now()
        self.assertEqual(set(self.observe_all(["/1/0/3", "/3/0"])), wanted)
        self.daemon.step(10)
        self.assertEqual(set(self.notified("/", start)), wanted)
        self.attributes("/3?pmax=5")
        before = self.notifications("/", start)
        for n in range(1, 5):
            self.daemon.step(5)
            self.assertEqual(set(self.notified("/", start, before + n)), wanted)


if __name__ == "__main__":
    main()
