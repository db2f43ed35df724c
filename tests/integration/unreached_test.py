#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an edited YAML does not reach, because servers wrote otherwise before: said by
`fieldwayctl check`, by `fieldwayctl reload` and over D-Bus, each in the same words."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, build_path, encode, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from fieldway_test.programs import check_words  # noqa: E402
from fieldway_test.scenario import TLV  # noqa: E402
from servers_test import ServersScenario  # noqa: E402

ENDPOINTS = """schema: 1
endpoints:
"""
SETTINGS = "server a: its settings here do not reach {} whose /1 it wrote to before they were changed; the first is {}, and"
ACCESS = "server b: its access here does not reach what servers wrote to /2 of 1 endpoint before it was changed; the first is host"


class UnreachedTest(ServersScenario):
    def start(self, *endpoints, **servers):
        self.start_servers(*servers)
        self.write_endpoints(**{name: name for name in endpoints})
        self.write_servers(**servers)
        self.bus = Bus(self.rig)
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.bus.wait_name()
        for name in servers:
            for endpoint in ("gw", *endpoints):
                self.registered_at(name, endpoint)

    def write_endpoints(self, **client_names):
        self.rig.write("etc/devices.d/site.yaml", ENDPOINTS + "".join(
            f"  - {{name: {name}, endpoint: {client_name}, lwm2m: {{3/0/2: {{value: s}}}}}}\n"
            for name, client_name in client_names.items()))

    def kept(self, record, kept=True):
        """What a server wrote is on the disk, or no more."""
        path = self.rig.path("state/records/" + record)
        self.rig.until(lambda: os.path.exists(path) == kept, 10, path)

    def ctl(self, *arguments):
        status, lines = self.bus.run([build_path("fieldwayctl"), *arguments])
        self.assertEqual(status, 0, lines)
        return lines

    def check(self):
        return self.ctl(*check_words(self.rig))

    def reload(self):
        return self.ctl("reload", "--bus=" + self.bus.address)

    def write_lifetime(self, endpoint, record):
        self.expect(self.put(endpoint, "/1/0/1", "1800"), "2.04")
        self.kept(record)

    def test_settings(self):
        self.start("box", a=[])
        self.write_lifetime("gw", "host.server-101")
        self.assertEqual(self.check() + self.reload(), [])
        self.write_servers(a=["lifetime: 2h"])
        line, = self.check()
        self.assertRegex(line, r"fieldway\.yaml:\d+:\d+: " + SETTINGS.format("1 endpoint", "host") + r".* \(warning\)$")
        self.assertEqual(self.reload(), [line])
        # Each time that somebody asks.
        self.assertEqual(self.reload(), [line])
        document = json.loads("".join(self.ctl("reload", "--json", "--bus=" + self.bus.address)))
        (file, row, column, text), = self.bus.get(PATH, "Manager", "ReloadWarnings")
        self.assertEqual(document["warnings"], [{"file": file, "line": row, "column": column, "text": text}])
        self.assertEqual(f"{file}:{row}:{column}: {text} (warning)", line)
        self.assertEqual(self.bus.call(PATH, "Manager", "CheckConfig"), [[], [(file, row, column, text)]])
        self.write_lifetime("box", "box.server-101")
        # What it wrote just now is its word on what the files say now.
        self.assertEqual(self.reload(), [line])
        self.write_servers(a=["lifetime: 3h"])
        self.assertEqual(self.reload(), self.check())
        self.assertIn(SETTINGS.format("2 endpoints", "host"), self.reload()[0])
        self.ctl("account", "reset", "host", "--bus=" + self.bus.address)
        self.kept("host.server-101", False)
        self.assertIn(SETTINGS.format("1 endpoint", "box"), self.reload()[0])
        # As it was when the server wrote.
        self.write_servers(a=["lifetime: 2h"])
        self.assertEqual(self.reload(), [])
        self.assertEqual(self.bus.get(PATH, "Manager", "ReloadWarnings"), [])

    def test_where_it_is(self):
        """The address of a server is nothing that one writes to /1."""
        self.start(a=[], b=[])
        self.write_lifetime("gw", "host.server-101")
        self.servers["a"], self.servers["b"] = self.servers["b"], self.servers["a"]
        self.write_servers(a=[], b=[])
        self.assertEqual(self.check() + self.reload(), [])

    def test_access(self):
        self.start(a=[], b=["access: read"])
        self.assertEqual(self.send("gw", "POST", "/16", encode.tlv({0: {0: "mine"}}), TLV).fields["code"], "2.01")
        with self.at("a"):
            values = self.read("gw", "/2")
        control, = {path.rsplit("/", 1)[0] for path, value in values.items()
                    if path.endswith("/0") and value == 16 and values.get(path[:-1] + "1") == 0}
        self.expect(self.put("gw", f"{control}/2/102", "1"), "2.04")
        self.kept("host.access")
        self.assertEqual(self.check() + self.reload(), [])
        self.write_servers(a=[], b=["access: {3: all, other: none}"])
        line, = self.check()
        self.assertIn(ACCESS, line)
        self.assertEqual(self.reload(), [line])

    def test_new_names(self):
        """Before the reload its records lie under an endpoint's former name, which another one takes."""
        self.start("box", a=[])
        self.write_lifetime("box", "box.server-101")
        self.write_endpoints(crate="box", box="other")
        self.write_servers(a=["lifetime: 2h"])
        line, = self.reload()
        self.assertIn(SETTINGS.format("1 endpoint", "crate"), line)
        self.kept("crate.server-101")
        self.assertEqual(self.check(), [line])

    def test_refused(self):
        """What is wrong is all that there is to say; what runs is as it was."""
        self.start(a=[])
        self.write_lifetime("gw", "host.server-101")
        self.write_servers(a=["lifetime: 2h"])
        lines = self.reload()
        self.write_servers(a=["lifetime: 2x"])
        status, refused = self.bus.run([build_path("fieldwayctl"), "reload", "--bus=" + self.bus.address])
        self.assertNotEqual(status, 0)
        self.assertNotIn("does not reach", "\n".join(refused))
        (*_, text), = self.bus.get(PATH, "Manager", "ReloadWarnings")
        self.assertIn(text, lines[0])


main()
