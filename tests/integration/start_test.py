#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the daemon starts: with no configuration, a broken one, one that broke
since; what it keeps over a restart, and what signals mean to it."""
import hmac
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Clock, Scenario, build_path, encode, main  # noqa: E402
from fieldway_test.scenario import LINKS, TLV  # noqa: E402

EX_CONFIG = 78


class StartTest(Scenario):
    def start(self, secure=True):
        self.start_server(secure)
        self.start_meters(2)
        self.configure()
        self.start_daemon()
        self.ready("gw", "gw-m1", "gw-m2")

    def restart(self):
        start = self.now()
        self.stop_daemon(self.daemon)
        self.start_daemon()
        return start

    def break_configuration(self):
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="ascii") as f:
            f.write("nonesuch: [1\n")

    # Without a configuration

    def test_ended_while_a_plugin_is_asked(self):
        """Nobody waits for its deadline, and nothing is taken for accepted or wrong."""
        self.start_server()
        self.start_meters(1)
        self.configure()
        asked = self.rig.path("asked")
        os.mkfifo(asked)
        host = self.rig.write("hanging-host", f"#!/bin/sh\necho > {asked}\nexec sleep 60\n")
        os.chmod(host, 0o700)
        self.start_daemon(arguments=["--host-program", host])
        with open(asked, encoding="ascii"):     # waits for the other end
            pass
        begun = time.monotonic()
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.process.wait_end(), 0)
        self.assertLess(time.monotonic() - begun, 4)
        self.assertEqual(self.logged("configuration"), [])
        self.assertNotIn("gateway.last-good", os.listdir(self.rig.path("state/records")))

    def test_not_configured(self):
        os.mkdir(self.rig.path("etc"))
        self.start_daemon()
        self.daemon.notify.wait("READY=1")
        self.daemon.notify.wait("STATUS=Not configured: run fieldwayctl setup")

    def test_empty_file(self):
        self.rig.write("etc/fieldway.yaml", "")
        self.start_daemon()
        self.daemon.notify.wait("STATUS=Not configured: run fieldwayctl setup")

    def test_broken(self):
        self.start_server()
        self.configure()
        self.break_configuration()
        self.start_daemon()
        self.assertEqual(self.daemon.process.wait_end(), EX_CONFIG)
        self.assertNotIn("READY=1", self.daemon.notify.states)
        self.assertRegex(self.logged("fieldway.yaml:")[0], r"fieldway\.yaml:\d+:\d+: ")
        self.log("no earlier configuration can be used")

    def test_last_good(self):
        self.start()
        self.break_configuration()
        start = self.restart()
        self.registered("gw", "gw-m1", "gw-m2", start=start)
        self.log("fieldway.yaml:")
        self.log("running on the last configuration that was accepted")
        self.daemon.notify.wait("STATUS=Configuration is wrong, running on the last good one")
        self.until_code("gw-m1", "/3305/0/5800", "2.05")
        # The mended one is taken again.
        self.configure()
        start = self.restart()
        self.registered("gw", start=start)
        self.assertEqual(self.logged("last configuration"), [])

    def check_last_good(self):
        check = subprocess.run([build_path("fieldwayd"), "--check", self.rig.path("etc"), "--last-good",
                                "--state", self.rig.path("state"), *self.daemon.folders()],
                               capture_output=True, text=True, timeout=60, check=False)
        return check.returncode, check.stderr

    def test_check_of_the_last_good_one(self):
        """What a start with wrong files would run on, as an upgrade wants to know it beforehand."""
        self.start(secure=True)
        self.stop_daemon(self.daemon)
        self.break_configuration()
        self.assertEqual(self.check_last_good(), (0, ""))
        os.rename(self.rig.path("etc/keys/plant.psk"), self.rig.path("etc/keys/gone.psk"))
        # Without its key it runs all the same, and nobody can be talked to.
        status, said = self.check_last_good()
        self.assertEqual((status, "plant.psk" in said, said.rstrip().endswith("(warning)")), (0, True, True), said)
        start = self.now()
        self.start_daemon()
        self.daemon.notify.wait("STATUS=Configuration is wrong, running on the last good one")
        self.log("plant.psk")
        self.assertEqual([e for e in self.server.events[start:] if e.word == "registered"], [])
        self.stop_daemon(self.daemon)
        os.rename(self.rig.path("etc/keys/gone.psk"), self.rig.path("etc/keys/plant.psk"))
        with open(self.rig.path("state/records/gateway.last-good"), "r+b") as f:
            f.write(b"damaged")
        self.assertEqual(self.check_last_good()[0], 1)
        self.assertIn("damaged", self.check_last_good()[1])
        os.unlink(self.rig.path("state/records/gateway.last-good"))
        self.assertIn("there is none", self.check_last_good()[1])

    def test_another_revision(self):
        """Of a device type in use, such as an upgrade brings: told at the first start with it."""
        self.start()
        path = self.rig.path("etc/profiles.d/meter.yaml")
        for revision, told in ((7, ["profile meter has revision 7 now, it was 0"]), (7, []),
                               (8, ["profile meter has revision 8 now, it was 7"])):
            with open(path, encoding="ascii") as f:
                lines = [line for line in f if not line.startswith("revision:")]
            self.rig.write("etc/profiles.d/meter.yaml", "".join(lines) + f"revision: {revision}\n")
            self.registered("gw", start=self.restart())
            self.assertEqual([line[line.index("profile "):].rstrip() for line in self.logged("has revision")], told)

    def test_status(self):
        self.start()
        self.rig.until(lambda: self.daemon.notify.status() == "3 of 3 endpoints registered, 0 of 2 devices in trouble",
                       15, "the right status")
        self.simulator.command("1 silent")
        self.rig.until(lambda: self.daemon.notify.status() == "3 of 3 endpoints registered, 1 of 2 devices in trouble",
                       15, "the right status")

    # Keys

    def test_keys_that_others_can_read(self):
        self.start_server(secure=True)
        os.chmod(self.rig.path("etc/keys/plant.psk"), 0o644)
        self.configure()
        self.start_daemon()
        self.assertEqual(self.daemon.process.wait_end(), EX_CONFIG)
        line = self.log("plant.psk")
        self.assertRegex(line, r"fieldway\.yaml:\d+:\d+: ")
        self.assertNotIn(self.keys["gw"], "".join(self.daemon.process.lines))

    def use_key(self, reference):
        self.configure()
        path = self.rig.path("etc/fieldway.yaml")
        with open(path, encoding="ascii") as f:
            text = f.read()
        self.rig.write("etc/fieldway.yaml", text.replace("psk-file:keys/plant.psk", reference))
        self.start_daemon()

    def test_one_key_for_all(self):
        self.keys = dict.fromkeys(("gw", "gw-m1"), "00112233445566778899aabbccddeeff")
        self.start_server(secure=True)
        self.start_meters(1)
        self.rig.write("etc/keys/one.key", self.keys["gw"] + "\n", 0o600)
        self.use_key("file:keys/one.key")
        self.registered("gw", "gw-m1")

    def test_derived_keys(self):
        """One for each, from a master: HKDF-SHA256 (configuration.md, Keys)."""
        master = os.urandom(48)
        extracted = hmac.digest(b"fieldway-psk-1", master, "sha256")
        self.keys = {n: hmac.digest(extracted, n.encode() + b"\x01", "sha256")[:16].hex() for n in ("gw", "gw-m1")}
        self.start_server(secure=True)
        self.start_meters(1)
        os.makedirs(self.rig.path("etc/keys"))
        with open(os.open(self.rig.path("etc/keys/master"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(master)
        self.use_key("derive:keys/master")
        self.registered("gw", "gw-m1")

    # The state folder

    def test_state_in_use(self):
        self.start()
        first = self.daemon
        self.start_daemon()
        self.assertEqual(self.daemon.process.wait_end(), 1)
        self.log(self.rig.path("state") + ": in use by another process")
        self.assertFalse(first.process.ended())
        self.read_one("gw", "/3/0/16")

    def test_state_that_cannot_be(self):
        self.start_server()
        self.configure()
        path = self.rig.write("file", "")
        self.start_daemon(arguments=["--state", path])
        self.assertEqual(self.daemon.process.wait_end(), 1)
        self.log(path + ": Not a directory")

    def test_what_survives(self):
        self.start()
        self.expect(self.put("gw-m1", "/1/0/1", "1234"), "2.04")
        self.expect(self.put("gw-m1", "/1/0/3", "77"), "2.04")
        self.expect(self.server.request("gw-m1", "PUT", "/3305/0/5800?pmin=3&gt=5"), "2.04")
        self.expect(self.post("gw", "/16", encode.tlv({0: {0: "asset", 3: "\N{GREEK SMALL LETTER ALPHA}"}}), TLV),
                    "2.01")
        for kill in (False, True):
            with self.subTest(kill=kill):
                start = self.now()
                if kill:
                    self.daemon.process.child.kill()
                    self.daemon.process.wait_end()
                    self.start_daemon()
                else:
                    start = self.restart()
                event = self.registered("gw-m1", start=start)
                self.assertEqual(event.lt, "1234")
                self.assertEqual(self.registered("gw-m2", start=start).lt, "3600")
                self.assertIn("</16/0>", self.registered("gw", start=start).links)
                self.assertEqual(self.read_one("gw-m1", "/1/0/3"), 77)
                answer = self.server.request("gw-m1", "GET", "/3305/0/5800", f"accept={LINKS}")
                self.assertIn(";pmin=3;pmax=77;gt=5", answer.payload.decode())
                self.assertEqual(self.read("gw", "/16"),
                                 {"/16/0/0/0": "asset", "/16/0/0/3": "\N{GREEK SMALL LETTER ALPHA}"})

    def test_what_a_server_removed_stays_away(self):
        """Replace takes away what it does not name (Core 6.3.3), over restarts too."""
        self.start_server()
        self.configure(["notify: {pmin: 1s, pmax: 60s}"])
        self.start_daemon()
        self.ready("gw")
        self.assertEqual(self.read_one("gw", "/1/0/3"), 60)
        self.expect(self.put("gw", "/1/0", encode.tlv({1: 1234, 2: 5, 6: True, 7: "U"}), TLV), "2.04")
        for _ in range(2):
            self.expect(self.server.request("gw", "GET", "/1/0/3"), "4.04")
            self.assertEqual(self.read_one("gw", "/1/0/2"), 5)
            start = self.restart()
            self.assertEqual(self.registered("gw", start=start).lt, "1234")
            self.ready("gw", start=start)

    def test_yaml_changed_under_written_settings(self):
        """What the server wrote stays in force, with a warning."""
        self.start()
        self.expect(self.put("gw", "/1/0/1", "1234"), "2.04")
        self.configure(["lifetime: 2h"])
        start = self.restart()
        self.assertEqual(self.registered("gw", start=start).lt, "1234")
        self.assertEqual(self.registered("gw-m1", start=start).lt, "7200")
        self.log("settings of server plant were changed in YAML")

    def test_damaged_records(self):
        """They are set aside and told; everything else goes on."""
        self.start()
        self.expect(self.put("gw", "/1/0/1", "1234"), "2.04")
        start = self.now()
        self.stop_daemon(self.daemon)
        records = self.rig.path("state/records")
        for name in os.listdir(records):
            path = os.path.join(records, name)
            size = os.path.getsize(path)
            with open(path, "r+b") as f:
                f.seek(size // 2)
                f.write(b"\xaa\x55")
        self.start_daemon()
        self.assertEqual(self.registered("gw", start=start).lt, "3600")
        self.assertTrue(os.listdir(self.rig.path("state/quarantine")))
        self.log("host: settings in /1 by server plant are lost: their record was damaged and lies in quarantine/")

    # Signals, and what an installed daemon does not listen to

    def test_sighup(self):
        self.start()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.process.send_signal(signal.SIGPIPE)
        start = self.now()
        self.until_code("gw-m1", "/3305/0/5800", "2.05")
        self.assertFalse(self.daemon.process.ended())
        self.assertEqual([e for e in self.server.events[start:] if e.word in ("registered", "updated")], [])

    def test_the_clock_cannot_be_moved(self):
        clock = Clock(self.rig)
        self.addCleanup(clock.close)
        self.start_server()
        self.configure(["lifetime: 60s"])
        self.start_daemon(environment=clock.environment(), pass_fds=[clock.daemons.fileno()])
        self.registered("gw")
        clock.socket.sendall(struct.pack("=Q", 3600 * 1000000))
        for _ in range(5):
            self.read_one("gw", "/3/0/16")
        self.assertFalse(clock.moved())
        # Nobody has taken it.
        self.assertEqual(clock.daemons.recv(8, socket.MSG_DONTWAIT), struct.pack("=Q", 3600 * 1000000))
        clock.daemons.close()
        self.assertEqual([e for e in self.server.events if e.word == "updated"], [])

    def test_nonsense_for_a_clock(self):
        self.start_server()
        self.configure()
        self.start_daemon(environment={"FIELDWAY_CLOCK_FD": "99999"})
        self.registered("gw")

    def test_options(self):
        for option, text in {"--version": "fieldwayd ", "--help": "Usage: fieldwayd"}.items():
            done = subprocess.run([build_path("fieldwayd"), option], stdout=subprocess.PIPE, timeout=20, check=True)
            self.assertTrue(done.stdout.decode().startswith(text))


if __name__ == "__main__":
    main()
