#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl doctor: each of the usual causes is found, named, and comes with what to do."""
import json
import os
import pathlib
import pty
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, build_path, main, source_path  # noqa: E402
from fieldway_test.bus import MEMBER  # noqa: E402
from ctl_json_test import JsonScenario  # noqa: E402

SERIAL = """schema: 1
bus: hall
plugin: modbus
rtu: {{device: {path}, baud: 9600, format: "8E1"}}
"""


class DoctorTest(JsonScenario):
    def doctor(self, *more):
        done = self.run_ctl("doctor", "--json", "--config=" + self.rig.path("etc"), "--state=" + self.rig.path("state"),
                            "--daemon=" + build_path("fieldwayd"), *self.folders(), *more)
        told = self.has_keys(json.loads(done.stdout), "findings", "errors", "warnings")
        self.assertEqual(done.returncode, 1 if told["errors"] else 0)
        found = {}
        for row in told["findings"]:
            self.has_keys(row, "check", "health", "text", "advice")
            if row["health"] in ("error", "warning") and row["check"] != "service":
                self.assertIsNotNone(row["advice"], row)
            found.setdefault(row["check"], []).append((row["health"], row["text"]))
        return found

    def finds(self, check, health, text):
        found = self.doctor()
        self.assertTrue(any(h == health and text in t for h, t in found[check]), found)
        return found

    def test_healthy(self):
        self.start()
        self.until("2 registered", "status")
        found = self.doctor()
        self.assertEqual(found.pop("clock")[0][0] in ("ok", "warning"), True)
        self.assertEqual({health for rows in found.values() for health, _ in rows} - {"skipped"}, {"ok"})
        self.assertEqual(set(found), {"service", "configuration", "names", "keys", "servers", "ports", "rights", "devices",
                                      "models"})
        text = self.run_ctl("doctor", "--config=" + self.rig.path("etc"), "--state=" + self.rig.path("state"),
                            "--daemon=" + build_path("fieldwayd"), *self.folders()).stdout
        self.assertIn("ok       devices        all 1 answer\n", text)

    def test_bootstrap(self):
        """Nobody is registered while the bootstrap server says nothing, and why it does not is told."""
        self.start()
        self.server.command("fault bootstrap 4.00")
        self.configure_bootstrap(self.server.uri("coap"), "none")
        self.ctl("reload")
        self.until("4.00 Bad Request", "status")
        found = self.finds("servers", "error", "bootstrap: 2 of 2 endpoints are to be told where to register: it answered 4.00")
        self.assertEqual(len(found["servers"]), 1)
        self.rig.write("etc/keys/boot.psk", "", 0o600)
        self.configure_bootstrap("coaps://127.0.0.1:9", 'psk, key: "psk-file:keys/boot.psk"')
        self.finds("keys", "error", "bootstrap: 2 of 2 endpoints have no key")

    def configure_bootstrap(self, uri, security):
        self.rig.write("etc/fieldway.yaml", "schema: 1\ngateway: {name: gw}\n"
                       f'bootstrap: {{uri: "{uri}", security: {{mode: {security}}}}}\n')

    def test_no_bluetooth(self):
        """Ports and wiring are not what a sensor lacks."""
        self.rig.write("etc/buses.d/ble0.yaml", "schema: 1\nbus: ble0\nplugin: ble\n")
        self.rig.write("etc/profiles.d/th.yaml", "schema: 1\nprofile: th\nplugin: ble\ndecode: bthome\n"
                       "points: {temperature: {bthome: temperature, unit: Cel}}\nlwm2m: {3303/0/5700: temperature}\n")
        self.rig.write("etc/devices.d/th.yaml", "schema: 1\ndevices:\n"
                       '  - {name: th, profile: th, bus: ble0, address: {mac: "A4:C1:38:00:11:01"}}\n')
        self.start()
        self.until("bluetoothd is not running", "list", "devices")
        self.finds("devices", "error", "th is failed: bluetoothd is not running")
        told = self.run_ctl("doctor", "--config=" + self.rig.path("etc"), "--state=" + self.rig.path("state"),
                            "--daemon=" + build_path("fieldwayd"), *self.folders()).stdout
        self.assertIn("-> 'systemctl status bluetooth' says why", told)

    def test_trouble(self):
        """With the daemon."""
        self.start()
        self.until("2 registered", "status")
        self.simulator.command("silent")
        self.until("offline", "list", "devices")
        found = self.finds("devices", "error", "vfd is offline: ")
        self.assertEqual(found["servers"], [("ok", "plant: all 2 registered")])
        self.stop_daemon(self.daemon)
        self.server.command("fault register 4.03")
        self.start_daemon()
        self.bus.wait_name()
        self.until("host  waiting  ", "status")
        self.finds("servers", "error", "registered: ")
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="ascii") as f:
            f.write("nonesuch: true\n")
        found = self.finds("configuration", "error", "the files are wrong")
        self.assertEqual(found["keys"], [("skipped", "there is no configuration that can be read")])

    def test_without_rights(self):
        """What others may not read is not wrong."""
        places = [pathlib.Path(build_path("fieldwayd")), pathlib.Path(source_path("objects"))]
        if not all(place.stat().st_mode & 0o1 for path in places for place in (path, *path.parents)):
            self.skipTest("the build folder is closed to others")
        self.bus = Bus(self.rig)
        self.write_field()
        self.configure(uri="coaps://127.0.0.1:5684")
        self.rig.write("etc/keys/plant.psk", "gw:" + 32 * "0" + "\n", 0o600)
        found = json.loads(self.run_ctl("doctor", "--json", "--config=" + self.rig.path("etc"),
                                        "--daemon=" + build_path("fieldwayd"), *self.folders(), user=MEMBER,
                                        environment={}).stdout)["findings"]
        health = {row["check"]: (row["health"], row["text"]) for row in found}
        self.assertEqual(health["configuration"], ("skipped", "only root can check it: there are keys in it"))
        self.assertEqual(health["keys"], ("skipped", "plant: only root can look at them"))

    def test_without_daemon(self):
        """What can be seen of the machine alone."""
        self.bus = Bus(self.rig)
        self.write_field()
        self.configure(uri="coaps://nonesuch.invalid:5684")
        self.rig.write("etc/keys/plant.psk", "gw:00\n", 0o600)
        master, slave = pty.openpty()
        self.rig.write("etc/buses.d/hall.yaml", SERIAL.format(path=os.ttyname(slave)))
        found = self.doctor()
        self.assertEqual(found["service"], [("error", "fieldwayd does not answer")])
        self.assertEqual(found["servers"][0][0], "skipped")
        self.assertEqual(found["names"][0][0], "error")
        self.assertIn("plant: nonesuch.invalid: ", found["names"][0][1])
        self.assertEqual(found["keys"], [("error", "plant: 1 of 2 endpoints have no key")])
        self.assertEqual([health for health, _ in found["ports"]], ["error"])
        self.assertRegex(found["ports"][0][1], rf"bus hall: {os.ttyname(slave)} is held by .* \({os.getpid()}\)")
        os.chmod(self.rig.path("etc/keys/plant.psk"), 0o644)
        os.close(slave)
        self.rig.write("etc/buses.d/hall.yaml", SERIAL.format(path="/dev/serial/by-id/nonesuch"))
        os.close(master)
        found = self.finds("ports", "error", "/dev/serial/by-id/nonesuch: No such file")
        self.assertIn("other users can read it", found["keys"][0][1])


if __name__ == "__main__":
    main()
