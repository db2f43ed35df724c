#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every content format, both ways, through DTLS."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, encode, main  # noqa: E402
from fieldway_test.decode import JSON, LWM2M_CBOR  # noqa: E402
from fieldway_test.scenario import CBOR, LINKS, OPAQUE, SENML_CBOR, SENML_JSON, TEXT, TLV  # noqa: E402

VALUE_FORMATS = (TEXT, CBOR, SENML_JSON, SENML_CBOR, TLV, JSON, LWM2M_CBOR)
PACK_FORMATS = (SENML_JSON, SENML_CBOR, TLV, JSON, LWM2M_CBOR)


def payload(content_format, path, value):
    """One resource."""
    ids = [int(n) for n in path.strip("/").split("/")]
    if content_format == TEXT:
        return encode.text(value)
    if content_format == CBOR:
        return encode.cbor(value)
    if content_format == SENML_JSON:
        return encode.senml_json({path: value})
    if content_format == SENML_CBOR:
        return encode.senml_cbor({path: value})
    if content_format == JSON:
        return encode.lwm2m_json({path: value})
    if content_format == LWM2M_CBOR:
        return encode.lwm2m_cbor({path: value})
    return encode.tlv({ids[2]: value if len(ids) == 3 else {ids[3]: value}})


class FormatsTest(Scenario):
    def setUp(self):
        super().setUp()
        self.start_server(secure=True)

    def start(self, *lines):
        self.start_meters()
        self.simulator.command("* freeze")
        self.configure(lines)
        self.start_daemon()
        self.registered("gw", "gw-m1")

    def test_read(self):
        self.start()
        words = [int(w) for w in self.simulator.command("0 get input 52 2").split()]
        power = encode.struct.unpack(">f", encode.struct.pack(">HH", *words))[0]
        for name, path, value in (
                ("gw", "/1/0/1", 3600), ("gw", "/1/0/6", True), ("gw", "/3/0/16", "U"),
                ("gw-m1", "/3/0/0", "Eastron"), ("gw-m1", "/3/0/2", "100000"),
                ("gw-m1", "/3305/0/5800", power)):
            for f in VALUE_FORMATS:
                with self.subTest(path, format=f):
                    read = self.read_one(name, path, f)
                    self.assertIs(type(read), type(value))
                    if isinstance(value, float):
                        # float32: the double of its shortest decimal.
                        self.assertAlmostEqual(read, value, delta=abs(value) * 1e-6)
                        self.assertEqual(read, float(f"{value:.7g}"))
                    else:
                        self.assertEqual(read, value)

    def test_read_instance(self):
        self.start()
        expected = {"/3316/0/5700", "/3316/0/5701", "/3316/0/5601", "/3316/0/5602"}
        for f in PACK_FORMATS:
            for path in ("/3316/0", "/3316"):
                with self.subTest(path, format=f):
                    values = self.read("gw-m1", path, f)
                    self.assertLessEqual(expected, set(values))
                    self.assertEqual(values["/3316/0/5701"], "V")
            with self.subTest("multiple", format=f):
                self.assertEqual(self.read("gw-m1", "/3/0/11", f), {"/3/0/11/0": 0})
                self.assertEqual(self.read("gw-m1", "/3/0/11/0", f), {"/3/0/11/0": 0})

    def test_not_acceptable(self):
        self.start()
        for path, f in (("/3/0", TEXT), ("/3/0", CBOR), ("/3", OPAQUE), ("/3/0/16", OPAQUE), ("/3/0/16", 12345),
                        ("/3/0", 320), ("/3/0", 322), ("/3/0/11", TEXT)):
            with self.subTest(path, format=f):
                self.expect(self.server.request("gw", "GET", path, f"accept={f}"), "4.06")

    def test_without_accept(self):
        self.start()
        for path, f in {"/3/0/16": TEXT, "/3/0/11/0": TEXT, "/3/0/11": SENML_CBOR, "/3/0": SENML_CBOR,
                        "/3": SENML_CBOR}.items():
            self.assertEqual(self.expect(self.server.request("gw", "GET", path), "2.05").format, f)

    def test_without_accept_as_configured(self):
        self.start("formats: [tlv, senml-json]")
        for path, f in {"/3/0/16": TEXT, "/3/0": TLV}.items():
            self.assertEqual(self.expect(self.server.request("gw", "GET", path), "2.05").format, f)

    def test_preference_of_1_2(self):
        """A server of 1.1 is not given what came with 1.2 unless it asks."""
        self.start("formats: [lwm2m-cbor, senml-json]", "protocol: \"1.1\"")
        self.assertEqual(self.expect(self.server.request("gw", "GET", "/3/0"), "2.05").format, SENML_JSON)
        self.assertEqual(self.expect(self.server.request("gw", "GET", "/3/0", f"accept={LWM2M_CBOR}"), "2.05").format,
                         LWM2M_CBOR)

    def test_write(self):
        self.start()
        for i, f in enumerate(VALUE_FORMATS):
            for path, value in {"/1/0/2": 300 + i, "/1/0/3": 70000 + i, "/1/0/6": bool(i % 2)}.items():
                with self.subTest(path, format=f):
                    self.expect(self.put("gw", path, payload(f, path, value), f), "2.04")
                    self.assertEqual(self.read_one("gw", path), value)

    def test_write_of_resource_instance(self):
        self.start()
        self.expect(self.post("gw", "/16", encode.tlv({0: {0: "a", 1: "b"}}), TLV), "2.01")
        for i, f in enumerate(VALUE_FORMATS):
            with self.subTest(format=f):
                value = f"value {i} \N{GREEK SMALL LETTER ALPHA}"
                self.expect(self.put("gw", "/16/0/0/1", payload(f, "/16/0/0/1", value), f), "2.04")
                self.assertEqual(self.read("gw", "/16/0/0"), {"/16/0/0/0": "a", "/16/0/0/1": value})

    def test_write_instance(self):
        self.start()
        # The vector of int-215; binding and short id go as they are.
        vector = bytes.fromhex("C20203F2 C20307D0 C10601 C10755")
        self.expect(self.post("gw", "/1/0", vector, TLV), "2.04")
        values = self.read("gw", "/1/0")
        self.assertEqual([values[f"/1/0/{r}"] for r in (0, 2, 3, 6, 7)], [101, 1010, 2000, True, "U"])
        for i, f in enumerate(PACK_FORMATS):
            with self.subTest(format=f):
                wanted = {"/1/0/2": 20 + i, "/1/0/3": 900 + i, "/1/0/6": bool(i % 2)}
                body = {TLV: lambda: encode.tlv({2: 20 + i, 3: 900 + i, 6: bool(i % 2)}),
                        SENML_JSON: lambda: encode.senml_json(wanted),
                        SENML_CBOR: lambda: encode.senml_cbor(wanted),
                        JSON: lambda: encode.lwm2m_json(wanted),
                        LWM2M_CBOR: lambda: encode.lwm2m_cbor(wanted)}[f]()
                self.expect(self.post("gw", "/1/0", body, f), "2.04")
                values = self.read("gw", "/1/0")
                self.assertEqual({p: values[p] for p in wanted}, wanted)
                self.assertEqual(values["/1/0/7"], "U")

    def test_replace_instance(self):
        self.start()
        self.expect(self.post("gw", "/1/0", encode.tlv({2: 10, 3: 100, 5: 77}), TLV), "2.04")
        self.expect(self.put("gw", "/1/0", encode.tlv({1: 3600, 3: 200, 6: False, 7: "U"}), TLV), "2.04")
        values = self.read("gw", "/1/0")
        self.assertEqual({p: values.get(p) for p in ("/1/0/0", "/1/0/1", "/1/0/2", "/1/0/3", "/1/0/5", "/1/0/6")},
                         {"/1/0/0": 101, "/1/0/1": 3600, "/1/0/2": None, "/1/0/3": 200, "/1/0/5": None,
                          "/1/0/6": False})
        # A read-only one in the body: nothing changes.
        self.expect(self.put("gw", "/1/0", encode.tlv({0: 5, 1: 60, 6: True, 7: "U"}), TLV), "4.05")
        self.assertEqual(self.read("gw", "/1/0"), values)

    def test_unsupported(self):
        self.start()
        for path, f in (("/1/0/2", 12345), ("/1/0/2", 320), ("/1/0/2", 322), ("/1/0", TEXT), ("/1/0", CBOR), ("/1/0/2", LINKS)):
            with self.subTest(path, format=f):
                self.expect(self.put("gw", path, b"1", f), "4.15")


if __name__ == "__main__":
    main()
