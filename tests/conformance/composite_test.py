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


if __name__ == "__main__":
    main()
