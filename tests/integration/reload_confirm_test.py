#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A configuration that somebody has to confirm: taken back in time, and no restart takes it
(agent/gateway/configuration/accepted.h)."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import ClockDaemon, main  # noqa: E402
from fieldway_test.bus import PATH, Refused  # noqa: E402
from reload_test import PROFILE, ReloadScenario, client  # noqa: E402


class ConfirmTest(ReloadScenario):
    def start_on_clock(self):
        self.prepare()
        self.run_daemon(kind=ClockDaemon)
        self.addCleanup(self.daemon.clock.close)
        self.ready("gw", *(client(n) for n in (1, 2, 3)))

    def test_taken_back(self):
        self.start_on_clock()
        start = self.now()
        self.write_devices([1, 2])
        self.reload(confirm=60000000)
        self.assertEqual(self.state(), "unconfirmed")
        self.event("deregistered", client(3), start)
        self.daemon.step(61)
        self.registered(client(3), start=start)
        self.until_state("last-good")
        self.assertIn("not", self.errors()[0][3])
        self.log("was not confirmed in time")
        self.assertEqual(self.words_since(start), {client(3): ["deregistered", "registered"]})
        # Nor does a restart take it.
        self.stop_daemon(self.daemon)
        start = self.now()
        self.run_daemon()
        self.registered(client(3), start=start)
        self.assertEqual(self.state(), "last-good")
        self.reload()
        self.event("deregistered", client(3), start)
        self.assertEqual(self.state(), "accepted")

    def test_confirmed(self):
        self.start()
        start = self.now()
        with self.assertRaises(Refused):
            self.bus.call(PATH, "Manager", "Confirm")
        self.write_devices([1, 2])
        self.reload(confirm=60000000)
        self.bus.call(PATH, "Manager", "Confirm")
        self.assertEqual(self.state(), "accepted")
        self.stop_daemon(self.daemon)
        start = self.now()
        self.run_daemon()
        self.registered(client(2), start=start)
        self.assertEqual((self.state(), self.errors()), ("accepted", []))
        self.assertEqual(self.bus.get(PATH, "Manager", "Devices"), 2)

    def lose_the_former(self, confirm):
        """Its keys are gone when it is to come back."""
        self.start(secure=True)
        os.rename(self.rig.path("etc", "keys", "plant.psk"), self.rig.path("etc", "keys", "new.psk"))
        text = self.text("etc/fieldway.yaml")
        self.rig.write("etc/fieldway.yaml", text.replace("keys/plant.psk", "keys/new.psk"))
        self.write_devices([1, 2])
        self.reload(confirm=confirm)

    def test_nothing_to_go_back_to(self):
        self.lose_the_former(confirm=2000000)
        self.log("the former configuration cannot be used any more: the one that nobody has confirmed stays")
        self.until_state("accepted")
        self.stop_daemon(self.daemon)
        self.run_daemon()
        self.assertEqual((self.state(), self.errors()), ("accepted", []))
        self.assertEqual(self.bus.get(PATH, "Manager", "Devices"), 2)

    def refused_signal(self):
        start = self.daemon.process.now()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.log("a signal does not accept it: the former one stays", start=start)
        self.assertEqual((self.state(), self.bus.get(PATH, "Manager", "Devices")), ("last-good", 3))
        self.assertIn("was reloaded to be confirmed, and was not", self.errors()[0][3])

    def test_signal_afterwards(self):
        """Nor what was taken back, whatever a package has done to its device types; people do."""
        os.makedirs(self.rig.path("shared", "profiles.d"))
        self.prepare()
        shared = PROFILE.replace("board", "shipped")
        self.rig.write("shared/profiles.d/shipped.yaml", shared)
        self.run_daemon()
        self.registered("gw", client(3))
        start = self.now()
        self.write_devices([1, 2, self.row(4).replace("profile: board", "profile: shipped")])
        self.reload(confirm=1000000)
        self.event("deregistered", client(3), start)
        self.until_state("last-good")
        self.refused_signal()
        self.rig.write("shared/profiles.d/shipped.yaml", shared + "revision: 2\n")
        self.refused_signal()
        self.stop_daemon(self.daemon)
        self.run_daemon()
        self.refused_signal()
        start = self.now()
        self.reload()
        self.registered(client(4), start=start)
        self.assertEqual((self.state(), self.errors()), ("accepted", []))
        # What somebody has written since then is another one.
        self.write_devices([1, 2])
        self.daemon.process.send_signal(signal.SIGHUP)
        self.event("deregistered", client(4), start)
        self.until_state("accepted")

    def test_signal_at_the_end(self):
        """One that comes when it is being taken back."""
        self.start_on_clock()
        self.write_devices([1, 2])
        self.reload(confirm=60000000)
        self.daemon.step(61)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.log("was not confirmed in time")
        self.refused_signal()

    def test_signal_meanwhile(self):
        """It reads the files again, and accepts nothing that is on trial."""
        self.start()
        self.write_devices([1, 2])
        self.reload(confirm=60000000)
        self.write_devices([1])
        start = self.now()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.event("deregistered", client(2), start)
        self.until_state("unconfirmed")
        self.bus.call(PATH, "Manager", "Confirm")
        self.assertEqual(self.state(), "accepted")

    def test_damaged_record(self):
        """What is to come back cannot be read, and is not taken for an empty configuration."""
        self.start_on_clock()
        self.write_devices([1, 2])
        start = self.now()
        self.reload(confirm=60000000)
        self.event("deregistered", client(3), start)
        with open(self.rig.path("state/records/gateway.last-good"), "r+b") as f:
            f.write(b"damaged")
        self.daemon.step(61)
        self.log("the former configuration cannot be used any more: the one that nobody has confirmed stays")
        self.until_state("accepted")
        self.assertEqual(self.words_since(start), {client(3): ["deregistered"]})

    def test_restart_with_nothing_to_go_back_to(self):
        self.lose_the_former(confirm=60000000)
        self.stop_daemon(self.daemon)
        self.run_daemon()
        self.log("the former configuration cannot be used any more: the one that nobody confirmed is")
        self.assertEqual((self.state(), self.errors()), ("accepted", []))
        self.assertEqual(self.bus.get(PATH, "Manager", "Devices"), 2)

    def test_restart_without_any_key(self):
        """Neither has its keys: the former one runs, and cannot talk to anybody."""
        self.lose_the_former(confirm=60000000)
        self.stop_daemon(self.daemon)
        os.unlink(self.rig.path("etc", "keys", "new.psk"))
        self.run_daemon()
        self.assertEqual((self.state(), self.bus.get(PATH, "Manager", "Devices")), ("last-good", 3))
        self.assertIn("new.psk", self.errors()[0][3])

    def test_restart_with_nothing_at_all(self):
        """It would be no better when it is tried again: exit status 78."""
        self.lose_the_former(confirm=60000000)
        self.stop_daemon(self.daemon)
        os.unlink(self.rig.path("etc", "keys", "new.psk"))
        with open(self.rig.path("state/records/gateway.last-good"), "r+b") as f:
            f.write(b"damaged")
        self.start_daemon()
        self.assertEqual(self.daemon.process.wait_end(), 78)
        self.log("no earlier configuration can be used")

    def test_restart(self):
        """Before it is confirmed the former one starts."""
        self.start()
        self.write_devices([1, 2])
        self.reload(confirm=60000000)
        self.assertEqual(self.bus.get(PATH, "Manager", "Devices"), 2)
        self.stop_daemon(self.daemon)
        self.run_daemon()
        self.assertEqual(self.state(), "last-good")
        self.assertEqual(self.bus.get(PATH, "Manager", "Devices"), 3)


if __name__ == "__main__":
    main()
