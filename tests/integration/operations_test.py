#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Create, Delete, Execute, Discover, Write-Attributes, and the order of checks,
through DTLS on the host and on a virtual endpoint."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, encode, main  # noqa: E402
from fieldway_test.scenario import LINKS, SENML_CBOR, SENML_JSON, TEXT, TLV  # noqa: E402


class OperationsTest(Scenario):
    def setUp(self):
        super().setUp()
        self.start_server(secure=True)
        self.start_meters()
        self.configure(["lifetime: 24h", "notify: {pmin: 1s, pmax: 10m}"])
        self.start_daemon()
        self.registered("gw", "gw-m1")

    def create(self, body, content_format=TLV):
        return self.post("gw", "/16", body, content_format)

    def discover(self, name, path):
        answer = self.expect(self.server.request(name, "GET", path, f"accept={LINKS}"), "2.05")
        self.assertEqual(answer.format, LINKS)
        return answer.payload.decode().split(",")

    # Create and Delete

    def test_create_and_delete(self):
        start = self.now()
        answer = self.expect(self.create(encode.tlv({0: {0: "a"}})), "2.01")
        self.assertEqual(answer.location, "/16/0")
        self.assertIn("</16/0>", self.event("updated", "gw", start).links)
        # With an instance id of its own.
        body = encode.tlv_entry(encode.INSTANCE, 7, encode.tlv({0: {3: "b"}}))
        self.assertEqual(self.expect(self.create(body), "2.01").location, "/16/7")
        self.expect(self.create(body), "4.00")
        # The lowest free one.
        body = encode.senml_json({"/16/65535/0/0": "c"})
        self.assertEqual(self.expect(self.create(body, SENML_JSON), "2.01").location, "/16/1")
        self.assertEqual(self.read("gw", "/16"), {"/16/0/0/0": "a", "/16/1/0/0": "c", "/16/7/0/3": "b"})
        start = self.now()
        self.expect(self.send("gw", "DELETE", "/16/0"), "2.02")
        links = self.event("updated", "gw", start).links
        self.assertTrue(links.endswith("</16/1>,</16/7>"), links)
        self.expect(self.send("gw", "GET", "/16/0"), "4.04")
        # A resource instance, since 1.2.
        self.expect(self.put("gw", "/16/1/0", encode.tlv({0: {0: "c", 1: "d"}}), TLV), "2.04")
        self.expect(self.send("gw", "DELETE", "/16/1/0/0"), "2.02")
        self.assertEqual(self.read("gw", "/16/1/0"), {"/16/1/0/1": "d"})

    def test_refused_creates(self):
        self.expect(self.create(encode.tlv({1: {0: "a"}})), "4.00")     # the mandatory one is missing
        self.expect(self.create(b"", TLV), "4.00")
        self.expect(self.post("gw", "/3", encode.tlv({15: "x"}), TLV), "4.05")
        self.expect(self.post("gw-m1", "/3305", encode.tlv({5750: "x"}), TLV), "4.05")
        self.expect(self.post("gw", "/17", encode.tlv({0: "x"}), TLV), "4.04")
        self.expect(self.create(b"x", TEXT), "4.15")

    def test_refused_deletes(self):
        for path, code in {"/16": "4.05", "/3/0": "4.05", "/1/0": "4.05", "/3/0/16": "4.05", "/16/9": "4.04",
                           "/17/0": "4.04", "/0/0": "4.01"}.items():
            with self.subTest(path):
                self.expect(self.send("gw", "DELETE", path), code)
        self.expect(self.send("gw-m1", "DELETE", "/3305/0"), "4.05")

    # Execute

    def test_execute(self):
        start = self.now()
        for arguments in (None, "0", "0,1,9", "0='abc'", "2='10.3',7='https://www.oma.org/x'"):
            with self.subTest(arguments):
                self.expect(self.post("gw", "/1/0/8", arguments), "2.04")
        self.event("updated", "gw", start)
        for arguments in ("a", "10", "0,0", "0=abc", "0='a b'", "0='", "0='a'b'", ",", "0,"):
            with self.subTest(arguments):
                self.expect(self.post("gw", "/1/0/8", arguments), "4.00")
        self.expect(self.post("gw", "/3/0/16"), "4.05")
        self.expect(self.post("gw", "/3/0/99"), "4.04")

    def test_execute_by_non(self):
        start = self.now()
        self.expect(self.send("gw", "POST", "/1/0/8", options="non"), "2.04")
        self.event("updated", "gw", start)

    # The order of checks

    def test_security_is_closed(self):
        for method, rest in (("GET", ""), ("PUT", "format=0 payload=31"), ("POST", "format=0 payload=31"),
                             ("DELETE", ""), ("GET", "accept=40"), ("PUT", "")):
            for path in ("/0", "/0/0", "/0/0/0", "/21", "/23/0"):
                with self.subTest(f"{method} {path} {rest}"):
                    self.expect(self.server.request("gw", method, path, rest), "4.01")

    def test_paths(self):
        for method, path, code in (
                ("GET", "/77", "4.04"), ("GET", "/3/1", "4.04"), ("GET", "/3/0/99", "4.04"),
                ("GET", "/3/0/11/9", "4.04"), ("GET", "/3/0/16/0", "4.05"), ("GET", "/3/0/4", "4.05"),
                ("PUT", "/3", "4.05"), ("DELETE", "/3", "4.05")):
            with self.subTest(f"{method} {path}"):
                options = "format=11542 payload=c10101" if method == "PUT" else ""
                self.expect(self.server.request("gw", method, path, options), code)
        for path, code in {"/a": "4.04", "/-1": "4.04", "/3/x": "4.05", "/3/65535": "4.05", "/65536": "4.05",
                           "/03": "4.05", "/3/0/16/0/0": "4.05", "/0/x": "4.01", "/0/65536": "4.01",
                           "/0/0/0/0/0": "4.01"}.items():
            with self.subTest(path):
                self.expect(self.server.request("gw", "GET", path), code)
        self.expect(self.put("gw", "/3/0/16", "U"), "4.05")
        self.expect(self.put("gw", "/1/0/0", "7"), "4.05")
        self.expect(self.server.request("gw", "FETCH", "/3/0", "format=112 payload=80"), "4.05")

    # Discover and Write-Attributes

    def attributes(self, name, path, query):
        return self.server.request(name, "PUT", f"{path}?{query}" if query else path)

    def test_discover(self):
        self.assertEqual(self.discover("gw-m1", "/3316/0/5700"), ["</3316/0/5700>;pmin=1;pmax=600"])
        links = self.discover("gw-m1", "/3316")
        self.assertTrue(links[0].startswith("</3316>;ver=1.1"), links)
        self.assertIn("</3316/0>", links)
        self.assertIn("</3316/0/5700>", links)
        self.assertIn("</3316/0/5605>", links)      # executables are listed
        self.assertIn("</3/0/11>;dim=1", self.discover("gw-m1", "/3/0"))
        self.assertNotIn("</3/0/11/0>", self.discover("gw-m1", "/3/0"))
        self.assertEqual(self.discover("gw-m1", "/3/0/11")[1:], ["</3/0/11/0>"])

    def test_depth(self):
        self.assertEqual(len(self.discover("gw-m1", "/3?depth=0")), 1)
        self.assertEqual([link.split(";")[0] for link in self.discover("gw-m1", "/3?depth=1")], ["</3>", "</3/0>"])
        self.assertIn("</3/0/11/0>", self.discover("gw-m1", "/3?depth=3"))
        self.assertNotIn("</3/0/11/0>", self.discover("gw-m1", "/3?depth=2"))
        for depth in ("4", "-1", "x", ""):
            self.expect(self.server.request("gw", "GET", f"/3?depth={depth}", f"accept={LINKS}"), "4.00")

    def test_write_attributes(self):
        self.expect(self.attributes("gw-m1", "/3316/0", "pmin=10&pmax=60"), "2.04")
        self.expect(self.attributes("gw-m1", "/3316/0/5700", "pmin=5&gt=240.5&lt=-1.5&st=0.5"), "2.04")
        self.assertEqual(self.discover("gw-m1", "/3316/0/5700"),
                         ["</3316/0/5700>;pmin=5;pmax=60;gt=240.5;lt=-1.5;st=0.5"])
        links = self.discover("gw-m1", "/3316/0")
        self.assertEqual(links[0], "</3316/0>;pmin=10;pmax=60")
        self.assertIn("</3316/0/5700>;pmin=5;gt=240.5;lt=-1.5;st=0.5", links)
        # Without a value: unset here.
        self.expect(self.attributes("gw-m1", "/3316/0/5700", "gt&lt&st"), "2.04")
        self.assertEqual(self.discover("gw-m1", "/3316/0/5700"), ["</3316/0/5700>;pmin=5;pmax=60"])

    def test_wrong_attributes(self):
        before = self.discover("gw-m1", "/3316/0/5700")
        for path, query, code in (
                ("/3316/0/5700", "lt=5&gt=4", "4.00"), ("/3316/0/5700", "lt=5&gt=5.5&st=0.5", "4.00"),
                ("/3316/0/5700", "st=0", "4.00"), ("/3316/0/5700", "pmin=x", "4.00"),
                ("/3316/0/5700", "pmin=-1", "4.00"), ("/3316/0/5700", "edge=1", "4.00"),
                ("/3316/0/5700", "nonesuch=1", "4.00"), ("/3316/0", "gt=1", "4.00"), ("/3316", "st=1", "4.00"),
                ("/3316/0/5701", "gt=1", "4.00"), ("/3316/0/5700", "pmin=10&gt=1&lt=2", "4.00"),
                ("/3316/9", "pmin=1", "4.04"), ("/3316/0/5700", "epmin=2&epmax=1", "4.00")):
            with self.subTest(f"{path}?{query}"):
                self.expect(self.attributes("gw-m1", path, query), code)
        self.assertEqual(self.discover("gw-m1", "/3316/0/5700"), before)
        # pmin above pmax is legal: pmax is ignored then.
        self.expect(self.attributes("gw-m1", "/3316/0/5700", "pmin=10&pmax=5"), "2.04")

    # Large ones

    def test_blocks(self):
        """A large instance comes in blocks, and a large one goes in blocks."""
        texts = {n: f"{n} " + "x" * 200 for n in range(30)}
        for f, body in ((TLV, encode.tlv({0: texts})),
                        (SENML_CBOR, encode.senml_cbor({f"/16/65535/0/{n}": t for n, t in texts.items()}))):
            location = self.expect(self.create(body, f), "2.01").location
            wanted = {f"{location}/0/{n}": t for n, t in texts.items()}
            for accept in (TLV, SENML_CBOR, SENML_JSON):
                with self.subTest(format=f, accept=accept):
                    self.assertTrue(self.read("gw", location, accept) == wanted)


if __name__ == "__main__":
    main()
