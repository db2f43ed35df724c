#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices that are connected to, from a BlueZ of the test's own to the LwM2M server; every fault, and the way back."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from ble_test import SENSOR_MAC, TEMPERATURE, BleScenario  # noqa: E402

LOCK, LOCK_MAC = "gw-lock", "A4:C1:38:00:11:02"
LOCK_PROFILE = """schema: 1
profile: lock
plugin: ble
decode: gatt
rates: {{fast: {rate}}}
defaults: {{rate: fast}}
points:
  temperature: {{characteristic: "2a6e", service: "181a", type: int16, scale: 0.01, unit: Cel}}
  level: {{characteristic: "2a19", notify: true, rate: on-demand, silence: {silence}, unit: "%"}}
  target: {{characteristic: "6e400002-b5a3-f393-e0a9-e50e24dcca9e", type: uint16, access: rw}}
lwm2m: {{3303/0/5700: temperature, 3304/0/5700: level, 3308/0/5900: target}}
"""
TOLD_PROFILE = """schema: 1
profile: told
plugin: ble
rates: {{fast: 300ms}}
points: {{level: {{characteristic: "2a19", notify: true{more}}}}}
lwm2m: {{3304/0/5700: level}}
"""
LOCK_DEVICES = """schema: 1
devices:
  - {{name: lock, profile: lock, bus: ble0, address: {{mac: "A4:C1:38:00:11:02"{more}}}}}
"""
LEVEL, TARGET = "/3304/0/5700", "/3308/0/5900"


class GattTest(BleScenario):
    def start_lock(self, more="", rate="300ms", bus="scan: {mode: active}", flags="read,write,write-without-response",
                   silence="1h"):
        self.bluez.command(
            f"device {LOCK_MAC} lock", f"service {LOCK_MAC} 180f", f"characteristic {LOCK_MAC} 2a19 read,notify 5a",
            f"service {LOCK_MAC} 181a", f"characteristic {LOCK_MAC} 2a6e read ca09",
            f"characteristic {LOCK_MAC} 6e400002-b5a3-f393-e0a9-e50e24dcca9e {flags} 0700")
        self.start(LOCK_PROFILE.format(rate=rate, silence=silence), LOCK_DEVICES.format(more=more), bus, names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")

    def test_read_notify_write(self):
        self.start_lock()
        self.until_value(LOCK, TEMPERATURE, 25.06)
        self.until_value(LOCK, LEVEL, 90)
        self.bluez.command(f"value {LOCK_MAC} 1 0000")
        self.until_value(LOCK, TEMPERATURE, 0)
        self.bluez.command(f"value {LOCK_MAC} 0 32")
        self.until_value(LOCK, LEVEL, 50)
        self.until_value(LOCK, TARGET, 7)
        self.expect(self.put(LOCK, TARGET, "515"), "2.04")
        self.bluez.wait_call("written request 0302")
        self.until_value(LOCK, TARGET, 515)
        self.expect(self.put(LOCK, TARGET, "70000"), "4.00")

    def test_write_without_response(self):
        """Where the characteristic can do no other."""
        self.start_lock(flags="read,write-without-response")
        self.until_value(LOCK, TARGET, 7)
        self.expect(self.put(LOCK, TARGET, "515"), "2.04")
        self.bluez.wait_call("written command 0302")

    def test_verified(self):
        """Read back at once, however seldom it is read else."""
        self.bluez.command(f"device {LOCK_MAC} lock", f"service {LOCK_MAC} 180f",
                           f"characteristic {LOCK_MAC} 2a19 read,write 07")
        self.start("""schema: 1
profile: verified
plugin: ble
rates: {slow: 1h}
defaults: {rate: slow}
points: {target: {characteristic: "2a19", access: rw, verify: {within: 3s}}}
lwm2m: {3308/0/5900: target}
""", LOCK_DEVICES.format(more="").replace("profile: lock", "profile: verified"), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.until_value(LOCK, TARGET, 7)
        # Nobody needs the connection now; it is made once more.
        self.bluez.wait_call("Disconnect")
        start = len(self.bluez.calls)
        self.expect(self.put(LOCK, TARGET, "9"), "2.04")
        words = [c.split(" ")[0] for c in self.bluez.calls[start:]]
        self.assertEqual(words[:4], ["Connect", "WriteValue", "written", "ReadValue"])
        self.assertEqual(self.read_one(LOCK, TARGET), 9)

    def test_stopped(self):
        """The device is let go."""
        self.start_lock()
        self.until_value(LOCK, TEMPERATURE, 25.06)
        start = len(self.bluez.calls)
        self.stop_daemon(self.daemon)
        self.bluez.wait_call("Disconnect", start=start)

    def test_not_writable(self):
        self.start_lock(flags="read")
        self.until_value(LOCK, TARGET, 7)
        self.expect(self.put(LOCK, TARGET, "515"), "5.00")

    def test_several_of_one_uuid(self):
        """By service, then by handle."""
        self.bluez.command(f"device {LOCK_MAC}", f"service {LOCK_MAC} 180f", f"characteristic {LOCK_MAC} 2a19 read 01",
                           f"service {LOCK_MAC} 181a", f"characteristic {LOCK_MAC} 2a19 read 02",
                           f"characteristic {LOCK_MAC} 2a19 read 03")
        self.start("""schema: 1
profile: several
plugin: ble
rates: {fast: 300ms}
defaults: {characteristic: "2a19", rate: fast}
points: {a: {}, b: {service: "181a"}, c: {service: "181a", index: 1}, d: {index: 2}, e: {index: 3}}
lwm2m: {3300/0/5700: a, 3300/1/5700: b, 3300/2/5700: c, 3300/3/5700: d, 3300/4/5700: e}
""", LOCK_DEVICES.format(more="").replace("profile: lock", "profile: several"), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        for i, value in enumerate((1, 2, 3, 3)):
            # The one that is not there makes bluetoothd forget the device once.
            self.rig.until(lambda: self.bluez.attempt(f"appear {LOCK_MAC} -60") == "ok", 10, "appear")
            self.until_value(LOCK, f"/3300/{i}/5700", value)
        self.expect(self.server.request(LOCK, "GET", "/3300/4/5700"), "5.03")

    def test_too_many_characteristics(self):
        """256 of a device are known; the others might as well not be there."""
        self.bluez.command(f"device {LOCK_MAC}", f"service {LOCK_MAC} 180f", f"many {LOCK_MAC} 2a19 290")
        self.start("""schema: 1
profile: many
plugin: ble
rates: {fast: 300ms}
defaults: {characteristic: "2a19", type: uint16, rate: fast}
points: {first: {}, last: {index: 255}}
lwm2m: {3300/0/5700: first, 3300/1/5700: last}
""", LOCK_DEVICES.format(more="").replace("profile: lock", "profile: many"), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.until_value(LOCK, "/3300/1/5700", 255)
        self.assertEqual(self.read_one(LOCK, "/3300/0/5700"), 0)

    def test_once_in_each_life(self):
        """What is read once is read again when the adapter was away: what was known is stale."""
        self.bluez.command(f"device {LOCK_MAC} lock", f"service {LOCK_MAC} 180f",
                           f"characteristic {LOCK_MAC} 2a19 read 5a")
        self.start("""schema: 1
profile: once
plugin: ble
points: {level: {characteristic: "2a19", rate: once}}
lwm2m: {3304/0/5700: level}
""", LOCK_DEVICES.format(more="").replace("profile: lock", "profile: once"), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.until_value(LOCK, LEVEL, 90)
        self.bluez.command("power 0")
        self.until_code(LOCK, LEVEL, "5.03")
        self.bluez.command(f"value {LOCK_MAC} 0 32")
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.until_value(LOCK, LEVEL, 50)

    def test_late_services(self):
        self.bluez.command(f"device {LOCK_MAC} lock", f"hold {LOCK_MAC} 1", f"service {LOCK_MAC} 180f",
                           f"characteristic {LOCK_MAC} 2a19 read,notify 5a", f"service {LOCK_MAC} 181a",
                           f"characteristic {LOCK_MAC} 2a6e read ca09",
                           f"characteristic {LOCK_MAC} 6e400002-b5a3-f393-e0a9-e50e24dcca9e read 0700")
        self.start(LOCK_PROFILE.format(rate="300ms", silence="1h"), LOCK_DEVICES.format(more=""), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.bluez.wait_call("Connect")
        self.expect(self.server.request(LOCK, "GET", TEMPERATURE), "5.03")
        self.bluez.command(f"resolve {LOCK_MAC}")
        self.until_value(LOCK, TEMPERATURE, 25.06)

    def test_disconnected(self):
        """In the middle of a read; then everything is as before, notifications too."""
        self.start_lock()
        self.until_value(LOCK, LEVEL, 90)
        self.bluez.command(f"fault {LOCK_MAC} ReadValue hang 1")
        start = len(self.bluez.calls)
        self.bluez.wait_call("ReadValue", start=start)
        self.bluez.command(f"drop {LOCK_MAC}")
        self.bluez.wait_call("Connect", start=start)
        self.bluez.wait_call("StartNotify", start=start)
        self.bluez.command(f"value {LOCK_MAC} 0 32", f"value {LOCK_MAC} 1 0000")
        self.until_value(LOCK, LEVEL, 50)
        self.until_value(LOCK, TEMPERATURE, 0)

    def test_dropped_again_and_again(self):
        self.start_lock()
        for _ in range(3):
            self.until_value(LOCK, TEMPERATURE, 25.06)
            self.bluez.until_taken(f"drop {LOCK_MAC}")
        self.until_value(LOCK, TEMPERATURE, 25.06)

    def test_unreachable(self):
        """Told after three attempts, each later than the one before."""
        self.bluez.command(f"device {LOCK_MAC} lock")
        self.bluez.command(f"fault {LOCK_MAC} Connect org.bluez.Error.Failed:le-connection-abort-by-local")
        self.start(LOCK_PROFILE.format(rate="300ms", silence="1h"), LOCK_DEVICES.format(more=""), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.log("the device does not take the connection", 20)
        self.assertEqual(len([c for c in self.bluez.calls if c.startswith("Connect")]), 3)

    def start_told(self, flags, more=""):
        """A device with one characteristic, which it tells."""
        self.bluez.command(f"device {LOCK_MAC} lock", f"service {LOCK_MAC} 180f",
                           f"characteristic {LOCK_MAC} 2a19 {flags} 5a")
        self.start(TOLD_PROFILE.format(more=more), LOCK_DEVICES.format(more="").replace("profile: lock", "profile: told"),
                   names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")

    def test_only_told(self):
        """A characteristic that cannot be read is waited for."""
        self.start_told("notify")
        self.bluez.wait_call("StartNotify")
        self.expect(self.server.request(LOCK, "GET", LEVEL), "5.03")
        self.bluez.command(f"value {LOCK_MAC} 0 32")
        self.until_value(LOCK, LEVEL, 50)
        self.assertFalse([c for c in self.bluez.calls if c.startswith("ReadValue")])

    def test_told_and_read(self):
        """What seldom changes does not grow stale by its rate."""
        self.start_told("read,notify", ", rate: fast")
        self.until_value(LOCK, LEVEL, 90)
        start = len(self.bluez.calls)
        for _ in range(4):
            start = self.bluez.wait_call("ReadValue", start=start) + 1
        self.until_value(LOCK, LEVEL, 90)

    def test_notify_refused(self):
        """What cannot be told is not there; the rest is."""
        self.start_lock(silence="5s")
        self.until_value(LOCK, LEVEL, 90)
        start = len(self.bluez.calls)
        self.bluez.command(f"fault {LOCK_MAC} StartNotify org.bluez.Error.NotSupported", f"drop {LOCK_MAC}")
        self.bluez.wait_call("StartNotify", start=start)
        self.until_code(LOCK, LEVEL, "5.03")
        self.until_value(LOCK, TEMPERATURE, 25.06)

    def test_read_errors(self):
        self.start_lock()
        self.until_value(LOCK, TEMPERATURE, 25.06)
        self.bluez.command(f"fault {LOCK_MAC} ReadValue org.bluez.Error.NotPermitted")
        self.until_code(LOCK, TEMPERATURE, "5.03")
        self.bluez.command(f"heal {LOCK_MAC}")
        self.until_value(LOCK, TEMPERATURE, 25.06)

    def test_busy(self):
        self.start_lock()
        self.until_value(LOCK, TEMPERATURE, 25.06)
        self.bluez.command(f"fault {LOCK_MAC} ReadValue org.bluez.Error.InProgress 3", f"value {LOCK_MAC} 1 0000")
        self.until_value(LOCK, TEMPERATURE, 0)

    def test_other_firmware(self):
        """What bluetoothd remembers of the device is thrown away once."""
        self.start_lock()
        self.until_value(LOCK, TEMPERATURE, 25.06)
        self.bluez.command(f"gone {LOCK_MAC} 1 1", f"drop {LOCK_MAC}")
        start = len(self.bluez.calls)
        self.bluez.wait_call("RemoveDevice", start=start)
        self.bluez.command(f"gone {LOCK_MAC} 1 0")
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.bluez.wait_call("Connect", start=start)
        self.bluez.command(f"value {LOCK_MAC} 1 0000")
        self.until_value(LOCK, TEMPERATURE, 0)

    def test_missing_for_good(self):
        self.start_lock()
        self.until_value(LOCK, TEMPERATURE, 25.06)
        start = len(self.bluez.calls)
        self.bluez.command(f"gone {LOCK_MAC} 1 1", f"drop {LOCK_MAC}")
        self.bluez.wait_call("RemoveDevice", start=start)
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")
        self.until_code(LOCK, TEMPERATURE, "5.03")
        self.until_value(LOCK, LEVEL, 90)
        self.assertEqual(len([c for c in self.bluez.calls[start:] if c.startswith("RemoveDevice")]), 1)

    # Writes

    def test_write_refused(self):
        for error, code in (("org.bluez.Error.NotPermitted", "5.00"), ("org.bluez.Error.InvalidValueLength", "4.00"),
                            ("org.bluez.Error.Failed:Operation_failed_with_ATT_error:_0x13", "4.00")):
            with self.subTest(error):
                if not self.daemon:
                    self.start_lock()
                    self.until_value(LOCK, TARGET, 7)
                self.bluez.command(f"fault {LOCK_MAC} WriteValue {error} 1")
                self.expect(self.put(LOCK, TARGET, "9"), code)
        self.expect(self.put(LOCK, TARGET, "9"), "2.04")

    def test_write_lost(self):
        """Nobody knows: said so, and never repeated."""
        self.start_lock()
        self.until_value(LOCK, TARGET, 7)
        self.bluez.command(f"fault {LOCK_MAC} WriteValue hang 1")
        start = len(self.bluez.calls)
        name = self.server.send("request", LOCK, f"PUT {TARGET} format=0 payload={b'9'.hex()}")
        self.bluez.wait_call("WriteValue", start=start)
        self.bluez.command(f"drop {LOCK_MAC}")
        self.rig.until(lambda: name in self.server.answers, 15, "the write's end")
        self.expect(self.server.answers[name], "5.04")
        self.bluez.wait_call("Connect", start=start)
        self.until_value(LOCK, TARGET, 7)
        self.assertEqual(len([c for c in self.bluez.calls[start:] if c.startswith("WriteValue")]), 1)

    # Bonds

    def start_paired(self, passkey, asked):
        self.rig.write("etc/keys/lock.key", passkey + "\n", 0o600)
        more = ", pair: true" + (', passkey: "file:keys/lock.key"' if passkey else "")
        self.bluez.command(f"device {LOCK_MAC} lock", f"service {LOCK_MAC} 181a",
                           f"characteristic {LOCK_MAC} 2a6e read ca09", f"service {LOCK_MAC} 180f",
                           f"characteristic {LOCK_MAC} 2a19 read,notify 5a")
        if asked:
            self.bluez.command(f"passkey {LOCK_MAC} {asked}")
        self.start(LOCK_PROFILE.format(rate="300ms", silence="1h"), LOCK_DEVICES.format(more=more), names=(LOCK,))
        self.bluez.until_taken(f"appear {LOCK_MAC} -60")

    def test_passkey(self):
        self.start_paired("123456", "123456")
        self.bluez.wait_call("answer good")
        self.until_value(LOCK, TEMPERATURE, 25.06)
        # A bond lasts: after bluetoothd is back nobody pairs again.
        start = len(self.bluez.calls)
        self.bluez.command("leave", "come", f"value {LOCK_MAC} 0 0000")
        self.until_value(LOCK, TEMPERATURE, 0)
        self.assertFalse([c for c in self.bluez.calls[start:] if c.startswith("Pair")])

    def test_just_works(self):
        self.start_paired("", "")
        self.bluez.wait_call("Pair")
        self.until_value(LOCK, TEMPERATURE, 25.06)

    def test_wrong_passkey(self):
        self.start_paired("654321", "123456")
        self.bluez.wait_call("answer bad")
        self.log("pairing failed: wrong passkey", 20)
        self.expect(self.server.request(LOCK, "GET", TEMPERATURE), "5.03")

    def test_numbers_are_not_compared(self):
        self.start_paired("654321", "confirm")
        self.bluez.wait_call("answer bad")

    # Who may be connected, and how many

    def test_strangers(self):
        self.bluez.command(f"device {SENSOR_MAC} stranger")
        self.start_lock()
        self.bluez.until_taken(f"appear {SENSOR_MAC} -30")
        self.until_value(LOCK, TEMPERATURE, 25.06)
        self.assertFalse([c for c in self.bluez.calls if c.startswith(("Connect", "Pair")) and "11_02" not in c])

    def test_one_connection_for_three(self):
        """Each in turn: none is left out."""
        self.start_three()

    def test_silent_ones_hold_nothing(self):
        """A device that is connected and does not answer gives its connection back, as does any other."""
        self.start_three(silent=True)

    def start_three(self, silent=False):
        macs = [f"A4:C1:38:00:12:0{i}" for i in range(3)]
        for mac in macs:
            self.bluez.command(f"device {mac}", f"service {mac} 181a", f"characteristic {mac} 2a6e read ca09")
        profile = """schema: 1
profile: slow
plugin: ble
rates: {slow: 10m}
defaults: {rate: slow}
points: {temperature: {characteristic: "2a6e", type: int16, scale: 0.01, unit: Cel}}
lwm2m: {3303/0/5700: temperature}
"""
        devices = "schema: 1\ndevices:\n" + "".join(
            f'  - {{name: s{i}, profile: slow, bus: ble0, address: {{mac: "{mac}"}}}}\n' for i, mac in enumerate(macs))
        names = [f"gw-s{i}" for i in range(3)]
        self.start(profile, devices, "scan: {mode: active}\nconnections: {max: 1}", names=names)
        if silent:
            self.bluez.command(f"fault {macs[0]} ReadValue hang")
        for mac in macs:
            self.bluez.until_taken(f"appear {mac} -60")
        for name in names[silent:]:
            self.until_value(name, TEMPERATURE, 25.06)
        self.assertEqual(self.most_connections(), 1)

    def test_notifying_ones_share(self):
        """Who wants a connection for good gives it up for one that waits."""
        macs = [f"A4:C1:38:00:13:0{i}" for i in range(2)]
        for i, mac in enumerate(macs):
            self.bluez.command(f"device {mac}", f"service {mac} 180f", f"characteristic {mac} 2a19 read,notify 0{i}")
        profile = """schema: 1
profile: level
plugin: ble
points: {level: {characteristic: "2a19", notify: true}}
lwm2m: {3300/0/5700: level}
"""
        devices = "schema: 1\ndevices:\n" + "".join(
            f'  - {{name: s{i}, profile: level, bus: ble0, address: {{mac: "{mac}"}}}}\n' for i, mac in enumerate(macs))
        names = [f"gw-s{i}" for i in range(2)]
        self.start(profile, devices, "scan: {mode: active}\nconnections: {max: 1}", names=names)
        for mac in macs:
            self.bluez.until_taken(f"appear {mac} -60")
        for i, name in enumerate(names):
            self.until_value(name, "/3300/0/5700", i, 30)
        self.assertEqual(self.most_connections(), 1)

    def most_connections(self):
        open_now, most = 0, 0
        for call in self.bluez.calls:
            open_now += call.startswith("Connect ") - call.startswith("Disconnect ")
            most = max(most, open_now)
        return most


if __name__ == "__main__":
    main()
