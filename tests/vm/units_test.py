#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The installed units with real devices and a memory control group: a USB serial adapter that comes when its host
runs already, and comes back; a host that grows beyond what its unit allows."""
import glob
import os
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "install"), os.path.join(HERE, "..", "lib")]

from fieldway_test import Simulator, build_path  # noqa: E402
from installed import Installed, drop_in, is_installed, show  # noqa: E402
from isolation_test import Rogue  # noqa: E402
from usb_test import BUS, DEVICES, FarEnd, NAME, PROFILE, VOLTS, plug  # noqa: E402


JOIN_AND_OPEN = """
import os, sys
with open("/sys/fs/cgroup" + sys.argv[1] + "/cgroup.procs", "w") as f:
    f.write(str(os.getpid()))
os.open(sys.argv[2], os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
"""


def device_name():
    """What the adapter will be called: it comes once, and goes."""
    name = plug()
    unplug()
    subprocess.run(["modprobe", "-r", "cdc_acm"], check=True)
    return name


def unplug():
    subprocess.run(["modprobe", "-r", "g_serial"], check=True)


class Units(Installed):
    def until_plugged(self):
        plug()
        self.far = FarEnd(self.simulator.places[0])

    def pull(self):
        self.far.close()
        unplug()

    def test_adapter_comes_and_comes_back(self):
        device = device_name()
        self.simulator = Simulator(self.rig, ["--meter", "--rtu", self.rig.path("line")])
        self.rig.write("etc/buses.d/usb.yaml", BUS.format(device=device))
        self.rig.write("etc/profiles.d/meter.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", NAME))
        self.configure(more="register: {wait: none}")
        self.start()
        self.registered(NAME)
        self.until_code(NAME, VOLTS, "5.03", timeout=60)
        # Its driver is not even loaded: no class of devices has that name.
        with open("/proc/devices", encoding="ascii") as f:
            self.assertNotIn("ttyACM", f.read())
        host = self.host_of("usb")
        for i in range(3):
            begin = time.monotonic()
            self.until_plugged()
            self.good(timeout=60)
            print(f"== hardened unit: values {time.monotonic() - begin:.1f} s after the adapter was plugged in ({i + 1})")
            self.pull()
            self.until_code(NAME, VOLTS, "5.03", timeout=60)
        self.assertEqual(self.host_of("usb"), host)

    def test_no_other_device(self):
        """A process of root's in the control group of a host opens what the unit names, and nothing else."""
        self.simulator = Simulator(self.rig, ["--meter", "--rtu", self.rig.path("line")])
        self.rig.write("etc/buses.d/usb.yaml", BUS.format(device="/dev/ttyS0"))
        self.rig.write("etc/profiles.d/meter.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", NAME))
        self.configure(more="register: {wait: none}")
        self.start()
        group = show(self.host_of("usb")[0], "ControlGroup")
        for path, allowed in (("/dev/ttyS1", True), ("/dev/kmsg", False), ("/dev/vda", False)):
            text = subprocess.run([sys.executable, "-c", JOIN_AND_OPEN, group, path], capture_output=True, text=True,
                                  check=False).stderr
            self.assertEqual("PermissionError" not in text, allowed, path + text)

    def test_no_modem(self):
        """By its name an adapter is told from what ModemManager may ask; others are not ours to speak for."""
        for product, ignored in (("USB-RS485 Adapter", True), ("USB Serial", False)):
            subprocess.run(["modprobe", "dummy_hcd"], check=True)
            subprocess.run(["modprobe", "g_serial", f'iProduct="{product}"'], check=True)
            self.addCleanup(subprocess.run, ["modprobe", "-r", "g_serial"], check=False)
            found = []

            def look():
                found[:] = glob.glob("/dev/serial/by-id/*" + product.replace(" ", "_") + "*")
                return found

            self.rig.until(look, 30, product)
            text = subprocess.check_output(["udevadm", "info", "--query=property", found[0]], text=True)
            self.assertEqual("ID_MM_PORT_IGNORE=1" in text, ignored, text)
            unplug()

    def test_of_a_group(self):
        """The user of hosts is in dialout, and the adapter is that group's."""
        plug()
        self.addCleanup(unplug)
        node = os.path.realpath(glob.glob("/dev/serial/by-id/*Gadget_Serial*")[0])
        self.assertEqual(subprocess.check_output(["stat", "-c", "%G %a", node], text=True).strip(), "dialout 660")
        self.assertIn("dialout", subprocess.check_output(["id", "-nG", "fieldway-io"], text=True).split())


class Greedy(Rogue):
    def test_beyond_its_unit(self):
        # Below what it would end itself at.
        drop_in("fieldway-host@.service", "[Service]\nMemoryMax=40M\nMemorySwapMax=0\n")
        self.start_rogue("grow")
        daemon, before, meters = self.pid(), self.now(), self.host_of("lan")
        self.entry("oom-kill", 60, _SYSTEMD_UNIT="init.scope")
        self.entry("bus rogue: plugin host ended", 60, BUS="rogue")
        self.assertEqual((self.pid(), self.host_of("lan")), (daemon, meters))
        self.assertEqual([e for e in self.server.events[before:] if e.word in ("registered", "deregistered")], [])
        self.good()
        self.assertEqual(show("fieldway.service", "NRestarts"), "0")


if __name__ == "__main__":
    if not glob.glob(build_path("packages", "fieldway_*.deb")) and not is_installed("fieldway"):
        print("there are no packages (packaging/quickstart package)", file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2)
