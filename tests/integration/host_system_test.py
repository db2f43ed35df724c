#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What servers may do to this machine, by logind and timedated, which are fakes here; and the rule of polkit."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, Scenario, encode, main, source_path  # noqa: E402
from fieldway_test.bus import STRANGER, Caller, Refused, marshal_text  # noqa: E402
from fieldway_test.scenario import TEXT, TLV  # noqa: E402
from dbus_rights_test import POLKIT, POLKIT_POLICY, POLKIT_PROGRAM, polkit_folder  # noqa: E402

LOGIND, TIMEDATED = "org.freedesktop.login1", "org.freedesktop.timedate1"
DENIED = "org.freedesktop.DBus.Error.AccessDenied"


class Services(Caller):
    """Both, on one connection: they keep what they are asked for, and answer it."""

    def __init__(self, scenario):
        super().__init__(scenario.bus)
        self.read()     # of Hello
        for name in (LOGIND, TIMEDATED):
            body = marshal_text(name)
            body += bytes(-len(body) % 4) + struct.pack("<I", 4)
            self.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "org.freedesktop.DBus",
                      signature="su", body=body)
        self.calls, self.error, self.silent = [], None, False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        scenario.addCleanup(self.stop)
        scenario.rig.until(lambda: scenario.bus.has_owner(TIMEDATED), 20, TIMEDATED)

    def stop(self):
        self.socket.shutdown(2)
        self.thread.join()
        self.close()

    def serve(self):
        self.socket.settimeout(None)
        try:
            while True:
                kind, signature, fields, body = self.read_message()
                if kind == 1:
                    self.take_call(fields, signature, body)
        except (OSError, Refused):
            pass

    def take_call(self, fields, signature, body):
        number, to = self.taken, (6, b"s", fields[7].decode())
        self.calls.append((fields[3].decode(), signature, body))
        if self.silent:
            return
        if self.error:
            name, text = self.error
            self.send(3, (4, b"s", name), (5, b"u", number), to, signature="s", body=marshal_text(text))
        else:
            self.send(2, (5, b"u", number), to)


class HostSystemTest(Scenario):
    def begin(self, *allow, services=True):
        self.bus = Bus(self.rig, names=[LOGIND, TIMEDATED])
        self.services = Services(self) if services else None
        self.start_server()
        self.configure(more=f"host: {{allow: [{', '.join(allow)}]}}" if allow else "")
        self.start_daemon(arguments=[f"--bus={self.bus.address}"])
        self.bus.wait_name()
        self.registered("gw")

    def asked(self, member):
        return [body for name, _, body in self.services.calls if name == member]

    def put_fails(self, path, text, code, reason):
        answer = self.expect(self.put("gw", path, text), code)
        self.assertIn(reason, answer.payload.decode())

    def test_nothing_is_allowed(self):
        self.begin()
        self.expect(self.put("gw", "/3/0/13", "2013"), "2.04")
        self.expect(self.put("gw", "/3/0/15", "Europe/Berlin"), "2.04")
        start = self.now()
        self.expect(self.post("gw", "/3/0/4"), "2.04")
        self.registered("gw", start=start)
        self.assertEqual(self.services.calls, [])

    # int-241

    def test_reboot(self):
        self.begin("reboot")
        self.expect(self.post("gw", "/3/0/4"), "2.04")
        self.rig.until(lambda: self.asked("Reboot"), 20, "Reboot")
        self.assertEqual(self.asked("Reboot"), [bytes(4)])
        self.log("a server reboots this machine")
        # The rest is as before.
        self.expect(self.put("gw", "/3/0/13", "2013"), "2.04")
        self.assertEqual(len(self.services.calls), 1)

    def test_reboot_fails(self):
        self.begin("reboot")
        self.services.error = (DENIED, "Permission denied")
        start = self.now()
        self.expect(self.post("gw", "/3/0/4"), "2.04")
        self.registered("gw", start=start)
        self.assertIn("polkit", self.log("which failed"))

    def test_time(self):
        self.begin("time")
        self.expect(self.put("gw", "/3/0/13", "1700000000"), "2.04")
        self.assertEqual(self.asked("SetTime"), [struct.pack("<qII", 1700000000 * 10**6, 0, 0)])
        # It is the machine's, which nobody has set here.
        self.assertLess(abs(self.read_one("gw", "/3/0/13") - time.time()), 5)
        self.services.error = (TIMEDATED + ".AutomaticTimeSyncEnabled", "Automatic time synchronization is enabled")
        self.put_fails("/3/0/13", "1700000001", "5.03", "the clock follows the network")
        self.put_fails("/3/0/13", "-1", "4.00", "no time")
        self.assertEqual(len(self.services.calls), 2)

    def test_timezone(self):
        self.begin("timezone")
        before = self.read_one("gw", "/3/0/15")
        self.expect(self.put("gw", "/3/0/15", "Asia/Tokyo"), "2.04")
        self.assertEqual(self.asked("SetTimezone"), [marshal_text("Asia/Tokyo") + bytes(1) + bytes(4)])
        self.assertEqual(self.read_one("gw", "/3/0/15"), before)
        self.services.error = ("org.freedesktop.DBus.Error.InvalidArgs", "Invalid or not installed time zone 'Asia/X'")
        self.put_fails("/3/0/15", "Asia/X", "4.00", "not installed")
        self.services.error = (DENIED, "no")
        self.put_fails("/3/0/15", "Asia/Tokyo", "5.00", "polkit does not let the agent do it")

    def test_nobody_is_there(self):
        self.begin("time", services=False)
        answer = self.expect(self.put("gw", "/3/0/13", "1700000000"), "5.00")
        self.assertTrue(answer.payload)

    def test_factory_reset(self):
        self.begin("factory_reset")
        self.expect(self.put("gw", "/1/0/1", "100"), "2.04")
        self.expect(self.put("gw", "/3/0/14", "+05:00"), "2.04")
        self.expect(self.post("gw", "/16", encode.tlv({0: {0: "mine"}}), TLV), "2.01")
        self.expect(self.put("gw", "/3/0/13?pmin=7"), "2.04")
        self.assertIn("pmin=7", self.send("gw", "GET", "/3/0/13", options="accept=40").payload.decode())
        start = self.now()
        self.expect(self.post("gw", "/3/0/5"), "2.04")
        self.event("deregistered", "gw", start)
        event = self.registered("gw", start=start)
        self.assertEqual(event.lt, "3600")
        self.check_reset()
        start = self.now()
        self.stop_daemon(self.daemon)
        self.start_daemon(arguments=[f"--bus={self.bus.address}"])
        self.registered("gw", start=start)
        self.check_reset()

    def check_reset(self):
        self.assertEqual(self.read_one("gw", "/1/0/1"), 3600)
        self.assertNotEqual(self.read_one("gw", "/3/0/14"), "+05:00")
        self.expect(self.send("gw", "GET", "/16/0"), "4.04")
        self.assertNotIn("pmin=7", self.send("gw", "GET", "/3/0/13", options="accept=40").payload.decode())

    def test_factory_reset_is_not_there(self):
        self.begin("time")
        self.expect(self.post("gw", "/3/0/5"), "4.04")

    def test_what_is_allowed_changes(self):
        self.begin("time")
        start = self.daemon.process.now()
        self.configure()
        self.daemon.process.send_signal(1)
        self.log("configuration reloaded", start=start)
        self.expect(self.put("gw", "/3/0/13", "2013"), "2.04")
        self.assertEqual(self.services.calls, [])
        self.assertLess(abs(self.read_one("gw", "/3/0/13") - 2013), 60)

    def test_the_bus_goes(self):
        self.begin("time")
        self.services.silent = True
        name = self.server.send("request", "gw", f"PUT /3/0/13 format={TEXT} payload={b'1700000000'.hex()}")
        self.rig.until(lambda: self.asked("SetTime"), 20, "SetTime")
        self.bus.stop()
        self.rig.until(lambda: name in self.server.answers, 20, "an answer")
        self.assertEqual(self.server.answers.pop(name).fields.get("code"), "5.00")


class RuleTest(Scenario):
    """With the polkitd of the system, and the rule as it comes, for another user than fieldway."""

    def begin(self, rule):
        if not (os.access(POLKIT_PROGRAM, os.X_OK) and os.path.exists(POLKIT_POLICY) and shutil.which("pkcheck")):
            self.skipTest("no polkitd")
        actions = [f"/usr/share/polkit-1/actions/{name}.policy" for name in (LOGIND, TIMEDATED)]
        if not all(map(os.path.exists, actions)):
            self.skipTest("no actions of systemd")
        # Before they are hidden.
        with tempfile.TemporaryDirectory() as shown:
            for path in actions:
                shutil.copy(path, shown)
            folder = polkit_folder().name
            for path in actions:
                shutil.copy(os.path.join(shown, os.path.basename(path)), folder + "/actions")
        with open(folder + "/rules/10-test.rules", "w", encoding="ascii") as f:
            f.write(rule)
        self.bus = Bus(self.rig, policies=[POLKIT_POLICY])
        self.rig.start([POLKIT_PROGRAM, "--no-debug"], stderr=subprocess.PIPE,
                       env={**os.environ, **self.bus.environment()})
        self.rig.until(lambda: self.bus.has_owner(POLKIT), 20, POLKIT)

    def may(self, action, user):
        process = subprocess.Popen(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "cat"],
                                   stdin=subprocess.PIPE)
        try:
            self.rig.until(lambda: os.stat(f"/proc/{process.pid}").st_uid == user, 20, "another user")
            return subprocess.run(["pkcheck", "--action-id", action, "--process", str(process.pid)],
                                  env={**os.environ, **self.bus.environment()}, capture_output=True,
                                  timeout=30, check=False).returncode == 0
        finally:
            process.communicate()

    def test_rule(self):
        with open(source_path("packaging/polkit/fieldway-host.rules"), encoding="ascii") as f:
            rule = f.read()
        self.begin(rule.replace('subject.user == "fieldway"', 'subject.user == "daemon"'))
        for action, yes in ((LOGIND + ".reboot", True), (LOGIND + ".reboot-multiple-sessions", True),
                            (TIMEDATED + ".set-time", True), (TIMEDATED + ".set-timezone", True),
                            (LOGIND + ".power-off", False),
                            (LOGIND + ".reboot-ignore-inhibit", False)):
            self.assertEqual(self.may(action, STRANGER), yes, action)
        self.assertFalse(self.may(LOGIND + ".reboot", STRANGER + 1))


if __name__ == "__main__":
    main()
