#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people have endpoints, devices and buses do over D-Bus: executed, updated, paused, begun anew."""
import hashlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from fieldway_test.bus import MEMBER, NAME, PATH  # noqa: E402
from field_test import DEVICES, NAME as CLIENT  # noqa: E402
from dbus_test import BUS, DEVICE, VFD, HOST, DbusScenario  # noqa: E402


class ControlScenario(DbusScenario):
    def order(self, path, member, *arguments, **options):
        interface = path.removeprefix(PATH + "/").partition("/")[0].capitalize()
        self.bus.call(path, interface, member, *arguments, **options)

    def state(self, path=VFD):
        interface = path.removeprefix(PATH + "/").partition("/")[0].capitalize()
        return self.bus.get(path, interface, "State")

    def until_state(self, state, path=VFD):
        self.rig.until(lambda: self.state(path) == state, 20, f"{path} to be {state}")

    def paused(self):
        return [entry[:2] for entry in self.bus.get(PATH, "Manager", "Paused")]

    def restart(self):
        self.stop_daemon(self.daemon)
        self.start_daemon()
        self.bus.wait_name()

    def requests(self):
        return int(self.simulator.command("requests"))

    def until_quiet(self):
        """No request has come while the bus answered some times."""
        def look():
            before = self.requests()
            for _ in range(10):
                self.state()
            return self.requests() == before

        self.rig.until(look, 20, "the line to be quiet")


class ExecuteTest(ControlScenario):
    def test_execute(self):
        self.start()
        self.order(VFD, "Execute", "ss", "/3/0/12", "")
        self.assertEqual(self.simulator.command("get coil 9"), "1")
        self.log(rf"{CLIENT}: uid {os.geteuid()}: execute /3/0/12: done")
        start = self.now()
        self.order(HOST, "Execute", "ss", "/1/0/8", "0='x'")
        self.event("updated", "gw", start)

    def test_refused(self):
        self.start()
        self.simulator.command("set coil 9 0")
        for path, arguments, text in (("/3308/0/5900", "", "cannot be executed"), ("/3/0/99", "", "not there"),
                                      ("/3/0", "", "not there"), ("/3", "", "no path of a resource"),
                                      ("/0/0/0", "", "denied"), ("/3/0/12", "on", "Arguments"),
                                      ("/3/0/12", "0='" + "x" * 2000 + "'", "Arguments")):
            with self.subTest(path=path):
                self.refused(text, self.order, VFD, "Execute", "ss", path, arguments)
        self.assertEqual(self.simulator.command("get coil 9"), "0")
        self.simulator.command("exception 2")
        self.refused("vfd", self.order, VFD, "Execute", "ss", "/3/0/12", "")


class CredentialsTest(ControlScenario):
    def credentials(self, **options):
        return self.bus.call(VFD, "Endpoint", "GetCredentials", **options)[0]

    def test_none(self):
        self.start()
        self.assertEqual(self.credentials(), [("plant", "none", "", "", "", "")])

    def test_a_key(self):
        """Its fingerprint, and the one of the next handshake when the file changes."""
        self.write_field(kind="--plain")
        self.start_server(True, names=("gw", CLIENT))
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        (server, kind, identity, fingerprint, reference, problem), = self.credentials()
        self.assertEqual((server, kind, identity, problem), ("plant", "psk", CLIENT, ""))
        key = bytes.fromhex(self.keys[CLIENT])
        self.assertEqual(fingerprint, hashlib.sha256(key).digest()[:8].hex(":"))
        self.assertIn(reference.partition(":")[0], ("derive", "psk-file", "file"))
        everything = "".join(self.bus.run(["busctl", f"--address={self.bus.address}", "call", NAME, VFD,
                                           NAME + ".Endpoint", "GetCredentials"])[1])
        self.assertNotIn(key.hex(), everything)
        self.refused("denied", self.credentials, user=MEMBER)


class UpdateTest(ControlScenario):
    def test_update(self):
        self.start()
        self.until_state("registered")
        start = self.now()
        self.order(VFD, "Update")
        self.event("updated", CLIENT, start)
        self.log(f"endpoint vfd: uid {os.geteuid()} updates it")

    def test_answered_with_a_register(self):
        """The server has forgotten it."""
        self.start()
        self.until_state("registered")
        start = self.now()
        self.server.command("fault update 4.04")
        self.order(VFD, "Update")
        self.registered(CLIENT, start=start)

    def test_refused_by_the_server(self):
        self.start()
        self.until_state("registered")
        self.server.command("fault register 4.03")
        self.server.command("fault update 4.04")
        self.refused("4.03", self.order, VFD, "Update")
        self.until_state("waiting")
        self.refused("not registered", self.order, VFD, "Update")

    def test_several_wait(self):
        self.start()
        self.until_state("registered")
        calls = [self.rig.start(["busctl", f"--address={self.bus.address}", "call", NAME, VFD, NAME + ".Endpoint",
                                 "Update"], stderr=subprocess.PIPE) for _ in range(5)]
        for call in calls:
            self.assertEqual(call.wait_end(), 0, call.lines)

    def test_daemon_ends_meanwhile(self):
        self.start()
        self.until_state("registered")
        self.server.command("fault update silent")
        call = self.rig.start(["busctl", f"--address={self.bus.address}", "call", NAME, VFD, NAME + ".Endpoint",
                               "Update"], stderr=subprocess.PIPE)
        self.log("updates it")
        self.stop_daemon(self.daemon)
        self.assertNotEqual(call.wait_end(), 0)


class RestartTest(ControlScenario):
    def test_endpoint(self):
        self.start()
        self.until_state("registered")
        start = self.now()
        self.order(VFD, "Restart")
        self.event("deregistered", CLIENT, start)
        self.registered(CLIENT, start=start)
        self.until_state("registered")

    def test_endpoint_that_waits(self):
        """It does so no more."""
        self.start()
        self.until_state("registered")
        self.server.command("fault register 4.03")
        self.server.command("fault update 4.04")
        self.refused("4.03", self.order, VFD, "Update")
        self.until_state("waiting")
        self.server.command("fault register none")
        start = self.now()
        self.order(VFD, "Restart")
        self.registered(CLIENT, start=start)

    def test_bus(self):
        self.start()
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        before = self.daemon.hosts()
        self.simulator.command("set holding 100 77")
        self.order(BUS, "Restart")
        self.log(f"bus lan: uid {os.geteuid()} restarts it")
        self.rig.until(lambda: self.read("/3308/0/5900") == 7.7, 20, "the speed")
        self.assertEqual(self.paused(), [])
        self.assertNotEqual(self.daemon.hosts(), before)

    def test_paused(self):
        self.start()
        self.order(VFD, "Disable")
        self.refused("It is paused", self.order, VFD, "Restart")
        self.order(BUS, "Pause")
        self.refused("It is paused", self.order, BUS, "Restart")


class PauseTest(ControlScenario):
    def test_endpoint(self):
        self.start()
        self.until_state("registered")
        start = self.now()
        self.order(VFD, "Disable")
        self.event("deregistered", CLIENT, start)
        self.until_state("paused")
        self.assertEqual(self.paused(), [("endpoint", "vfd")])
        self.assertEqual(self.bus.get(VFD, "Endpoint", "Paused"), True)
        self.assertEqual(self.bus.get(VFD, "Endpoint", "LastError"), "")
        self.daemon.notify.wait("STATUS=1 paused; ")
        self.refused("not registered", self.order, VFD, "Update")
        # Its values are there all the same, and once more is no more.
        self.rig.until(lambda: 5900 in self.read("/3308/0"), 20, "a value")
        self.order(VFD, "Disable")
        self.assertEqual(self.paused(), [("endpoint", "vfd")])
        start = self.now()
        self.order(VFD, "Enable")
        self.registered(CLIENT, start=start)
        self.assertEqual((self.paused(), self.bus.get(VFD, "Endpoint", "Paused")), ([], False))
        self.order(VFD, "Enable")

    def test_endpoint_over_restarts(self):
        self.start()
        self.until_state("registered")
        self.order(VFD, "Disable")
        (kind, name, since, uid), = self.bus.get(PATH, "Manager", "Paused")
        self.assertEqual((kind, name, uid), ("endpoint", "vfd", os.geteuid()))
        self.assertGreater(since, 10 ** 15)
        start = self.now()
        self.restart()
        self.registered("gw", start=start)
        self.until_state("paused")
        self.assertEqual(self.bus.get(PATH, "Manager", "Paused"), [(kind, name, since, uid)])
        self.daemon.notify.wait("STATUS=1 paused; ")
        self.rig.until(lambda: 5900 in self.read("/3308/0"), 20, "a value")
        self.assertEqual([e.arguments for e in self.server.events[start:] if CLIENT in e.arguments
                          and e.word == "registered"], [])
        self.order(VFD, "Enable")
        self.registered(CLIENT, start=start)
        self.restart()
        self.until_state("registered")
        self.assertEqual(self.paused(), [])

    def test_over_a_reload(self):
        """By name: what goes is paused no more, and is again when it comes back."""
        self.start()
        self.until_state("registered")
        self.order(VFD, "Disable")
        self.order(DEVICE, "Pause")
        self.assertEqual(self.paused(), [("endpoint", "vfd"), ("device", "vfd")])
        self.daemon.notify.wait("STATUS=2 paused; ")
        start = self.now()
        self.rig.write("etc/devices.d/site.yaml", DEVICES.replace("name: vfd", "name: other").replace("unit: 1", "unit: 2"))
        self.bus.call(PATH, "Manager", "Reload", "t", "0")
        self.registered(CLIENT.replace("vfd", "other"), start=start)
        self.assertEqual(self.paused(), [])
        start, told = self.now(), len(self.daemon.notify.states)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.bus.call(PATH, "Manager", "Reload", "t", "0")
        self.until_state("paused", DEVICE)
        self.until_state("paused")
        self.assertEqual(self.paused(), [("endpoint", "vfd"), ("device", "vfd")])
        self.rig.until(lambda: any("2 paused; " in state for state in self.daemon.notify.states[told:]), 20, "the status")
        self.assertEqual([e.arguments for e in self.server.events[start:] if CLIENT in e.arguments
                          and e.word == "registered"], [])

    def test_renamed(self):
        """What is paused has its address still, and the endpoint shows the same."""
        self.start()
        self.until_state("registered")
        self.order(VFD, "Disable")
        self.order(DEVICE, "Pause")
        start = self.now()
        for name in ("other", "third"):
            self.rig.write("etc/devices.d/site.yaml", DEVICES.replace("name: vfd", f"name: {name}"))
            self.bus.call(PATH, "Manager", "Reload", "t", "0")
            self.assertEqual(self.paused(), [("endpoint", name), ("device", name)])
            self.until_state("paused", DEVICE.replace("vfd", name))
        self.restart()
        self.assertEqual(self.paused(), [("endpoint", "third"), ("device", "third")])
        self.order(DEVICE.replace("vfd", "third"), "Resume")
        self.order(VFD.replace("vfd", "third"), "Enable")
        self.registered(CLIENT.replace("vfd", "third"), start=start)
        said = [e.arguments[0] for e in self.server.events[start:] if e.word == "registered"]
        self.assertNotIn(CLIENT.replace("vfd", "other"), said)

    def test_host(self):
        self.start()
        self.until_state("registered", HOST)
        start = self.now()
        self.order(HOST, "Disable")
        self.event("deregistered", "gw", start)
        self.restart()
        self.until_state("paused", HOST)
        self.order(HOST, "Enable")
        self.until_state("registered", HOST)

    def test_end_while_paused(self):
        """Who leaves, and who has left already, both count."""
        self.start()
        self.until_state("registered")
        self.order(VFD, "Disable")
        self.order(HOST, "Disable")
        self.stop_daemon(self.daemon)

    def test_device(self):
        self.start()
        self.until_state("online", DEVICE)
        self.order(DEVICE, "Pause")
        self.assertEqual(self.state(DEVICE), "paused")
        self.assertEqual(self.bus.get(BUS, "Bus", "State"), "paused")
        self.until_quiet()
        self.refused("paused", self.write, "/3308/0/5900", "d", "1")
        self.assertEqual(self.paused(), [("device", "vfd")])
        self.restart()
        self.until_state("paused", DEVICE)
        self.until_quiet()
        self.order(DEVICE, "Resume")
        self.until_state("online", DEVICE)
        self.write("/3308/0/5900", "d", "1")

    def test_bus(self):
        self.start()
        self.until_state("online", DEVICE)
        self.order(BUS, "Disable")
        self.until_state("paused", BUS)
        self.assertEqual((self.state(DEVICE), self.bus.get(DEVICE, "Device", "Paused")), ("paused", False))
        self.assertEqual(self.paused(), [("bus", "lan")])
        self.until_quiet()
        self.restart()
        self.until_state("paused", BUS)
        self.order(DEVICE, "Pause")
        self.assertEqual(self.paused(), [("bus", "lan"), ("device", "vfd")])
        self.order(BUS, "Resume")
        self.until_quiet()
        self.assertEqual(self.state(DEVICE), "paused")
        self.order(DEVICE, "Resume")
        self.until_state("online", DEVICE)

    def test_who_is_told(self):
        """PropertiesChanged of the object and of the manager."""
        self.start()
        self.until_state("registered")
        monitor = self.monitor()
        self.order(VFD, "Disable")
        monitor.wait_line(self.change(PATH, "Paused", [["endpoint", "vfd"]], lambda v: [e[:2] for e in v]))
        monitor.wait_line(self.change(VFD, "State", "paused"))

    def test_damaged(self):
        self.start()
        self.until_state("registered")
        self.order(VFD, "Disable")
        self.stop_daemon(self.daemon)
        with open(self.rig.path("state/records/gateway.paused"), "r+b") as f:
            f.seek(20)
            f.write(b"\xff")
        start = self.now()
        self.start_daemon()
        self.bus.wait_name()
        self.log("what was paused is not known any more: its record was damaged")
        self.registered(CLIENT, start=start)

    def test_strangers(self):
        self.start()
        for path, member in ((VFD, "Disable"), (DEVICE, "Pause"), (BUS, "Pause"), (BUS, "Restart"), (VFD, "Update")):
            self.refused("denied", self.order, path, member, user=MEMBER)
        self.assertEqual(self.paused(), [])


if __name__ == "__main__":
    main()
