#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against Eclipse Leshan: values read and written in every format, and what Discover tells."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from leshan import values  # noqa: E402
from plant import GATEWAY, Plant, endpoint, main  # noqa: E402

METER, RELAYS, DRIVE = endpoint("em-03"), endpoint("relays-2"), endpoint("drive-1")
WHOLE = ("TLV", "SENML_JSON", "SENML_CBOR")
SINGLE = (*WHOLE, "TEXT", "CBOR")
MOVING = ("/5518", "/3/0/10", "/3/0/13")   # the time of the last sample, free memory and the clock go on


class ValuesTest(Plant):
    def read(self, name, path, content_format):
        answer = self.assertAnswer(self.leshan.request("GET", name, f"{path}?format={content_format}"), 205)
        return values(answer["content"], path)

    def expect_same(self, name, path):
        """In every format; returns the values."""
        first, *others = ({p: v for p, v in self.read(name, path, f).items() if not p.endswith(MOVING)}
                          for f in WHOLE)
        for other in others:
            self.assertEqual(first, other)
        return first

    def expect_singles(self, name, found):
        for path, value in found.items():
            for content_format in SINGLE:
                with self.subTest(path=path, format=content_format):
                    self.assertEqual(self.read(name, path, content_format), {path: value})

    def freeze_meter(self):
        """Values that stand still, and that the agent has read."""
        self.device("em-03", "freeze")
        before = int(self.device("em-03", "requests"))
        # Each of its requests, five in two seconds, once more: some values look frozen before they are.
        self.rig.until(lambda: int(self.device("em-03", "requests")) > before + 7, 20, "a turn of all requests")
        expected = {f"/3316/{i}/5700": self.number_of_meter("em-03", 2 * i) for i in range(3)}
        expected["/3305/3/5800"] = self.number_of_meter("em-03", 52)
        expected["/3305/3/5805"] = self.number_of_meter("em-03", 72) * 1000
        for path, value in expected.items():
            self.rig.until(lambda: abs(self.number(METER, path) - value) < 1e-6, 20, f"{path} as frozen, {value}")
        return expected

    def test_everything(self):
        """Every resource of each kind of endpoint, in every format and in Discover."""
        self.start_plant()
        self.freeze_meter()
        for name in (GATEWAY, METER, RELAYS, DRIVE):
            links = self.leshan.clients()[name]["objectLinks"]
            for path in sorted({link["url"] for link in links if link["url"].count("/") == 2}):
                with self.subTest(name=name, path=path):
                    found = self.expect_same(name, path)
                    self.expect_singles(name, found)
                    answer = self.assertAnswer(self.leshan.request("GET", name, f"{path}/discover"), 205)
                    told = {link["url"] for link in answer["objectLinks"]}
                    self.assertLessEqual({"/".join(p.split("/")[:4]) for p in found}, told)

    def test_meter(self):
        self.start_plant()
        expected = self.freeze_meter()
        voltages = self.expect_same(METER, "/3316")
        for i in range(3):
            self.assertEqual(voltages[f"/3316/{i}/5700"], ("FLOAT", str(expected[f"/3316/{i}/5700"])))
            self.assertEqual(voltages[f"/3316/{i}/5701"], ("STRING", "V"))
            self.assertEqual(voltages[f"/3316/{i}/5750"], ("STRING", f"L{i + 1}"))
        # Larger than a block in each format.
        total = {p: v for p, v in self.expect_same(METER, "/3305").items() if p.startswith("/3305/3/")}
        self.assertEqual(self.expect_same(METER, "/3305/3"), total)
        self.assertEqual(total["/3305/3/5800"], ("FLOAT", str(expected["/3305/3/5800"])))
        self.assertEqual(total["/3305/3/5750"], ("STRING", "total"))
        device = self.expect_same(METER, "/3/0")
        # Index 2: 100000 + 2.
        self.assertEqual(device["/3/0/2"], ("STRING", "100002"))
        self.assertEqual(device["/3/0/0"], ("STRING", "Eastron"))
        self.assertEqual(device["/3/0/11/0"], ("INTEGER", "0"))
        server = self.expect_same(METER, "/1/0")
        self.assertEqual(server["/1/0/0"], ("INTEGER", "101"))
        self.assertEqual(server["/1/0/6"][0], "BOOLEAN")
        self.assertEqual(self.read(METER, "/3305/3/5518", "TLV")["/3305/3/5518"][0], "TIME")

    def number(self, name, path):
        return float(self.read(name, path, "SENML_CBOR")[path][1])

    def test_other_types(self):
        self.start_plant()
        self.device("drive-1", "set holding 120 0x18")
        alarms = {"/3/0/11/0": ("INTEGER", "16"), "/3/0/11/1": ("INTEGER", "17")}
        self.rig.until(lambda: self.read(DRIVE, "/3/0/11", "TLV") == alarms, 20, "both alarms")
        self.assertEqual(self.expect_same(DRIVE, "/3/0/11"), alarms)
        self.expect_singles(DRIVE, {**alarms, "/3306/0/5850": ("BOOLEAN", False)})
        self.expect_singles(DRIVE, {"/3306/0/5750": ("STRING", "Lüfter №1 \"öst\"")})
        opaque = {"/3339/0/5522": ("OPAQUE", "00deadbeefff")}
        self.assertLessEqual(opaque.items(), self.expect_same(DRIVE, "/3339/0").items())
        self.expect_singles(DRIVE, opaque)
        self.assertEqual(self.read(DRIVE, "/3339/0/5522", "OPAQUE"), opaque)

    def test_time(self):
        """Written and read in every format that has it; the clock of this machine stays as it is."""
        self.start_plant()
        for number, content_format in enumerate(SINGLE):
            with self.subTest(content_format):
                moment = 1700000000000 + number * 60000
                body = {"id": 13, "kind": "singleResource", "type": "TIME", "value": moment}
                self.assertAnswer(self.leshan.request("PUT", GATEWAY, f"/3/0/13?format={content_format}", body), 204)
                kind, value = self.read(GATEWAY, "/3/0/13", content_format)["/3/0/13"]
                self.assertEqual(kind, "TIME")
                self.assertLess(abs(value - moment), 10000)

    def test_portfolio(self):
        """An instance that the server makes, of text in several instances, up to its end."""
        self.start_plant()
        start = self.leshan.now()
        # Larger than a block.
        identity = {"0": "plant " * 200, "3": "hall 7, Süd"}
        body = {"id": 5, "resources": [{"id": 0, "kind": "multiResource", "type": "STRING", "values": identity}]}
        self.assertAnswer(self.leshan.request("POST", GATEWAY, "/16", body), 201)
        links = self.leshan.wait("UPDATED", GATEWAY, start).data["update"]["objectLinks"]
        self.assertIn("/16/5", [link["url"] for link in links])
        self.assertEqual(self.expect_same(GATEWAY, "/16"),
                         {f"/16/5/0/{number}": ("STRING", text) for number, text in identity.items()})
        self.assertEqual(self.read(GATEWAY, "/16/5/0/3", "TEXT"), {"/16/5/0/3": ("STRING", identity["3"])})
        start = self.leshan.now()
        self.assertAnswer(self.leshan.request("DELETE", GATEWAY, "/16/5"), 202)
        links = self.leshan.wait("UPDATED", GATEWAY, start).data["update"]["objectLinks"]
        self.assertNotIn("/16/5", [link["url"] for link in links])


class WriteTest(Plant):
    def write(self, name, path, kind, value, content_format=""):
        body = {"id": int(path.rpartition("/")[2]), "kind": "singleResource", "type": kind, "value": value}
        return self.leshan.request("PUT", name, path + (content_format and f"?format={content_format}"), body)

    def test_relay(self):
        self.start_plant()
        state = True
        for content_format in ("", *SINGLE):
            with self.subTest(content_format):
                self.assertAnswer(self.write(RELAYS, "/3306/4/5850", "BOOLEAN", state, content_format), 204)
                self.assertEqual(self.device("relays-2", "get coil 0 8"), " ".join(
                    "1" if state and n == 4 else "0" for n in range(8)))
                answer = self.assertAnswer(self.leshan.request("GET", RELAYS, "/3306/4/5850"), 205)
                self.assertIs(answer["content"]["value"], state)
                state = not state
        # Of a whole instance, the rest as it is.
        body = {"id": 4, "resources": [{"id": 5850, "type": "BOOLEAN", "value": True}]}
        self.assertAnswer(self.leshan.request("PUT", RELAYS, "/3306/4?replace=false", body), 204)
        self.assertEqual(self.device("relays-2", "get coil 4"), "1")

    def test_set_point(self):
        self.start_plant()
        for value, content_format in ((12.5, ""), (13.1, "SENML_JSON"), (14.2, "SENML_CBOR"), (15.3, "TEXT"),
                                      (16.4, "CBOR")):
            with self.subTest(content_format):
                self.assertAnswer(self.write(DRIVE, "/3308/0/5900", "FLOAT", str(value), content_format), 204)
                self.assertEqual(self.device("drive-1", "get holding 100"), str(round(value * 10)))
        self.expect_refused("50.5", "out of range 0..50")
        self.expect_refused("12.55", "lies between two values")
        self.assertEqual(self.device("drive-1", "get holding 100"), "164")

    def expect_refused(self, value, reason):
        answer = self.assertAnswer(self.write(DRIVE, "/3308/0/5900", "FLOAT", value), 400)
        self.assertIn(reason, answer["errormessage"])

    def test_silent_device(self):
        """Told soon enough for Leshan's five seconds, with the reason; the endpoint stays."""
        self.start_plant()
        self.device("drive-1", "silent")
        answer = self.write(DRIVE, "/3306/0/5850", "BOOLEAN", True)
        self.assertRegex(answer["status"], r"\(50[34]\)")
        self.assertIn("drive-1", answer["errormessage"])
        self.until_alarm("8")
        answer = self.assertAnswer(self.leshan.request("GET", DRIVE, "/3306/0/5850"), 503)
        self.assertIn("drive-1", answer["errormessage"])
        self.device("drive-1", "talk")
        self.until_alarm("0")
        self.assertAnswer(self.write(DRIVE, "/3306/0/5850", "BOOLEAN", True), 204)

    def until_alarm(self, code):
        def look():
            answer = self.assertAnswer(self.leshan.request("GET", DRIVE, "/3/0/11"), 205)
            return values(answer["content"], "/3/0/11") == {"/3/0/11/0": ("INTEGER", code)}

        self.rig.until(look, 20, f"{DRIVE}/3/0/11 saying {code}")


class DiscoverTest(Plant):
    def links(self, path):
        answer = self.assertAnswer(self.leshan.request("GET", METER, f"{path}/discover"), 205)
        return {link["url"]: link["attributes"] for link in answer["objectLinks"]}

    def attributes(self, path, query):
        self.assertAnswer(self.leshan.request("PUT", METER, f"{path}/attributes?{query}"), 204)

    def test_discover(self):
        self.start_plant()
        links = self.links("/3305/3")
        self.assertLessEqual({"/3305/3", "/3305/3/5800", "/3305/3/5805", "/3305/3/5750"}, set(links))
        self.assertEqual(self.links("/3305")["/3305"], {"ver": "1.1"})
        self.assertEqual(self.links("/3/0")["/3/0/11"], {"dim": "1"})
        self.attributes("/3316", "pmin=10&pmax=60")
        self.attributes("/3316/0/5700", "pmin=2&gt=250.5&lt=200&st=0.5")
        self.assertEqual(self.links("/3316")["/3316"], {"ver": "1.1", "pmin": "10", "pmax": "60"})
        own = {"pmin": "2", "gt": "250.5", "lt": "200", "st": "0.5"}
        self.assertEqual({k: float(v) for k, v in self.links("/3316/0/5700")["/3316/0/5700"].items()},
                         {k: float(v) for k, v in {**own, "pmax": "60"}.items()})
        # Some taken back.
        self.attributes("/3316/0/5700", "gt&lt&st")
        self.assertEqual(self.links("/3316/0/5700")["/3316/0/5700"], {"pmin": "2", "pmax": "60"})


if __name__ == "__main__":
    main()
