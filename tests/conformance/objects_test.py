#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.6 and 6.7: objects beside 1 and 3, and 6.5: security."""
import struct

from ets import OTHER, TLV, YAML_NAMES, Case, case, encode, main, read_links

HOST_DEVICE = ["Host Device ID #1", "Host Device Manufacturer #1", "Host Device Model #1",
               "Host Device Software Version #1"]


class SecurityTest(Case):
    @case(401)
    def test_401_dtls_psk(self):
        event = self.begin()
        self.assertEqual((event.secure, event.identity), ("1", self.name))
        self.assertEqual(self.content("/3/0", TLV)["/3/0/16"], "U")


class ServersTest(Case):
    """C.14, without its bootstrap server."""

    def start(self):
        """One endpoint at two servers: the events of both registrations."""
        self.prepare_machine()
        self.write_keys([self.name], "etc/keys/one.psk")
        self.servers = [self.start_server(secure=True) for _ in range(2)]
        self.use(0)
        self.configure_case("C.3", others=OTHER.format(
            uri=self.servers[1].uri("coaps"), version=self.version, end=YAML_NAMES[self.end]))
        self.start_clock_daemon()
        return [server.wait_registered(self.name) for server in self.servers]

    def use(self, number):
        """Whose requests follow."""
        self.server = self.servers[number]

    @case(950)
    def test_950_registration(self):
        for n, event in enumerate(self.start()):
            self.use(n)
            self.assertEqual((event.lwm2m, event.lt, event.identity), (self.version, "86400", self.name))
            paths = [path for path, _ in read_links(event.links.encode())]
            self.assertIn("/3/0", paths)
            self.assertEqual([p for p in paths if p.startswith(("/0", "/21"))], [])
            self.assertIn(self.name, self.clients())

    @case(951)
    def test_951_attributes(self):
        self.start()
        periods = [{"pmin": "2", "pmax": "10"}, {"pmin": "15", "pmax": "50"}]
        for n, p in enumerate(periods):
            self.use(n)
            self.attributes(f"/3/0?pmin={p['pmin']}&pmax={p['pmax']}")
        for n, p in enumerate(periods):
            self.use(n)
            links = self.discover("/3/0")
            self.assertEqual(links[0], ("/3/0", p))
            self.assertLessEqual({f"/3/0/{r}" for r in (0, 1, 2, 3, 11, 16)}, {path for path, _ in links})
            self.assertEqual([link for link in links[1:] if set(link[1]) - {"dim"}], [])


class LocationTest(Case):
    def start(self):
        self.begin("C.7")
        self.set_place(43.5723, 153.2176)

    def set_place(self, latitude, longitude):
        words = struct.unpack(">4H", struct.pack(">ff", latitude, longitude))
        self.simulator.command("set holding 0 " + " ".join(map(str, words)))
        self.until_read(self.name, "/6/0/0", lambda a: a.code == "2.05" and
                        self.server.values(a, "/6/0/0") == {"/6/0/0": latitude})

    @case(801)
    def test_801_read(self):
        self.start()
        values = self.content("/6/0")
        self.assertEqual((values["/6/0/0"], values["/6/0/1"], values["/6/0/5"]), (43.5723, 153.2176, 1367491215))
        self.assertEqual((values["/6/0/2"], values["/6/0/3"], values["/6/0/6"]), (140.0, 100.0, 3.0))

    @case(810)
    def test_810_observe(self):
        self.start()
        self.attributes("/6/0?pmin=2&pmax=10")
        start = self.now()
        self.assertEqual(self.observe("/6/0")["/6/0/0"], 43.5723)
        self.set_place(44.5, 153.5)
        self.daemon.step(2)
        values = self.notified("/6/0", start)
        self.assertEqual((values["/6/0/0"], values["/6/0/1"], values["/6/0/5"]), (44.5, 153.5, 1367491215))
        for n in range(2, 5):
            self.daemon.step(10)
            self.notified("/6/0", start, n)


class PortfolioTest(Case):
    def start(self):
        """C.12"""
        self.begin("C.3")
        self.expect(self.send(self.name, "POST", "/16", encode.tlv({0: dict(enumerate(HOST_DEVICE))}), TLV), "2.01")

    @case(1630)
    def test_1630_create(self):
        self.start()
        self.assertIn(("/16/0/0", {"dim": "4"}), self.discover("/16/0"))
        second = {0: "Host Device ID #2", 1: "Host Device Model #2"}
        body = encode.tlv_entry(encode.INSTANCE, 1, encode.tlv({0: second}))
        # As printed, but for the type of the second entry: 80 would have no length.
        self.assertEqual(body[:9].hex(), "08012e88002b480011")
        answer = self.expect(self.send(self.name, "POST", "/16", body, TLV), "2.01")
        self.assertIn(answer.fields.get("location", "/16/1"), ("/16/1",))
        self.assertIn(("/16/1/0", {"dim": "2"}), self.discover("/16/1"))
        self.assertEqual(self.content("/16", TLV), {
            **{f"/16/0/0/{i}": text for i, text in enumerate(HOST_DEVICE)},
            **{f"/16/1/0/{i}": text for i, text in second.items()}})

    @case(1635)
    def test_1635_delete_all(self):
        self.start()
        self.expect(self.send(self.name, "POST", "/16", encode.tlv({0: {0: "b"}}), TLV), "2.01")
        links = self.discover("/16/0")
        self.assertEqual([link for link in links if link[0] in ("/16/0", "/16/0/0")],
                         [("/16/0", links[0][1]), ("/16/0/0", {"dim": "4"})])
        for path in "/16/0", "/16/1":
            self.delete(path)
        self.assertEqual([path for path, _ in self.discover("/16")], ["/16"])


if __name__ == "__main__":
    main()
