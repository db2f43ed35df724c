#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a Modbus device can be reached, and all that can go wrong on the way: what
a server is told, the Reason on D-Bus, and how long it takes until it is over."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import (  # noqa: E402
    Bus, Scenario, Simulator, WallClock, build_path, main, plugin_folder, source_path)
from fieldway_test.bus import PATH  # noqa: E402

NAME, VALUE, SECOND, NUMBER = "gw-d1", "/3303/0/5700", "/3303/1/5700", "/3308/0/5900"
DEVICE = PATH + "/device/d1"
DAY = 86400
RECOVERY_S = 5      # the longest back-off, a time-out and a poll, on a busy machine

PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 200ms}
stale: {after: 1s}
defaults: {area: holding, type: uint16, rate: fast}
points:
  value:  {address: 30, unit: Cel}
  second: {address: 50, unit: Cel}
  number: {address: 111, access: rw}
lwm2m:
  3303/0/5700: value
  3303/1/5700: second
  3308/0/5900: number
"""
BUS = """schema: 1
bus: field
plugin: modbus
{section}
timeout: 250ms
retries: 0
offline: {{after: 3, retry: 300ms..400ms}}
"""
DEVICES = """schema: 1
devices:
  - {{name: d1, profile: board, bus: field, address: {{unit: 1{host}}}}}
"""
TLS = """tls: {{ca: tls/ca.pem, certificate: tls/{own}.pem, key: tls/{own}.key}}
tcp: {{port: {port}}}"""
SECTIONS = {
    "rtu-tcp": "tcp: {{port: {port}, framing: rtu}}",
    "ascii-tcp": "tcp: {{port: {port}, framing: ascii}}",
    "rtu": "rtu: {{device: {path}, baud: 115200, format: \"8N1\"}}",
    "ascii": "ascii: {{device: {path}, baud: 115200, format: \"7E1\"}}",
    "tls": TLS,
    "tcp": TLS,         # the device has none
}

# What the simulator is told, and what people read of it.
FAULTS = {
    "silent": "no answer",
    "fault unit": "answer of another unit",
    "fault function": "answer does not fit the request",
    "fault length": "answer does not fit the request",
    "fault truncate": "no answer",
    "exception 4": "exception 4 (device failure)",
}
NO_TRANSACTIONS = {**FAULTS, "fault crc": "checksum wrong"}
CONNECTIONS = {"fault reset": "connection closed by the device"}
TRANSACTIONS = {**FAULTS, **CONNECTIONS, "fault transaction": "answer does not fit the request",
                "fault noise": "answer does not fit the request"}


class LineScenario(Scenario):
    def prepare(self, kind, own="client", **options):
        folder = self.rig.path("etc", "tls")
        os.makedirs(folder, exist_ok=True)
        subprocess.run([build_path("tests/lib/certificates"), folder], check=True)
        serial = kind in ("rtu", "ascii")
        place = self.rig.path("ttyField") if serial else "127.0.0.1:0"
        self.simulator = Simulator(self.rig, ["--certificates", folder, "--" + kind, place])
        port = None if serial else self.simulator.port(0)
        section = SECTIONS[kind].format(port=port, path=place, own=own, **options)
        self.rig.write("etc/buses.d/field.yaml", BUS.format(section=section))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES.format(host="" if serial else ", host: 127.0.0.1"))
        self.simulator.command("set holding 30 7")
        self.simulator.command("set holding 50 1050")
        self.start_server(names=("gw", NAME))
        self.configure(more="register: {wait: none}")

    def run_daemon(self, *arguments):
        self.bus = Bus(self.rig)
        self.start_daemon(arguments=["--bus=system", *arguments], environment=self.bus.environment())
        self.registered(NAME)
        self.bus.wait_name()

    def start(self, kind, **options):
        self.prepare(kind, **options)
        self.run_daemon()
        self.until_code(NAME, VALUE, "2.05")

    def reason(self, text, state="offline"):
        """D-Bus says so, and the server is told the same."""
        def said():
            return (self.bus.get(DEVICE, "Device", "State") == state and
                    text in self.bus.get(DEVICE, "Device", "Reason"))
        self.rig.until(said, 20, f"the reason {text!r}")
        answer = self.until_read(NAME, VALUE, lambda a: text.encode() in a.payload)
        self.expect(answer, "5.03")
        self.assertIn("bus field: device d1", answer.payload.decode())

    def recovers(self):
        """Returns after how long."""
        begin = time.monotonic()
        self.until_code(NAME, VALUE, "2.05", timeout=RECOVERY_S)
        self.rig.until(lambda: self.bus.get(DEVICE, "Device", "State") == "online", 5, "the device online")
        # Not necessarily the next Read: on a busy machine a poll may find no time again.
        self.until_read(NAME, VALUE, lambda a: a.fields.get("code") == "2.05"
                        and self.server.values(a, VALUE) == {VALUE: 7})
        return time.monotonic() - begin

    def check_fault(self, fault, text):
        self.simulator.command(fault)
        if fault.startswith("exception"):
            self.log(text)
            answer = self.until_read(NAME, VALUE, lambda a: b"the device has failed" in a.payload)
            self.expect(answer, "5.03")
        else:
            self.reason(text)
        self.simulator.command("talk")
        self.recovers()

    def check_line(self, faults):
        self.expect(self.put(NAME, NUMBER, "321"), "2.04")
        self.assertEqual(self.simulator.command("get holding 111"), "321")
        for fault, text in faults.items():
            with self.subTest(fault):
                self.check_fault(fault, text)
        self.simulator.command("fault mute")
        answer = self.expect(self.put(NAME, NUMBER, "322"), "5.04")
        self.assertIn("outcome unknown", answer.payload.decode())
        self.simulator.command("talk")
        self.recovers()
        self.assertEqual(self.simulator.command("get holding 111"), "322")

    def check_good(self, fault):
        """Nobody notices."""
        with self.subTest(fault):
            self.simulator.command(fault)
            begin = int(self.simulator.command("requests"))
            self.rig.until(lambda: int(self.simulator.command("requests")) > begin + 8, 10, "some polls")
            self.assertEqual(self.bus.get(DEVICE, "Device", "State"), "online")
            self.assertEqual(self.read_one(NAME, VALUE), 7)
            self.simulator.command("talk")

    def check_late(self):
        """Each answer comes when the next request is under way; none is shown as its answer."""
        seen = set()
        for msec in (300, 0) * 3:
            self.simulator.command(f"delay {msec}")
            end = time.monotonic() + 0.6
            while time.monotonic() < end:
                for path in (VALUE, SECOND):
                    answer = self.server.request(NAME, "GET", path, "accept=112")
                    if answer.fields.get("code") == "2.05":
                        seen.add((path, self.server.values(answer, path)[path]))
                self.rig.turn(0.02)
        self.assertEqual(seen, {(VALUE, 7), (SECOND, 1050)})
        self.recovers()


class TransportTest(LineScenario):
    def check(self, kind, faults):
        self.start(kind)
        self.check_line(faults)
        self.check_good("fault split")
        if kind != "tls":
            self.check_good("fault noise")
        self.check_late()

    def test_rtu_over_tcp(self):
        self.check("rtu-tcp", {**NO_TRANSACTIONS, **CONNECTIONS})

    def test_ascii_over_tcp(self):
        self.check("ascii-tcp", {**NO_TRANSACTIONS, **CONNECTIONS})

    def test_rtu(self):
        self.check("rtu", NO_TRANSACTIONS)

    def test_ascii(self):
        self.check("ascii", NO_TRANSACTIONS)

    def test_tls(self):
        self.check("tls", TRANSACTIONS)


class IdleTest(LineScenario):
    def test_idle_connection(self):
        """Closed while nobody needs it, so that others get it; no reason to call the device away."""
        self.prepare("rtu-tcp")
        section = SECTIONS["rtu-tcp"].format(port=self.simulator.port(0)).replace("framing", "idle: 300ms, framing")
        self.rig.write("etc/buses.d/field.yaml", BUS.format(section=section))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE.replace("200ms", "2s").replace("1s", "8s"))
        self.run_daemon()
        self.recovers()
        for _ in range(2):
            made = int(self.simulator.command("connections"))
            self.rig.until(lambda: self.simulator.command("connected") == "0", 10, "it to be closed")
            self.assertEqual(self.bus.get(DEVICE, "Device", "State"), "online")
            self.rig.until(lambda: int(self.simulator.command("connections")) > made, 10, "the next one")
        self.assertEqual(self.logged("device d1 is offline"), [])


class SerialTest(LineScenario):
    def test_replug(self):
        """A port that goes away and comes back under the same name."""
        self.start("rtu")
        for _ in range(3):
            self.simulator.command("unplug")
            self.reason("cannot open ", "failed")
            self.assertIn(f"{self.rig.path('ttyField')}: No such file or directory",
                          self.bus.get(DEVICE, "Device", "Reason"))
            self.simulator.command("talk")
            print(f"== values again {self.recovers():.1f} s after the port was there again", file=sys.stderr)

    def test_echo(self):
        self.prepare("rtu")
        section = SECTIONS["rtu"].format(path=self.rig.path("ttyField")).replace("rtu: {", "rtu: {echo: true, ")
        self.rig.write("etc/buses.d/field.yaml", BUS.format(section=section))
        self.simulator.command("echo on")
        self.run_daemon()
        self.recovers()
        self.expect(self.put(NAME, NUMBER, "5"), "2.04")
        self.assertEqual(self.simulator.command("get holding 111"), "5")
        self.simulator.command("echo wrong")
        self.reason("echo differs from what was sent: a collision")
        self.simulator.command("echo on")
        self.recovers()
        self.simulator.command("talk")
        self.reason("no echo of what was sent")

    def test_somebody_else_has_it(self):
        self.prepare("ascii")
        # A lock is what tells other programs, root's among them.
        holder = subprocess.Popen(["flock", self.rig.path("ttyField"), "cat"], stdin=subprocess.PIPE)
        try:
            self.run_daemon()
            self.reason("another program uses it", "failed")
        finally:
            holder.stdin.close()
            holder.wait()
        self.recovers()


class TlsTest(LineScenario):
    def test_wrong_certificates(self):
        """Of the device: each is told, none is believed, and a right one ends it."""
        self.start("tls")
        for name, text in {"expired": "TLS: the device's certificate expired on 20",
                           "future": "TLS: the device's certificate is valid from 20",
                           "stranger": "TLS: the device's certificate is not signed by tls.ca",
                           "named": "TLS: the device's certificate is for another name"}.items():
            with self.subTest(name):
                self.simulator.command(f"certificate {name}")
                self.reason(text)
                self.simulator.command("certificate server")
                self.recovers()

    def test_wrong_own_certificate(self):
        """The device says so; over TLS 1.3 after it has taken the connection."""
        self.prepare("tls", own="expired-client")
        self.run_daemon()
        self.reason("TLS: the device refuses: ")

    def test_plain_device(self):
        self.prepare("tcp")
        self.run_daemon()
        self.reason("TLS: the device closed the connection in the handshake")

    def test_clock(self):
        """A machine that takes it to be last year believes no certificate, and says what day it has."""
        self.prepare("tls")
        clock = WallClock(self.rig)
        clock.step(-300 * DAY)
        # Only the host is in that time: it looks at certificates, and gets no environment of the daemon's.
        variables = " ".join(f"{name}='{value}'" for name, value in clock.environment().items())
        host = build_path("fieldway-plugin-host")
        self.run_daemon("--host-program", self.rig.write(
            "host", f'#!/bin/sh\nexec env {variables} {host} "$@"\n', 0o755))
        today = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 300 * DAY))
        self.reason("TLS: the device's certificate is valid from " +
                    time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY)) + f"; today is {today}")
        clock.step(0)
        self.recovers()

    def test_file_comes_later(self):
        """What a bus lacks costs this bus only, is told, never with what a key file holds, and ends by itself."""
        self.prepare("tls")
        folder, key = self.rig.path("etc/tls"), self.rig.path("etc/tls/client.key")
        os.rename(folder + "/ca.pem", folder + "/later.pem")
        os.chmod(key, 0o644)
        self.run_daemon()
        self.registered("gw")
        for text, mend in {"bus field: tls.ca: ": lambda: os.rename(folder + "/later.pem", folder + "/ca.pem"),
                           "bus field: tls.key: ": lambda: os.chmod(key, 0o600)}.items():
            self.rig.until(lambda: self.bus.get(DEVICE, "Device", "State") == "failed" and
                           text in self.bus.get(DEVICE, "Device", "Reason"), 20, f"the reason {text!r}")
            answer = self.until_read(NAME, VALUE, lambda a: text.encode() in a.payload)
            self.expect(answer, "5.03")
            mend()
        self.recovers()
        with open(key, encoding="ascii") as f:
            self.assertNotIn(f.read().splitlines()[1], "".join(self.daemon.process.lines))

    def test_wrong_files(self):
        """Told before anything runs, where the key of the file is."""
        self.prepare("tls")
        for wrong, text in {"key: tls/server.key": "not the key of tls.certificate",
                            "key: tls/client.pem": "no private key in PEM form",
                            "key: tls/none.key": "none.key"}.items():
            with self.subTest(wrong):
                section = TLS.format(own="client", port=802).replace("key: tls/client.key", wrong)
                self.rig.write("etc/buses.d/field.yaml", BUS.format(section=section))
                run = subprocess.run(
                    [build_path("fieldwayd"), "--check", self.rig.path("etc"), "--host-program",
                     build_path("fieldway-plugin-host"), "--plugins", plugin_folder(self.rig), "--shared",
                     self.rig.path("shared"), "--objects", source_path("objects")],
                    capture_output=True, text=True, check=False, timeout=60)
                self.assertNotEqual(run.returncode, 0)
                self.assertRegex(run.stdout + run.stderr, r"field\.yaml:4:\d+: .*" + text)


if __name__ == "__main__":
    main()
