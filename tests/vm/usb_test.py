#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Modbus RTU over a USB serial adapter: the gadget driver's port with parity and a name in
/dev/serial/by-id, pulled out and plugged in again."""
import glob
import os
import select
import subprocess
import sys
import termios
import threading
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402

BY_ID = "/dev/serial/by-id/*Gadget_Serial*"
FAR_END = "/dev/ttyGS0"
NAME = "gw-m1"
VOLTS = "/3316/0/5700"
BUS = """schema: 1
bus: usb
plugin: modbus
rtu: {{device: {device}, baud: 19200, format: "8E1"}}
timeout: 500ms
offline: {{after: 2, retry: 500ms..1s}}
"""
PROFILE = """schema: 1
profile: meter
plugin: modbus
info: {manufacturer: Eastron, model: SDM630}
rates: {fast: 300ms}
stale: {after: 2s}
defaults: {area: input, type: float32, rate: fast}
points: {v1: {address: 0, unit: V}}
lwm2m: {3316/0/5700: v1}
"""
DEVICES = """schema: 1
devices: [{name: m1, profile: meter, bus: usb, address: {unit: 1}}]
"""


class FarEnd:
    """Carries bytes between the gadget's port and the simulated device, until it is closed."""

    def __init__(self, path):
        self.fds = [os.open(p, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for p in (FAR_END, path)]
        for fd in self.fds:
            tty.setraw(fd)
            attributes = termios.tcgetattr(fd)
            attributes[4] = attributes[5] = termios.B19200
            termios.tcsetattr(fd, termios.TCSANOW, attributes)
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._carry, args=(*self.fds[::step],)) for step in (1, -1)]
        for thread in self.threads:
            thread.start()

    def _carry(self, source, target):
        while not self.ended.is_set():
            ready, _, _ = select.select([source], [], [], 0.2)
            try:
                data = os.read(source, 4096) if ready else b""
            except OSError:
                data = b""
                self.ended.wait(0.1)
            if data:
                os.write(target, data)

    def close(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        while self.fds:
            os.close(self.fds.pop())


def plug():
    subprocess.run(["modprobe", "dummy_hcd"], check=True)
    subprocess.run(["modprobe", "g_serial"], check=True)
    end = time.monotonic() + 30
    while not (glob.glob(BY_ID) and os.path.exists(FAR_END)):
        if time.monotonic() > end:
            raise SystemExit("the gadget's port did not come")
        subprocess.run(["udevadm", "settle", "--timeout=5"], check=False)
        time.sleep(0.1)
    return glob.glob(BY_ID)[0]


class UsbTest(Scenario):
    def start(self):
        device = plug()
        self.simulator = Simulator(self.rig, ["--meter", "--rtu", self.rig.path("line")])
        self.far = FarEnd(self.simulator.places[0])
        self.addCleanup(lambda: self.far.close())
        self.rig.write("etc/buses.d/usb.yaml", BUS.format(device=device))
        self.rig.write("etc/profiles.d/meter.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", NAME))
        self.configure()
        self.start_daemon()
        self.registered(NAME)
        return device

    def test_unplug_and_replug(self):
        device = self.start()
        self.until_code(NAME, VOLTS, "2.05", timeout=30)
        self.assertAlmostEqual(self.read_one(NAME, VOLTS), 230, delta=20)
        for _ in range(2):
            self.far.close()
            subprocess.run(["modprobe", "-r", "g_serial"], check=True)
            answer = self.until_code(NAME, VOLTS, "5.03", timeout=30)
            self.assertIn("m1", answer.payload.decode())
            self.log(device)        # the log names the port that is gone
            self.assertEqual(plug(), device)
            begin = time.monotonic()
            self.far = FarEnd(self.simulator.places[0])
            self.until_code(NAME, VOLTS, "2.05", timeout=30)
            print(f"== values again {time.monotonic() - begin:.1f} s after the adapter was plugged in")


if __name__ == "__main__":
    main()
