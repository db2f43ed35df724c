#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.4: information reporting."""
from ets import SENML_CBOR, SENML_JSON, YAML_NAMES, Case, case, main, read_links

VOLTS, AMPERES = "/3/0/7", "/3/0/8"


class ObserveTest(Case):
    def start(self):
        self.begin("C.4")
        self.set_battery(3700, 120)

    def observe_both(self):
        self.assertEqual(self.content("/3/0/6"), {"/3/0/6/0": 1, "/3/0/6/1": 2})
        self.attributes(f"{VOLTS}?pmin=5&pmax=15")
        self.attributes(f"{AMPERES}?pmin=10&pmax=20")
        self.start_of_both = self.now()
        self.assertEqual(self.observe(VOLTS), {f"{VOLTS}/0": 3700, f"{VOLTS}/1": 3701})
        self.tokens = {VOLTS: self.token}
        self.assertEqual(self.observe(AMPERES), {f"{AMPERES}/0": 120, f"{AMPERES}/1": 121})
        self.tokens[AMPERES] = self.token

    def counts(self):
        return [self.notifications(path, self.start_of_both) for path in (VOLTS, AMPERES)]

    @case(301)
    def test_301_observe_and_notify(self):
        self.start()
        self.observe_both()
        self.set_battery(3650, 130)
        # Not before pmin.
        self.daemon.step(3)
        self.assertEqual(self.counts(), [0, 0])
        self.daemon.step(2)
        self.assertEqual(self.notified(VOLTS, self.start_of_both), {f"{VOLTS}/0": 3650, f"{VOLTS}/1": 3651})
        self.assertEqual(self.counts(), [1, 0])
        self.daemon.step(5)
        self.assertEqual(self.notified(AMPERES, self.start_of_both), {f"{AMPERES}/0": 130, f"{AMPERES}/1": 131})
        # By pmax also without a change.
        for n in range(2, 5):
            before = self.counts()
            self.daemon.step(15)
            self.notified(VOLTS, self.start_of_both, before[0] + 1)
            self.daemon.step(5)
            self.notified(AMPERES, self.start_of_both, before[1] + 1)

    def expect_quiet(self, quiet, heard):
        """Of what is cancelled nothing comes any more, of the other all does."""
        before = {path: self.notifications(path, self.start_of_both) for path in (*quiet, *heard)}
        stray = len(self.events("stray", 0))
        for volts in 3300, 3200:
            self.set_battery(volts, volts - 3000)
            self.daemon.step(20)
        for path in heard:
            self.notified(path, self.start_of_both, before[path] + 2)
        for path in quiet:
            self.assertEqual(self.notifications(path, self.start_of_both), before[path], path)
        # Refused ones would be strays.
        self.assertEqual(len(self.events("stray", 0)), stray)

    @case(302)
    def test_302_cancel_by_reset(self):
        self.start()
        self.observe_both()
        self.daemon.step(20)
        for n, (path, others) in enumerate(((VOLTS, [AMPERES]), (AMPERES, []))):
            before = self.notifications(path, self.start_of_both)
            self.assertGreater(before, 0)
            self.server.command(f"reset {self.name} {self.tokens[path]}")
            self.daemon.step(20)
            self.notified(path, self.start_of_both, before + 1)
            self.settle()
            self.expect_quiet([VOLTS, AMPERES][:n + 1], others)

    @case(303)
    def test_303_cancel_by_observe(self):
        self.start()
        self.observe_both()
        self.daemon.step(20)
        for path in VOLTS, AMPERES:
            self.assertGreater(self.notifications(path, self.start_of_both), 0)
        for n, (path, others) in enumerate(((VOLTS, [AMPERES]), (AMPERES, []))):
            answer = self.cancel(path)
            self.assertEqual(len(self.server.values(answer, path)), 2)
            self.assertNotIn("observe", answer.fields)
            self.expect_quiet([VOLTS, AMPERES][:n + 1], others)

    def expect_period(self, pmax):
        start = self.now()
        for n in range(1, 4):
            self.daemon.step(pmax)
            self.assertEqual(set(self.notified(VOLTS, start, n)), {f"{VOLTS}/0", f"{VOLTS}/1"})

    @case(312)
    def test_312_observe_with_attributes(self):
        self.start()
        start = self.now()
        self.assertEqual(self.observe(f"{VOLTS}?pmin=5&pmax=15"), {f"{VOLTS}/0": 3700, f"{VOLTS}/1": 3701})
        self.set_battery(3600, 100)
        self.daemon.step(3)
        self.assertEqual(self.notifications(VOLTS, start), 0)
        self.daemon.step(2)
        self.assertEqual(self.notified(VOLTS, start), {f"{VOLTS}/0": 3600, f"{VOLTS}/1": 3601})
        self.expect_period(15)

    @case(313)
    def test_313_attributes_of_observe_override(self):
        self.start()
        self.attributes(f"{VOLTS}?pmin=5&pmax=60")
        self.assertEqual(set(self.observe(f"{VOLTS}?pmin=5&pmax=10")), {f"{VOLTS}/0", f"{VOLTS}/1"})
        self.expect_period(10)


class SendTest(Case):
    def start(self):
        return self.begin(bus=True, server=["send: true"])

    def trigger(self, *paths):
        return self.ctl("send", YAML_NAMES[self.end], *paths)

    def sent(self, start):
        """The values of the next one; the server answers 2.04 to none but these."""
        event = self.event("sent", self.name, start)
        self.assertIn(event.format, (SENML_CBOR, SENML_JSON))
        return self.server.values(event, "/")

    @case(306)
    def test_306_send(self):
        registered = self.start()
        links = {path for path, _ in read_links(registered.links.encode())}
        start = self.now()
        self.trigger("/")
        values = self.sent(start)
        self.assertIn("/3/0/16", values)
        # Nothing but what it has registered.
        self.assertLessEqual({"/".join(path.split("/")[:3]) for path in values}, links)

    @case(307)
    def test_307_muting(self):
        self.start()
        start = self.now()
        self.trigger("/3/0/16")
        self.sent(start)
        self.write("/1/0/23", True)
        start = self.now()
        with self.assertRaises(AssertionError):
            self.trigger("/3/0/16")
        self.settle()
        self.assertEqual(self.events("sent", start), [])
        self.write("/1/0/23", False)
        self.trigger("/3/0/16")
        self.assertEqual(self.sent(start), {"/3/0/16": "U"})

    @case(311)
    def test_311_send_command(self):
        self.start()
        start = self.now()
        self.trigger("/1/0/1", "/3/0/11/0")
        self.assertEqual(self.sent(start), {"/1/0/1": 86400, "/3/0/11/0": 0})


if __name__ == "__main__":
    main()
