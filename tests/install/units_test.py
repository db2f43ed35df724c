#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The units on a booted machine: first start, a plant, watchdogs, the journal, wrong files."""
import os
import re
import shutil
import signal
import unittest

from installed import (ETC, NAME, NOT_CONFIGURED, SOCKET, STATE, UNIT, VOLTS, Installed, as_user, drop_in, run, show,
                       status, user)

from fieldway_test import Simulator, source_path
from fieldway_test.scenario import METER_PROFILE

SECURE = """schema: 1
gateway: {name: gw}
servers: [{name: s, short_id: 1, uri: "coaps://127.0.0.1", security: {mode: psk, key: "psk-file:keys/plant.psk"}}]
"""
ASK_FOR_METRICS = """
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("/run/fieldway/metrics")
s.sendall(b"GET /metrics HTTP/1.0\\r\\n\\r\\n")
print(s.makefile().read())
"""
PATIENT_S = 40
# systemd-analyze's figures, times ten: it rates them 1.1 and 1.2, and up to 1.7 is asked for.
EXPOSED_MOST = 13


def message_id(name):
    with open(source_path("agent/base/message_id.h"), encoding="ascii") as f:
        return re.search(rf'^#define MESSAGE_{name} "(\w+)"$', f.read(), re.M).group(1)


class FirstStart(Installed):
    def test_without_configuration(self):
        self.start()
        self.assertTrue(self.is_active())
        self.assertEqual(self.status_text(), NOT_CONFIGURED)
        self.assertEqual(self.hosts(), {})

    def test_users_and_folders(self):
        self.start()
        for path, owner in ((STATE, "fieldway:fieldway 700"), (ETC, "root:root 755"),
                            (f"{ETC}/keys", "root:fieldway 2750"), ("/run/fieldway-host.socket", "fieldway:fieldway 600")):
            self.assertEqual(run("stat", "-c", "%U:%G %a", path).strip(), owner, path)

    def test_keys_that_root_makes(self):
        """By fieldwayctl, whatever root's umask is: for the daemon, and for nobody else."""
        self.rig.write("etc/fieldway.yaml", SECURE)
        self.addCleanup(run, "systemd-tmpfiles", "--create", "fieldway.conf")
        shutil.rmtree(f"{ETC}/keys")
        run("sh", "-c", "umask 077; fieldwayctl credentials create")
        for path, owner in ((f"{ETC}/keys", "root:fieldway 2750"), (f"{ETC}/keys/plant.psk", "root:fieldway 640")):
            self.assertEqual(run("stat", "-c", "%U:%G %a", path).strip(), owner, path)
        self.assertNotIn("no key", run("setpriv", "--reuid=fieldway", "--regid=fieldway", "--clear-groups", "fieldwayd",
                                       "--check"))

    def test_name_on_the_bus(self):
        self.start()
        self.rig.until(lambda: not status("busctl", "status", "org.fieldway.Agent1"), 30, "the name on the bus")

    def test_stopped(self):
        self.start()
        run("systemctl", "stop", UNIT)
        self.assertEqual(show(UNIT, "Result"), "success")


class Scores(unittest.TestCase):
    def check(self, unit):
        text = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED_MOST}", f"/lib/systemd/system/{unit}")
        print("==", next(line for line in text.splitlines() if "exposure level" in line).strip("→ "))

    def test_scores(self):
        self.check(UNIT)
        self.check("fieldway-host@.service")

    def test_units_are_right(self):
        names = (UNIT, SOCKET, "fieldway-host@.service", "fieldway-install.socket", "fieldway-install@.service")
        text = run("systemd-analyze", "verify", "--man=no", *(f"/lib/systemd/system/{n}" for n in names))
        self.assertNotIn("fieldway", text)


class Plant(Installed):
    def test_values_by_a_hardened_host(self):
        self.start_plant(secure=True)
        self.assertAlmostEqual(self.read_one(NAME, VOLTS), 230, delta=20)
        unit, pid = self.host_of("lan")
        self.assertRegex(show(unit, "StatusText"), r"^Bus lan: 1 devices? on 1 lines?$")
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            facts = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        self.assertEqual(facts["Uid"].split()[0], run("id", "-u", "fieldway-io").strip())
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(facts[name], 16), 0, name)
        self.assertEqual(facts["NoNewPrivs"], "1")
        self.assertEqual(facts["Seccomp"], "2")
        with open(f"/proc/{self.pid()}/status", encoding="ascii") as f:
            self.assertIn("NoNewPrivs:\t1\n", f.read())
        self.rig.until(lambda: self.status_text().startswith("2 of 2 endpoints registered"), 20, "all of them")
        # Nothing was refused to any of its processes.
        for text in self.complaints():
            self.assertNotRegex(text, "sandbox|Failed to|not permitted")

    def test_fields_of_the_journal(self):
        self.start_plant()
        entry = self.entry("m1 of bus lan is online", DEVICE="m1")
        self.assertEqual((entry["BUS"], entry["_SYSTEMD_UNIT"], entry["SYSLOG_IDENTIFIER"]), ("lan", UNIT, "fieldwayd"))
        self.assertEqual(entry["MESSAGE_ID"], message_id("DEVICE_STATE"))
        # Debian's systemd has taken up the catalog of the package.
        self.assertIn("Defined-By: Fieldway", run("journalctl", "--catalog", "--boot", "MESSAGE_ID=" + entry["MESSAGE_ID"]))
        self.entry("version ", MESSAGE_ID=message_id("STARTED"))

    def test_host_crashes(self):
        self.start_plant()
        unit, pid = self.host_of("lan")
        before = self.now()
        os.kill(pid, signal.SIGSEGV)
        entry = self.entry("bus lan: plugin host ended", BUS="lan")
        self.assertEqual(entry["_SYSTEMD_UNIT"], UNIT)
        self.rig.until(lambda: self.host_of("lan")[1] != pid, 20, "another host")
        self.good()
        self.assertEqual([e for e in self.server.events[before:] if e.word in ("deregistered", "registered")], [])
        self.assertTrue(self.is_active())
        # Neither is left: the unit of the one that failed is not kept.
        self.rig.until(lambda: unit not in run("systemctl", "list-units", "--all", "--plain", "--no-legend", "fieldway*"),
                       10, "the end of its unit")

    def test_host_hangs(self):
        drop_in("fieldway-host@.service", "[Service]\nWatchdogSec=3s\n")
        self.start_plant()
        _, pid = self.host_of("lan")
        os.kill(pid, signal.SIGSTOP)
        self.entry("Watchdog timeout", _SYSTEMD_UNIT="init.scope")
        self.rig.until(lambda: self.host_of("lan")[1] != pid, 20, "another host")
        self.good()

    def test_daemon_hangs(self):
        drop_in(UNIT, "[Service]\nWatchdogSec=3s\nRestartSec=200ms\n")
        self.start_plant()
        pid, hosts, before = self.pid(), self.hosts(), self.now()
        os.kill(pid, signal.SIGSTOP)
        self.entry("Watchdog timeout", _SYSTEMD_UNIT="init.scope")
        self.rig.until(lambda: self.is_active() and self.pid() not in (0, pid), PATIENT_S, "another daemon")
        self.assertEqual(show(UNIT, "NRestarts"), "1")
        self.registered(NAME, start=before)
        self.good()
        # Its hosts went with it.
        self.assertFalse(set(hosts) & set(self.hosts()))

    def test_restart_takes_hosts_along(self):
        self.start_plant()
        hosts, before = self.hosts(), self.now()
        run("systemctl", "restart", UNIT)
        self.registered(NAME, start=before)
        self.good()
        self.assertFalse(set(hosts) & set(self.hosts()))
        run("systemctl", "stop", UNIT)
        self.rig.until(lambda: not self.hosts(), 10, "the end of the hosts")
        # They went after it, and in order.
        self.assertFalse([text for text in self.complaints() if "host" in text])

    def test_stubborn_host_ends_with_the_daemon(self):
        self.start_plant()
        _, pid = self.host_of("lan")
        os.kill(pid, signal.SIGSTOP)
        run("systemctl", "stop", UNIT)
        self.rig.until(lambda: not os.path.exists(f"/proc/{pid}"), 20, "the end of a host that hears nothing")

    def test_socket_is_the_daemons(self):
        self.start_plant()
        for name in ("fieldway-io", user("nosy")):
            text, code = as_user(name, "python3", "-c",
                                 "import socket; socket.socket(socket.AF_UNIX).connect('/run/fieldway-host.socket')")
            self.assertNotEqual(code, 0)
            self.assertIn("Permission denied", text)

    def test_metrics(self):
        """Where the unit lets the daemon listen, for every user."""
        self.start_plant(more='metrics: {listen: "unix:/run/fieldway/metrics"}')
        text, code = as_user(user("nosy"), "python3", "-c", ASK_FOR_METRICS)
        self.assertEqual(code, 0, text)
        self.assertIn('fieldway_device_online{bus="lan",device="m1"} 1\n', text)
        run("systemctl", "stop", UNIT)
        self.assertFalse(os.path.exists("/run/fieldway"))

    def test_a_serial_line(self):
        self.simulator = Simulator(self.rig, ["--meter", "--rtu", self.rig.path("line")])
        # Its folder is in /tmp, of which each has one of its own.
        path = os.path.realpath(self.simulator.places[0])
        os.chmod(path, 0o666)
        self.rig.write("etc/buses.d/lan.yaml", f"schema: 1\nbus: lan\nplugin: modbus\nrtu: {{device: {path}}}\n")
        self.rig.write("etc/profiles.d/meter.yaml", METER_PROFILE)
        self.rig.write("etc/devices.d/site.yaml",
                       "schema: 1\ndevices: [{name: m1, profile: meter, bus: lan, address: {unit: 1}}]\n")
        self.start_server(names=("gw", NAME))
        self.configure()
        self.start()
        self.registered(NAME)
        self.good()


class Files(Installed):
    def break_it(self):
        self.rig.write("etc/devices.d/broken.yaml", "schema: 1\ndevices:\n  - {name: [}\n")

    def test_wrong_from_the_start(self):
        self.start_server(names=("gw", NAME))
        self.configure()
        self.break_it()
        self.assertNotEqual(status("systemctl", "start", UNIT), 0)
        self.assertEqual((show(UNIT, "ActiveState"), show(UNIT, "ExecMainStatus")), ("failed", "78"))
        # No storm, no second try.
        self.assertEqual(show(UNIT, "NRestarts"), "0")
        self.entry("broken.yaml:3:", _SYSTEMD_UNIT=UNIT)

    def test_last_good(self):
        self.start_plant()
        self.break_it()
        before = self.now()
        run("systemctl", "restart", UNIT)
        self.registered(NAME, start=before)
        self.good()
        self.assertIn("running on the last good one", self.status_text())
        self.entry("broken.yaml:3:", _SYSTEMD_UNIT=UNIT)

    def test_reload(self):
        self.start_plant(more="register: {wait: none}")
        pid, hosts, before = self.pid(), self.hosts(), self.now()
        self.start_more()
        run("systemctl", "reload", UNIT)
        self.registered("gw-m2", start=before)
        self.assertEqual(self.pid(), pid)
        self.assertEqual([e for e in self.server.events[before:] if e.word in ("registered", "deregistered")
                          and e.arguments == [NAME]], [])
        self.good()
        self.assertEqual(len(self.hosts()), len(hosts))

    def test_device_types_during_a_trial(self):
        """What packages do behind others accepts nothing that an administrator has on trial; systemctl reload does."""
        self.start_plant(more="register: {wait: none}")
        self.start_more()
        run("fieldwayctl", "reload", "--confirm", "1h")
        self.assertIn("NOT CONFIRMED", run("fieldwayctl", "status", check=False))
        run("/usr/libexec/fieldway/package-changed", "reload", "systemctl")
        self.rig.until(lambda: len([e for e in self.journal(_SYSTEMD_UNIT=UNIT)
                                    if "to be confirmed" in str(e.get("MESSAGE"))]) == 2, 20, "the second reload")
        self.assertIn("NOT CONFIRMED", run("fieldwayctl", "status", check=False))
        run("systemctl", "reload", UNIT)
        self.assertIn("configuration accepted", run("fieldwayctl", "status", check=False))

    def start_more(self):
        """Another meter, which does not answer."""
        with open(f"{ETC}/devices.d/site.yaml", encoding="utf-8") as f:
            text = f.read()
        more = re.sub(r'"m\{n\}"', '"m2"', text).replace("each: {n: 1-1}, ", "").replace("127.0.0.1{n}", "127.0.0.12")
        self.rig.write("etc/devices.d/more.yaml", more)

    def test_reload_of_wrong_files(self):
        self.start_plant()
        pid, before = self.pid(), self.now()
        self.break_it()
        self.assertNotEqual(status("systemctl", "reload", UNIT), 0)
        self.entry("broken.yaml:3:", _SYSTEMD_UNIT=UNIT)
        self.assertEqual(self.pid(), pid)
        self.good()
        self.assertEqual([e for e in self.server.events[before:] if e.word in ("registered", "deregistered")], [])

    def test_shipped_examples(self):
        """With their server, and without their devices."""
        shutil.copytree(source_path("etc/examples"), ETC, dirs_exist_ok=True)
        names = ["urn:dev:os:32473-gw7", *(f"urn:dev:ops:32473-gw7-{n}" for n in ("em1-001", "em1-040", "room-roof", "pump-2",
                                                                                   "boiler-room"))]
        self.start_server(secure=True, names=names)
        with open(f"{ETC}/fieldway.yaml", encoding="utf-8") as f:
            text = f.read()
        text = text.replace("coaps://lwm2m.example.com:5684", self.server.uri("coaps"))
        self.rig.write("etc/fieldway.yaml", text.replace("wait: first-read", "wait: none"))
        self.start()
        self.registered(*names)
        self.rig.until(lambda: re.search(r" of \d\d endpoints registered", self.status_text()), 20, "their count")


if __name__ == "__main__":
    unittest.main(verbosity=2)
