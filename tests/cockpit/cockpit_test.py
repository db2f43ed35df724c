#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Cockpit page as people use it: Chromium, cockpit-ws and its bridge as Debian has them, and the daemon as it
ships, on a system bus of the test's own. Ends with N passed, N failed, N skipped."""
import os
import sys
import unittest

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "lib"), os.path.join(TESTS, "integration")]

from fieldway_test import build_path, enter_namespace  # noqa: E402
from fieldway_test.bus import STRANGER  # noqa: E402
from dbus_test import DbusScenario  # noqa: E402

try:
    from browser import Browser, Cockpit
except ImportError as e:
    Browser, MISSING = None, str(e)

SPEED, RANGE = "/3308/0/5900", "0..50"


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
        return next((row[1] for row in self.browser.rows("#values") if row[0] == path), None)

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
        self.browser.click(f'button[aria-label="Write {SPEED}"]')
        self.browser.find(f'input[aria-label="New value of {SPEED}"]').send_keys("12.5")
        self.browser.click("#values form button.primary")
        self.browser.until_text('[role="status"]', f"{SPEED} is 12.5: the device has confirmed it.")
        self.browser.until(lambda: self.value(SPEED) == "12.5", "the new speed")
        self.assertEqual(self.simulator.command("get holding 100"), "125")
        self.browser.click(f'button[aria-label="Write {SPEED}"]')
        self.browser.find(f'input[aria-label="New value of {SPEED}"]').send_keys("51")
        self.browser.click("#values form button.primary")
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
        self.browser.click(f'button[aria-label="Write {SPEED}"]')
        self.browser.find(f'input[aria-label="New value of {SPEED}"]').send_keys("7")
        self.browser.click("#values form button.primary")
        self.browser.until_text('[role="status"]', "You may look, but not change this.")
        self.assertEqual(self.value(SPEED), before)

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
