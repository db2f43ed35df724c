#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Modbus devices that flood, drip, lie about lengths, hang up in a frame or never
take a connection, and a serial line that babbles: each is told as what it is, and
nobody else on the same bus notices."""
import contextlib
import os
import pty
import random
import socket
import struct
import sys
import threading
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, Scenario, Simulator, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402

VALUE = "/3303/0/5700"
WATCHED_S = 4       # many time-outs
LATE_S = 1.5        # a value of the good device is never older, on a busy machine
MORE_FDS = 4
BURST_S = 0.002

PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 100ms}
defaults: {area: holding, type: uint16, rate: fast}
points:
  value: {address: 30, unit: Cel}
lwm2m:
  3303/0/5700: value
"""
BUS = """schema: 1
bus: {name}
plugin: modbus
{section}
timeout: 200ms
retries: 1
offline: {{after: 2, retry: 200ms..300ms}}
"""


def take(peer):
    return peer.recv(12)


def flood(peer):
    """Answers, of a transaction that nobody has begun."""
    while True:
        peer.sendall(bytes.fromhex("ffff0000000501030200 07".replace(" ", "")) * 50)
        time.sleep(BURST_S)


def flood_rtu(peer):
    while True:
        peer.sendall(bytes.fromhex("02030200 07bd86".replace(" ", "")) * 50)
        time.sleep(BURST_S)


def drip(peer):
    while take(peer):
        for byte in bytes.fromhex("0000000000fe0103fb") + bytes(200):
            peer.sendall(bytes([byte]))
            time.sleep(0.02)


def lie(peer):
    """Of the length, as long as it can be."""
    while (request := take(peer)):
        peer.sendall(request[:4] + b"\xff\xff" + bytes(3000))


def hang_up(peer):
    """In the middle of a frame."""
    request = take(peer)
    peer.sendall(request[:4] + b"\0\x05\x01")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def mirror(peer):
    while (request := take(peer)):
        peer.sendall(request)


def deaf(peer):
    while True:
        time.sleep(1)


# What people read of each.
PEERS = {
    "flood": (flood, "answer does not fit the request"),
    "drip": (drip, "no answer"),
    "lie": (lie, "answer does not fit the request"),
    "hangup": (hang_up, "connection closed by the device"),
    "mirror": (mirror, "answer does not fit the request"),
    "deaf": (deaf, "no answer"),
    "full": (None, "cannot connect"),
}


class HostileTest(Scenario):
    def serve(self, behave):
        listener = socket.create_server(("127.0.0.1", 0), backlog=0 if behave is None else 8)
        self.addCleanup(listener.close)
        if behave is None:      # as full as it can be
            for _ in range(3):
                waiting = socket.socket()
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
                self.addCleanup(waiting.close)
        else:
            threading.Thread(target=self.accept, args=(listener, behave), daemon=True).start()
        return listener.getsockname()[1]

    def accept(self, listener, behave):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=self.talk, args=(peer, behave), daemon=True).start()

    @staticmethod
    def talk(peer, behave):
        with contextlib.suppress(OSError), peer:
            behave(peer)

    def babble(self):
        """A serial line on which there is never silence."""
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.addCleanup(os.close, theirs)
        os.set_blocking(ours, False)
        dice = random.Random(1)

        def run():
            while not done.wait(BURST_S):
                with contextlib.suppress(OSError):
                    os.write(ours, dice.randbytes(64))
                with contextlib.suppress(OSError):
                    os.read(ours, 4096)
            os.close(ours)

        done = threading.Event()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(done.set)
        return os.ttyname(theirs)

    def write_bus(self, name, section):
        self.rig.write(f"etc/buses.d/{name}.yaml", BUS.format(name=name, section=section))

    def start(self, devices):
        """devices: lines of YAML by name, beside the good one."""
        self.simulator = Simulator(self.rig, ["--tcp", "127.0.0.1:0"])
        self.simulator.command("set holding 30 7")
        lines = [f"  - {{name: good, profile: board, bus: lan, address: {{host: 127.0.0.1, unit: 1, "
                 f"port: {self.simulator.port(0)}}}}}", *devices]
        self.write_bus("lan", "tcp: {port: 502}")
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + "\n".join(lines) + "\n")
        self.start_server(names=("gw", "gw-good"))
        self.configure(more="register: {wait: none}")
        self.bus = Bus(self.rig)
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.registered("gw-good")
        self.bus.wait_name()
        self.until_code("gw-good", VALUE, "2.05")

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.daemon.hosts())

    def device(self, name, key):
        return self.bus.get(f"{PATH}/device/{name}", "Device", key)

    def is_told(self, name, text):
        self.rig.until(lambda: self.device(name, "State") == "offline" and text in self.device(name, "Reason"), 20,
                       f"{name} being told as {text!r}")

    def good_is_fresh(self):
        """Values come through, while the others do what they do."""
        hosts, descriptors = self.daemon.hosts(), self.descriptors()
        end = time.monotonic() + WATCHED_S
        value = 100
        while time.monotonic() < end:
            value += 1
            self.simulator.command(f"set holding 30 {value}")
            begin = time.monotonic()
            self.rig.until(lambda: self.read_one("gw-good", VALUE) == value, LATE_S, "a fresh value")
            self.assertLess(time.monotonic() - begin, LATE_S)
        self.assertEqual(self.daemon.hosts(), hosts)
        # At any one moment some are being connected.
        self.rig.until(lambda: self.descriptors() <= descriptors + MORE_FDS, 10, "descriptors that are closed again")

    def test_connections(self):
        self.start([f"  - {{name: {name}, profile: board, bus: lan, address: {{host: 127.0.0.1, unit: 1, "
                    f"port: {self.serve(behave)}}}}}" for name, (behave, _) in PEERS.items()])
        for name, (_, text) in PEERS.items():
            with self.subTest(name):
                self.is_told(name, text)
        self.good_is_fresh()

    def test_lines(self):
        self.write_bus("cabinet", f"rtu: {{device: {self.babble()}, baud: 115200, format: \"8N1\"}}")
        self.write_bus("ascii", f"ascii: {{device: {self.babble()}, baud: 115200, format: \"8N1\"}}")
        self.write_bus("gateway", f"tcp: {{port: {self.serve(flood_rtu)}, framing: rtu}}")
        self.start(["  - {name: noisy, profile: board, bus: cabinet, address: {unit: 1}}",
                    "  - {name: loud, profile: board, bus: ascii, address: {unit: 1}}",
                    "  - {name: wild, profile: board, bus: gateway, address: {unit: 1, host: 127.0.0.1}}"])
        for name, text in (("noisy", " bytes"), ("loud", " bytes"), ("wild", " late bytes")):
            with self.subTest(name):
                self.is_told(name, text)
        self.good_is_fresh()
        self.assertEqual(self.logged("is failed"), [])


if __name__ == "__main__":
    main()
