#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several programs of one local device, several devices of one program, and who may be one."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, main  # noqa: E402
from fieldway_test.bus import GROUP_ID, MEMBER, PATH, Caller, marshal_text  # noqa: E402
from fieldway_test.local import (  # noqa: E402
    CAMERA, CLIENT, DEVICES, OTHER, OWNER, PEOPLE, PROFILE, LocalScenario, Program)

POLKIT = "org.freedesktop.PolicyKit1"
PROGRAMS_OF_DEVICE_MAX = 8
MATCHES = 16
CROWD = 64201   # a group


class ProgramsScenario(LocalScenario):
    groups = f"crowd:x:{CROWD}:" + ",".join(f"member{i:05}" for i in range(10000)) + "\n"


class SeveralTest(ProgramsScenario):
    def publish_once(self, value, **options):
        """As a shell does it: the connection ends with the answer."""
        self.bus.call(CAMERA, "Device", "Publish", "a(svtu)", "1", "people", "i", str(value), "0", "0",
                      **{"user": OWNER, **options})

    def test_another_for_a_moment(self):
        """The one that stays is still the one that is asked, also for what it has been asked already."""
        program = self.begin()
        name = self.write("42")
        serial, _, _ = program.wait_write()
        self.publish_once(7, user=None)
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 7)
        self.assertIsNone(program.complete(serial))
        self.finish(name, "2.04")
        name = self.write("43")
        serial, _, value = program.wait_write()
        self.assertEqual(value, 43)
        self.assertIsNone(program.complete(serial))
        self.finish(name, "2.04")
        self.assertEqual(self.state(), "online")
        program.close()
        self.until_state("offline")

    def test_the_last_one_is_asked(self):
        first = self.begin()
        second = Program(self)
        self.assertIsNone(second.publish())
        self.write("42")
        self.assertEqual(second.wait_write()[2], 42)
        self.assertIsNone(first.publish())
        self.write("43")
        self.assertEqual(first.wait_write()[2], 43)
        first.close()
        # The other one is there, and has said so.
        self.rig.until(lambda: not self.bus.busctl("call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                   "org.freedesktop.DBus", "NameHasOwner", "s", first.name)[0],
                       15, "its end")
        self.write("44")
        self.assertEqual(second.wait_write()[2], 44)
        self.assertEqual(self.state(), "online")

    def test_not_too_many(self):
        """Of those that are there the first one is forgotten."""
        first = self.begin()
        others = [Program(self) for _ in range(PROGRAMS_OF_DEVICE_MAX)]
        for other in others:
            self.assertIsNone(other.publish())
        for other in others:
            other.close()
        self.until_state("offline")
        self.assertIsNone(first.publish())
        self.assertEqual(self.state(), "online")

    def test_in_order(self):
        """What does not wait for answers is taken in the order in which it was said."""
        self.start()
        self.registered(CLIENT)
        for turn in range(10):
            program = Program(self)
            last = 100 * turn + 40
            for value in range(100 * turn, last + 1):
                program.say(("people", "x", value))
            for _ in range(41):
                self.assertIsNone(program.answer())
            self.assertEqual(self.read_one(CLIENT, PEOPLE), last)
            program.close()

    def test_group_member(self):
        """Who may change things may publish, in place of the owner."""
        self.start()
        self.registered(CLIENT)
        self.publish_once(5, user=MEMBER, groups=[GROUP_ID])
        self.until_state("offline")
        self.log("its program, of daemon, has left the bus")


class LargeTest(ProgramsScenario):
    """Values of each type, and many."""

    def test_types(self):
        profile = PROFILE.replace("  alert:", "  total: {{type: uint64}}\n  picture: {{type: bytes}}\n  alert:").replace(
            "  3/0/12:", "  3300/2/5700: total\n  19/0/0/0: picture\n  3/0/12:")
        self.write_files(profile=profile)
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("total", "t", (1 << 63) + 2048), ("picture", "ay", b"\0\xff" * 2048)))
        self.assertEqual(self.read_one(CLIENT, "/3300/2/5700"), (1 << 63) + 2048)
        answer = self.expect(self.server.request(CLIENT, "GET", "/19/0/0/0", "accept=42"), "2.05")
        self.assertEqual(answer.payload, b"\0\xff" * 2048)
        self.assertEqual(program.publish(("total", "x", -1)), "OutOfRange")
        self.assertEqual(program.publish(("picture", "ay", bytes(4097))), "OutOfRange")
        self.assertEqual(program.publish(("picture", "s", "text")), "WrongType")

    def test_many(self):
        points = "".join(f"  p{i}: {{{{type: int64}}}}\n" for i in range(1001))
        self.write_files(profile=PROFILE.replace("  people:", points + "  people:"))
        self.start()
        program = Program(self)
        values = [(f"p{i}", "x", i) for i in range(1001)]
        self.assertEqual(program.publish(*values), "org.freedesktop.DBus.Error.LimitsExceeded")
        self.assertEqual(program.text, "More than 1000 values in one call")
        # In whatever order they come.
        self.assertIsNone(program.publish(*values[:500]))
        self.assertIsNone(program.publish(*values[:500:-1]))
        self.assertEqual(program.publish(*values[:10], values[5]), "org.freedesktop.DBus.Error.InvalidArgs")
        self.assertEqual(program.text, "Point p5 is there twice")


class LargeGroupTest(ProgramsScenario):
    address = ", group: crowd"

    def test_found(self):
        """A group whose members fill more than 100 KiB."""
        self.start()
        self.assertEqual(self.logged("crowd"), [])
        self.bus.call(CAMERA, "Device", "Publish", "a(svtu)", "0", user=OTHER, groups=[CROWD])


class MatchesTest(ProgramsScenario):
    """A bus that lets nobody be told of much."""
    count = 2 * MATCHES

    def setUp(self):
        super().setUp()
        self.bus.stop()
        self.bus = Bus(self.rig, limits=[("max_match_rules_per_connection", MATCHES)])
        self.write_files(devices=DEVICES + "".join(
            f"  - {{{{name: more{i}, profile: vision, address: {{{{owner: daemon}}}}}}}}\n" for i in range(self.count)))
        self.start()

    def device(self, i):
        return PATH + f"/device/more{i}"

    def states(self):
        return {self.bus.get(self.device(i), "Device", "State") for i in range(self.count)}

    def test_one_program(self):
        """It takes one of them for all of its devices."""
        program = Program(self)
        for i in range(self.count):
            self.assertIsNone(program.publish(("people", "x", i), device=self.device(i)))
        self.assertEqual(self.states(), {"online"})
        self.assertEqual(self.logged("will not say"), [])
        program.close()
        self.rig.until(lambda: self.states() == {"offline"}, 20, "all of them offline")

    def test_many_programs(self):
        """Of whom the bus does not say when he leaves, he is not said to have left."""
        programs = [Program(self) for _ in range(self.count)]
        for i, program in enumerate(programs):
            self.assertIsNone(program.publish(("people", "x", i), device=self.device(i)))
        self.log("D-Bus: the bus will not say when")
        for i, program in enumerate(programs):
            self.assertIsNone(program.publish(("people", "x", i), device=self.device(i)))
        self.assertEqual(self.states(), {"online"})


class PolkitTest(ProgramsScenario):
    """One that lets a stranger publish once."""

    def setUp(self):
        super().setUp()
        self.bus.stop()
        self.bus = Bus(self.rig, names=[POLKIT])
        self.polkit = Caller(self.bus)
        self.addCleanup(self.polkit.close)
        self.assertIsNone(self.polkit.read())
        name = marshal_text(POLKIT)
        self.polkit.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "org.freedesktop.DBus",
                         signature="su", body=name + bytes(-len(name) % 4) + struct.pack("<I", 4))
        self.assertIsNone(self.polkit.read())
        self.start()

    def decide(self, yes):
        while True:
            kind, _, fields, _ = self.polkit.read_message()
            if kind == 1 and fields[3] == b"CheckAuthorization":
                break
        self.polkit.send(2, (5, b"u", self.polkit.taken), (6, b"s", fields[7].decode()), signature="(bba{ss})",
                         body=struct.pack("<IIII", yes, 0, 0, 0))

    def test_each_call(self):
        stranger = Program(self, OTHER)
        stranger.say(("people", "x", 1))
        self.decide(True)
        self.assertIsNone(stranger.answer())
        self.assertEqual(self.state(), "online")
        stranger.say(("people", "x", 2))
        self.decide(False)
        self.assertEqual(stranger.answer(), "org.freedesktop.DBus.Error.AccessDenied")


if __name__ == "__main__":
    main()
