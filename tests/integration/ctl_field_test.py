#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl on the field side: what is asked of buses and devices on the spot."""
import contextlib
import os
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Simulator, build_path, main, source_path  # noqa: E402
from fieldway_test.bus import GROUP_ID, MEMBER, STRANGER, add_group  # noqa: E402
from fieldway_test.programs import plugin_folder  # noqa: E402
import ble_test  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402
from dbus_test import DEVICE  # noqa: E402

HERE = ("--host", "127.0.0.1", "--unit")
FOLDERS = ("--shared=" + source_path("etc"), "--objects=" + source_path("objects"))


WIRE = """schema: 1
bus: wire
plugin: modbus
rtu: {{device: {path}, baud: 115200, format: "8N1"}}
timeout: 500ms
retries: 0
"""


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
        self.fails("no device 'vfb', did you mean 'vfd'?", "poll", "vfb", status=3)
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
        self.fails("no bus 'lam', did you mean 'lan'? (fieldwayctl list buses)", "raw", "lam", *HERE, "1", "03", status=3)
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
        self.fails("no bus 'lam', did you mean 'lan'?", "bus", "lam", status=3)

    def test_release(self):
        self.start()
        self.assertEqual(self.ctl("bus", "lan", "release", "1m"),
                         "lent for 1m; 'fieldwayctl bus lan release back' ends that\n")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "failed")
        self.fails("device vfd: lent until", "poll", "vfd")
        self.fails("bus lan: device attempt: its bus is lent", "probe", "lan", *HERE, "1", "input", "0")
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

    def run_record(self, output, *arguments):
        return subprocess.run([build_path("fieldwayctl"), "record", "lan", "-", *arguments], stdin=subprocess.DEVNULL,
                              stdout=output, stderr=subprocess.PIPE, timeout=30, check=False, encoding="utf-8",
                              env={**os.environ, **self.bus.environment()})

    def test_record_to_output(self):
        """A terminal or pipe that others have, too, waits afterwards as it did before."""
        self.start()
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        done = self.run_record(writer, "--time", "1s")
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(os.get_blocking(writer))
        self.assertRegex(os.read(reader, 65536).decode("ascii"), r"(?m)^\+\d+\.\d{6} 127\.0\.0\.1:\d+\S* <( [0-9a-f]{2})+$")
        # What is written by the shell to a file stays in there.
        file = self.rig.write("all.rec", "# before\n")
        with open(file, "ab") as f:
            self.assertEqual(self.run_record(f, "--time", "1s").returncode, 0)
        with open(file, encoding="ascii") as f:
            self.assertRegex(f.read(), r"^# before\n(#.*\n)*\+0\.")

    def test_record_to_nowhere(self):
        """A full disk is no success."""
        self.start()
        with open("/dev/full", "w", encoding="ascii") as f:
            done = self.run_record(f, "--time", "20s")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, r"^0 pieces recorded.*\nfieldwayctl: ended after \S+ of 20s: the file takes no more")

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


class WireScenario(CtlScenario):
    def write_field(self, **options):
        """And a serial line with one device that no file names."""
        super().write_field(**options)
        self.wire = Simulator(self.rig, ["--relay", "--unit", "7", "--rtu", self.rig.path("ttyWire")])
        self.rig.write("etc/buses.d/wire.yaml", WIRE.format(path=self.rig.path("ttyWire")))


class ScanTest(WireScenario):
    HASTY = "0 of 0 units answer\n1 more could not be asked in time: --within is too short\n"

    def test_units(self):
        self.start()
        done = self.run_ctl("scan", "wire", "--units", "5-9", "--area", "input", "--address", "9999")
        self.assertEqual((done.returncode, done.stderr), (0, "1 of 5 units answer\n"))
        # That it lacks the register is an answer, too; and it says who it is.
        self.assertRegex(done.stdout, r"^unit 7    input 9999: illegal address  \S.*\n$")
        name = self.ctl("scan", "wire", "--units=7", stderr="1 of 1 units answer\n")
        self.assertRegex(name, r"^unit 7    holding 0 = 0  \S.*\n$")
        self.assertEqual(self.ctl("scan", "wire", "--units=8-9", stderr="0 of 2 units answer\n"), "")
        # Who was not asked has not failed to answer.
        self.assertEqual(self.ctl("scan", "wire", "--units=7", "--within=1ms", stderr=self.HASTY), "")
        # Its own devices are read meanwhile as if nothing were.
        self.assertIn("online", self.ctl("bus", "lan"))

    def test_stopped_host(self):
        """Nothing is known of a unit whose host has not come to it."""
        self.start()
        for host in self.daemon.hosts():
            os.kill(host, signal.SIGSTOP)
            self.addCleanup(os.kill, host, signal.SIGCONT)
        self.assertEqual(self.ctl("scan", "wire", "--units=7", "--within=50ms", stderr=self.HASTY), "")

    def test_progress(self):
        """On a terminal there is a line that says how far it is; it does not stay."""
        self.start()
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        scan = subprocess.run([build_path("fieldwayctl"), "scan", "wire", "--units", "6-8"], stdout=subprocess.PIPE,
                              stderr=slave, timeout=30, check=True, env={**os.environ, **self.bus.environment()})
        os.close(slave)
        said = b""
        with contextlib.suppress(OSError):      # it hangs up
            while data := os.read(master, 65536):
                said += data
        self.assertIn(b"\r\x1b[Kunit 8 of 8, 1 found", said)
        self.assertRegex(said, rb"\r\x1b\[K1 of 3 units answer\r\n$")
        self.assertEqual(scan.stdout.count(b"\n"), 1)
        self.assertNotIn(b"\r", scan.stdout)

    def test_units_of_a_connection(self):
        self.start()
        done = self.run_ctl("scan", "lan", "--host=127.0.0.1", "--units", "1-3")
        self.assertEqual((done.returncode, done.stderr), (0, "3 of 3 units answer\n"))
        self.assertEqual([line[:6] for line in done.stdout.splitlines()], ["unit 1", "unit 2", "unit 3"])
        for number in (10, 11):                     # a gateway without units: no path, no answer
            self.simulator.command(f"exception {number}")
            self.fails(f"exception {number}", "scan", "lan", "--host=127.0.0.1", "--units", "1-3")
        self.simulator.command("exception 1")
        self.assertIn("illegal function", self.ctl("scan", "lan", "--host=127.0.0.1", "--units=1",
                                                   stderr="1 of 1 units answer\n"))
        self.fails("host", "scan", "lan", "--units", "1-3")
        # Nobody at all: that is no bus without devices.
        self.fails("refused", "scan", "lan", "--host=127.0.0.99", "--units", "1-2")

    def test_registers(self):
        self.start(rate="1h")
        found = self.ctl("scan", "lan", *HERE, "1", "--registers", "input", "300-700", stderr=None)
        self.assertEqual(found, "input 300-511\n")
        self.assertEqual(self.ctl("scan", "lan", *HERE, "1", "--registers", "input", "511-600",
                                  stderr=None), "input 511\n")
        self.assertEqual(self.ctl("scan", "lan", *HERE, "1", "--registers", "coil", "0-4999",
                                  stderr="5000 of 5000 exist, 3 requests\n"), "coil 0-4999\n")
        self.simulator.command("exception 4")
        self.assertEqual(self.ctl("scan", "lan", *HERE, "1", "--registers", "input", "3-4",
                                  stderr="0 of 2 exist, 3 requests\n"), "input 3: exception 4\ninput 4: exception 4\n")
        self.simulator.command("exception 1")
        self.fails("does not have function 4 (exception 1)", "scan", "lan", *HERE, "1", "--registers", "input", "0-99")
        self.simulator.command("talk")
        self.simulator.command("silent")
        before = int(self.simulator.command("requests"))
        self.fails("no answer", "scan", "lan", *HERE, "1", "--registers", "input", "0-999", "--within", "200ms")
        self.assertLess(int(self.simulator.command("requests")) - before, 8)

    def test_usage(self):
        for words, text in (((), "Usage: "), (("--units", "9-5"), "--units are numbers"), (("--units", "256"), "0 to 255"),
                            (("--area", "x"), "the area is"), (("--registers", "holding"), "--registers AREA FIRST-LAST"),
                            (("--registers", "x", "0-9"), "the area is"), (("--registers", "input", "0-65536"), "0 to 65535"),
                            (("5",), "too many"), (("--time", "2h"), "up to an hour"), (("--within", "2m"), "up to a minute")):
            with self.subTest(words):
                self.fails(text, "scan", *(("lan",) if words else ()), *words, status=2, environment={})


class ProbeTest(CtlScenario):
    def test_decode(self):
        self.start(rate="1h")
        self.simulator.command("set input 510 17254")
        self.simulator.command("set input 511 13107")
        numbers = [struct.unpack(">f", bytes.fromhex(h))[0] for h in ("33334366", "66433333", "33336643")]
        text = self.ctl("probe", "lan", *HERE, "9", "input", "510-512", "--decode")
        first, rare = text.split("\nuint16")
        self.assertEqual(first, "ADDRESS  HEX              uint16  int16  TEXT\n"
                                "510      4366             17254   17254  Cf\n"
                                "511      3333             13107   13107  33\n"
                                "512      illegal address  -       -      -\n\n"
                                "float32  ABCD     CDAB          BADC          DCBA\n"
                                f"510      230.2 *  {numbers[0]:.7g}  {numbers[1]:.7g}  {numbers[2]:.7g}\n\n"
                                "uint32  ABCD        CDAB       BADC        DCBA\n"
                                "510     1130771251  858997606  1715680051  859006531\n\n"
                                "int32  ABCD        CDAB       BADC        DCBA\n"
                                "510    1130771251  858997606  1715680051  859006531\n")
        for block in ("\nfloat16  AB       BA\n510      3.699 *  1603 *\n511      0.225 *  0.225 *\n",
                      "\nbcd32  ABCD      CDAB      BADC      DCBA\n510    43663333  33334366  66433333  33336643\n",
                      "\n510     2005-10-31 15:07:31  -     2024-05-14 09:47:31  -\n"):
            self.assertIn(block, rare)
        self.assertEqual(self.ctl("probe", "lan", *HERE, "1", "input", "510-511").count("\n"), 3)
        self.simulator.command("set coil 3 1")
        self.assertEqual(self.ctl("probe", "lan", *HERE, "1", "coil", "2-3", "--decode"), "2        0\n3        1\n")

    def test_trouble(self):
        self.start(rate="1h")
        self.fails("host", "probe", "lan", "--unit", "1", "input", "0")
        self.simulator.command("silent")
        self.fails("no answer", "probe", "lan", *HERE, "1", "input", "0", "--within=5s")
        for words, text in ((("lan", "input"), "Usage: "), (("lan", "inputs", "0"), "the area is"),
                            (("lan", "input", "0-1000"), "at most 1000"), (("lan", "input", "x"), "0 to 65535"),
                            (("lan", "input", "0", "--decode=all"), "takes no value")):
            with self.subTest(words):
                self.fails(text, "probe", *words, status=2, environment={})


# What an RTU device answered, twice, and once did not.
RECORDED = """# a line
+0.000000 /dev/ttyUSB0 > 01 03 00 00 00 01 84 0a
+0.010000 /dev/ttyUSB0 < 01 03 02
+0.012000 /dev/ttyUSB0 < 00 07 f9 86
+1.000000 /dev/ttyUSB0 > 01 03 00 00 00 01 84 0a
+2.000000 /dev/ttyUSB0 > 01 03 00 00 00 01 84 0a
+2.010000 /dev/ttyUSB0 < 01 83 02 c0 f1
"""
SPOKEN = """+5.000000 /dev/ttyUSB0 < 53 54 0d 0a
+5.200000 /dev/ttyUSB0 < 55 53 0d 0a
"""


class ReplayTest(CtlScenario):
    def play(self, text, *arguments):
        self.player = self.rig.start([build_path("fieldwayctl"), "replay", self.rig.write("wire.rec", text), *arguments],
                                     stderr=subprocess.STDOUT)
        return self.player

    def open_pty(self, text):
        link = self.rig.path("ttyReplay")
        self.play(text, "--pty", link).wait_line(f"{link} is there")
        fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, fd)
        return fd

    def read(self, fd, size, seconds=10):
        """So many bytes, or fewer when they do not come."""
        found, end = b"", time.monotonic() + seconds
        while len(found) < size and select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            found += os.read(fd, size - len(found))
        return found

    def test_loop(self):
        """Record, take the device away, and point the daemon at what was recorded."""
        self.start()
        self.simulator.command("set holding 100 123")
        self.rig.until(lambda: self.run_ctl("read", "vfd", "/3308/0/5900").stdout == "12.3\n", 20, "the speed")
        self.ctl("record", "lan", self.rig.path("wire.rec"), "--time", "1s", stderr=None)
        self.stop_daemon(self.daemon)
        self.simulator.command("unplug")
        with open(self.rig.path("wire.rec"), encoding="ascii") as f:
            player = self.play(f.read(), "--tcp", "127.0.0.1:0")
        player.wait_line("listening on 127.0.0.1 port ")
        port = next(line for line in player.lines if line.startswith("listening")).rsplit(" ", 1)[1]
        bus = self.rig.path("etc/buses.d/lan.yaml")
        with open(bus, encoding="ascii") as f:
            text = re.sub(r"port: \d+", f"port: {port}", f.read())
        self.rig.write("etc/buses.d/lan.yaml", text)
        self.start_daemon()
        self.bus.wait_name()
        self.until("online", "list", "devices")
        self.rig.until(lambda: self.run_ctl("read", "vfd", "/3308/0/5900").stdout == "12.3\n", 20, "the recorded speed")
        self.assertRegex(self.fails("no answer", "raw", "lan", *HERE, "1", "0100010001", "--within=300ms"), "no answer")
        player.wait_line("not in the recording: ")

    def test_requests(self):
        """Of a serial line: the answers in turn, then from the start."""
        fd = self.open_pty(RECORDED)
        request = bytes.fromhex("010300000001840a")
        for _ in range(2):
            os.write(fd, request[:3])
            os.write(fd, request[3:])
            self.assertEqual(self.read(fd, 7).hex(), "0103020007f986")
            os.write(fd, request)
            self.assertEqual(self.read(fd, 1, 0.3), b"")
            os.write(fd, request)
            self.assertEqual(self.read(fd, 5).hex(), "018302c0f1")
        os.write(fd, b"\x02\x03")
        self.player.wait_line("not in the recording: 02 03")
        self.player.send_signal(signal.SIGTERM)
        self.assertEqual(self.player.wait_end(), 0)
        self.assertFalse(os.path.lexists(self.rig.path("ttyReplay")))

    def test_stream(self):
        begin = time.monotonic()
        fd = self.open_pty(SPOKEN)
        self.read(fd, 4)
        self.assertEqual(self.read(fd, 4), b"US\r\n")
        self.assertGreaterEqual(time.monotonic() - begin, 0.2)
        self.assertEqual(self.read(fd, 8), b"ST\r\nUS\r\n")      # and again

    def test_wrong(self):
        file = self.rig.write("wire.rec", "# a line\n+0.000000 a < 00\n+0.1 a < 0\n")
        place = ("--tcp", "127.0.0.1:0")
        self.fails(f"{file}:3: is no piece of a recording", "replay", file, *place, environment={})
        file = self.rig.write("wire.rec", "+0.000000 a < 00\n+0.100000 b < 00\n")
        self.fails(f"{file}:2: is of another line than those before: say which one, by --line", "replay", file, *place, environment={})
        self.fails(f"{file}: there is nothing of that line", "replay", file, *place, "--line=c", environment={})
        self.fails("No such file", "replay", self.rig.path("none.rec"), *place, environment={}, status=3)
        self.fails("File exists", "replay", file, "--line=a", "--pty", file, environment={})
        self.fails("nowhere:x", "replay", file, "--line=a", "--tcp", "nowhere:x", environment={})
        for words in ((), (*place, "--pty", "x")):
            self.fails("replay FILE --pty LINK", "replay", file, *words, status=2, environment={})


class ReachTest(ble_test.OperatorTest):
    """What speaks by itself."""
    test_release = test_scan_without_adapter = None

    def begin_scan(self):
        return self.rig.start([build_path("fieldwayctl"), "scan", "ble0", "--time", "3s"], stderr=subprocess.STDOUT,
                              env={**os.environ, **self.bus.environment()})

    def test_scan(self):
        self.start_sensor('scan: {mode: "off"}')
        self.bluez.wait_call("GetManagedObjects")
        self.bluez.command("device A4:C1:38:00:14:01 other", f"know {ble_test.SENSOR_MAC}")
        scan = self.begin_scan()
        self.bluez.wait_call("StartDiscovery")
        self.bluez.until_taken("appear A4:C1:38:00:14:01 -40")
        self.assertEqual(scan.wait_end(), 0)
        places = [line for line in scan.lines if not line.endswith(" in reach")]
        self.assertIn("2 in reach", scan.lines)
        self.assertEqual({line.split()[0] for line in places}, {"A4:C1:38:00:14:01", ble_test.SENSOR_MAC})

    def test_key(self):
        """What leads to a secret is not told."""
        self.rig.write("etc/keys/th.key", "00" * 16 + "\n", 0o600)
        self.bluez.command(f"device {ble_test.SENSOR_MAC} th")
        self.start(ble_test.BTHOME_PROFILE.format(silence=""),
                   ble_test.BTHOME_DEVICES.format(more=', key: "file:keys/th.key"'))
        self.bus.wait_name()
        done = subprocess.run([build_path("fieldwayctl"), "explain", "th", "--origin"], capture_output=True, timeout=30,
                              check=False, encoding="utf-8", env={**os.environ, **self.bus.environment()})
        self.assertRegex(done.stdout, r"(?m)^\(device\) +key +\(not shown\) +\S+site.yaml:3$")
        self.assertNotIn("th.key", done.stdout + done.stderr)


class RightsTest(CtlScenario):
    COMMANDS = (("poll", "vfd"), ("raw", "lan", *HERE, "1", "0300000001"), ("bus", "lan", "release", "1s"),
                ("scan", "lan", *HERE[:2]), ("probe", "lan", *HERE, "1", "input", "0"),
                ("record", "lan", "-", "--time", "1s"))

    def test_rights(self):
        """Looking is everybody's; what puts bytes on a wire is not."""
        self.start()
        for command in (("bus", "lan"), ("list", "buses")):
            self.assertNotEqual(self.ctl(*command, user=STRANGER), "")
        for command in self.COMMANDS:
            with self.subTest(command):
                self.fails("needs root or the group fieldway-admin", *command, user=STRANGER, status=5)

    def test_member(self):
        add_group()
        self.start()
        self.assertEqual(self.ctl("poll", "vfd", "running", user=MEMBER, groups=[GROUP_ID]), "false\n")


if __name__ == "__main__":
    main()
