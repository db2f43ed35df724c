#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Access control with several servers (Core 8): what `access:` makes of it, what
servers change, and what of that a restart and a reload leave."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, encode, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from fieldway_test.scenario import LINKS, TLV  # noqa: E402
from servers_test import ServersScenario  # noqa: E402


class AccessTest(ServersScenario):
    def start(self, *endpoints, more="", **servers):
        self.start_servers(*servers)
        self.write_servers(more=more, **servers)
        self.bus = Bus(self.rig)
        self.begin()
        for name in servers:
            for endpoint in ("gw", *endpoints):
                self.registered_at(name, endpoint)

    def begin(self):
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.bus.wait_name()

    def code(self, name, method, path, *args, endpoint="gw", **options):
        with self.at(name):
            return self.send(endpoint, method, path, *args, **options).fields["code"]

    def control(self, instance, endpoint="gw"):
        """The /2 instance that speaks of an instance."""
        wanted = dict(zip("01", (int(n) for n in instance.strip("/").split("/"))))
        with self.at("a"):
            values = self.read(endpoint, "/2")
        for path in values:
            found = path.rsplit("/", 1)[0]
            if all(values.get(f"{found}/{r}") == n for r, n in wanted.items()):
                return found
        return None

    def test_one_server_has_no_need_of_it(self):
        self.start(a=[])
        self.assertEqual(self.code("a", "GET", "/2"), "4.04")
        self.assertEqual(self.code("a", "GET", "/1/0/0"), "2.05")

    def test_factory(self):
        self.start(a=[], b=["access: read"], c=["access: {16: read, other: none}"])
        for name, code in {"a": "2.05", "b": "2.05", "c": "4.01"}.items():
            with self.subTest(name):
                self.assertEqual(self.code(name, "GET", "/3/0/16"), code)
                # Discover is open to all.
                self.assertEqual(self.code(name, "GET", "/3/0", options=f"accept={LINKS}"), "2.05")
        self.assertEqual(self.code("a", "POST", "/3/0/4"), "2.04")
        self.assertEqual(self.code("b", "POST", "/3/0/4"), "4.01")
        # Each its own account.
        for i, name in enumerate("abc"):
            with self.at(name):
                self.assertEqual({p.split("/")[2] for p in self.read("gw", "/1")}, {str(i)})
                self.expect(self.put("gw", f"/1/{i}/2", "5"), "2.04")
                self.expect(self.put("gw", f"/1/{(i + 1) % 3}/2", "5"), "4.01")
        self.assertEqual(self.code("a", "DELETE", self.control("/3/0")), "4.01")

    def test_made_by_a_server(self):
        self.start(a=[], b=["access: read"])
        body = encode.tlv({0: {0: "mine"}})
        self.assertEqual(self.code("b", "POST", "/16", body, TLV), "4.01")
        self.assertEqual(self.code("a", "POST", "/16", body, TLV), "2.01")
        self.assertEqual(self.code("b", "GET", "/16/0"), "4.01")
        control = self.control("/16/0")
        self.assertEqual(self.code("b", "PUT", f"{control}/2/102", "1"), "4.01")
        self.assertEqual(self.code("a", "PUT", f"{control}/2/102", "1"), "2.04")
        self.assertEqual(self.code("b", "GET", "/16/0"), "2.05")
        self.assertEqual(self.code("b", "DELETE", "/16/0"), "4.01")
        # It stands over a restart, as does what it stands for.
        self.stop_daemon(self.daemon)
        start = {name: server.now() for name, server in self.servers.items()}
        self.begin()
        for name in "ab":
            self.registered_at(name, start=start[name])
        self.assertEqual(self.code("b", "GET", "/16/0"), "2.05")
        self.assertEqual(self.code("b", "PUT", "/16/0/0/0", "x"), "4.01")
        self.assertEqual(self.code("a", "DELETE", "/16/0"), "2.02")
        self.assertIsNone(self.control("/16/0"))

    def test_made_of_what_create_names(self):
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\nendpoints:\n"
                       "  - {name: box, create: [19], lwm2m: {3/0/2: {value: s1}}}\n")
        self.start("gw-box", more="host: {create: [19]}", a=[], b=["access: read"])
        body = encode.tlv({0: {0: b"x"}})
        for endpoint in ("gw", "gw-box"):
            with self.subTest(endpoint):
                self.assertEqual(self.code("b", "POST", "/19", body, TLV, endpoint=endpoint), "4.01")
                self.assertEqual(self.code("a", "POST", "/19", body, TLV, endpoint=endpoint), "2.01")
                self.assertEqual(self.code("b", "GET", "/19/0", endpoint=endpoint), "4.01")
                self.assertEqual(self.code("a", "DELETE", "/19/0", endpoint=endpoint), "2.02")

    def test_reload(self):
        self.start(a=[], b=["access: read"])
        self.assertEqual(self.code("a", "POST", "/16", encode.tlv({0: {0: "mine"}}), TLV), "2.01")
        self.assertEqual(self.code("a", "PUT", f"{self.control('/16/0')}/2/102", "1"), "2.04")
        self.write_servers(a=[], b=["access: {other: none}"])
        self.bus.call(PATH, "Manager", "Reload", "t", "0", timeout=30)
        # What a server wrote stands, and the log says so.
        self.assertEqual(self.code("b", "GET", "/3/0/16"), "4.01")
        self.assertEqual(self.code("b", "GET", "/16/0"), "2.05")
        self.log("where servers have written to /2, that stays in force")
        # Until somebody wants it as the files have it.
        self.bus.call(f"{PATH}/endpoint/host", "Endpoint", "ResetAccounts")
        self.assertEqual(self.code("b", "GET", "/16/0"), "4.01")
        self.assertIn("It is as the configuration has it",
                      self.bus.error(f"{PATH}/endpoint/host", "Endpoint.ResetAccounts")[1])

    def test_servers_come_and_go(self):
        self.start_servers("a", "b")
        self.bus = Bus(self.rig)
        self.write_servers(a=[])
        self.begin()
        self.registered_at("a")
        self.assertEqual(self.code("a", "GET", "/2"), "4.04")
        self.write_servers(a=[], b=["access: read"])
        self.bus.call(PATH, "Manager", "Reload", "t", "0", timeout=30)
        self.registered_at("b")
        self.assertEqual(self.code("b", "GET", "/3/0/16"), "2.05")
        self.assertEqual(self.code("b", "POST", "/3/0/4"), "4.01")
        self.assertEqual(self.code("a", "GET", "/2"), "2.05")
        self.write_servers(a=[])
        self.bus.call(PATH, "Manager", "Reload", "t", "0", timeout=30)
        self.assertEqual(self.code("a", "GET", "/2"), "4.04")
        self.assertEqual(self.code("a", "GET", "/3/0/16"), "2.05")

    def test_devices(self):
        self.start_meters()
        self.start("gw-m1", a=[], b=["access: {3316: read, other: none}"])
        self.until_code("gw-m1", "/3316/0/5700", "2.05")
        self.assertEqual(self.code("b", "GET", "/3316/0/5700", endpoint="gw-m1"), "2.05")
        self.assertEqual(self.code("b", "POST", "/3316/0/5605", endpoint="gw-m1"), "4.01")
        self.assertEqual(self.code("b", "GET", "/3305", endpoint="gw-m1"), "4.01")
        self.assertEqual(self.code("a", "POST", "/3316/0/5605", endpoint="gw-m1"), "2.04")


if __name__ == "__main__":
    main()
