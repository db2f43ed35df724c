#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Cockpit page as people use it: Chromium, cockpit-ws and its bridge as Debian has them, and the daemon as it
ships, on a system bus of the test's own. Ends with N passed, N failed, N skipped."""
import os
import subprocess
import sys
import unittest

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "lib"), os.path.join(TESTS, "integration")]

from fieldway_test import build_path, enter_namespace  # noqa: E402
from fieldway_test.bus import STRANGER  # noqa: E402
from dbus_test import DbusScenario  # noqa: E402
from field_test import DEVICES  # noqa: E402

try:
    from browser import Browser, Cockpit
except ImportError as e:
    Browser, MISSING = None, str(e)

SPEED, CONSTANT, ACKNOWLEDGE, NUMBER = "/3308/0/5900", "/3308/0/5750", "/3/0/12", "/3306/0/5851"


@unittest.skipIf(Browser is None, "no selenium")
class CockpitTest(DbusScenario):
    def start(self, user=None, **options):
        super().start(**options)
        self.cockpit = Cockpit(self.rig, self.bus.environment(), user)
        self.browser = Browser(self.rig)
        self.addCleanup(self.browser.close)
        self.browser.open(self.cockpit.url())
        if not self.browser.find("#page"):
            print("\n".join(self.cockpit.process.lines), self.browser.driver.page_source[:500])

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [])

    def state_of(self, section, name):
        return next((row for row in self.browser.rows(section) if row[0] == name), None)

    def until_row(self, section, name, fits):
        self.browser.until(lambda: (row := self.state_of(section, name)) and fits(row),
                           f"{name} in {section}, where there is {self.browser.rows(section)}")

    def value(self, path):
        """None: it has none, or is not shown."""
        return next((row[2] for row in self.browser.rows("#values") if row[0] == path), None) or None

    def submit(self, deed, path, field, text):
        self.browser.click(f'button[aria-label="{deed} {path}"]')
        self.browser.find(f'input[aria-label="{field} {path}"]').send_keys(text)
        self.browser.click("#values form button.primary")

    def put(self, path, text):
        self.submit("Write", path, "New value of", text)

    def test_overview(self):
        self.start()
        self.until_row("#Endpoint", "vfd", lambda row: row[1:4] == ["gw-vfd", "registered", "plant"])
        self.until_row("#Endpoint", "host", lambda row: row[2] == "registered")
        self.until_row("#Device", "vfd", lambda row: row[1:4] == ["lan", "vfd", "online"])
        self.until_row("#Bus", "lan", lambda row: row[1:] == ["modbus", "online", "1 of 1"])
        self.browser.until_text("header", "2 of 2 registered")
        # What happens is seen without looking again.
        self.simulator.command("silent")
        self.until_row("#Device", "vfd", lambda row: row[3] == "offline" and "no answer" in row[4])
        self.simulator.command("talk")
        self.until_row("#Device", "vfd", lambda row: row[3] == "online" and row[4] == "")
        self.browser.find("input.filter").send_keys("nothing")
        self.browser.until(lambda: self.browser.rows("#Endpoint") == [], "a filter that nothing passes")
        self.browser.until_text("#Device h2", "0 of 1")

    def test_read_and_write(self):
        self.start()
        self.browser.click('#Endpoint a[href="#/endpoint/vfd"]')
        self.browser.until(lambda: self.value(SPEED) is not None, "the speed")
        self.put(SPEED, "12.5")
        self.browser.until_text('[role="status"]', f"{SPEED} is 12.5: the device has confirmed it.")
        self.browser.until(lambda: self.value(SPEED) == "12.5", "the new speed")
        self.assertEqual(self.simulator.command("get holding 100"), "125")
        self.put(SPEED, "51")
        self.browser.until_text('[role="status"]', f"{SPEED} was not written:")
        self.assertEqual(self.value(SPEED), "12.5")
        self.browser.click('a[href="#/device/vfd"]')
        self.browser.click("button:not(#reload)")
        self.browser.until(lambda: ["speed", "12.5", ""] in self.browser.rows("#points"), "the point as the device has it")
        folder = os.environ.get("FIELDWAY_SCREENSHOTS")
        if folder:
            self.browser.open(self.cockpit.url())
            self.until_row("#Device", "vfd", lambda row: row[3] == "online")
            self.browser.driver.save_screenshot(os.path.join(folder, "cockpit-overview.png"))
            self.browser.open(self.cockpit.url("endpoint/vfd"))
            self.browser.until(lambda: self.value(SPEED) == "12.5", "the speed")
            self.browser.driver.save_screenshot(os.path.join(folder, "cockpit-endpoint.png"))

    def test_who_may_only_look(self):
        self.start(user=STRANGER)
        self.until_row("#Endpoint", "vfd", lambda row: row[2] == "registered")
        self.browser.open(self.cockpit.url("endpoint/vfd"))
        self.browser.until(lambda: self.value(SPEED) is not None, "the speed")
        before = self.value(SPEED)
        self.put(SPEED, "7")
        self.browser.until_text('[role="status"]', "You may look, but not change this.")
        self.assertEqual(self.value(SPEED), before)
        self.browser.click("#reload")
        self.browser.until_text("#answer", "You may look, but not change this.")

    def test_what_may_be_done(self):
        """Names, and a button only where it has a use."""
        self.start()
        self.browser.open(self.cockpit.url("endpoint/vfd"))
        self.browser.until(lambda: self.value(SPEED) is not None, "the speed")
        names = {row[0]: row[1] for row in self.browser.rows("#values")}
        self.assertEqual((names[SPEED], names[ACKNOWLEDGE]), ("Set Point Value", "Reset Error Code"))
        for path, deeds in ((SPEED, ["Write"]), (CONSTANT, []), ("/3/0/0", []), (ACKNOWLEDGE, ["Execute"])):
            with self.subTest(path):
                self.assertEqual([deed for deed in ("Write", "Execute")
                                  if self.browser.find(f'button[aria-label="{deed} {path}"]')], deeds)
        self.submit("Execute", ACKNOWLEDGE, "Arguments of", "")
        self.browser.until_text('[role="status"]', f"{ACKNOWLEDGE} has been executed.")
        self.assertEqual(self.simulator.command("get coil 9"), "1")
        self.submit("Execute", ACKNOWLEDGE, "Arguments of", "nonsense")
        self.browser.until_text('[role="status"]', f"{ACKNOWLEDGE} was not executed: Arguments are digits")

    def test_reload(self):
        self.start()
        self.until_row("#Endpoint", "vfd", lambda row: row[2] == "registered")
        self.rig.write("etc/devices.d/more.yaml", DEVICES.replace("name: vfd", "name: pump").replace("unit: 1", "unit: 2"))
        self.browser.click("#reload")
        self.browser.until_text("#answer", "The configuration has been read again.")
        self.until_row("#Endpoint", "pump", lambda row: row[3] == "plant")
        self.until_row("#Endpoint", "vfd", lambda row: row[2] == "registered")
        # What is wrong is told, with its place, and changes nothing.
        self.rig.write("etc/devices.d/more.yaml", "schema: 1\ndevices:\n  - {name: pump, profile: nothing}\n")
        self.browser.click("#reload")
        self.browser.until_text("#answer", "more.yaml:3:")
        self.assertEqual(len(self.browser.rows("#Endpoint")), 3)

    def test_another_configuration(self):
        """What may be done is asked for again with a reload, and not with each look at the values."""
        self.start()
        monitor = self.rig.start(["dbus-monitor", "--address", self.bus.address, "type=method_call,member=Describe"],
                                 stderr=subprocess.PIPE)
        monitor.wait_line("signal")     # of the monitor itself: it listens
        self.browser.open(self.cockpit.url("endpoint/vfd"))
        button = f'button[aria-label="Write {NUMBER}"]'
        self.browser.until(lambda: self.browser.find(button), "a button for the number")
        profile = self.rig.path("etc", "profiles.d", "vfd.yaml")
        with open(profile, encoding="utf-8") as f:
            text = f.read()
        self.rig.write("etc/profiles.d/vfd.yaml", text.replace("3306/0/5851: number", "3306/0/5851: {value: 7}"))
        self.browser.click("#reload")
        self.browser.until(lambda: not self.browser.find(button), "no button for a constant")
        for raw in (111, 222, 333, 444):
            self.simulator.command(f"set holding 100 {raw}")
            self.browser.until(lambda: self.value(SPEED) == f"{raw // 10}.{raw % 10}", "the speed")
        self.assertIn(len([line for line in monitor.lines if "member=Describe" in line]), (2, 3))

    def test_the_daemon_comes_and_goes(self):
        self.start()
        self.until_row("#Endpoint", "vfd", lambda row: row[2] == "registered")
        self.stop_daemon(self.daemon)
        self.browser.until_text("#status", "Fieldway does not run")
        self.start_daemon()
        self.browser.until(lambda: self.browser.text("#status") == "", "no word of a daemon that does not run")
        self.until_row("#Endpoint", "vfd", lambda row: row[2] == "registered")


if __name__ == "__main__":
    enter_namespace()
    result = unittest.main(verbosity=2, exit=False).result
    skipped = len(result.skipped)
    failed = len({test.id() for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)
