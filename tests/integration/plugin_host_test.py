#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plugin host that dies, hangs, or cannot be had: endpoints stay registered,
and another one takes over."""
import os
import resource
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, main  # noqa: E402

POWER = "/3305/0/5800"
NAMES = ("gw", "gw-m1", "gw-m2")
RETURN_S = 5
TWO_BUSES = """schema: 1
devices:
  - {{name: m1, profile: meter, bus: lan, address: {{host: 127.0.0.11, unit: 1}}}}
  - {{name: m2, profile: meter, bus: other, address: {{host: 127.0.0.12, unit: 1}}}}
"""


def started_at(pid):
    """On CLOCK_BOOTTIME, to a hundredth of a second: when the kernel has started a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return int(f.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


class PluginHostTest(Scenario):
    def start(self, wait=True, clock=False, more="stale: {after: 3x}", **options):
        self.start_server(secure=True)
        self.start_meters(2)
        self.configure(more=more)
        if clock:
            self.start_clock_daemon(**options)
        else:
            self.start_daemon(**options)
        if wait:
            self.ready(*NAMES)
            self.until_code("gw-m1", POWER, "2.05")
        self.since = self.now()

    def host(self):
        found = self.daemon.hosts()
        self.assertEqual(len(found), 1)
        return found[0]

    def expect_another(self, old):
        self.rig.until(lambda: [p for p in self.daemon.hosts() if p != old], 20, "another plugin host")
        self.assertNotEqual(self.host(), old)

    def expect_nothing_happened(self):
        events = self.server.events[self.since:]
        self.assertEqual([e for e in events if e.word in ("registered", "deregistered", "updated", "expired")], [])

    def expect_return(self):
        for name in NAMES[1:]:
            self.expect(self.server.observe(name, POWER, "accept=112"), "2.05")
            start = self.now()
            self.event("notify", name, start, RETURN_S)

    def test_killed(self):
        self.start()
        for _ in range(2):
            old = self.host()
            self.simulator.command("* freeze")
            self.set_power(old)
            os.kill(old, signal.SIGKILL)
            begin = time.monotonic()
            # The values return, those of a moment later.
            self.set_power(old + 1)
            for name in NAMES[1:]:
                self.until_power(name, old + 1, RETURN_S)
            print(f"{self.id()}: values returned after {time.monotonic() - begin:.2f} s", file=sys.stderr)
            self.expect_another(old)
        self.expect_nothing_happened()
        lines = self.logged("plugin host ended (killed by SIGKILL)")
        self.assertEqual(len(lines), 2)
        self.assertIn("bus lan", lines[0])

    def set_power(self, watts):
        high, low = struct.unpack(">HH", struct.pack(">f", watts))
        self.simulator.command(f"* set input 52 {high} {low}")

    def until_power(self, name, watts, timeout=20):
        self.until_read(name, POWER, lambda a: a.code == "2.05" and
                        self.server.values(a, POWER) == {POWER: watts}, timeout)

    def test_killed_again_and_again(self):
        """Each time it waits longer; another bus has a host of its own, which does not notice."""
        self.start_server(secure=True)
        self.start_meters(2, devices=TWO_BUSES)
        with open(self.rig.path("etc/buses.d/lan.yaml"), encoding="ascii") as f:
            self.rig.write("etc/buses.d/other.yaml", f.read().replace("bus: lan", "bus: other"))
        self.configure(more="stale: {after: 3x}")
        self.start_daemon()
        self.ready(*NAMES)
        self.since = self.now()
        for name in NAMES[1:]:
            self.until_code(name, POWER, "2.05")
        hosts = self.daemon.hosts()
        self.assertEqual(len(hosts), 2)
        victim, spared = hosts
        killed_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        os.kill(victim, signal.SIGKILL)
        line = self.log("plugin host ended (killed by SIGKILL)")
        lost, kept = ("lan", "other") if "bus lan: " in line else ("other", "lan")
        name, lost_index, index = ("gw-m1", 0, 1) if lost == "lan" else ("gw-m2", 1, 0)
        quiet = len(self.logged("bus " + kept))
        before, begin = self.requests(index), time.monotonic()
        waits = []
        for _ in range(4):
            self.rig.until(lambda: [p for p in self.daemon.hosts() if p not in (victim, spared)], 20,
                           "another plugin host")
            victim = [p for p in self.daemon.hosts() if p != spared][0]
            waits.append(started_at(victim) - killed_at)
            # It runs when it asks; one that dies before is told as one that cannot start.
            self.until_asked(lost_index)
            killed_at = time.clock_gettime(time.CLOCK_BOOTTIME)
            os.kill(victim, signal.SIGKILL)
        # At once, then half a second, doubled each time, and up to a quarter more.
        self.assertLess(waits[0], 0.5)
        for wait, least in zip(waits[1:], (0.5, 1, 2)):
            self.assertGreaterEqual(wait, 0.9 * least)
            self.assertLess(wait, 1.25 * least + 1)
        pace = (self.requests(index) - before) / (time.monotonic() - begin)
        self.assertGreater(pace, 3 / 0.2 * 0.7)     # three requests each 200 ms
        ended = "plugin host ended (killed by SIGKILL); the next one starts "
        self.rig.until(lambda: len(self.logged(ended)) >= 5, 10, "the end of the last one")
        self.until_asked(lost_index)
        self.until_code(name, POWER, "2.05", 8)
        self.assertIn(spared, self.daemon.hosts())
        self.expect_nothing_happened()
        lines = self.logged(ended)
        self.assertEqual(len(lines), 5)
        self.assertTrue(all(f"bus {lost}: " in line for line in lines), lines)
        self.assertIn("at once", lines[0])
        self.assertRegex(lines[-1], r"in [45]s")
        self.assertEqual(len(self.logged("bus " + kept)), quiet)

    def requests(self, index):
        return int(self.simulator.command(f"{index} requests"))

    def until_asked(self, index):
        before = self.requests(index)
        self.rig.until(lambda: self.requests(index) > before, 10, "a request of the new host")

    def test_killed_while_a_write_is_under_way(self):
        """The device has done it and nobody knows: 5.04, and read before anything is shown."""
        self.start()
        self.write_relay()
        self.simulator.command("0 only 1 3")
        self.simulator.command("0 fault mute")
        name = self.server.send("request", "gw-m1", "PUT /3306/0/5850 format=0 payload=31")
        self.rig.until(lambda: self.simulator_is_asked(), 10, "the request of the write")
        os.kill(self.host(), signal.SIGKILL)
        self.rig.until(lambda: name in self.server.answers, 10, "the answer to the write")
        answer = self.expect(self.server.answers.pop(name), "5.04")
        self.assertRegex(answer.payload.decode(), r"^outcome unknown: bus lan: device m1: point relay \(coil 3\): "
                         "its plugin host ended")
        self.log("gw-m1: server plant: write /3306/0/5850 0 -> 1: failed: outcome unknown: bus lan: device m1: ")
        self.expect(self.server.request("gw-m1", "GET", "/3306/0/5850"), "5.03")
        self.simulator.command("0 talk")
        answer = self.until_code("gw-m1", "/3306/0/5850", "2.05")
        self.assertEqual(self.server.values(answer, "/3306/0/5850"), {"/3306/0/5850": True})
        self.assertEqual(self.writes(), 1)

    def write_relay(self):
        """A coil of the meter that can be written, polled slowly."""
        self.stop_daemon(self.daemon)
        path = self.rig.path("etc/profiles.d/meter.yaml")
        with open(path, encoding="ascii") as f:
            text = f.read()
        text = text.replace("lwm2m:\n", "  relay: {area: coil, address: 3, type: bool, access: rw, rate: once}\n"
                            "lwm2m:\n  3306/0/5850: relay\n").replace("rate: fast", "rate: slow")
        text = text.replace("rates: {fast: 200ms}", "rates: {slow: 1h}")
        self.rig.write("etc/profiles.d/meter.yaml", text)
        start = self.now()
        self.start_daemon()
        self.registered(*NAMES, start=start)
        self.until_code("gw-m1", POWER, "2.05")
        self.simulator.traces.clear()
        self.simulator.command("0 trace on")

    def writes(self):
        self.simulator.command("0 requests")
        return len([t for t in self.simulator.traces if " function 5 " in t])

    def simulator_is_asked(self):
        return any(" function 5 " in t for t in self.simulator.traces)

    def test_stopped(self):
        """A host that hangs is noticed by its watchdog, and replaced."""
        self.start(clock=True, more="stale: {after: 1h}")
        old = self.host()
        os.kill(old, signal.SIGSTOP)
        for _ in range(60):
            self.daemon.step(1)
            self.rig.turn(0.05)
            if self.logged("did not answer"):
                break
        self.log("plugin host did not answer (killed by SIGKILL)")
        for _ in range(10):
            self.daemon.step(1)
            self.rig.turn(0.05)
        self.expect_another(old)
        self.until_code("gw-m1", POWER, "2.05")
        self.expect_nothing_happened()

    def descriptors(self, pid):
        """The soft limit of open files."""
        with open(f"/proc/{pid}/limits", encoding="ascii") as f:
            return int([line for line in f if line.startswith("Max open files")][0].split()[3])

    def test_descriptors(self):
        """The daemon's sessions need many, libmodbus's select() bears 1024."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        self.start(more="limits: {sessions: 2000}")
        self.assertGreater(self.descriptors(self.daemon.process.pid), 2000)
        self.assertLessEqual(self.descriptors(self.host()), 1024)

    def test_the_daemon_ends_its_hosts(self):
        self.start()
        pid = self.host()
        fd = os.pidfd_open(pid)
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.process.wait_end(), 0)
        self.rig.until(lambda: os.waitstatus_to_exitcode(0) == 0 and not os.path.exists(f"/proc/{pid}"), 5,
                       "the end of the plugin host")
        os.close(fd)

    def test_the_daemon_is_killed(self):
        """No host stays behind to hold a line."""
        self.start()
        pid = self.host()
        self.daemon.process.child.kill()
        self.daemon.process.wait_end()
        self.rig.until(lambda: not os.path.exists(f"/proc/{pid}"), 5, "the end of the plugin host")
        # Nothing hinders the next one.
        self.start_daemon()
        self.registered(*NAMES, start=self.since)

    def expect_without_plugin(self, text):
        """It costs its buses only (design.md, Promises)."""
        self.log(text)
        self.registered(*NAMES)
        self.until_code("gw-m1", POWER, "5.03")
        self.until_read("gw-m1", "/3/0/11", lambda a: self.server.values(a, "/3/0/11") == {"/3/0/11/0": 8})
        self.assertEqual(self.read_one("gw-m1", "/3/0/0"), "Eastron")

    def test_no_plugin(self):
        empty = self.rig.path("no-plugins")
        os.mkdir(empty)
        self.start(wait=False, more="register: {wait: none}", arguments=["--plugins", empty])
        self.expect_without_plugin("lan.yaml:3:9: plugin modbus: not installed; its buses will not work")

    def test_no_program(self):
        self.start(wait=False, more="register: {wait: none}", arguments=["--host-program", "/nonesuch/host"])
        self.expect_without_plugin("lan.yaml:3:9: plugin modbus: the program that loads plugins is not there")
        self.log("cannot start: no program /nonesuch/host")


if __name__ == "__main__":
    main()
