#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what on org.fieldway.Agent1: the bus's policy, the daemon's own check, polkit; each with other users."""
import functools
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, main, source_path  # noqa: E402
from fieldway_test.bus import (  # noqa: E402
    GROUP_ID, MEMBER, NAME, PATH, STRANGER, Caller, Refused, add_group, marshal_entry, marshal_text)
from fieldway_test.namespace import replace_files  # noqa: E402
from dbus_test import BUS, DEVICE, VFD, DbusScenario  # noqa: E402

POLKIT = "org.freedesktop.PolicyKit1"
POLKIT_PROGRAM = "/usr/lib/polkit-1/polkitd"
POLKIT_POLICY = "/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf"
QUESTIONS_OF_USER_MAX = 16      # dbus/internal.h
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
CHALLENGE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
RULES = """polkit.addRule(function(action, subject) {
  if (action.id == "org.fieldway.Agent1.write" && subject.user == "%s") return polkit.Result.YES;
});
"""


@functools.lru_cache
def polkit_folder():
    """A folder whose actions/ and rules/ are those of polkit to this process; raises SkipTest where that cannot be."""
    folder = tempfile.TemporaryDirectory()
    os.chmod(folder.name, 0o755)
    for name in ("actions", "rules", "none"):
        os.mkdir(os.path.join(folder.name, name), 0o755)
    if not replace_files({"/usr/share/polkit-1/actions": folder.name + "/actions",
                          "/usr/share/polkit-1/rules.d": folder.name + "/none",
                          "/etc/polkit-1/rules.d": folder.name + "/rules"}):
        raise unittest.SkipTest("no mount namespace for rules of the test's own")
    return folder


class RightsTest(DbusScenario):
    """With the shipped policy: the bus lets calls through that rights are asked for, and nothing else."""
    refusal = "Needs root or the group fieldway-admin"
    unknown = "Access denied"

    def setUp(self):
        super().setUp()
        add_group()
        self.start()

    def test_everybody_reads(self):
        self.rig.until(lambda: 5900 in self.read("/3308/0", user=STRANGER), 20, "a value")
        self.assertEqual(self.bus.call(PATH, "Manager", "GetEndpoint", "s", "vfd", user=STRANGER), [VFD])
        self.assertTrue(self.bus.call(DEVICE, "Device", "Explain", user=STRANGER))
        status, lines = self.bus.run(["busctl", f"--address={self.bus.address}", "introspect", NAME, VFD],
                                     user=STRANGER)
        self.assertEqual(status, 0, lines)
        self.assertIn(".LastError", "\n".join(lines))
        self.assertEqual(self.bus.error(VFD, "Endpoint.Read", "string:/0"),
                         ("org.freedesktop.DBus.Error.AccessDenied", "Its values are secret"))

    def test_strangers_do_not_write(self):
        self.trace()
        for path, value in (("/3308/0/5900", "1"), ("/nonsense", "1"), ("/1/0/1", "60")):
            name, text = self.bus.error(VFD, "Endpoint.Write", "string:" + path, "variant:string:" + value,
                                        user=STRANGER)
            self.assertEqual(name, "org.freedesktop.DBus.Error.AccessDenied")
            self.assertIn(self.refusal, text)
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.logged("uid"), [])

    def dummies(self, types):
        """Arguments of these types for busctl."""
        words = {"s": "x", "t": "1", "x": "1", "q": "1", "u": "1", "b": "false", "v": "s x"}
        return [word for kind in types for word in (["0"] if kind[0] == "a" else words[kind].split())]

    def methods(self, path):
        """(interface, method, types of its arguments) of ours."""
        _, lines = self.bus.run(["busctl", f"--address={self.bus.address}", "introspect", "--xml-interface", NAME,
                                 path])
        for interface in ET.fromstring("\n".join(lines)).findall("interface"):
            for method in interface.findall("method") if interface.get("name").startswith(NAME) else ():
                yield interface.get("name"), method.get("name"), [
                    a.get("type") for a in method.findall("arg") if a.get("direction") == "in"]

    def test_each_method(self):
        """What the manual marks a stranger cannot call, and only that."""
        with open(source_path("packaging/man/org.fieldway.Agent1.5.in"), encoding="utf-8") as f:
            _, *sections = re.split(rf"(?m)^\.Ss ({re.escape(NAME)}\S*)$", f.read())
        marked = {(interface, method) for interface, text in zip(sections[::2], sections[1::2])
                  for method in re.findall(r'(?m)^\.It Ic (\w+) No "\(.*" \*$', text)}
        seen, refused = set(), set()
        for path in (PATH, VFD, DEVICE, BUS):
            for interface, method, types in self.methods(path):
                if "h" in types:        # busctl has no descriptors
                    continue
                seen.add((interface, method))
                try:
                    self.bus.busctl("call", NAME, path, interface, method,
                                    *(["".join(types), *self.dummies(types)] if types else []), user=STRANGER)
                except Refused as error:
                    if "ccess denied" in str(error):
                        refused.add((interface, method))
        self.assertEqual(refused, marked & seen)
        self.assertGreater(len(refused), 5)
        self.assertEqual(self.logged("uid"), [])

    def test_nobody_sets_properties(self):
        with self.assertRaises(Refused) as caught:
            self.bus.busctl("set-property", NAME, DEVICE, NAME + ".Device", "State", "s", "online", user=STRANGER)
        self.assertIn(self.unknown, str(caught.exception))

    def test_the_group_writes(self):
        self.write("/3308/0/5900", "d", "3", user=MEMBER, groups=[GROUP_ID])
        self.assertEqual(self.simulator.command("get holding 100"), "30")
        self.log(f"uid {MEMBER}: write /3308/0/5900")


class OwnRightsTest(RightsTest):
    """The bus lets everything through: the daemon refuses."""
    unknown = "Property 'State' is not writable"
    permissive = True

    def test_forged_credentials(self):
        """A stranger answers in the name of the bus what the daemon asks it about him."""
        self.trace()
        owner, = self.bus.busctl("call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                 "GetNameOwner", "s", NAME)
        caller = Caller(self.bus, STRANGER)
        self.addCleanup(caller.close)
        self.assertIsNone(caller.read())
        root = marshal_entry("UnixUserID", "u", struct.pack("<I", 0))
        # It is a race with the bus, which a daemon that believes everybody loses two times out of three.
        for _ in range(5):
            caller.call(VFD, NAME + ".Endpoint", "Write", owner, signature="sv",
                        body=marshal_entry("/3306/0/5851", "s", marshal_text("7")))
            for guess in range(1, 1000):
                caller.send(2, (5, b"u", guess), (6, b"s", owner), signature="a{sv}",
                            body=struct.pack("<II", len(root), 0) + root)
            self.assertEqual(caller.read(), "org.freedesktop.DBus.Error.AccessDenied")
        self.assertEqual(self.writes(), [])


class PolkitTest(DbusScenario):
    """With the polkitd of the system, on this bus."""
    rules = ""

    def setUp(self):
        super().setUp()
        if not (os.access(POLKIT_PROGRAM, os.X_OK) and os.path.exists(POLKIT_POLICY)):
            self.skipTest("no polkitd")
        add_group()
        self.show_files()
        self.bus = Bus(self.rig, policies=[POLKIT_POLICY])
        self.polkit = self.rig.start([POLKIT_PROGRAM, "--no-debug"], stderr=subprocess.PIPE,
                                     env={**os.environ, **self.bus.environment()})
        self.rig.until(lambda: self.bus.has_owner(POLKIT), 20, POLKIT)
        self.start()

    def show_files(self):
        """Our actions and rules to polkitd, whatever is installed."""
        folder = polkit_folder().name
        shutil.copy(source_path("packaging/polkit/org.fieldway.Agent1.policy"), folder + "/actions")
        with open(folder + "/rules/10-test.rules", "w", encoding="ascii") as f:
            f.write(self.rules)

    def write_speed(self, value, **options):
        return self.bus.error(VFD, "Endpoint.Write", "string:/3308/0/5900", f"variant:double:{value}", **options)

    def test_who_may_without_polkit_may_still(self):
        self.polkit.stop()
        self.write("/3308/0/5900", "d", "3", user=MEMBER, groups=[GROUP_ID])
        self.assertEqual(self.write_speed(4, user=STRANGER),
                         (ACCESS_DENIED, "Needs root or the group fieldway-admin"))
        self.write("/3308/0/5900", "d", "5")

    def test_a_password_is_wanted(self):
        """No rule: the action's own defaults, and nobody is there to be asked."""
        self.trace()
        self.assertEqual(self.write_speed(4, user=STRANGER)[0], CHALLENGE)
        self.assertEqual(self.bus.error(PATH, "Manager.SetLogLevel", "string:", "string:debug", user=STRANGER)[0],
                         CHALLENGE)
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.read("/3308/0/5750", user=STRANGER), "the speed")


class PolkitRuleTest(PolkitTest):
    """A rule lets the stranger write values, and nothing else."""
    rules = RULES % "daemon"

    def test_a_password_is_wanted(self):
        self.assertEqual(self.write_speed(4, user=STRANGER), (None, ""))
        self.assertEqual(self.simulator.command("get holding 100"), "40")
        self.log(f"uid {STRANGER}: write /3308/0/5900")
        # Another action, and another user.
        self.assertEqual(self.bus.error(PATH, "Manager.SetLogLevel", "string:", "string:debug", user=STRANGER)[0],
                         CHALLENGE)
        self.assertEqual(self.write_speed(5, user=STRANGER + 1)[0], CHALLENGE)
        self.assertEqual(self.simulator.command("get holding 100"), "40")


class SlowPolkitTest(DbusScenario):
    """One that answers nobody yet: it waits for a password."""

    def test_questions_are_bounded(self):
        add_group()
        self.bus = Bus(self.rig, names=[POLKIT], limits=[("max_replies_per_connection", 2000)])
        polkit = Caller(self.bus)
        self.addCleanup(polkit.close)
        self.assertIsNone(polkit.read())
        polkit.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "org.freedesktop.DBus",
                    signature="su", body=marshal_text(POLKIT) + bytes(-len(marshal_text(POLKIT)) % 4) + struct.pack("<I", 4))
        self.assertIsNone(polkit.read())
        self.start(rate="1h")
        caller = Caller(self.bus, STRANGER)
        self.addCleanup(caller.close)
        self.assertIsNone(caller.read())
        for _ in range(QUESTIONS_OF_USER_MAX + 5):
            caller.call(VFD, NAME + ".Endpoint", "Write", signature="sv",
                        body=marshal_entry("nonsense", "s", marshal_text("7")))
        self.assertEqual({caller.read() for _ in range(5)}, {"org.freedesktop.DBus.Error.LimitsExceeded"})
        # Others go on, and nobody waits for him.
        self.write("/3308/0/5900", "d", "5")
        # Without polkit the answer is no.
        polkit.close()
        self.assertEqual({caller.read() for _ in range(QUESTIONS_OF_USER_MAX)}, {ACCESS_DENIED})


if __name__ == "__main__":
    main()
