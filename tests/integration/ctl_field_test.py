#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl on the field side: what is asked of buses and devices on the spot."""
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main, source_path  # noqa: E402
from fieldway_test.bus import GROUP_ID, MEMBER, STRANGER, add_group  # noqa: E402
from fieldway_test.programs import plugin_folder  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402
from dbus_test import DEVICE  # noqa: E402

HERE = ("--host", "127.0.0.1", "--unit")
FOLDERS = ("--shared=" + source_path("etc"), "--objects=" + source_path("objects"))


class PollTest(CtlScenario):
    def test_poll(self):
        """Now, and not when its turn comes."""
        self.start(rate="1h")
        self.simulator.command("set holding 100 123")
        self.assertEqual(self.ctl("poll", "vfd", "speed"), "12.3\n")
        self.assertEqual(self.ctl("poll", "vfd", "running", "speed"), "running  false\nspeed    12.3\n")
        everything = dict(line.split(None, 1) for line in self.ctl("poll", "vfd").splitlines())
        self.assertEqual(everything["speed"], "12.3")
        self.assertNotIn("ack", everything)     # is only written
        self.fails("There is no point sped", "poll", "vfd", "sped")
        self.fails("no device 'vfb', did you mean 'vfd'?", "poll", "vfb")
        self.simulator.command("exception 2")
        self.assertEqual(self.fails("speed", "poll", "vfd", "speed"), "fieldwayctl: speed: illegal address\n")
        self.assertIn("speed    illegal address\n", self.ctl("poll", "vfd", "running", "speed"))


class RawTest(CtlScenario):
    def test_raw(self):
        self.start(rate="1h")
        self.simulator.command("set holding 100 513")
        for words in (("03", "0064", "0001"), ("0300640001",), ("03:00:64:00:01",), ("03", "00", "64", "00", "01")):
            with self.subTest(words):
                self.assertEqual(self.ctl("raw", "lan", *HERE, "1", *words), "03 02 02 01\n")
        self.assertEqual(self.ctl("raw", "lan", "--host=127.0.0.1", "--unit=9", "41"), "c1 01\n")
        self.log("uid 0 sends a raw request of 5 bytes")
        self.fails("unit", "raw", "lan", *HERE, "999", "03")
        self.fails("unti: the plugin has no such key here", "raw", "lan", "--unti", "1", "03")
        self.fails("no bus 'lam', did you mean 'lan'? (fieldwayctl list buses)", "raw", "lam", *HERE, "1", "03")
        self.simulator.command("silent")
        self.fails("no answer", "raw", "lan", *HERE, "1", "--within", "300ms", "03 0064 0001".replace(" ", ""))

    def test_usage(self):
        for words, text in ((("lan",), "Usage: fieldwayctl raw BUS HEX"), (("lan", "xy"), "xy: bytes in hexadecimal"),
                            (("lan", "030"), "bytes in hexadecimal"), (("lan", ""), "has no bytes"),
                            (("lan", "03" * 4097), "at most 4096 bytes"), (("", "03"), "no name of a bus"),
                            (("lan", "03", "--within", "5"), "a duration"), (("lan", "03", "--unit"), "is missing")):
            with self.subTest(words):
                self.fails(text, "raw", *words, status=2, environment={})


class BusTest(CtlScenario):
    def test_bus(self):
        self.start()
        self.assertEqual(self.ctl("list", "buses"), "NAME  PLUGIN  STATE   ONLINE\nlan   modbus  online  1 of 1\n")
        self.assertRegex(self.ctl("bus", "lan"),
                         r"^Bus         lan\nPlugin      modbus\nState       online, 1 of 1 devices online\n"
                         r"Statistics  [0-9,]+ requests, [0-9,]+ errors, .*0 host_restarts\n\nvfd  vfd  online  -\n$")
        self.fails("no bus 'lam', did you mean 'lan'?", "bus", "lam")

    def test_release(self):
        self.start()
        self.assertIn("lent for 1m;", self.ctl("bus", "lan", "release", "1m"))
        self.until_property(DEVICE, "Device", "State", lambda state: state == "failed")
        self.assertRegex(self.ctl("bus", "lan"), r"vfd  vfd  failed  .*lent")
        self.assertEqual(self.ctl("bus", "lan", "release", "back"), "")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")

    def test_record(self):
        self.start()
        file = self.rig.path("wire.rec")
        done = self.run_ctl("record", "lan", file, "--time", "1s")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done)
        with open(file, encoding="ascii") as f:
            pieces = [line for line in f if not line.startswith("#")]
        self.assertEqual(done.stderr, f"{len(pieces)} pieces recorded\n")
        self.assertGreater(len(pieces), 4)
        for line in pieces:
            self.assertRegex(line, r"^\+\d+\.\d{6} 127\.0\.0\.1:\d+\S* [<>]( [0-9a-f]{2})+$")
        self.assertEqual({line.split()[2] for line in pieces}, {"<", ">"})
        # Over no other file.
        self.fails("File exists", "record", "lan", file)
        self.assertTrue(stat.S_ISREG(os.stat(file).st_mode))

    def test_usage(self):
        for words, text in ((("bus",), "Usage: "), (("bus", "lan", "release"), "release 10m"),
                            (("bus", "lan", "release", "25h"), "up to 24h"), (("bus", "lan", "lend", "1m"), "release 10m"),
                            (("record", "lan"), "Usage: "), (("record", "lan", "x", "--time", "25h"), "up to 24h"),
                            (("record", "lan", "x", "--time=0s"), "a duration"), (("poll",), "Usage: "),
                            (("list", "servers"), "endpoints, devices or buses")):
            with self.subTest(words):
                self.fails(text, *words, status=2, environment={})


class CheckTest(CtlScenario):
    def run_check(self, *arguments):
        return self.run_ctl("check", self.rig.path("etc"), "--daemon", build_path("fieldwayd"), *FOLDERS,
                            "--plugins=" + plugin_folder(self.rig),
                            "--host-program=" + build_path("fieldway-plugin-host"), *arguments, environment={})

    def test_check(self):
        """The daemon's own words and exit status."""
        self.write_field()
        self.configure(uri="coap://127.0.0.1:5683")
        done = self.run_check()
        self.assertEqual(done.returncode, 0, done)
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="ascii") as f:
            f.write("nonesuch: true\n")
        done = self.run_check()
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertRegex(done.stderr, r"etc/fieldway.yaml:[0-9]+:1: .*nonesuch")
        self.fails("No such file", "check", "--daemon=/nonexistent/fieldwayd", environment={})
        self.fails("one argument too many", "check", "a", "b", status=2, environment={})


class RightsTest(CtlScenario):
    COMMANDS = (("poll", "vfd"), ("raw", "lan", *HERE, "1", "0300000001"), ("bus", "lan", "release", "1s"),
                ("record", "lan", "/dev/fd/1/none", "--time", "1s"))

    def test_rights(self):
        """Looking is everybody's; what puts bytes on a wire is not."""
        self.start()
        for command in (("bus", "lan"), ("list", "buses")):
            self.assertNotEqual(self.ctl(*command, user=STRANGER), "")
        for command in self.COMMANDS[:3]:
            with self.subTest(command):
                self.fails("needs root or the group fieldway-admin", *command, user=STRANGER)

    def test_member(self):
        add_group()
        self.start()
        self.assertEqual(self.ctl("poll", "vfd", "running", user=MEMBER, groups=[GROUP_ID]), "false\n")


if __name__ == "__main__":
    main()
