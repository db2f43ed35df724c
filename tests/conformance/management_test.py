#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.3: device management and service enablement."""
from ets import CBOR, JSON, SENML_CBOR, SENML_JSON, TEXT, TLV, VIRTUAL, Case, case, encode, main

SERVER = {"/1/0/0": 1, "/1/0/1": 86400, "/1/0/6": False, "/1/0/7": "U"}
PERIODS = {"/1/0/2": 1, "/1/0/3": 10}
SET_215 = {"/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 2000, "/1/0/6": True, "/1/0/7": "U"}
BYTES_215 = bytes.fromhex("c10265 c20303f2 c20507d0 c10601 c10755")
MOVING = ("/3/0/10", "/3/0/13")
IDENTITY = [f"/16/0/0/{i}" for i in range(4)]


class QueryTest(Case):
    """What is read."""

    def expect_device(self, values):
        """At least what C.1 has of /3/0."""
        for resource in (0, 1, 2, 3):
            self.assertTrue(values[f"/3/0/{resource}"], values)
        self.assertEqual(values["/3/0/16"], "U")
        self.assertEqual(values["/3/0/11/0"], 0)
        self.assertEqual([values[f"/3/0/{i}"] for i in range(3)], ["Fieldway", "Probe", "S-1"])

    def expect_server(self, values):
        self.assertEqual({path: values.get(path) for path in SERVER}, SERVER)

    @case(201)
    def test_201_plain_text(self):
        self.begin()
        for path, text in ("/3/0/0", "Fieldway"), ("/3/0/1", "Probe"), ("/3/0/2", "S-1"):
            self.assertEqual(self.get(path, TEXT).payload.decode(), text)

    @case(203)
    def test_203_tlv(self):
        self.begin()
        answer = self.get("/3/0", TLV)
        # Resources, their values in one entry or in entries of resource instances.
        self.assertIn(answer.payload[0] >> 6, (0b11, 0b10))
        self.expect_device(self.server.values(answer, "/3/0"))

    @case(204)
    def test_204_json(self):
        self.begin()
        self.expect_device(self.content("/3/0", JSON))

    @case(211)
    def test_211_cbor(self):
        self.begin()
        self.assertEqual([self.value(path, CBOR) for path in ("/1/0/0", "/1/0/6", "/1/0/7")], [1, False, "U"])

    @case(221)
    def test_221_security(self):
        self.begin()
        self.get("/0", code="4.01")
        self.write("/0/0/0", "coap://example.com", code="4.01")
        self.attributes("/0?pmin=30&pmax=45", code="4.01")

    @case(222)
    def test_222_object(self):
        self.begin()
        values = self.content("/1")
        self.expect_server(values)
        self.assertEqual({path.split("/")[2] for path in values}, {"0"})
        values = self.content("/3")
        self.assertEqual({path.split("/")[2] for path in values}, {"0"})
        self.assertEqual((values["/3/0/16"], values["/3/0/11/0"]), ("U", 0))
        # The instance and nothing else, but for its clock and free memory.
        self.assertEqual({p: v for p, v in values.items() if p not in MOVING},
                         {p: v for p, v in self.content("/3/0").items() if p not in MOVING})

    @case(223)
    def test_223_object_instance(self):
        self.begin()
        self.expect_server(self.content("/1/0"))
        values = self.content("/3/0")
        self.assertEqual((values["/3/0/16"], values["/3/0/11/0"]), ("U", 0))

    @case(224)
    def test_224_resource(self):
        self.begin()
        for path, value in {**SERVER, "/3/0/16": "U"}.items():
            self.assertEqual(self.content(path), {path: value})

    @case(225)
    def test_225_resource_instance(self):
        self.begin()
        for accept in None, TLV, SENML_CBOR:
            self.assertEqual(self.content("/3/0/11/0", accept), {"/3/0/11/0": 0})

    def check_levels(self, accept):
        self.begin()
        self.expect_server(self.content("/1", accept))
        values = self.content("/3/0", accept)
        self.assertEqual((values["/3/0/16"], values["/3/0/11/0"]), ("U", 0))
        self.assertEqual(self.content("/3/0/16", accept), {"/3/0/16": "U"})
        self.assertEqual(self.content("/3/0/11/0", accept), {"/3/0/11/0": 0})

    @case(231)
    def test_231_senml_json(self):
        self.check_levels(SENML_JSON)

    @case(232)
    def test_232_senml_cbor(self):
        self.check_levels(SENML_CBOR)

    @case(237)
    def test_237_object_without_accept(self):
        self.begin()
        for path in "/1", "/3":
            answer = self.get(path)
            self.assertIn(answer.format, (SENML_CBOR, SENML_JSON))
            values = self.server.values(answer, path)
            if path == "/1":
                self.expect_server(values)
            else:
                self.assertEqual(values["/3/0/16"], "U")

    @case(652)
    def test_652_firmware_version(self):
        self.begin("C.4")
        version = self.value("/3/0/3")
        self.assertTrue(version)
        if self.end == VIRTUAL:
            self.assertEqual(version, "1.0")


class SetTest(Case):
    """What is written."""
    INSTANCE_WRITES = "POST", "PUT"     # as printed, and as Transport has it

    def expect_values(self, path, wanted, accept=None):
        values = self.content(path, accept)
        self.assertEqual({p: values.get(p) for p in wanted}, wanted)

    @case(205)
    def test_205_plain_text(self):
        self.begin("C.3")
        for values in {"/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 2000}, {"/1/0/2": 1, "/1/0/3": 10, "/1/0/5": 86400}:
            for path, value in values.items():
                self.write(path, value, TEXT)
            self.expect_values("/1/0", values, TLV)

    @case(212)
    def test_212_cbor(self):
        self.begin("C.3")
        values = {"/1/0/2": 101, "/1/0/3": 1010, "/1/0/6": True}
        for path, value in values.items():
            self.write(path, value, CBOR)
        self.expect_values("/1/0", values)

    def check_set(self, body, content_format, path="/1/0"):
        """Partial update, read, replace by what was there, read."""
        self.begin("C.3")
        saved = {p: v for p, v in self.content("/1/0").items() if p not in ("/1/0/0",)}
        self.update(path, body, content_format)
        self.expect_values("/1/0", SET_215)
        self.write("/1/0", {p: v for p, v in saved.items()}, content_format)
        self.expect_values("/1/0", {**SERVER, **PERIODS, "/1/0/5": 86400})

    @case(215)
    def test_215_tlv(self):
        self.check_set(BYTES_215, TLV)

    @case(220)
    def test_220_json(self):
        self.check_set(encode.lwm2m_json(SET_215), JSON)

    @case(651)
    def test_651_device(self):
        self.begin()
        before = self.content("/3/0", TLV)
        self.update("/3/0", bytes.fromhex("c40d5182428f c60e2b30323a3030 c80f0c4575726f70652f5061726973"))
        values = self.content("/3/0", TLV)
        self.assertTrue(1367491215 <= values["/3/0/13"] < 1367491215 + 60, values)
        self.assertEqual((values["/3/0/14"], values["/3/0/15"]), ("+02:00", "Europe/Paris"))
        self.write("/3/0", {p: before[p] for p in ("/3/0/13", "/3/0/14", "/3/0/15")}, TLV)
        values = self.content("/3/0", TLV)
        self.assertTrue(0 <= values["/3/0/13"] - before["/3/0/13"] < 60, values)
        self.assertEqual((values["/3/0/14"], values["/3/0/15"]), (before["/3/0/14"], before["/3/0/15"]))

    def check_lifetime(self, change, seconds):
        """A change, and the Update that it makes."""
        start = self.now()
        change()
        self.updated(start, lt=str(seconds))

    @case(226)
    def test_226_partial_update(self):
        self.begin()
        self.check_lifetime(lambda: self.update("/1/0", {"/1/0/1": 61, "/1/0/6": True}), 61)
        self.expect_values("/1/0", {**SERVER, "/1/0/1": 61, "/1/0/6": True})
        self.check_lifetime(lambda: self.update("/1/0", {"/1/0/1": 86400, "/1/0/6": False}), 86400)
        self.expect_values("/1/0", SERVER)

    @case(227)
    def test_227_replace(self):
        self.begin()
        self.check_lifetime(lambda: self.write("/1/0/1", 63), 63)
        self.assertEqual(self.value("/1/0/1"), 63)
        self.check_lifetime(lambda: self.write("/1/0/1", 86400), 86400)

    def create_portfolio(self, *texts):
        start = self.now()
        answer = self.expect(self.send(self.name, "POST", "/16", encode.tlv({0: dict(enumerate(texts))}), TLV), "2.01")
        self.event("updated", self.name, start)
        return answer.location

    @case(228)
    def test_228_resource_instance(self):
        self.begin()
        self.assertEqual(self.create_portfolio("a", "b"), "/16/0")
        for method in self.INSTANCE_WRITES:
            self.expect(self.send(self.name, method, "/16/0/0/1", encode.tlv_entry(
                encode.RESOURCE_INSTANCE, 1, f"test {method}".encode()), TLV), "2.04")
            self.assertEqual(self.content("/16/0/0/1"), {"/16/0/0/1": f"test {method}"})
            self.assertEqual(self.content("/16/0/0", SENML_CBOR), {"/16/0/0/0": "a", "/16/0/0/1": f"test {method}"})

    def check_senml(self, content_format):
        self.begin()
        self.create_portfolio("a", "b", "c", "d")
        self.check_lifetime(lambda: self.update("/1/0", {"/1/0/1": 61, "/1/0/6": True}, content_format), 61)
        self.expect_values("/1", {**SERVER, "/1/0/1": 61, "/1/0/6": True})
        for method in self.INSTANCE_WRITES:
            self.expect(self.send(self.name, method, "/16/0/0/0", self.body(
                "/16/0/0/0", f"test_value {method}", content_format), content_format), "2.04")
            self.assertEqual(self.content("/16"), dict(zip(IDENTITY, [f"test_value {method}", "b", "c", "d"])))
        self.check_lifetime(lambda: self.write("/1/0/1", 63, content_format), 63)
        self.assertEqual(self.value("/1/0/1"), 63)

    @case(233)
    def test_233_senml_cbor(self):
        self.check_senml(SENML_CBOR)

    @case(234)
    def test_234_senml_json(self):
        self.check_senml(SENML_JSON)

    @case(256)
    def test_256_write_failure(self):
        self.begin()
        self.write("/1/0/0", 123, code="4.05")
        self.assertEqual(self.value("/1/0/0"), 1)


class OperationsTest(Case):
    @case(241)
    def test_241_reboot(self):
        first = self.begin()
        start = self.now()
        self.execute("/3/0/4")
        self.daemon.step(1)
        event = self.registered(self.name, start=start)
        self.assertEqual((event.lt, event.lwm2m, event.links), (first.lt, self.version, first.links))
        # In place of the old one.
        self.assertNotEqual(event.location, first.location)
        self.assertEqual(len(self.clients()), 1)
        self.settle()

    @case(680)
    def test_680_create_device(self):
        self.begin()
        self.expect(self.send(self.name, "POST", "/3", encode.tlv({15: "x"}), TLV), "4.05")

    @case(685)
    def test_685_delete_device(self):
        self.begin()
        self.delete("/3/0", code="4.05")
        self.get("/3/0")


class DiscoverTest(Case):
    """C.4 has these; more may be there."""
    RESOURCES = {"1": {}, "2": {}, "3": {}, "4": {}, "6": {"dim": "2"}, "7": {"dim": "2"}, "8": {"dim": "2"}, "9": {},
                 "11": {"dim": "1"}, "16": {}}

    def expect_links(self, links, wanted):
        """In this order, with these attributes, of /3/0; and nothing has others that is not known."""
        known = [link for link in links if link[0] in dict(wanted)]
        self.assertEqual(known, wanted)
        for path, attributes in links:
            if path not in dict(wanted):
                self.assertEqual((path.split("/")[:3], path.count("/")), (["", "3", "0"], 3), path)
                self.assertLessEqual(set(attributes), {"dim"}, path)

    def resources(self, **special):
        return [(f"/3/0/{i}", {**a, **special.get(f"r{i}", {})}) for i, a in self.RESOURCES.items()]

    @case(260)
    def test_260_discover(self):
        self.begin("C.4")
        own = {"pmin": "1", "pmax": "10"} if self.version == "1.2" else {}
        written = {"pmin": "10", "pmax": "200"}
        self.expect_links(self.discover("/3"),
                          [("/3", own), ("/3/0", {}), *self.resources()])
        self.attributes("/3?pmin=10&pmax=200")
        # Instance targets show what is attached to them; at 1.2 also what they inherit (Core 6.3.2).
        shown = written if self.version == "1.2" else {}
        self.expect_links(self.discover("/3/0"), [("/3/0", shown), *self.resources()])
        self.attributes("/3/0/7?lt=1&gt=6&st=1")
        steps = {"lt": "1", "gt": "6", "st": "1"}
        self.expect_links(self.discover("/3/0"), [("/3/0", shown), *self.resources(r7=steps)])
        links = self.discover("/3/0/7")
        self.assertEqual(links[0], ("/3/0/7", {"dim": "2", **written, **steps}))
        self.assertEqual([path for path, _ in links[1:]], ["/3/0/7/0", "/3/0/7/1"])

    @case(261)
    def test_261_write_attributes(self):
        self.begin()
        known = {"pmin": "10", "pmax": "320"}
        links = self.discover("/3/0/11")
        self.assertEqual([links[0][0], links[0][1]["dim"], links[1:]], ["/3/0/11", "1", [("/3/0/11/0", {})]])
        self.attributes("/3?pmin=10&pmax=200")
        self.attributes("/3/0?pmax=320")
        self.attributes("/3/0/11/0?pmax=100&epmin=1&epmax=20")
        self.assertEqual(self.discover("/3/0/11"), [
            ("/3/0/11", {"dim": "1", **known}), ("/3/0/11/0", {"pmax": "100", "epmin": "1", "epmax": "20"})])

    @case(264)
    def test_264_depth_1(self):
        self.begin("C.4")
        self.assertEqual(self.discover("/3?depth=1"), [("/3", {"pmin": "1", "pmax": "10"}), ("/3/0", {})])
        self.attributes("/3/0?pmax=200")
        self.assertEqual(self.discover("/3?depth=1"),
                         [("/3", {"pmin": "1", "pmax": "10"}), ("/3/0", {"pmax": "200"})])

    @case(266)
    def test_266_depth_3(self):
        self.begin("C.4")
        own = {"pmin": "1", "pmax": "10"}
        self.expect_links(self.discover("/3?depth=2"), [("/3", own), ("/3/0", {}), *self.resources()])
        self.attributes("/3?pmin=10&pmax=200")
        self.attributes("/3/0/7?lt=1&gt=6&st=1")
        self.attributes("/3/0/7/1?gt=8")
        steps = {"lt": "1", "gt": "6", "st": "1"}
        wanted = [("/3", {"pmin": "10", "pmax": "200"}), ("/3/0", {})]
        for path, attributes in self.resources(r7=steps):
            wanted.append((path, attributes))
            for i in range(int(attributes.get("dim", 0))):
                wanted.append((f"{path}/{i}", {"gt": "8"} if (path, i) == ("/3/0/7", 1) else {}))
        self.expect_links(self.discover("/3?depth=3"), wanted)


if __name__ == "__main__":
    main()
