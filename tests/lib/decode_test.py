#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The readers of fieldway_test against bytes that the standards print."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fieldway_test import Objects, decode, encode, read_cbor, read_links, read_senml_cbor, source_path  # noqa: E402

OBJECTS = Objects(source_path("objects"))


def read(content_format, text, path):
    data = text if isinstance(text, bytes) else bytes.fromhex(text)
    return decode(content_format, data, path, OBJECTS)


class DecodeTest(unittest.TestCase):
    def test_objects(self):
        self.assertEqual(OBJECTS.names[3305], "Power Measurement")
        self.assertEqual(OBJECTS.find("/3305/0/5805").unit, "Wh")
        self.assertTrue(OBJECTS.find("/3/0/11/0").multiple)
        self.assertIsNone(OBJECTS.find("/3/0"))

    def test_tlv(self):
        # ETS 215
        self.assertEqual(read(11542, "c10265c20303f2c20507d0c10601c10755", "/1/0"),
                         {"/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 2000, "/1/0/6": True, "/1/0/7": "U"})
        self.assertEqual(read(11542, "860b410008410105", "/3/0"), {"/3/0/11/0": 8, "/3/0/11/1": 5})
        self.assertEqual(read(11542, "860b410008410105", "/3/0/11"), {"/3/0/11/0": 8, "/3/0/11/1": 5})
        self.assertEqual(read(11542, "410105", "/3/0/11/1"), {"/3/0/11/1": 5})
        self.assertEqual(read(11542, "080107e4164442200000", "/3303"), {"/3303/1/5700": 40.0})
        self.assertEqual(read(11542, "800b", "/3/0"), {"/3/0/11": {}})
        for bad in ("c1", "c102", "c20203", "e41644"):
            with self.assertRaises((ValueError, IndexError)):
                read(11542, bad, "/1/0")

    def test_senml_cbor(self):
        # ETS 257
        self.assertEqual(
            read(112, "83a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200", "/"),
            {"/1/0/2": 101, "/1/0/6": True, "/3/0/13": 0})
        self.assertEqual(read_senml_cbor(bytes.fromhex("81a200682f332f302f302f3003626869")), {"/3/0/0/0": "hi"})
        with self.assertRaises(ValueError):
            read(112, "81a10064332f302f", "/")

    def test_senml_json(self):
        text = b'[{"bn":"/3/0/","n":"0","vs":"Acme"},{"n":"11/0","v":8},' \
            b'{"bn":"/19/0/","n":"0/0","vd":"-_8"},{"bn":"/1/0/0","v":7}]'
        self.assertEqual(read(110, text, "/"),
                         {"/3/0/0": "Acme", "/3/0/11/0": 8, "/19/0/0/0": b"\xfb\xff", "/1/0/0": 7})

    def test_cbor(self):
        # RFC 8949, appendix A
        for text, value in {
                "00": 0, "1903e8": 1000, "1bffffffffffffffff": 18446744073709551615, "3903e7": -1000,
                "f93e00": 1.5, "fa47c35000": 100000.0, "fb3ff199999999999a": 1.1, "f5": True, "f6": None,
                "c11a514b67b0": 1363896240, "4401020304": b"\x01\x02\x03\x04", "62c3bc": "\u00fc",
                "83010203": [1, 2, 3], "9f0102ff": [1, 2], "a201020304": {1: 2, 3: 4},
                "5f42010243030405ff": b"\1\2\3\4\5",
        }.items():
            self.assertEqual(read_cbor(bytes.fromhex(text)), value)
        for bad in ("", "19", "1c", "0000", "6261", "f8"):
            with self.assertRaises(ValueError):
                read_cbor(bytes.fromhex(bad))

    def test_lwm2m_cbor(self):
        text = "a1820300a3006441636d6509186406a200010105"
        values = {"/3/0/0": "Acme", "/3/0/9": 100, "/3/0/6/0": 1, "/3/0/6/1": 5}
        self.assertEqual(read(11544, text, "/"), values)
        self.assertEqual(read(11544, "a183636430310300a1091864", "/"), {"/d01/3/0/9": 100})
        self.assertEqual(read(11544, "bf83030000 6141ff".replace(" ", ""), "/"), {"/3/0/0": "A"})
        for nested in (False, True):
            self.assertEqual(read(11544, encode.lwm2m_cbor(values, nested), "/"), values)
        for bad in ("", "a0", "01", "a103a0", "a2820300a1000182030 0a10002".replace(" ", ""), "a1030100"):
            with self.assertRaises((ValueError, IndexError), msg=bad):
                read(11544, bad, "/")

    def test_lwm2m_json(self):
        # Core 1.0, 6.4.4
        text = b'{"bn":"/3/0/","e":[{"n":"0","sv":"Acme"},{"n":"11/0","v":8},{"n":"9","v":100}]}'
        self.assertEqual(read(11543, text, "/3/0"), {"/3/0/0": "Acme", "/3/0/11/0": 8, "/3/0/9": 100})
        values = {"/1/0/2": 101, "/1/0/6": True, "/1/0/7": "U", "/5/0/0": b"\0\xff", "/10/0/11/0": "11:0"}
        self.assertEqual(read(11543, encode.lwm2m_json(values), "/"), values)
        with self.assertRaises(ValueError):
            read(11543, b'{"e":[{"n":"/3/0/0","v":1,"bv":true}]}', "/")

    def test_links(self):
        self.assertEqual(read_links(b'</>;ct="110 112";rt="x,y;z",</1>;ver=1.2,</1/0>;dim=2;pmin=1,</3>'), [
            ("/", {"ct": "110 112", "rt": "x,y;z"}), ("/1", {"ver": "1.2"}), ("/1/0", {"dim": "2", "pmin": "1"}),
            ("/3", {})])
        self.assertEqual(read_links(b"</5>;Q"), [("/5", {"Q": None})])
        for bad in (b"</1", b"</1>,x", b"</1> , </2>"):
            with self.assertRaises(ValueError):
                read_links(bad)

    def test_composites(self):
        """What tests send, as the standard has it."""
        self.assertEqual(encode.paths_cbor(["/3/0/16", "/3/0/11/0", "/1/0"]).hex(),
                         "83a100672f332f302f3136a100692f332f302f31312f30a100642f312f30")
        self.assertEqual(encode.paths_json(["/1/0"]), b'[{"n": "/1/0"}]')
        self.assertEqual(encode.senml_cbor({"/16/0/0/3": None, "/16/0/0/1": "bb"}).hex(),
                         "82a200692f31362f302f302f3302f6a200692f31362f302f302f3103626262")
        self.assertEqual(encode.tlv({11: encode.Objlnk("11:0")}).hex(), "c40b000b0000")

    def test_single_values(self):
        self.assertEqual(read(0, b"-5", "/3/0/9"), {"/3/0/9": -5})
        self.assertEqual(read(0, b"230.2", "/3316/0/5700"), {"/3316/0/5700": 230.2})
        self.assertEqual(read(0, b"1", "/3306/0/5850"), {"/3306/0/5850": True})
        self.assertEqual(read(0, b"Acme", "/3/0/0"), {"/3/0/0": "Acme"})
        self.assertEqual(read(60, "18e6", "/3316/0/5700"), {"/3316/0/5700": 230.0})
        self.assertIsInstance(read(60, "18e6", "/3316/0/5700")["/3316/0/5700"], float)
        self.assertEqual(read(42, "00ff", "/5/0/0"), {"/5/0/0": b"\x00\xff"})
        with self.assertRaises(ValueError):
            read(9999, "00", "/3/0/0")


if __name__ == "__main__":
    unittest.main()
