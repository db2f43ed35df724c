#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registration that lives: Update, and what makes an endpoint register again."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402

PLAIN = {"location", "secure", "identity", "from"}      # fields of an Update that changes nothing


class UpdateTest(Scenario):
    def start(self, *lines):
        self.start_server(secure=True)
        self.start_meters()
        self.configure(lines)
        self.start_clock_daemon()
        self.ready("gw", "gw-m1")

    def quiet(self, start, word="updated"):
        """Nothing of the kind came from `start` on, and nothing is on its way."""
        for name in ("gw", "gw-m1"):
            self.read(name, "/3/0/16")
        self.assertEqual([e for e in self.server.events[start:] if e.word == word], [])

    def expect_update(self, name, start, **fields):
        event = self.event("updated", name, start)
        self.assertEqual({k: v for k, v in event.fields.items() if k not in PLAIN}, fields)
        # Once this is answered the 2.04 has arrived too: a clock that moves before it makes a retransmission.
        self.read(name, "/3/0/16")

    def test_in_time(self):
        self.start("lifetime: 10m", "liveness: 30m")
        self.daemon.hold()
        start = self.now()
        self.daemon.step(500)
        self.quiet(start)
        # 93 s before the end.
        self.daemon.step(8)
        for name in ("gw", "gw-m1"):
            self.expect_update(name, start)
        start = self.now()
        self.daemon.step(500)
        self.quiet(start)
        self.daemon.step(8)
        self.expect_update("gw", start)

    def test_short_lifetime(self):
        self.start("lifetime: 2m", "liveness: 30m")
        self.daemon.hold()
        start = self.now()
        self.daemon.step(52)
        self.quiet(start)
        self.daemon.step(8)
        self.expect_update("gw", start)

    def test_liveness(self):
        self.start("lifetime: 24h", "liveness: 2m")
        self.daemon.hold()
        start = self.now()
        self.daemon.step(110)
        self.quiet(start)
        self.daemon.step(10)
        self.expect_update("gw-m1", start)

    def test_lifetime_written(self):
        self.start("lifetime: 24h", "liveness: 30m")
        start = self.now()
        self.expect(self.put("gw-m1", "/1/0/1", "120"), "2.04")
        self.expect_update("gw-m1", start, lt="120")
        # Of this endpoint alone.
        self.assertEqual(self.read_one("gw", "/1/0/1"), 86400)
        start = self.now()
        self.daemon.step(60)
        self.expect_update("gw-m1", start)

    def test_trigger(self):
        self.start("lifetime: 24h")
        start = self.now()
        self.expect(self.post("gw", "/1/0/8"), "2.04")
        self.expect_update("gw", start)

    def test_new_instance(self):
        self.start()
        start = self.now()
        self.expect(self.send("gw", "POST", "/16", bytes.fromhex("8400 4200 6162"), 11542), "2.01")
        links = self.event("updated", "gw", start).links
        self.assertTrue(links.endswith("</16/0>"), links)

    def test_forgotten(self):
        self.start("lifetime: 24h", "liveness: 2m")
        start = self.now()
        self.server.command("forget gw-m1")
        self.daemon.step(121)
        refused = self.server.wait_event(lambda e: e.word == "refused", start=start)
        self.assertEqual((refused.arguments, refused.code), (["update", "-"], "4.04"))
        self.registered("gw-m1", start=start)
        self.until_code("gw-m1", "/3305/0/5800", "2.05")
        self.assertEqual([e for e in self.server.events[start:] if e.word == "registered"
                          and e.arguments == ["gw"]], [])

    def test_update_refused(self):
        self.start("lifetime: 24h")
        for code in ("4.00", "4.03"):
            with self.subTest(code):
                start = self.now()
                self.server.command("fault update " + code)
                self.expect(self.post("gw", "/1/0/8"), "2.04")
                self.registered("gw", start=start)
                self.server.command("fault update none")

    def test_update_fails(self):
        """An error of the server is waited out."""
        self.start("lifetime: 24h")
        start = self.now()
        self.server.command("fault update 5.00")
        self.expect(self.post("gw", "/1/0/8"), "2.04")
        self.log("gw: not registered at server plant")
        self.daemon.step(76)
        self.registered("gw", start=start)
        self.log("gw: registered at server plant again")

    def test_disable(self):
        self.start("lifetime: 24h")
        self.expect(self.put("gw", "/1/0/5", "600"), "2.04")
        start = self.now()
        self.daemon.hold()
        self.expect(self.post("gw", "/1/0/4"), "2.04")
        self.daemon.step(1)
        self.event("deregistered", "gw", start)
        self.read("gw-m1", "/3/0/16")
        self.daemon.step(590)
        self.read("gw-m1", "/3/0/16")
        self.assertEqual([e for e in self.server.events[start:] if e.word == "registered"], [])
        self.daemon.step(10)
        self.registered("gw", start=start)
        self.assertEqual(self.read_one("gw", "/1/0/5"), 600)

    def test_restart_of_a_virtual_endpoint(self):
        """/3/0/4 never touches the device."""
        self.start("lifetime: 24h")
        self.simulator.command("* trace on")
        start = self.now()
        self.expect(self.post("gw-m1", "/3/0/4"), "2.04")
        self.registered("gw-m1", start=start)
        self.read_one("gw-m1", "/3305/0/5800")
        self.simulator.command("* trace off")
        functions = {line.split(" ")[5] for line in self.simulator.traces}
        self.assertLessEqual(functions, {"3", "4"}, "the device was written to")
        self.assertEqual(self.logged("plugin host"), [])


if __name__ == "__main__":
    main()
