#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Local devices: programs of this machine, of users of their own, publish values and are told what servers write."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main, source_path  # noqa: E402
from fieldway_test.bus import GROUP_ID, MEMBER, NAME, PATH, Refused, marshal_text  # noqa: E402
from fieldway_test.local import (  # noqa: E402
    CAMERA, CLIENT, DEVICES, LIMIT, OTHER, OWNER, PEOPLE, PROFILE, LocalScenario, Program)
from fieldway_test.scenario import BUS, METER_DEVICES, METER_PROFILE  # noqa: E402


class PublishTest(LocalScenario):
    def test_published(self):
        """To the server: as a value that it reads, and as one that it is notified of."""
        self.start()
        self.registered(CLIENT)
        self.assertEqual(self.state(), "unknown")
        self.assertEqual(self.bus.get(CAMERA, "Device", "Reason"),
                         "bus local: device door-camera: no program of daemon has published yet")
        self.assertEqual(self.bus.get(CAMERA, "Device", "Bus"), "local")
        self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 3), ("sharp", "d", 0.5), ("place", "s", "door")))
        self.assertEqual(self.state(), "online")
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 3)
        self.assertEqual(self.read_one(CLIENT, "/3300/1/5700"), 0.5)
        self.assertEqual(self.read_one(CLIENT, "/3300/1/5750"), "door")
        self.expect(self.server.observe(CLIENT, PEOPLE), "2.05")
        start = self.now()
        # Any number will do, where it fits.
        self.assertIsNone(program.publish(("people", "i", 4)))
        event = self.event("notify", CLIENT, start)
        self.assertIn(4, self.server.values(event, PEOPLE).values())
        self.assertEqual(self.bus.get(CAMERA, "Device", "Statistics")["requests"], 2)

    def test_wrong(self):
        """Each error has a name, and nothing of what comes with it is taken."""
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        now = time.time_ns() // 1000
        for values, name, text in (
                ([("poeple", "x", 3)], "NoSuchPoint", "There is no point poeple"),
                ([("people", "s", "3")], "WrongType", "Point people is of type int64"),
                ([("people", "b", 1)], "WrongType", "Point people is of type int64"),
                ([("people", "d", 0.5)], "WrongType", "Point people is of type int64"),
                ([("place", "x", 1)], "WrongType", "Point place is of type string"),
                ([("people", "t", 1 << 63)], "OutOfRange", "Point people does not hold so large a value"),
                ([("sharp", "d", float("nan"))], "OutOfRange", "Point sharp holds finite numbers"),
                ([("sharp", "d", 1.5)], "OutOfRange", "Point sharp does not hold such a value, by its range"),
                ([("limit", "x", 501)], "OutOfRange", "Point limit does not hold such a value, by its range"),
                ([("place", "s", "x" * 4097)], "OutOfRange", "Point place holds at most 4096 bytes"),
                ([("people", "x", 3, now + 10_000_000)], "WrongTime", "Point people has a time that has not come yet"),
                ([("people", "x", 3, 0, 3)], "org.freedesktop.DBus.Error.InvalidArgs",
                 "Point people: 3 is no quality: 0 good, 1 no value, 2 not read"),
                ([("people", "x", 3)] * 2, "org.freedesktop.DBus.Error.InvalidArgs", "Point people is there twice"),
                ([("alert", "b", 1)], "NotAllowed", "Point alert is only written")):
            with self.subTest(name, values=values):
                self.assertEqual(program.publish(("sharp", "d", 0.25), *values) if values[0][0] != "sharp"
                                 else program.publish(*values), name)
                self.assertEqual(program.text, text)
        self.assertEqual(self.state(), "unknown")
        self.expect(self.server.request(CLIENT, "GET", "/3300/1/5700"), "5.03")
        # What is older than the last value.
        self.assertIsNone(program.publish(("people", "x", 3)))
        self.assertEqual(program.publish(("people", "x", 4, now - 60_000_000)), "WrongTime")
        self.assertEqual(program.text, "Point people has a later value already")
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 3)

    def test_quality(self):
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 3)))
        self.assertIsNone(program.publish(("people", "x", 0, 0, 1)))
        self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        # What stands in the place of a value is none, and need not be one that the point could have.
        for letter, value, quality in ("d", float("nan"), 1), ("d", 2, 2):
            self.assertIsNone(program.publish(("sharp", letter, value, 0, quality)))
        self.assertEqual(program.publish(("sharp", "s", "", 0, 1)), "WrongType")
        self.assertIsNone(program.publish(("people", "x", 5)))
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 5)

    def test_others(self):
        """Only the owner may, and root."""
        self.start()
        self.registered(CLIENT)
        other = Program(self, OTHER)
        self.assertEqual(other.publish(("people", "x", 9)), "org.freedesktop.DBus.Error.AccessDenied")
        self.assertEqual(other.text, "Needs the owner of the device, root or the group fieldway-admin")
        self.assertEqual(other.complete(1), "org.freedesktop.DBus.Error.AccessDenied")
        self.assertEqual(self.state(), "unknown")
        root = Program(self, None)
        self.assertIsNone(root.publish(("people", "x", 2)))
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 2)

    def test_of_a_plugin(self):
        """What a plugin reads nobody publishes, whatever rights he has."""
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=1))
        self.rig.write("etc/profiles.d/meter.yaml", METER_PROFILE)
        self.rig.write("etc/devices.d/meter.yaml", METER_DEVICES.format(count=1))
        self.start()
        meter, root = PATH + "/device/m1", Program(self, None)
        self.assertEqual(root.publish(device=meter), "NotLocal")
        self.assertEqual(Program(self).publish(device=meter), "org.freedesktop.DBus.Error.AccessDenied")

    def test_asked(self):
        """What people ask of it: who publishes, how much, and why a value is what it is."""
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 3), ("sharp", "d", 0, 0, 2)))
        self.assertEqual(self.bus.call(CAMERA, "Device", "Explain"), ["programs of daemon, over D-Bus", []])
        requests, points = self.bus.call(CAMERA, "Device", "GetStatistics")
        self.assertEqual(requests, [])
        self.assertEqual([p[:4] for p in points if p[0] in ("people", "sharp")],
                         [("people", 1, 0, 0), ("sharp", 0, 0, 1)])
        why = self.bus.call(PATH + "/endpoint/door_2dcamera", "Endpoint", "Explain", "s", PEOPLE)[0]
        self.assertEqual((why["Value"], why["Source"], why["Device"], why["Bus"], why["DeviceState"]),
                         (3, "point", "door-camera", "local", "online"))
        for key in "RequestProblem", "Rate", "Period":
            self.assertNotIn(key, why)
        self.assertEqual(self.bus.error(CAMERA, "Device.Read", "array:string:people"),
                         (NAME + ".Error.NotAllowed", "Nobody can ask its program: it publishes by itself"))
        self.assertEqual(self.bus.error(PATH + "/bus/local", "Bus.Scan", "uint64:1000")[0], NAME + ".Error.Failed")
        self.assertEqual(self.bus.get(PATH + "/bus/local", "Bus", "Plugin"), "local")
        for command in (["status"], ["list"], ["list", "devices"], ["show", "door-camera"], ["explain", "door-camera"],
                        ["why", "door-camera", PEOPLE], ["read", "door-camera", PEOPLE]):
            with self.subTest(command):
                status, lines = self.bus.run([build_path("fieldwayctl"), *command, f"--bus={self.bus.address}"])
                self.assertEqual(status, 0, lines)
                text = "\n".join(lines)
                for wrong in "plugin host", "Polled", "Together 0 requests":
                    self.assertNotIn(wrong, text)

    def test_short_lived(self):
        """busctl says one thing and goes: without `silence:` that holds as long as it is there."""
        self.start()
        self.bus.call(CAMERA, "Device", "Publish", "a(svtu)", "1", "people", "i", "7", "0", "0", user=OWNER)
        self.assertEqual(self.until_state("offline"),
                         "bus local: device door-camera: its program, of daemon, has left the bus")

    def test_bus_gone(self):
        """Without the bus there is no program; with it all goes on, and is told."""
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 1)))
        self.bus.stop()
        self.log("its program, of daemon, has left the bus")
        self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        self.bus.start()
        self.bus.wait_name()
        watcher = Program(self)
        watcher.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "org.freedesktop.DBus", signature="s",
                     body=marshal_text(f"type='signal',member='PropertiesChanged',path='{CAMERA}'"))
        self.assertIsNone(watcher.answer())
        self.assertIsNone(Program(self).publish(("people", "x", 2)))
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 2)
        while watcher.take()[1].get(3) != b"PropertiesChanged":
            pass

    def test_paused(self):
        self.start()
        program = Program(self)
        self.registered(CLIENT)
        self.assertIsNone(program.publish(("people", "x", 1)))
        self.bus.call(CAMERA, "Device", "Pause")
        self.assertEqual(self.state(), "paused")
        self.assertEqual(program.publish(("people", "x", 2)), "NotAllowed")
        self.bus.call(CAMERA, "Device", "Resume")
        self.assertEqual(self.state(), "unknown")
        self.assertIsNone(program.publish(("people", "x", 3)))
        self.assertEqual(self.state(), "online")
        # And its bus.
        self.bus.call(PATH + "/bus/local", "Bus", "Pause")
        self.assertEqual(self.until_state("paused"), "bus local is paused")
        self.assertEqual(program.publish(("people", "x", 2)), "NotAllowed")
        self.bus.call(PATH + "/bus/local", "Bus", "Resume")
        self.assertIsNone(program.publish(("people", "x", 4)))
        # What it said before is not what it says now; and now it leaves without a word.
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 4)
        self.bus.call(CAMERA, "Device", "Pause")
        self.bus.call(CAMERA, "Device", "Resume")
        self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        program.close()
        self.assertEqual(self.until_state("offline"),
                         "bus local: device door-camera: its program, of daemon, has left the bus")


class ReloadTest(LocalScenario):
    """Local devices come, go and change as all others do."""

    def reload(self, **files):
        self.write_files(**files)
        self.bus.call(PATH, "Manager", "Reload", "t", "0")

    def test_reload(self):
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 3), ("limit", "x", 10)))
        # Another one comes: this one goes on.
        self.reload(devices=DEVICES + "  - {{name: second, profile: vision, address: {{owner: bin}}}}\n")
        self.registered("gw-second")
        self.assertEqual(self.state(), "online")
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 3)
        self.assertEqual(program.publish(("people", "x", 1), device=PATH + "/device/second"),
                         "org.freedesktop.DBus.Error.AccessDenied")
        other = Program(self, OTHER)
        self.assertIsNone(other.publish(("people", "x", 8), device=PATH + "/device/second"))
        self.assertEqual(self.read_one("gw-second", PEOPLE), 8)
        # Another owner: who was it has no say any more.
        self.reload(devices=DEVICES.replace("daemon", "bin"))
        self.assertEqual(self.state(), "unknown")
        self.assertEqual(program.publish(("people", "x", 4)), "org.freedesktop.DBus.Error.AccessDenied")
        # Nor has what he said.
        self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        self.expect(self.server.request(CLIENT, "GET", LIMIT), "5.03")
        self.assertIsNone(other.publish(("people", "x", 5)))
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 5)
        # Another point.
        self.reload(profile=PROFILE.replace("alert: {{type: bool", "more: {{type: int64}}\n  alert: {{type: bool"),
                    devices=DEVICES.replace("daemon", "bin"))
        self.assertIsNone(other.publish(("more", "x", 5)))
        self.reload(devices="schema: 1\ndevices: []\n")
        self.assertEqual(self.bus.error(CAMERA, "Device.Pause")[0], "org.freedesktop.DBus.Error.UnknownObject")

    def test_group(self):
        """A program whose user is made when it starts is known by a group."""
        self.write_files(devices=DEVICES.replace("owner: daemon", "group: fieldway-admin"))
        self.start()
        self.bus.call(CAMERA, "Device", "Publish", "a(svtu)", "0", user=MEMBER, groups=[GROUP_ID])
        with self.assertRaises(Refused):
            self.bus.call(CAMERA, "Device", "Publish", "a(svtu)", "0", user=OWNER)

    def test_check(self):
        """Nobody of this name: an error of --check, and at start a warning."""
        self.write_files(devices=DEVICES.replace("daemon", "nobody-of-this-name"))
        self.start()
        self.log('there is no user "nobody-of-this-name": nobody of that name can publish')
        process = self.rig.start([build_path("fieldwayd"), "--check", self.rig.path("etc"),
                                  "--objects", source_path("objects")], stderr=subprocess.PIPE)
        self.assertNotEqual(process.wait_end(), 0)
        self.assertIn('site.yaml:3:51: there is no user "nobody-of-this-name"', "\n".join(process.lines))


class SilenceTest(LocalScenario):
    silence = "silence: 1m"

    def test_silence(self):
        self.start_clock()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 3)))
        program.close()
        self.assertEqual(self.read_one(CLIENT, PEOPLE), 3)
        self.daemon.clock.step(45)
        self.assertEqual(self.state(), "online")
        self.daemon.clock.step(16)
        self.assertEqual(self.until_state("offline"),
                         "bus local: device door-camera: nothing was published for 1m")
        answer = self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        self.assertIn(b"nothing was published for 1m", answer.payload)

    def start_clock(self):
        self.start_clock_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.bus.wait_name()


class WriteTest(LocalScenario):
    def test_written(self):
        program = self.begin()
        bystander = Program(self)
        name = self.write()
        serial, point, value = program.wait_write()
        # As the point has it, not as the resource.
        self.assertEqual((point, program.letter, value), ("limit", "x", 42))
        self.assertEqual(program.complete(serial + 1), "NoSuchWrite")
        self.assertIsNone(program.complete(serial))
        self.finish(name, "2.04")
        self.assertEqual(self.read_one(CLIENT, LIMIT), 42)
        self.assertEqual(program.complete(serial), "NoSuchWrite")
        # Nobody else has seen it.
        self.assertEqual(bystander.publish(), None)
        self.assertEqual(bystander.requested, [])

    def test_refused(self):
        program = self.begin()
        for word, code in ("invalid", "4.00"), ("busy", "5.03"), ("unreachable", "5.03"), ("failed", "5.00"):
            with self.subTest(word):
                name = self.write()
                serial, _, _ = program.wait_write()
                self.assertEqual(program.complete(serial, "sideways"), "org.freedesktop.DBus.Error.InvalidArgs")
                self.assertIsNone(program.complete(serial, word, "the door is shut"))
                answer = self.finish(name, code)
                self.assertIn(b"the door is shut", answer.payload)
        self.assertEqual(self.read_one(CLIENT, LIMIT), 10)
        # What is out of its range does not even get there.
        name = self.write("501")
        self.finish(name, "4.00")
        self.assertIsNone(program.publish())
        self.assertEqual(program.requested, [])

    def test_never_completed(self):
        program = self.begin()
        name = self.write()
        program.wait_write()
        answer = self.finish(name, "5.04")
        self.assertIn(b"outcome unknown", answer.payload)
        self.assertIn(b"its program has not completed it in time", answer.payload)

    def test_gone(self):
        """Its program leaves in the middle of a write; and then there is none."""
        program = self.begin()
        name = self.write()
        program.wait_write()
        program.close()
        answer = self.finish(name, "5.04")
        self.assertIn(b"its program has left the bus", answer.payload)
        self.until_state("offline")
        name = self.write()
        answer = self.finish(name, "5.03")
        self.assertIn(b"has left the bus", answer.payload)

    def test_nobody(self):
        self.start()
        self.registered(CLIENT)
        name = self.write()
        answer = self.finish(name, "5.03")
        self.assertIn(b"no program that publishes it is on the bus", answer.payload)


class PersistTest(LocalScenario):
    """Over restarts."""

    def restart(self):
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start()
        self.registered(CLIENT, start=start)

    def age(self, path):
        time_of = self.bus.call(PATH + "/endpoint/door_2dcamera", "Endpoint", "Explain", "s", path)[0]["Time"]
        return time.time() - time_of / 1e6

    def test_kept(self):
        program = self.begin()
        self.assertIsNone(program.publish(("limit", "x", 11), ("place", "s", "T\u00fcr 1")))
        self.restart()
        self.assertEqual(self.read_one(CLIENT, "/3300/1/5750"), "T\u00fcr 1")
        # As old as it is; what is not to be kept is not.
        self.assertEqual(self.state(), "unknown")
        self.assertEqual(self.read_one(CLIENT, LIMIT), 11)
        self.expect(self.server.request(CLIENT, "GET", PEOPLE), "5.03")
        program = Program(self)
        past = time.time_ns() // 1000 - 60_000_000
        self.assertIsNone(program.publish(("limit", "x", 12, past)))
        self.assertAlmostEqual(self.age(LIMIT), 75, delta=15.5)
        self.restart()
        self.assertEqual(self.read_one(CLIENT, LIMIT), 12)
        self.assertAlmostEqual(self.age(LIMIT), 90, delta=30.5)
        # What a server has written, too.
        program = Program(self)
        self.assertIsNone(program.publish())
        name = self.write("13")
        serial, _, value = program.wait_write()
        self.assertEqual(value, 13)
        self.assertIsNone(program.complete(serial))
        self.finish(name, "2.04")
        self.restart()
        self.assertEqual(self.read_one(CLIENT, LIMIT), 13)

    def test_damaged(self):
        """A record that nobody can read is said to be lost, and is no reason not to start."""
        program = self.begin()
        self.assertIsNone(program.publish(("limit", "x", 11)))
        self.stop_daemon(self.daemon)
        start = self.now()
        record = self.rig.path("state/records/door-camera.values")
        with open(record, "r+b") as f:
            f.seek(-3, os.SEEK_END)
            f.write(b"xyz")
        self.start()
        self.log("device door-camera: its values that were kept are lost")
        self.registered(CLIENT, start=start)


if __name__ == "__main__":
    main()
