#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Profile ID: what a server of 1.2 is told in place of the object list."""
import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402

# What a missing ver means to a registration as 1.2 (Core 7.2.3); 1.0 for all others.
IMPLIED = {"1": "1.2", "2": "1.1", "3": "1.2", "4": "1.3", "5": "1.1"}


def profile_id(links):
    """Of an object list as it was registered: every object with its version, no root."""
    objects = {}
    for target, version in re.findall(r"<(/[0-9/]*)>(?:;ver=([0-9.]+))?", links):
        if target == "/":
            continue
        _, number, *instance = target.split("/")
        found = objects.setdefault(number, [IMPLIED.get(number, "1.0"), []])
        if version:
            found[0] = version
        found[1] += instance
    text = ",".join(",".join([f"</{number}>;ver={version}", *(f"</{number}/{i}>" for i in instances)])
                    for number, (version, instances) in objects.items())
    return "6:" + hashlib.sha256(text.encode()).hexdigest()[:8]


class ProfileIdTest(Scenario):
    def start(self, *lines, known=()):
        self.start_server()
        for text in known:
            self.server.command(f"profile {text} </3/0>")
        self.start_meters()
        self.configure(lines)
        self.start_daemon()
        return self.ready("gw", "gw-m1")

    def again(self, name, trigger="/3/0/4"):
        start = self.now()
        self.expect(self.post(name, trigger), "2.04")
        return self.registered(name, start=start)

    def test_vector(self):
        self.assertEqual(profile_id("</1/0>,</3/0>"), "6:93bc7b74")

    def test_auto(self):
        for event in self.start("profile_id: auto"):
            self.assertEqual(event.lwm2m, "1.2")
            self.assertEqual(event.pid, profile_id(event.links))
        again = self.again("gw-m1")
        self.assertEqual(again.pid, event.pid)
        self.assertNotIn("links", again.fields)
        # It is there as before.
        self.assertEqual(self.read_one("gw-m1", "/3/0/0"), "Eastron")

    def test_forgotten(self):
        """A server that does not know any more what it knew learns it anew."""
        event = self.start("profile_id: auto")[1]
        start = self.now()
        self.server.command(f"profile {event.pid} none")
        again = self.again("gw-m1")
        self.assertEqual((again.pid, again.links), (event.pid, event.links))
        self.assertEqual([e.code for e in self.server.events[start:] if e.word == "refused"], ["4.09"])
        self.log("gw-m1: server plant answered Profile ID " + event.pid + " with 4.09")
        self.assertNotIn("links", self.again("gw-m1").fields)

    def test_unknown_text(self):
        """The list, as 1.2 all the same."""
        for event in self.start('profile_id: "v:unknown"'):
            self.assertEqual(event.lwm2m, "1.2")
            self.assertNotIn("pid", event.fields)
            self.assertIn("</3/0>", event.links)

    def test_changed(self):
        """An Update that tells of another instance has the id of all."""
        self.start("profile_id: auto")
        start = self.now()
        self.expect(self.post("gw", "/16", bytes.fromhex("8400 4200 6162"), 11542), "2.01")
        event = self.event("updated", "gw", start)
        self.assertEqual(event.pid, profile_id(event.links))
        self.assertIn("</16/0>", event.links)

    def test_text(self):
        for event in self.start('profile_id: "6:27354b9a"', 'profile_list: "</4/0>"'):
            self.assertEqual((event.pid, event.links), ("6:27354b9a", "</4/0>"))
        again = self.again("gw-m1")
        self.assertEqual((again.pid, again.links), ("6:27354b9a", "</4/0>"))

    def test_text_alone(self):
        for event in self.start('profile_id: "6:27354b9a,v:7"', known=("6:27354b9a", "v:7")):
            self.assertEqual(event.pid, '"6:27354b9a,v:7"')
            self.assertNotIn("links", event.fields)

    def test_not_at_1_1(self):
        self.start_server()
        self.server.command("fault register 4.12-on-1.2")
        self.configure(["profile_id: auto"])
        self.start_daemon()
        event = self.registered("gw")
        self.assertEqual(event.lwm2m, "1.1")
        self.assertNotIn("pid", event.fields)
        self.assertIn("</3/0>", event.links)


if __name__ == "__main__":
    main()
