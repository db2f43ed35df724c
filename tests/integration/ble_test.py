#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bluetooth LE devices, from a BlueZ of the test's own to the LwM2M server; every fault, and the way back."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402
from fieldway_test.bus import NAME, PATH, Bus, Refused  # noqa: E402
from fieldway_test.programs import FakeBluez  # noqa: E402

BUS = """schema: 1
bus: ble0
plugin: ble
{more}
"""
SENSOR, SENSOR_MAC = "gw-th", "A4:C1:38:00:11:01"
TEMPERATURE, HUMIDITY, RSSI = "/3303/0/5700", "/3304/0/5700", "/3300/0/5700"
BTHOME_PROFILE = """schema: 1
profile: th
plugin: ble
decode: bthome
{silence}
points:
  temperature: {{bthome: temperature, unit: Cel}}
  humidity: {{bthome: humidity, unit: "%RH"}}
  rssi: {{from: rssi, unit: dBm}}
lwm2m: {{3303/0/5700: temperature, 3304/0/5700: humidity, 3300/0/5700: rssi}}
"""
BTHOME_DEVICES = """schema: 1
devices:
  - {{name: th, profile: th, bus: ble0, address: {{mac: "A4:C1:38:00:11:01"{more}}}}}
"""


class BleScenario(Scenario):
    """The daemon and its host, with a system bus that has nothing but org.bluez on it."""

    def setUp(self):
        super().setUp()
        self.bus = Bus(self.rig, permissive=True, names=["org.bluez"])
        self.bluez = FakeBluez(self.rig, self.bus)
        self.bluez.command("trace on")

    def start(self, profile, devices, bus="scan: {mode: active}", names=(SENSOR,)):
        for name, text in (("buses.d/ble0", BUS.format(more=bus)), ("devices.d/site", devices)):
            self.rig.write(f"etc/{name}.yaml", text)
        self.rig.write(f"etc/profiles.d/{profile.split('profile: ')[1].split()[0]}.yaml", profile)
        self.start_server(names=("gw", *names))
        self.configure(more="register: {wait: none}")
        self.start_daemon(environment=self.bus.environment())
        self.registered(*names)

    def until_value(self, endpoint, path, value, timeout=20):
        self.until_read(endpoint, path, lambda a: a.fields.get("code") == "2.05"
                        and self.server.values(a, path) == {path: value}, timeout)


class BroadcastTest(BleScenario):
    def start_sensor(self, silence="", more="", bus="scan: {mode: active}"):
        self.bluez.command(f"device {SENSOR_MAC} th", f"service_data {SENSOR_MAC} fcd2=4002ca0903bf13")
        self.start(BTHOME_PROFILE.format(silence=silence), BTHOME_DEVICES.format(more=more), bus)

    def appear(self):
        self.bluez.until_taken(f"appear {SENSOR_MAC} -60")

    def test_values(self):
        self.start_sensor()
        self.expect(self.server.request(SENSOR, "GET", TEMPERATURE), "5.03")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.assertEqual(self.read_one(SENSOR, HUMIDITY), 50.55)
        self.assertEqual(self.read_one(SENSOR, RSSI), -60)
        self.bluez.command(f"service_data {SENSOR_MAC} 180f=64 fcd2=4002ffff03bf13")
        self.until_value(SENSOR, TEMPERATURE, -0.01)
        self.bluez.command(f"rssi {SENSOR_MAC} -71")
        self.until_value(SENSOR, RSSI, -71)

    def test_many_entries_and_missing_properties(self):
        """Neither name nor RSSI at first; 127 means that there is none."""
        self.start_sensor()
        self.bluez.until_taken(f"appear {SENSOR_MAC}")
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.expect(self.server.request(SENSOR, "GET", RSSI), "5.03")
        self.bluez.command(f"rssi {SENSOR_MAC} 127", f"manufacturer {SENSOR_MAC} 004c=1005 0499=05 ffff=00",
                           f"service_data {SENSOR_MAC} feaa=0000 fcd2=4002000003bf13 180f=64")
        self.until_value(SENSOR, TEMPERATURE, 0)
        self.expect(self.server.request(SENSOR, "GET", RSSI), "5.03")
        self.bluez.command(f"rssi {SENSOR_MAC} -50")
        self.until_value(SENSOR, RSSI, -50)

    def test_silence(self):
        self.start_sensor(silence="silence: 3s")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.until_reason("nothing was heard of it for 3s")
        self.bluez.command(f"service_data {SENSOR_MAC} fcd2=40020000")
        self.until_read(SENSOR, TEMPERATURE, lambda a: a.fields.get("code") == "2.05")

    def test_forged(self):
        """Signals that somebody else on the bus sends right at us."""
        self.start_sensor()
        self.appear()
        self.until_value(SENSOR, RSSI, -60)
        path = "/org/bluez/hci0/dev_" + SENSOR_MAC.replace(":", "_")
        for i in range(12):
            self.bus.busctl("emit", f"--destination=:1.{i}", "--", path, "org.freedesktop.DBus.Properties",
                            "PropertiesChanged", "sa{sv}as", "org.bluez.Device1", "1", "RSSI", "n", "-1", "0")
        self.bluez.command(f"service_data {SENSOR_MAC} fcd2=40020000")
        self.until_value(SENSOR, TEMPERATURE, 0)
        self.assertEqual(self.read_one(SENSOR, RSSI), -60)

    def test_known_before(self):
        """What bluetoothd only remembers is no news."""
        self.bluez.command(f"device {SENSOR_MAC} th", f"service_data {SENSOR_MAC} fcd2=4002ca0903bf13",
                           f"know {SENSOR_MAC}")
        self.start(BTHOME_PROFILE.format(silence=""), BTHOME_DEVICES.format(more=""))
        self.bluez.wait_call("StartDiscovery")
        self.expect(self.server.request(SENSOR, "GET", TEMPERATURE), "5.03")
        self.bluez.until_taken(f"rssi {SENSOR_MAC} -44")
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    def test_encrypted(self):
        """The example of the specification, whose key is that of another address."""
        mac = "54:48:E6:8F:80:A5"
        self.rig.write("etc/keys/th.keys", f"{mac}:231d39c1d7cc1ab1aee224cd096db932\n", 0o600)
        self.bluez.command(f"device {mac}", f"service_data {mac} fcd2=41a47266c95f730011223378237214")
        self.start(BTHOME_PROFILE.format(silence=""), BTHOME_DEVICES.format(
            more=', key: "table:keys/th.keys"').replace(SENSOR_MAC, mac))
        self.bluez.until_taken(f"appear {mac} -60")
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        # What somebody else says with its address changes nothing.
        self.bluez.command(f"service_data {mac} fcd2=4002ffff", f"service_data {mac} fcd2=4002fffe")
        self.bluez.command(f"service_data {mac} fcd2=4115fb7101112233471c725a")
        self.until_value(SENSOR, TEMPERATURE, 0)
        self.assertNotIn("does not encrypt", "".join(self.daemon.process.lines))
        self.assertNotIn("231d39c1", "".join(self.daemon.process.lines))

    def test_repeated_and_replayed(self):
        """A packet id that comes again, here with another value, is the same packet; a replay is none at all."""
        self.start_sensor()
        self.bluez.command(f"service_data {SENSOR_MAC} fcd2=40000102ca09")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.bluez.command(f"service_data {SENSOR_MAC} fcd2=400001020000", f"rssi {SENSOR_MAC} -30")
        self.until_value(SENSOR, RSSI, -30)
        self.assertEqual(self.read_one(SENSOR, TEMPERATURE), 25.06)
        self.bluez.command(f"service_data {SENSOR_MAC} fcd2=400002020000")
        self.until_value(SENSOR, TEMPERATURE, 0)

    def test_wrong_key(self):
        mac = "54:48:E6:8F:80:A5"
        self.rig.write("etc/keys/th.key", "331d39c1d7cc1ab1aee224cd096db932\n", 0o600)
        self.bluez.command(f"device {mac}", f"service_data {mac} fcd2=41a47266c95f730011223378237214")
        self.start(BTHOME_PROFILE.format(silence=""), BTHOME_DEVICES.format(
            more=', key: "file:keys/th.key"').replace(SENSOR_MAC, mac))
        self.bluez.until_taken(f"appear {mac} -60")
        self.log("heard, but its key is another")
        self.expect(self.server.request(SENSOR, "GET", TEMPERATURE), "5.03")
        # The right one counts from the next reload on.
        self.rig.write("etc/keys/th.key", "231d39c1d7cc1ab1aee224cd096db932\n", 0o600)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.log("configuration reloaded")

        def heard():
            # The key goes to its host behind that line.
            self.bluez.command(f"service_data {mac} fcd2=4115fb7101112233471c725a")
            return self.server.request(SENSOR, "GET", TEMPERATURE).fields.get("code") == "2.05"

        self.rig.until(heard, 20, "a value by the right key")

    def test_no_key(self):
        self.start_sensor()
        self.bluez.command(f"service_data {SENSOR_MAC} fcd2=41a47266c95f730011223378237214")
        self.appear()
        self.log("it encrypts, and there is no key for it")

    # The adapter

    def test_switched_off(self):
        self.start_sensor(bus="scan: {mode: active}")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        start = len(self.bluez.calls)
        self.bluez.command("power 0")
        self.log("adapter hci0 is switched off")
        # Switched on, and told to scan, by itself.
        self.bluez.wait_call("Set hci0", start=start)
        self.bluez.wait_call("StartDiscovery", start=start)
        self.bluez.until_taken(f"service_data {SENSOR_MAC} fcd2=40020000")
        self.until_value(SENSOR, TEMPERATURE, 0)

    def test_left_off(self):
        self.start_sensor(bus="power: false\nscan: {mode: active}")
        self.appear()
        start = len(self.bluez.calls)
        self.bluez.command("power 0")
        self.log("adapter hci0 is switched off")
        self.until_reason("switched off")
        self.assertFalse([c for c in self.bluez.calls[start:] if c.startswith("Set ")])
        self.bluez.command("power 1")
        self.bluez.wait_call("StartDiscovery", start=start)

    def until_reason(self, text):
        """What a server is told instead of a value."""
        self.until_read(SENSOR, TEMPERATURE,
                        lambda a: a.fields.get("code") == "5.03" and text in a.payload.decode())

    def test_blocked(self):
        self.start_sensor()
        self.appear()
        start = len(self.bluez.calls)
        self.bluez.command("block 1")
        self.bluez.wait_call("Set hci0", start=start)
        self.until_reason("adapter hci0 is switched off")
        self.bluez.command("block 0")
        self.bluez.wait_call("StartDiscovery", start=start)

    def test_unplugged(self):
        self.start_sensor()
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.bluez.command("unplug")
        self.log("there is no Bluetooth adapter")
        self.until_reason("there is no Bluetooth adapter")
        # It comes back switched off.
        self.bluez.command("plug 0")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    def test_another_adapter(self):
        self.start_sensor(bus='adapter: "00:1A:7D:DA:71:14"')
        self.log("adapter 00:1A:7D:DA:71:14 is not there")

    def test_adapter_by_address(self):
        self.start_sensor(bus='adapter: "00:1a:7d:da:71:13"')
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    def test_not_allowed(self):
        self.bluez.command("deny StartDiscovery")
        self.start_sensor()
        self.log("scanning: not allowed by the bus policy")
        self.bluez.command("deny")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    def test_nothing_allowed(self):
        """Not even to ask what there is: asked again, though bluetoothd neither goes nor comes."""
        self.bluez.command("deny GetManagedObjects")
        self.start_sensor()
        self.log("not allowed by the bus policy")
        self.bluez.command("deny")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    # bluetoothd and the bus

    def test_restarted(self):
        self.start_sensor()
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.bluez.command("leave")
        self.log("bluetoothd is not running")
        self.until_reason("bluetoothd is not running")
        self.bluez.command("come")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    def test_started_late(self):
        self.bluez.command("leave")
        self.start_sensor()
        self.log("bluetoothd is not running")
        self.bluez.command("come")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)

    def test_bus_restarted(self):
        self.start_sensor()
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        self.bus.stop()
        self.until_reason("the system bus cannot be reached")
        self.bluez.process.wait_end()
        self.bus.start()
        self.bluez = FakeBluez(self.rig, self.bus)
        self.bluez.command(f"device {SENSOR_MAC}", f"service_data {SENSOR_MAC} fcd2=40020000")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 0)

    # Passive scanning

    def test_passive(self):
        self.bluez.command("monitors 1")
        self.start_sensor(bus="scan: {mode: passive-if-possible}")
        # An RSSI is only there while somebody discovers, and no pattern asks for it.
        self.bluez.wait_call("monitors read")
        self.appear()
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        # bluetoothd lets go of the monitor when it ends; the next one is asked for a monitor again.
        self.bluez.command("leave")
        self.until_reason("bluetoothd is not running")
        start = len(self.bluez.calls)
        self.bluez.command("come")
        self.bluez.wait_call("monitors read", start=start)
        self.appear()
        self.assertFalse([c for c in self.bluez.calls if c.startswith("StartDiscovery")])

    def test_no_passive(self):
        """A bluetoothd without monitors, and one that refuses them."""
        for name, command in (("none", "monitors 0"), ("refused", "deny RegisterMonitor")):
            with self.subTest(name):
                self.bluez.command("monitors 1", command)
                if not self.daemon:
                    self.start_sensor(bus="scan: {mode: passive-if-possible}")
                else:
                    self.bluez.command("leave", "come")
                self.appear()
                self.assertTrue([c for c in self.bluez.calls if c.startswith("StartDiscovery")])
                self.bluez.calls.clear()

    def test_scan_off(self):
        self.start_sensor(bus="scan: {mode: off}".replace("off", '"off"'))
        self.bluez.wait_call("GetManagedObjects")
        self.assertEqual(self.bluez.attempt(f"appear {SENSOR_MAC} -60"), "error Resource temporarily unavailable")


class OperatorTest(BleScenario):
    """What D-Bus lets an operator ask of the bus; the agent and BlueZ share it, as on a real system."""

    def start_daemon(self, **options):
        options["environment"] = {**options.get("environment", {}), **self.bus.environment()}
        return super().start_daemon(arguments=["--bus=system"], **options)

    def start_sensor(self, bus="scan: {mode: active}"):
        self.bluez.command(f"device {SENSOR_MAC} th", f"service_data {SENSOR_MAC} fcd2=4002ca0903bf13")
        self.start(BTHOME_PROFILE.format(silence=""), BTHOME_DEVICES.format(more=""), bus)
        self.bus.wait_name()

    def call_bus(self, member, *arguments):
        return self.bus.busctl("call", "--timeout=30", NAME, f"{PATH}/bus/ble0", f"{NAME}.Bus", member, *arguments)

    def begin_call(self, member, *arguments):
        """Without waiting for the answer."""
        return self.rig.start(["busctl", f"--address={self.bus.address}", "--timeout=30", "call", NAME,
                               f"{PATH}/bus/ble0", f"{NAME}.Bus", member, *arguments], stderr=subprocess.PIPE)

    def test_scan(self):
        """What is known and what comes, each once; discovered although the bus itself does not scan."""
        self.start_sensor('scan: {mode: "off"}')
        self.bluez.wait_call("GetManagedObjects")
        self.bluez.command("device A4:C1:38:00:14:01 other", f"know {SENSOR_MAC}")
        scan = self.begin_call("Scan", "t", "3000000")
        self.bluez.wait_call("StartDiscovery")
        self.bluez.until_taken("appear A4:C1:38:00:14:01 -40")
        self.bluez.command("rssi A4:C1:38:00:14:01 -41")
        self.assertEqual((scan.wait_end(), scan.lines), (0, ["tt 2 0"]))
        self.bluez.wait_call("StopDiscovery")

    def test_scan_without_adapter(self):
        self.bluez.command("unplug")
        self.start_sensor()
        self.until_read(SENSOR, TEMPERATURE, lambda a: "no Bluetooth adapter" in a.payload.decode())
        self.assertRaises(Refused, self.call_bus, "Scan", "t", "3000000")

    def test_release(self):
        """Another program may have the adapter meanwhile; then everything is as before."""
        self.start_sensor()
        self.bluez.until_taken(f"appear {SENSOR_MAC} -60")
        self.until_value(SENSOR, TEMPERATURE, 25.06)
        start = len(self.bluez.calls)
        self.call_bus("Release", "t", "60000000")
        self.until_read(SENSOR, TEMPERATURE, lambda a: "released" in a.payload.decode())
        self.call_bus("Release", "t", "0")
        self.bluez.wait_call("StartDiscovery", start=start)
        self.bluez.until_taken(f"service_data {SENSOR_MAC} fcd2=40020000")
        self.until_value(SENSOR, TEMPERATURE, 0)


if __name__ == "__main__":
    main()
