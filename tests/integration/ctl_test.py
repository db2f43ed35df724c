#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl as people use it: the daemon on a system bus of the test's own."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, build_path, encode, main  # noqa: E402
from fieldway_test.bus import GROUP_ID, MEMBER, STRANGER, add_group  # noqa: E402
from fieldway_test.scenario import TLV  # noqa: E402
from dbus_test import DbusScenario  # noqa: E402
from field_test import DEVICES, NAME as CLIENT, NUMBER, RUN, SPEED  # noqa: E402

# One constant of each type, and what a terminal must not get.
KINDS_OBJECT = """schema: 1
object: {id: 33001, name: Kinds, version: "1.0", instances: multiple, mandatory: false}
resources:
  0: {name: Text, operations: R, type: string}
  1: {name: Whole, operations: R, type: integer}
  2: {name: Natural, operations: R, type: unsigned}
  3: {name: Real, operations: R, type: float}
  4: {name: Truth, operations: R, type: boolean}
  5: {name: Bytes, operations: R, type: opaque}
  6: {name: Moment, operations: R, type: time}
  7: {name: Link, operations: R, type: objlnk}
  8: {name: Links, operations: R, type: corelnk}
"""
# In YAML, and as it is printed.
KINDS = {0: ('"K\u00fchlraum 2"', "K\u00fchlraum 2"), 1: ("-5", "-5"),
         2: ("18446744073709551615", "18446744073709551615"), 3: ("21.5", "21.5"), 4: ("true", "1"),
         5: ('"AAEC/w=="', "AAEC/w=="), 6: ("1700000000", "1700000000"), 7: ('"3:0"', "3:0"),
         8: ('"</3/0>"', "</3/0>")}


class CtlScenario(DbusScenario):
    def start(self, **options):
        super().start(**options)
        self.until("online", "list", "devices")

    def run_ctl(self, *arguments, user=None, groups=(), environment=None):
        command = [build_path("fieldwayctl"), *arguments]
        if user is not None:
            # The build folder may be closed to others; theirs is the rig's, see Bus.
            command[0] = self.rig.path("fieldwayctl")
            shutil.copy(build_path("fieldwayctl"), command[0])
            rights = ["--groups=" + ",".join(map(str, groups))] if groups else ["--clear-groups"]
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", *rights, *command]
        if environment is None:
            environment = self.bus.environment()
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
                              encoding="utf-8", env={**os.environ, **environment})

    def ctl(self, *arguments, stderr="", **options):
        """What it prints when all is well; stderr: what it says beside it, None: anything."""
        done = self.run_ctl(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, done.stderr if stderr is None else stderr), arguments)
        return done.stdout

    def fails(self, text, *arguments, status=1, **options):
        """One line of standard error, with the text in it."""
        done = self.run_ctl(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done)
        self.assertIn(text, done.stderr)
        if status != 2:
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def until(self, text, *arguments):
        self.rig.until(lambda: text in self.run_ctl(*arguments).stdout, 20, f"fieldwayctl {arguments}: {text}")


class LookTest(CtlScenario):
    def test_status(self):
        self.start()
        self.until("2 registered", "status")
        uri = self.server.uri("coap")
        self.assertRegex(self.ctl("status"),
                         r"^fieldwayd [0-9.]+, configuration accepted\n"
                         rf"Servers         plant  2 of 2 registered  {uri}\n"
                         r"Endpoints       2: 2 registered\n"
                         r"Buses           lan  1 of 1 online\n$")

    def test_trouble(self):
        """A silent device, a server that refuses, and files that are wrong."""
        self.start()
        self.stop_daemon(self.daemon)
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="ascii") as f:
            f.write("nonesuch: true\n")
        self.simulator.command("silent")
        self.server.command("fault register 4.03")
        self.start_daemon()
        self.bus.wait_name()
        self.until("vfd  offline  ", "status")
        self.until("host  waiting  ", "status")
        text = self.ctl("status")
        self.assertIn("THE CONFIGURATION FILES ARE NOT IN FORCE", text.partition("\n")[0])
        self.assertRegex(text, r"\nErrors          \S+/etc/fieldway.yaml:[0-9]+:1: .*nonesuch")
        self.assertIn("plant  0 of 2 registered", text)
        self.assertIn("lan  0 of 1 online", text)
        self.assertRegex(text, r"host +waiting +\S")

    def test_not_configured(self):
        os.mkdir(self.rig.path("etc"))
        self.start_daemon()
        self.bus.wait_name()
        self.assertIn("not configured", self.ctl("status"))
        self.assertEqual(self.ctl("list").count("\n"), 1)

    def test_list(self):
        self.start()
        self.until("registered", "list")
        self.registered("gw")
        self.rig.until(lambda: self.ctl("list").count(" registered ") == 2, 20, "registrations")
        self.assertEqual(self.ctl("list"), "NAME  CLIENT NAME  STATE       SERVER  SOURCE  DEVICES  LAST ERROR\n"
                                           "host  gw           registered  plant   yaml    -        -\n"
                                           "vfd   gw-vfd       registered  plant   yaml    vfd      -\n")
        self.assertEqual(self.ctl("list", "devices"), "NAME  BUS  PROFILE  STATE   REASON\n"
                                                      "vfd   lan  vfd      online  -\n")
        self.simulator.command("silent")
        self.until("vfd   lan  vfd      offline  ", "list", "devices")

    def test_order(self):
        self.write_field(kind="--plain")
        self.rig.write("etc/devices.d/site.yaml", DEVICES.replace(
            "{name: vfd,", '{name: "m{unit}",').replace("unit: 1}", "unit: 1-11}"))
        self.start_server()
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        names = [line.split()[0] for line in self.ctl("list", "devices").splitlines()[1:]]
        self.assertEqual(names, [f"m{n}" for n in range(1, 12)])

    def test_explain(self):
        self.start()
        text = self.ctl("explain", "vfd")
        self.assertRegex(text, r"^Device +vfd\nProfile +vfd\nBus +lan\nLine +127\.0\.0\.1:[0-9]+\S*\nState +online\n"
                               r"\nevery 200ms\n(  \S.* [0-9]+ bytes\n)+\n"
                               r"Together [0-9,]+ requests, [0-9,]+ bytes a minute\n"
                               r"Since fieldwayd started: [0-9,]+ requests, .*0 timeouts")
        self.assertEqual(text.count(" bytes\n") * 300, int(text.partition("Together ")[2].split()[0].replace(",", "")))
        self.simulator.command("silent")
        self.until("State       offline\nReason      ", "explain", "vfd")
        self.fails("no device 'vfb', did you mean 'vfd'? (fieldwayctl list devices)", "explain", "vfb", status=3)


class ReadTest(CtlScenario):
    def test_device(self):
        self.start()
        self.simulator.command("set holding 100 123")
        self.rig.until(lambda: self.ctl("read", "vfd", SPEED) == "12.3\n", 20, "the speed")
        # By its client name, and without the slash.
        self.assertEqual(self.ctl("read", CLIENT, SPEED[1:]), "12.3\n")
        self.assertEqual(self.ctl("read", "vfd", "/3/0/11"), "/3/0/11/0  0\n")
        self.assertEqual(self.ctl("read", "vfd", "/3/0/11/0"), "0\n")
        instance = dict(line.split(None, 1) for line in self.ctl("read", "vfd", "/3308").splitlines())
        self.assertEqual(instance["/3308/0/5900"], "12.3")
        self.assertEqual(instance["/3308/0/5750"], "the speed")
        self.assertEqual({path.split("/")[2] for path in instance}, {"0", "1", "2"})
        everything = self.ctl("read", "vfd", "/").splitlines()
        self.assertIn("/3/0/0", [line.split()[0] for line in everything])

    def test_kinds(self):
        self.write_field(kind="--plain")
        self.rig.write("etc/objects.d/33001-kinds.yaml", KINDS_OBJECT)
        rows = ", ".join(f"{n}: {{value: {text}}}" for n, (text, _) in KINDS.items())
        with open(self.rig.path("etc/profiles.d/vfd.yaml"), "a", encoding="utf-8") as f:
            f.write(f"  33001/0: {{{rows}}}\n")
        self.start_server(names=("gw", CLIENT))
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        self.rig.until(lambda: self.run_ctl("read", "vfd", "/33001/0").returncode == 0, 20, "the endpoint")
        for n, (_, text) in KINDS.items():
            with self.subTest(n):
                self.assertEqual(self.ctl("read", "vfd", f"/33001/0/{n}"), text + "\n")
        self.assertEqual(self.ctl("read", "vfd", "/33001"),
                         "".join(f"/33001/0/{n}  {text}\n" for n, (_, text) in KINDS.items()))

    def test_harmless(self):
        """A server wrote what would steer the terminal."""
        self.start()
        self.registered("gw")
        body = encode.tlv({0: {0: "\x1b[2J\x1b]0;title\x07a\nb\\"}})
        path = self.expect(self.post("gw", "/16", body, TLV), "2.01").location
        self.assertEqual(self.ctl("read", "host", f"{path}/0/0"), "\\x1b[2J\\x1b]0;title\\x07a\\nb\\\\\n")

    def test_refused(self):
        self.start()
        for path, text, status in (("/3308/9", "no such path", 3), ("/9/0/0", "no such path", 3),
                                   ("/3/0/4", "cannot be read", 1), ("/0/0/5", "secret", 5)):
            with self.subTest(path):
                line = self.fails(text, "read", "vfd", path, status=status)
                self.assertTrue(line.startswith(f"fieldwayctl: vfd {path}: "), line)
        self.fails("no endpoint 'vfdd', did you mean 'vfd'? (fieldwayctl list endpoints)", "read", "vfdd", "/3", status=3)
        self.fails("no endpoint 'pump' (fieldwayctl list endpoints)", "read", "pump", "/3", status=3)

    def test_offline(self):
        self.start()
        self.simulator.command("silent")
        self.until("offline", "list", "devices")
        self.fails("vfd", "read", "vfd", SPEED, status=3)
        self.stop_daemon(self.daemon)
        self.start_daemon()
        self.bus.wait_name()
        self.fails("vfd: never read", "read", "vfd", SPEED, status=3)
        self.until("offline", "list", "devices")
        self.fails("no answer", "read", "vfd", SPEED, status=3)
        self.assertEqual(self.ctl("read", "vfd", "/3308/0/5750"), "the speed\n")
        done = self.run_ctl("read", "vfd", "/3306")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("vfd /3306: nothing in it has a good value", done.stderr)


class WriteTest(CtlScenario):
    def test_relay(self):
        self.write_field()
        self.start_server(names=("gw", CLIENT))
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        self.until("online", "list", "devices")
        for text in ("1", "0"):
            self.assertEqual(self.ctl("write", "vfd", RUN, text), "")
            self.assertEqual(self.simulator.command("get coil 0"), text)
            self.assertEqual(self.ctl("read", "vfd", RUN), text + "\n")

    def test_values(self):
        self.start()
        self.assertEqual(self.ctl("write", CLIENT, SPEED, "12.5"), "")
        self.assertEqual(self.simulator.command("get holding 100"), "125")
        self.assertEqual(self.ctl("write", "vfd", "/3306/0/5853", "reverse"), "")
        self.assertEqual(self.simulator.command("get holding 110"), "2")

    def test_refused(self):
        self.start()
        self.trace()
        for path, value, text, status in (
                (SPEED, "fast", f"{SPEED} holds a number", 1), (SPEED, "51", "speed", 1),
                (RUN, "true", f"{RUN} holds 0 or 1", 1), (SPEED, "-1", "speed", 1),
                ("/3306/0/5853", "sideways", "vfd.mode", 1), ("/3308/0/5750", "x", "5750", 1),
                ("/3/0/0", "x", "cannot be written", 1), ("/3308/0/5999", "1", "not there", 3),
                ("/0/0/0", "x", "bootstrap", 5)):
            with self.subTest(path=path, value=value):
                line = self.fails(text, "write", "vfd", path, value, status=status)
                self.assertTrue(line.startswith(f"fieldwayctl: vfd {path}: "), line)
        self.assertEqual(self.writes(), [])

    def test_device_errors(self):
        self.start(rate="1h", after=30)
        self.simulator.command("exception 4")
        self.fails("exception 4", "write", "vfd", NUMBER, "7")
        self.simulator.command("talk")
        self.simulator.command("silent")
        line = self.fails("vfd", "write", "vfd", NUMBER, "7")
        self.assertIn("read it before writing again", line)

    def test_daemon_dies_meanwhile(self):
        """Nobody knows then whether it was written."""
        self.start(rate="1h", timeout="3s")
        self.simulator.command("silent")
        before = int(self.simulator.command("requests"))
        writing = self.rig.start([build_path("fieldwayctl"), "write", "vfd", NUMBER, "7"], stderr=subprocess.PIPE,
                                 env={**os.environ, **self.bus.environment()})
        self.rig.until(lambda: int(self.simulator.command("requests")) > before, 10, "the write")
        self.daemon.process.essential = False
        self.daemon.process.child.kill()
        self.daemon.process.wait_end()
        self.assertEqual(writing.wait_end(), 1)
        self.assertEqual(writing.lines, [f"fieldwayctl: vfd {NUMBER}: fieldwayd has not answered; it may have been "
                                         "written or not: read it before writing again"])

    def test_offline(self):
        self.start()
        self.simulator.command("silent")
        self.until("offline", "list", "devices")
        self.trace()
        self.assertNotIn("before writing again", self.fails("vfd", "write", "vfd", NUMBER, "7"))
        self.assertEqual(self.writes(), [])


class RightsTest(CtlScenario):
    def test_rights(self):
        add_group()
        self.start()
        for command in (("status",), ("list",), ("list", "devices"), ("explain", "vfd")):
            with self.subTest(command):
                self.assertNotEqual(self.ctl(*command, user=STRANGER), "")
        self.assertEqual(self.ctl("read", "vfd", "/3308/0/5750", user=STRANGER), "the speed\n")
        self.trace()
        self.assertEqual(self.fails("needs root", "write", "vfd", SPEED, "1", user=STRANGER, status=5),
                         f"fieldwayctl: vfd {SPEED}: needs root or the group fieldway-admin\n")
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.ctl("write", "vfd", SPEED, "3", user=MEMBER, groups=[GROUP_ID]), "")
        self.assertEqual(self.simulator.command("get holding 100"), "30")


class OwnRightsTest(RightsTest):
    """The bus lets everything through; the daemon's refusal reads the same."""
    permissive = True


class WithoutTest(CtlScenario):
    """No daemon, no bus, no sense."""

    def test_no_daemon(self):
        self.bus = Bus(self.rig)
        for command in (("status",), ("list",), ("read", "vfd", "/3"), ("write", "vfd", SPEED, "1"), ("explain", "m1")):
            with self.subTest(command):
                self.fails("fieldwayd does not run (systemctl status fieldway)\n", *command, status=4)
                self.fails(f"no fieldwayd on the bus {self.bus.address}\n", *command, "--bus=" + self.bus.address,
                           environment={}, status=4)

    def test_no_bus(self):
        nowhere = "unix:path=" + self.rig.path("none")
        self.fails("cannot reach the bus", "status", environment={"DBUS_SYSTEM_BUS_ADDRESS": nowhere}, status=4)
        self.fails(nowhere, "status", "--bus", nowhere, environment={}, status=4)
        self.fails("cannot reach the bus of the session", "status", "--bus=session",
                   environment={"DBUS_SESSION_BUS_ADDRESS": nowhere}, status=4)

    def test_usage(self):
        for arguments, text in {("read", "vfd"): "Usage: fieldwayctl read EP PATH",
                                ("read", "vfd", "speed"): "speed: no path", ("read", "vfd", ""): "no path",
                                ("read", "", "/3"): "no name", ("read", "vfd", "/3", "4"): "4: one argument too many",
                                ("write", "vfd", "/3306/0", "1"): "write takes a resource", ("status", "x"): "too many",
                                ("list", "servers"): "endpoints, devices or buses", ("explain",): "Usage: fieldwayctl explain",
                                ("status", "--bus=systen"): "system, session, or an address",
                                ("status", "--color"): "--color: no such option"}.items():
            with self.subTest(arguments):
                self.fails(text, *arguments, status=2, environment={})
        for arguments in (("\x1b[2J",), ("list", "\x1b[2J"), ("read", "--\x1b[2J"), ("status", "\x1b[2J")):
            self.assertNotIn("\x1b", self.fails("\\x1b[2J", *arguments, status=2, environment={}))
        self.fails("UTF-8", "write", "vfd", "/3306/0/1", b"\xff", status=2, environment={})
        for command in ("status", "list", "read", "write", "explain"):
            text = self.ctl(command, "--help", environment={})
            self.assertTrue(text.startswith(f"Usage: fieldwayctl {command} "), text)
            self.assertIn("--bus=BUS", text)
            self.assertIn("--json", text)
            self.assertIn("Exit status: 0 done, 1 failed, 2 usage, 3 no such thing, 4 no daemon, 5 denied.", text)
            self.assertLess(max(map(len, text.splitlines())), 80)
            self.assertEqual(self.ctl("help", command, environment={}), text)


if __name__ == "__main__":
    main()
