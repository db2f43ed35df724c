#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Payloads that are wrong in every way that a format has, as Write and Create, over
both kinds of security: 4.00, nothing changes, the device hears nothing, and a line of
the log says who, where and why."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import encode, main  # noqa: E402
from fieldway_test.scenario import CBOR, LINKS, OPAQUE, SENML_CBOR, SENML_JSON, TEXT, TLV  # noqa: E402
from field_test import NAME, NUMBER, RUN, SPEED, WRITES, FieldScenario  # noqa: E402

PMIN, STORING, PORTFOLIO = "/1/0/2", "/1/0/6", "/16"
DEEP = 3000             # nested, so that whoever follows them overflows a stack
HUGE = 10 ** 400


def senml(*records):
    return "[" + ",".join(records) + "]"


def nested(start, end, size=DEEP):
    return start * size + end * size


def cbor_record(path, *rest):
    """A SenML record: name, then what is given."""
    return bytes([0xA0 | 1 + len(rest) // 2]) + b"\x00" + encode.cbor(path) + b"".join(rest)


V, VS, VB, VD = b"\x02", b"\x03", b"\x04", b"\x08"

# What is wrong whatever the resource, for its path and id.
BROKEN = {
    CBOR: lambda path, number: [
        b"", b"\x19", b"\x19\x01", b"\x1b" + bytes(7), b"\x19\x01\xff\x00", b"\xff", b"\x9f", b"\x5f", b"\x7f",
        b"\x1c", b"\x1f", b"\xa0", b"\xc1", b"\x81\x01", b"\x01\x01", b"\xf6", b"\xf7", b"\xf8\x01", b"\xfe",
        b"\x9b" + b"\xff" * 8, b"\x5b" + b"\xff" * 8, b"\x7b" + b"\x7f" * 8, b"\xbb" + b"\xff" * 8,
        b"\x81" * DEEP, b"\x9f" * DEEP, b"\xa1\x01" * DEEP, b"\xc1" * DEEP, b"\xd9\xd9\xf7" * DEEP],
    SENML_JSON: lambda path, number: [
        "", "[", "{}", "null", "1", "[]", "[[]]", "[null]", "[1]", "[{}]", '["x"]', senml(f'{{"n":"{path}"}}'),
        senml(f'{{"n":"{path}","v":1') , senml(f'{{"n":"{path}","v":1}}') + " x",
        senml(f'{{"n":"{path}","v":1}}') + "[]",
        senml(f'{{"n":"{path}","v":1,"vs":"1"}}'), senml(f'{{"n":"{path}","v":1,"v":2}}'),
        senml(f'{{"n":"{path}","v":1,"bver":11}}'), senml(f'{{"n":"{path}","v":1,"must_":1}}'),
        senml(f'{{"n":"{path[1:]}","v":1}}'), senml(f'{{"n":"{path}/0/0/0","v":1}}'),
        senml('{"n":"/65536/0/1","v":1}'),
        senml('{"n":"/1/0/99999999999999999999","v":1}'), senml(f'{{"n":"{path}x","v":1}}'), senml('{"v":1}'),
        senml('{"n":"/3/0/13","v":1}'), senml(f'{{"n":"{path}","v":null}}'), senml(f'{{"n":"{path}","v":[1]}}'),
        senml(f'{{"n":"{path}","v":1}}', f'{{"n":"{path}","v":1}}'), senml(f'{{"n":1,"v":1}}'),
        senml(f'{{"n":"{path}","v":1e999}}'), senml(f'{{"n":"{path}","v":NaN}}'),
        senml(f'{{"n":"{path}","v":{HUGE}}}'),
        senml(f'{{"n":"{path}","v":01}}'), senml(f'{{"n":"{path}","v":+1}}'), senml(f'{{"n":"{path}","v":.5}}'),
        "[" * DEEP, "[{" * DEEP, nested("[", "]"), '{"n":' * DEEP, senml(f'{{"n":"{path}","v":{nested("[", "]")}}}'),
        senml(f'{{"n":"{path}\\u0000","v":1}}'), senml(f'{{"n":"{path}","vs":"\\ud800"}}'), "\xef\xbb\xbf[]",
        senml(*[f'{{"n":"{path}","v":{i}}}' for i in range(300)])],
    SENML_CBOR: lambda path, number: [
        b"", b"\x80", b"\x81", b"\x81\xa0", b"\x9f", b"\x9f\xa0", b"\xa0", b"\xf6", b"\x81\x80", b"\x81\x01",
        b"\x81" + cbor_record(path), b"\x81" + cbor_record(path, V), b"\x81" + cbor_record(path, V, b"\x1b"),
        b"\x81" + cbor_record(path, V, b"\x01") + b"\x00", b"\x82" + cbor_record(path, V, b"\x01"),
        b"\x82" + cbor_record(path, V, b"\x01") * 2, b"\x81" + cbor_record(path, V, b"\x01", VS, b"\x611"),
        b"\x81" + cbor_record(path, V, b"\x01", V, b"\x01"), b"\x81" + cbor_record(path[1:], V, b"\x01"),
        b"\x81" + cbor_record(path + "/0/0/0", V, b"\x01"), b"\x81" + cbor_record("/3/0/13", V, b"\x01"),
        b"\x81" + cbor_record(path, V, b"\xf6"), b"\x81" + cbor_record(path, V, b"\x81\x01"),
        b"\x81" + cbor_record(path, V, b"\xf9\x7e\x00"), b"\x81" + cbor_record(path, V, b"\xf9\x7c\x00"),
        b"\x81" + cbor_record(path, b"\x20", b"\x0b", V, b"\x01"), b"\x81\xa2\x00\x01\x02\x01",
        b"\x81\xa2\x00\x63\xff\xfe\xfd\x02\x01", b"\x9b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8,
        b"\x81\xbb" + b"\xff" * 8, b"\x81\xa2\x00\x7b" + b"\xff" * 8, b"\x81" * DEEP, b"\x9f" * DEEP,
        b"\x81" + cbor_record(path, V, b"\x81" * DEEP), b"\x81" + cbor_record(path, V, b"\xc1" * DEEP),
        b"\x99\x01\x2c" + cbor_record(path, V, b"\x01") * 300],
    TLV: lambda path, number: [
        b"\xc2", b"\xc2" + bytes([number & 255]), b"\xc8\x02\x05\xff", b"\xd0\x02\xff\xff\xff\x01",
        b"\xd8\x02\xff\xff\xff", b"\xf8", b"\x48\x02\x01\x02", b"\x41", b"\x81\x00",
        encode.tlv_entry(encode.RESOURCE, number, b"\x01\x02\x03"),
        encode.tlv_entry(encode.RESOURCE, number, bytes(9)), encode.tlv_entry(encode.RESOURCE, number, b""),
        encode.tlv_entry(encode.RESOURCE, number, b"\1") * 2,
        encode.tlv_entry(encode.MULTIPLE, number, encode.tlv_entry(encode.RESOURCE_INSTANCE, 0, b"\1") * 2),
        encode.tlv_entry(encode.RESOURCE, number, b"\1") + b"\xc1", encode.tlv_entry(encode.RESOURCE, 65535, b"\1"),
        encode.tlv_entry(encode.INSTANCE, 0, encode.tlv_entry(encode.INSTANCE, 0, b"")),
        b"\x08\x00\xff" * DEEP, b"\x88\x00\xff" * DEEP],
    TEXT: lambda path, number: ["", "\xff", "x", " 1", "1 ", "1\n", "1e3", "0x10", "--1", "1,5",
                                "\0", "1\0", "9" * 5000],
}

# An instance may be updated by nothing at all.
NOTHING = ("", "[]", "[{}]", b"", b"\x80", b"\x81\xa0", b"\x9f\xff")

# Good values of another type, or beyond it, as (format, payload).
INTEGERS = [(TEXT, "1.5"), (TEXT, "99999999999999999999"), (TEXT, "-9223372036854775809"), (OPAQUE, b"\x01"),
            (CBOR, b"\xf5"), (CBOR, b"\x611"), (CBOR, b"\x411"), (CBOR, encode.cbor(1.5)),
            (CBOR, b"\x1b" + b"\xff" * 8), (CBOR, b"\x3b" + b"\xff" * 8), (CBOR, b"\xc2\x49\x01" + bytes(8))]
BOOLEANS = [(TEXT, "2"), (TEXT, "true"), (OPAQUE, b"\x01"), (CBOR, b"\x02"), (CBOR, b"\x611")]
FLOATS = [(TEXT, "nan"), (TEXT, "inf"), (TEXT, "1e400"), (CBOR, b"\xf9\x7e\x00"), (CBOR, b"\xf9\x7c\x00"),
          (CBOR, b"\xfb\xff\xf0" + bytes(6)), (CBOR, b"\xf5"),
          (TLV, encode.tlv_entry(encode.RESOURCE, 5900, struct.pack(">f", float("nan")))),
          (TLV, encode.tlv_entry(encode.RESOURCE, 5900, struct.pack(">d", float("-inf"))))]


class PayloadsTest(FieldScenario):
    secure = False

    def setUp(self):
        super().setUp()
        self.write_field()
        self.start_server(secure=self.secure, names=("gw", NAME))
        self.configure()
        self.start_daemon()
        self.registered("gw", NAME)
        self.until_code(NAME, NUMBER, "2.05")

    def refused(self, name, method, path, content_format, payload):
        data = payload.encode("latin-1", "surrogatepass") if isinstance(payload, str) else payload
        with self.subTest(data[:60], size=len(data), path=path, format=content_format):
            answer = self.send(name, method, path, data, content_format)
            wanted = "4.15" if content_format == OPAQUE else "4.00"
            self.assertIn(answer.fields.get("code"), ("4.00", wanted), answer)

    def content(self, name, instance):
        """But when it was read (5518)."""
        return {path: v for path, v in self.read(name, instance).items() if not path.endswith("/5518")}

    def check(self, name, path, more=()):
        """Both writing operations, where there are two."""
        number = int(path.split("/")[3])
        instance = path.rpartition("/")[0]
        before = self.content(name, instance)
        for content_format, payloads in BROKEN.items():
            for payload in payloads(path, number):
                self.refused(name, "PUT", path, content_format, payload)
                if content_format not in (TEXT, CBOR) and payload not in NOTHING:
                    self.refused(name, "POST", instance, content_format, payload)
        for content_format, payload in more:
            self.refused(name, "PUT", path, content_format, payload)
        self.assertEqual(self.content(name, instance), before)

    def quiet_field(self, act):
        self.simulator.command("* trace on")
        act()
        self.until_code(NAME, NUMBER, "2.05")
        self.simulator.command("* trace off")
        self.assertEqual({t.split(" ")[5] for t in self.simulator.traces} & WRITES, set())

    def test_settings(self):
        self.check("gw", PMIN, INTEGERS)
        self.check("gw", STORING, BOOLEANS)

    def test_field(self):
        self.quiet_field(lambda: (self.check(NAME, NUMBER, INTEGERS), self.check(NAME, RUN, BOOLEANS),
                                  self.check(NAME, SPEED, FLOATS)))

    def test_create(self):
        before = self.discover()
        for content_format in (SENML_JSON, SENML_CBOR, TLV):
            for payload in BROKEN[content_format]("/16/3/0/0", 0):
                self.refused("gw", "POST", PORTFOLIO, content_format, payload)
        for payload in (encode.senml_cbor({"/16/1/0/0": "a", "/16/2/0/0": "b"}), encode.senml_cbor({"/16/1/0/0": 1}),
                        encode.senml_cbor({"/16/1/0/0": b"a"}), encode.senml_cbor({"/17/1/0/0": "a"})):
            self.refused("gw", "POST", PORTFOLIO, SENML_CBOR, payload)
        self.assertEqual(self.discover(), before)

    def discover(self):
        return self.expect(self.server.request("gw", "GET", PORTFOLIO, f"accept={LINKS}"), "2.05").payload

    def test_every_cut(self):
        """Of good payloads, at each byte; cut text may be a number still."""
        before = self.read("gw", "/1/0")
        for content_format, payload in ((SENML_JSON, encode.senml_json({PMIN: 12345})), (TLV, encode.tlv({2: 12345})),
                                        (SENML_CBOR, encode.senml_cbor({PMIN: 12345})), (CBOR, encode.cbor(12345))):
            for size in range(len(payload)):
                self.refused("gw", "PUT", PMIN, content_format, payload[:size])
        self.assertEqual(self.read("gw", "/1/0"), before)

    def test_log(self):
        for name, path, content_format, payload in (("gw", PMIN, TEXT, "x"), (NAME, NUMBER, CBOR, b"\xff"),
                                                    (NAME, "/3308/0", TLV, b"\xc2")):
            self.send(name, "PUT", path, payload, content_format)
            line = self.log(f"{name}: server plant: PUT {path} refused: 4.00 Bad Request: ")
            self.assertGreater(len(line.rpartition("Bad Request: ")[2]), 5, line)
        # However many there are, there are few lines.
        for _ in range(50):
            self.send("gw", "PUT", PMIN, "x")
        self.assertLessEqual(len(self.logged(f"PUT {PMIN} refused")), 10)
        # Not at the cost of others.
        self.send(NAME, "PUT", SPEED, "x")
        self.log(f"{NAME}: server plant: PUT {SPEED} refused: 4.00")


class SecuredPayloadsTest(PayloadsTest):
    secure = True


if __name__ == "__main__":
    main()
