#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.2: the registration interface."""
from ets import Case, case, main, read_links


class RegistrationTest(Case):
    def check_registration(self, event):
        """What a Register has to say in 101."""
        self.assertEqual(event.lwm2m, self.version)
        self.assertEqual((event.lt, event.fields.get("b", "U")), ("86400", "U"))
        paths = [path for path, _ in read_links(event.links.encode())]
        self.assertLessEqual({"/1/0", "/3/0"}, set(paths))
        self.assertEqual([p for p in paths if p.startswith(("/0", "/21"))], [])

    @case(101)
    def test_101_initial_registration(self):
        self.check_registration(self.begin())
        # The 2.01: the client knows that it is registered.
        self.assertIn(self.name, self.clients())
        self.settle()

    def set_lifetime(self, seconds):
        """Written; the Update says so."""
        start = self.now()
        self.write("/1/0/1", seconds)
        self.updated(start, lt=str(seconds))

    @case(102)
    def test_102_registration_update(self):
        self.begin()
        self.set_lifetime(20)
        start = self.now()
        self.daemon.step(19)
        self.updated(start)
        self.server.command("step 19")
        self.assertEqual(self.clients()[self.name].lt, "20")
        self.assertEqual(self.events("registered", start), [])

    @case(103)
    def test_103_deregistration(self):
        self.begin("C.3")
        start = self.now()
        self.execute("/1/0/4")
        self.daemon.step(1)
        self.event("deregistered", self.name, start)
        self.assertNotIn(self.name, self.clients())

    @case(104)
    def test_104_registration_update_trigger(self):
        self.begin()
        self.set_lifetime(20)
        self.daemon.step(5)
        self.server.command("step 5")
        start = self.now()
        self.execute("/1/0/8")
        self.updated(start)
        self.assertEqual(len(self.events("updated", start)), 1)
        # The first lifetime is over, and the trigger has prolonged it.
        self.server.command("step 16")
        self.assertIn(self.name, self.clients())

    @case(105)
    def test_105_discarded_register_update(self):
        self.begin()
        self.set_lifetime(60)
        self.server.command(f"forget {self.name}")
        start = self.now()
        self.daemon.step(59)
        refused = self.server.wait_event(lambda e: e.word == "refused", start=start)
        self.assertEqual((refused.arguments[0], refused.code), ("update", "4.04"))
        self.registered(self.name, start=start)
        self.settle()

    @case(107)
    def test_107_extending_the_lifetime(self):
        event = self.begin(lifetime="60s")
        self.assertEqual((event.lt, event.fields.get("b", "U")), ("60", "U"))
        self.set_lifetime(120)
        start = self.now()
        self.daemon.step(119)
        self.updated(start)
        self.server.command("step 119")
        self.assertIn(self.name, self.clients())

    @case(108)
    def test_108_queue_mode(self):
        event = self.begin(server=["queue_mode: true"])
        self.assertEqual((event.fields.get("b", "U"), event.fields.get("Q")), ("U", "1"))

    @case(109)
    def test_109_behavior_in_queue_mode(self):
        event = self.begin(server=["queue_mode: true"])
        self.assertEqual(event.fields.get("Q"), "1")
        self.set_lifetime(240)
        start = self.now()
        self.daemon.step(120)
        # It says nothing by itself, and the server sends nothing.
        self.daemon.step(0)
        self.server.catch_up()
        self.assertEqual([e for e in self.server.events[start:] if e.word != "ok"], [])
        self.daemon.step(119)
        self.event("updated", self.name, start)
        self.assertEqual(self.value("/1/0/1"), 240)
        self.server.command("step 239")
        self.assertIn(self.name, self.clients())

    @case(110)
    def test_110_profile_id(self):
        event = self.begin(server=['profile_id: "6:27354b9a"'], commands=["profile 6:27354b9a </1/0>,</3/0>"])
        self.assertEqual((event.lwm2m, event.lt, event.fields.get("b", "U")), ("1.2", "86400", "U"))
        self.assertEqual((event.pid, "links" in event.fields, event.profiled), ("6:27354b9a", False, "</1/0>,</3/0>"))
        self.settle()

    @case(111)
    def test_111_profile_id_and_list(self):
        event = self.begin("C.3", server=['profile_id: "6:27354b9a"', 'profile_list: "</4/0>"'],
                           commands=["profile 6:27354b9a </1/0>,</3/0>"])
        self.assertEqual((event.lwm2m, event.lt), ("1.2", "86400"))
        self.assertEqual((event.pid, event.links, event.profiled), ("6:27354b9a", "</4/0>", "</1/0>,</3/0>"))
        self.settle()


if __name__ == "__main__":
    main()
