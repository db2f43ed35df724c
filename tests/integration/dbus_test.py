#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""org.fieldway.Agent1 (agent/dbus/agent1.h) on a system bus of the test's own."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, main, source_path  # noqa: E402
from fieldway_test.bus import NAME, PATH, Caller, Refused, marshal_entry, marshal_text, plain  # noqa: E402
from field_test import DEVICES, NAME as CLIENT, FieldScenario  # noqa: E402

VFD, HOST = PATH + "/endpoint/vfd", PATH + "/endpoint/host"
DEVICE, BUS = PATH + "/device/vfd", PATH + "/bus/lan"
PROBE = "org.fieldway.Probe"
ORDERS_MAX = 256        # dbus/internal.h


class DbusScenario(FieldScenario):
    bus = None
    permissive = False
    arguments = ()

    def start_daemon(self, **options):
        if not self.bus:
            self.bus = Bus(self.rig, self.permissive)
        environment = {**options.pop("environment", {}), **self.bus.environment()}
        return super().start_daemon(arguments=["--bus=system", *self.arguments], environment=environment, **options)

    def start(self, **options):
        super().start(kind="--plain", **options)
        self.bus.wait_name()

    def observe_instance(self):
        self.expect(self.server.request(CLIENT, "PUT", "/3308/0?pmin=2&pmax=60"), "2.04")
        self.expect(self.server.observe(CLIENT, "/3308/0"), "2.05")

    def read(self, path, endpoint=VFD, **options):
        return self.bus.call(endpoint, "Endpoint", "Read", "s", path, **options)[0]

    def write(self, path, signature, *values, endpoint=VFD, **options):
        self.bus.call(endpoint, "Endpoint", "Write", "sv", path, signature, *values, **options)

    def refused(self, text, call, *arguments, **options):
        with self.assertRaises(Refused) as caught:
            call(*arguments, **options)
        self.assertIn(text, str(caught.exception))

    def until_monitored(self, monitor):
        """Not every busctl says when it listens."""
        def look():
            self.bus.run(["busctl", f"--address={self.bus.address}", "emit", "/", PROBE, "Ping"])
            return any(PROBE in line for line in monitor.lines)

        self.rig.until(look, 20, "a signal at the monitor")

    def monitor(self, *matches):
        """Signals of the daemon: PropertiesChanged, or those that match."""
        own = [f"--match=type=signal,sender={NAME},{match}"
               for match in matches or ["interface=org.freedesktop.DBus.Properties"]]
        monitor = self.rig.start(["busctl", f"--address={self.bus.address}", "--json=short", "monitor", *own,
                                  "--match=type=signal,interface=" + PROBE], stderr=subprocess.PIPE)
        self.until_monitored(monitor)
        return monitor

    @staticmethod
    def change(path, name, value, of=lambda value: value):
        """Fits a line that says that this property has this value now."""
        def fits(line):
            if not line.startswith("{"):
                return False
            message = json.loads(line)
            values = plain(message["payload"]["data"])[1] if message["path"] == path else {}
            return name in values and of(values[name]) == value
        return fits

    def until_property(self, path, interface, name, fits):
        self.rig.until(lambda: fits(self.bus.get(path, interface, name)), 20, f"{name} of {path}")


class ObjectsTest(DbusScenario):
    def test_objects(self):
        self.start()
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        self.until_property(PATH, "Manager", "Registered", lambda n: n == 2)
        objects = self.bus.objects()
        self.assertEqual(set(objects), {VFD, HOST, DEVICE, BUS})
        endpoint = objects[VFD][NAME + ".Endpoint"]
        account = {"Server": "plant", "Uri": self.server.uri("coap"), "ShortServerId": 101, "State": "registered",
                   "Security": "none", "Source": "yaml", "Version": "1.2", "LastError": "", "HistoryWaiting": 0}
        self.assertEqual(endpoint, {"Name": "vfd", "ClientName": CLIENT, "State": "registered", "LastError": "", "Paused": False,
                                    "Accounts": [account], "Devices": [("vfd", DEVICE)]})
        host = objects[HOST][NAME + ".Endpoint"]
        self.assertEqual((host["Name"], host["ClientName"], host["Devices"]), ("host", "gw", []))
        device = objects[DEVICE][NAME + ".Device"]
        statistics = device.pop("Statistics")
        self.assertGreater(statistics["requests"], 0)
        self.assertEqual(set(statistics), {"requests", "errors", "timeouts", "conflated"})
        self.assertEqual(device, {"Name": "vfd", "Bus": "lan", "Profile": "vfd", "Enabled": True, "State": "online",
                                  "Reason": "", "Paused": False})

    MANY = """  - {name: "x{n}", profile: vfd, bus: lan, each: {n: 2-240}, address: {host: 127.0.0.1, unit: "{n}"}}
  - {name: "y{n}", profile: vfd, bus: lan, each: {n: 1-240}, address: {host: 127.0.0.2, unit: "{n}"}}
"""

    def start_many(self):
        self.write_field(kind="--plain", rate="1h")
        self.rig.write("etc/devices.d/site.yaml", DEVICES + self.MANY)
        self.start_server(names=("gw", CLIENT))
        self.configure(more="register: {wait: none}")
        self.start_daemon()
        self.bus.wait_name()

    def test_many_objects(self):
        """They come in portions of one answer, each as its own properties say; and several callers at once."""
        self.start_many()
        calls = [self.rig.start(["busctl", f"--address={self.bus.address}", "--json=short", "call", NAME, PATH,
                                 "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"], stderr=subprocess.PIPE)
                 for _ in range(5)]
        self.assertEqual(len(self.bus.objects()), 1 + 480 + 480 + 1)
        for call in calls:
            self.assertEqual(call.wait_end(), 0, call.lines)
        objects = plain(json.loads(calls[0].lines[0])["data"])[0]
        self.assertEqual(len([path for path in objects if "/device/" in path]), 480)
        for path, interface, names in ((PATH + "/endpoint/x7", "Endpoint", ("Name", "ClientName")),
                                       (PATH + "/device/y240", "Device", ("Name", "Bus", "Profile", "Enabled", "Paused")),
                                       (BUS, "Bus", ("Name", "Plugin", "Devices"))):
            for name in names:
                self.assertEqual(objects[path][f"{NAME}.{interface}"][name], self.bus.get(path, interface, name))

    def test_reloads_meanwhile(self):
        """An answer has the objects of one configuration, whole."""
        self.start_many()
        caller = Caller(self.bus)
        self.addCleanup(caller.close)
        self.assertIsNone(caller.read())
        for devices in (DEVICES, DEVICES + self.MANY) * 2:
            self.rig.write("etc/devices.d/site.yaml", devices)
            caller.call(PATH, NAME + ".Manager", "Reload", signature="t", body=bytes(8))
            sizes = set()
            for _ in range(4):
                caller.call(PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
                sizes.add(len(self.bus.objects()))
            self.assertEqual([caller.read() for _ in range(5)], [None] * 5)
            self.assertLessEqual(sizes, {4, 1 + 480 + 480 + 1})
            self.assertEqual(len(self.bus.objects()), 4 if devices == DEVICES else 1 + 480 + 480 + 1)

    def test_a_limit(self):
        """Of a caller that asks for all objects again and again; who reads nothing does not grow the daemon."""
        self.start_many()
        caller = Caller(self.bus, None)
        self.addCleanup(caller.close)
        self.assertIsNone(caller.read())
        for _ in range(20):
            caller.call(PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        answers = [caller.read() for _ in range(20)]
        self.assertEqual(set(answers), {None, "org.freedesktop.DBus.Error.LimitsExceeded"})
        self.assertEqual(len(self.bus.objects()), 1 + 480 + 480 + 1)

    def test_manager(self):
        self.start()
        for name, value in {"ConfigurationState": "accepted", "ConfigurationErrors": [], "Endpoints": 2,
                            "Accounts": 2, "Devices": 1, "History": {"waiting": 0, "bytes": 0, "oldest": 0, "lost": 0}}.items():
            with self.subTest(name):
                self.assertEqual(self.bus.get(PATH, "Manager", name), value)
        self.assertRegex(self.bus.get(PATH, "Manager", "Version"), r"^[0-9]+\.[0-9]+\.[0-9]+$")
        for name, path in {"vfd": VFD, CLIENT: VFD, "host": HOST, "gw": HOST}.items():
            self.assertEqual(self.bus.call(PATH, "Manager", "GetEndpoint", "s", name), [path])
        self.assertEqual(self.bus.call(PATH, "Manager", "GetDevice", "s", "vfd"), [DEVICE])
        self.refused("no endpoint m9", self.bus.call, PATH, "Manager", "GetEndpoint", "s", "m9")
        self.refused("no device host", self.bus.call, PATH, "Manager", "GetDevice", "s", "host")
        self.refused("Unknown object", self.bus.call, PATH + "/endpoint/m9", "Endpoint", "Read", "s", "/3/0")

    def test_long_names(self):
        """An error does not repeat all of what was sent, nor end in half a character."""
        self.start()
        long = "x" + "\u00fc" * 10000
        for path, member, *more in ((PATH, "Manager.GetEndpoint"), (PATH, "Manager.GetDevice"), (VFD, "Endpoint.Read"),
                                    (VFD, "Endpoint.Write", "variant:byte:1")):
            with self.subTest(member):
                name, text = self.bus.error(path, member, "string:" + long, *more)
                self.assertRegex(name, "NoSuch|InvalidArgs")
                self.assertIn("x\u00fc\u00fc", text)
                self.assertLess(len(text), 200)

    def test_log_levels(self):
        self.start()
        self.assertEqual(self.logged("D-Bus: the bus closed"), [])
        levels = self.bus.get(PATH, "Manager", "LogLevels")
        folder = source_path("agent")
        programs = {"api", "ctl", "install"}
        self.assertEqual(set(levels), {"", "main", *(name for name in os.listdir(folder) if name not in programs
                                                     and os.path.isdir(os.path.join(folder, name)))})

        def level(module, value):
            self.bus.call(PATH, "Manager", "SetLogLevel", "ss", module, value)
            return self.bus.get(PATH, "Manager", "LogLevels")

        self.assertEqual(level("", "notice"), dict.fromkeys(levels, "notice"))
        self.assertEqual(level("lwm2m", "debug"), dict.fromkeys(levels, "notice") | {"lwm2m": "debug"})
        self.log(f"uid {os.geteuid()} sets the log level of lwm2m to debug")
        self.assertEqual(level("lwm2m", ""), dict.fromkeys(levels, "notice"))
        for module, value, text in (("", "", "A level is"), ("lwm2m", "loud", "A level is"),
                                    ("ctl", "debug", "no such module"), ("", "3", "A level is")):
            self.refused(text, level, module, value)
        self.assertEqual(self.bus.get(PATH, "Manager", "LogLevels"), dict.fromkeys(levels, "notice"))

    def test_log_level_of_hosts(self):
        """They say of each device whether it is there when they are wanted to."""
        self.start(rate="100ms", timeout="100ms")
        self.bus.call(PATH, "Manager", "SetLogLevel", "ss", "host", "debug")
        said = "fieldway-plugin-host: bus lan: device vfd"

        def look():
            state = self.bus.get(DEVICE, "Device", "State")
            self.simulator.command({"online": "silent"}.get(state, "talk"))
            return self.logged(said)

        self.rig.until(look, 30, f"{said!r} in the log")

    def test_log_levels_at_start(self):
        self.arguments = ["--log-level=warning,lwm2m=debug,dbus=error"]
        self.start()
        levels = self.bus.get(PATH, "Manager", "LogLevels")
        self.assertEqual((levels[""], levels["lwm2m"], levels["dbus"], levels["store"]),
                         ("warning", "debug", "error", "warning"))

    def test_explain(self):
        self.start()
        line, requests = self.bus.call(DEVICE, "Device", "Explain")
        self.assertIn("127.0.0.1", line)
        self.assertEqual({period for period, *_ in requests}, {200000})
        texts = "\n".join(text for _, text, *_ in requests)
        for word in ("holding", "discrete"):
            self.assertIn(word, texts)
        self.assertTrue(all(size > 0 for _, _, size, _ in requests))

    def test_not_configured(self):
        os.mkdir(self.rig.path("etc"))
        self.start_daemon()
        self.bus.wait_name()
        self.assertEqual(self.bus.get(PATH, "Manager", "ConfigurationState"), "not-configured")
        self.assertEqual(self.bus.get(PATH, "Manager", "Endpoints"), 0)
        self.assertEqual(self.bus.get(PATH, "Manager", "Registered"), 0)
        self.assertEqual(self.bus.objects(), {})
        self.refused("no endpoint host", self.bus.call, PATH, "Manager", "GetEndpoint", "s", "host")

    def test_last_good(self):
        self.start()
        self.stop_daemon(self.daemon)
        path = self.rig.path("etc/fieldway.yaml")
        with open(path, "a", encoding="ascii") as f:
            f.write("nonesuch: true\n")
        self.start_daemon()
        self.bus.wait_name()
        self.assertEqual(self.bus.get(PATH, "Manager", "ConfigurationState"), "last-good")
        (file, line, column, text), = self.bus.get(PATH, "Manager", "ConfigurationErrors")
        with open(path, encoding="ascii") as f:
            self.assertEqual((file, line, column), (path, len(f.readlines()), 1))
        self.assertIn("nonesuch", text)

    def test_changes(self):
        """PropertiesChanged says what the properties then say."""
        self.start()
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        monitor, change = self.monitor(), self.change
        self.simulator.command("silent")
        line = monitor.wait_line(change(DEVICE, "State", "offline"))
        self.assertIn("vfd", plain(json.loads(line)["payload"]["data"])[1]["Reason"])
        # An Update is no change; had it been told, then not behind that of the device.
        before, start = len(monitor.lines), self.now()
        self.expect(self.post(CLIENT, "/1/0/8"), "2.04")
        self.event("updated", CLIENT, start)
        self.simulator.command("talk")
        monitor.wait_line(change(DEVICE, "State", "online"))
        self.assertEqual([line for line in monitor.lines[before:] if VFD in line], [])
        self.server.command("fault register 4.03")
        self.server.command("fault update 4.04")
        self.expect(self.post(CLIENT, "/1/0/8"), "2.04")
        monitor.wait_line(change(VFD, "State", "waiting"))
        self.assertIn("it answered 4.03 Forbidden", self.bus.get(VFD, "Endpoint", "LastError"))
        monitor.wait_line(change(PATH, "Registered", 1))


class ReadTest(DbusScenario):
    def test_kinds(self):
        self.start()
        self.simulator.command("set holding 100 123")
        self.simulator.command("set holding 110 2")
        self.rig.until(lambda: self.read("/3308/0/5900") == 12.3, 20, "the speed")
        for endpoint, path, text in ((VFD, "/3308/0/5900", "v d 12.3"), (VFD, "/3306/0/5850", "v b false"),
                                     (VFD, "3306/0/5851", "v x 0"), (VFD, "/3/0/0", 'v s "ACME"'),
                                     (VFD, "/3/0/11", "v a{qv} 1 0 x 0"), (HOST, "/1/0/1", "v x 3600")):
            with self.subTest(path):
                status, lines = self.bus.run(["busctl", f"--address={self.bus.address}", "call", NAME, endpoint,
                                              NAME + ".Endpoint", "Read", "s", path])
                self.assertEqual((status, lines), (0, [text]))

    def test_parts(self):
        self.start()
        self.rig.until(lambda: 5900 in self.read("/3308/0"), 20, "the speed")
        self.assertEqual(self.read("/3308/0")[5750], "the speed")
        self.assertEqual(set(self.read("/3308")), {0, 1, 2})
        self.assertEqual(self.read("/3/0/11"), {0: 0})
        self.assertEqual(self.read("/3/0/11/0"), 0)
        everything = self.read("/")
        self.assertEqual(set(everything) & {0, 1, 3, 3306, 3308}, {1, 3, 3306, 3308})
        self.assertEqual(everything[1][0][0], 101)
        self.assertEqual(everything[3][0][11], {0: 0})

    def test_refused(self):
        self.start()
        for path, text in {"/0/0/3": "denied", "/0": "denied", "/21/0": "denied", "/23": "denied",
                           "/3308/0/1": "no such path", "/9/0": "no such path", "/3306/7": "no such path",
                           "/3/0/4": "cannot be read", "/3/0/11/77": "no such path", "speed": "no path",
                           "/3/0/1/2/3": "no path", "/65535": "no path", "/03": "no path", "//": "no path"}.items():
            with self.subTest(path):
                self.refused(text, self.read, path)

    def test_without_good_value(self):
        self.write_field(kind="--plain")
        self.simulator.command("silent")
        self.start_server(names=("gw", CLIENT))
        self.configure(more="register: {wait: none}")
        self.start_daemon()
        self.bus.wait_name()
        self.until_property(DEVICE, "Device", "State", lambda state: state == "offline")
        self.refused("vfd", self.read, "/3308/0/5900")
        self.assertEqual(self.read("/3308/0"), {5701: "Hz", 5750: "the speed"})
        self.refused("vfd", self.write, "/3308/0/5900", "d", "1")
        self.assertIn("vfd", self.bus.get(DEVICE, "Device", "Reason"))


class WriteTest(DbusScenario):
    def test_types(self):
        self.start()
        for signature, value in (("d", "12.5"), ("s", "12.5"), ("i", "12"), ("t", "50"), ("y", "7"), ("x", "0")):
            with self.subTest(signature):
                self.write("/3308/0/5900", signature, value)
                self.assertEqual(self.simulator.command("get holding 100"), str(round(float(value) * 10)))
                self.assertEqual(self.read("/3308/0/5900"), float(value))
        self.write("/3306/0/5851", "d", "42")
        self.assertEqual(self.simulator.command("get holding 111"), "42")
        self.write("/3306/0/5853", "s", "reverse")
        self.assertEqual(self.simulator.command("get holding 110"), "2")
        start = self.now()
        self.write("/1/0/1", "s", "1234", endpoint=HOST)
        self.assertEqual(self.read("/1/0/1", HOST), 1234)
        self.assertEqual(self.event("updated", "gw", start).lt, "1234")

    def test_instance(self):
        self.start()
        self.write("/3306/0", "a{qv}", "2", "5851", "q", "17", "5853", "s", "forward")
        self.assertEqual(self.simulator.command("get holding 110 2"), "1 17")
        self.refused("/3306/0/5851", self.write, "/3306/0", "a{qv}", "2", "5853", "s", "stop", "5851", "s", "many")
        self.refused("/3306/0/5851", self.write, "/3306/0", "a{qv}", "2", "5851", "q", "1", "5851", "q", "2")
        self.assertEqual(self.simulator.command("get holding 110 2"), "1 17")
        self.write("/3306/0", "a{qv}", "0")

    def test_refused(self):
        self.start()
        self.trace()
        for path, signature, values, text in (
                ("/3308/0/5900", "s", ["fast"], "/3308/0/5900"), ("/3308/0/5900", "d", ["51"], "speed"),
                ("/3308/0/5900", "d", ["nan"], "speed"), ("/3308/0/5900", "ay", ["1", "1"], "/3308/0/5900"),
                ("/3308/0/5900", "as", ["1", "1"], "/3308/0/5900"), ("/3308/0/5900", "(qq)", ["1", "1"], "/3308/0/5900"),
                ("/3308/0/5900", "a{qv}", ["0"], "/3308/0/5900"), ("/3306/0/5851", "d", ["1.5"], "/3306/0/5851"),
                ("/3306/0/5851", "t", ["18446744073709551615"], "/3306/0/5851"),
                ("/3306/0/5853", "s", ["sideways"], "vfd.mode"), ("/3306/0/5850", "s", ["yes"], "/3306/0/5850"),
                ("/3306/0", "i", ["1"], "/3306/0"), ("/3306/0", "a{qv}", ["1", "5800", "i", "1"], "/3306/0/5800"),
                ("/3306/0/5850/0", "b", ["true"], "/3306/0/5850"), ("/3308/0/5901", "d", ["1"], "not there"),
                ("/3308/0/5750", "s", ["x"], "5750"), ("/3/0/0", "s", ["x"], "cannot be written"),
                ("/3/0/4", "s", [""], "cannot be written"), ("/0/0/0", "s", ["coap://x"], "denied"),
                ("/3306", "i", ["1"], "no path of a resource"), ("/", "i", ["1"], "no path of a resource"),
                ("nonsense", "i", ["1"], "no path of a resource")):
            with self.subTest(path=path, signature=signature, values=values):
                self.refused(text, self.write, path, signature, *values)
        self.assertEqual(self.writes(), [])

    def test_device_errors(self):
        self.start(rate="1h")
        self.simulator.command("exception 3")
        self.refused("vfd", self.write, "/3308/0/5900", "d", "1")
        self.simulator.command("exception 4")
        self.refused("exception 4", self.write, "/3308/0/5900", "d", "1")
        self.simulator.command("talk")
        self.simulator.command("silent")
        self.trace()
        self.refused("vfd", self.write, "/3308/0/5900", "d", "2")

    def test_waits_for_the_device(self):
        """And the loop goes on meanwhile."""
        self.start(rate="1h", timeout="3s")
        self.simulator.command("delay 700")
        calls = [self.rig.start(["busctl", f"--address={self.bus.address}", "call", NAME, VFD, NAME + ".Endpoint",
                                 "Write", "sv", "/3308/0/5900", "d", str(speed)], stderr=subprocess.PIPE)
                 for speed in (1, 2)]
        self.assertEqual(self.read("/3308/0/5750"), "the speed")
        self.assertTrue(all(not call.ended() for call in calls))
        for call in calls:
            self.assertEqual(call.wait_end(), 0, call.lines)

    def test_daemon_ends_meanwhile(self):
        self.start(rate="1h", timeout="3s")
        self.simulator.command("silent")
        call = self.rig.start(["busctl", f"--address={self.bus.address}", "call", NAME, VFD, NAME + ".Endpoint",
                               "Write", "sv", "/3308/0/5900", "d", "1"], stderr=subprocess.PIPE)
        self.rig.until(lambda: int(self.simulator.command("requests")) > 0 or call.ended(), 10, "the write")
        self.stop_daemon(self.daemon)
        self.assertNotEqual(call.wait_end(), 0)

    def test_audit(self):
        self.start()
        self.write("/3308/0/5900", "d", "1.5")
        self.refused("vfd.mode", self.write, "/3306/0/5853", "s", "sideways")
        self.write("/3308/0/5900", "d", "2")
        self.assertRegex(self.log("1.5 -> 2"), rf"{CLIENT}: uid {os.geteuid()}: write /3308/0/5900 1.5 -> 2: done")


class GreedyTest(DbusScenario):
    """One who asks more than he reads: what the bus does not take must not wait in the daemon's memory."""
    CALLS = 1000
    # Shown, not polled: so many that introspection of their folder has 40 kB, and the buffers on the way some megabytes.
    MORE = "".join(f"""  - {{name: "x{host}-{{n}}", profile: vfd, bus: lan, enabled: false, each: {{n: 2-240}},
     address: {{host: 127.0.0.{host}, unit: "{{n}}"}}}}
""" for host in range(1, 9))

    def is_idle(self):
        """It waits for something, and has done so since the last time."""
        pid = self.daemon.process.pid
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            state = f.read().rpartition(")")[2].split()[0]
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
            before, self.used = self.used, f.read()
        return state == "S" and before == self.used

    def test_answers_that_nobody_reads(self):
        self.used = None
        self.bus = Bus(self.rig, limits=(("max_incoming_bytes", 65536), ("max_replies_per_connection", 2000)))
        self.write_field(kind="--plain", rate="1h")
        self.rig.write("etc/devices.d/site.yaml", DEVICES + self.MORE)
        self.start_server(names=("gw", CLIENT))
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        self.registered(CLIENT)
        caller = Caller(self.bus)
        self.addCleanup(caller.close)
        self.assertIsNone(caller.read())
        for _ in range(self.CALLS):
            caller.call(PATH + "/device", "org.freedesktop.DBus.Introspectable", "Introspect")
        self.rig.until(self.is_idle, 20, "the daemon to have heard them all")
        answers = [caller.read() for _ in range(self.CALLS)]
        self.assertEqual(set(answers), {None, "org.freedesktop.DBus.Error.LimitsExceeded"})
        # As many as the buffers on the way hold, not as many as were asked for.
        self.assertLess(answers.count(None), self.CALLS * 2 / 3)
        self.log("D-Bus: calls are refused")
        self.assertEqual(self.read("/3308/0/5750"), "the speed")

    def test_too_many_callers(self):
        """All calls are there before the bus can say anything about the first caller."""
        self.bus = Bus(self.rig, limits=[("max_replies_per_connection", 2000)])
        self.start(rate="1h")
        caller = Caller(self.bus)
        self.addCleanup(caller.close)
        self.assertIsNone(caller.read())
        self.daemon.process.send_signal(signal.SIGSTOP)
        for _ in range(ORDERS_MAX + 20):
            caller.call(VFD, NAME + ".Endpoint", "Write", signature="sv",
                        body=marshal_entry("nonsense", "s", marshal_text("7")))
        caller.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", "org.freedesktop.DBus")
        self.assertIsNone(caller.read())
        self.daemon.process.send_signal(signal.SIGCONT)
        answers = [caller.read().rpartition(".")[2] for _ in range(ORDERS_MAX + 20)]
        self.assertEqual((answers.count("InvalidArgs"), answers.count("LimitsExceeded")), (ORDERS_MAX, 20))
        self.log("D-Bus: calls are refused")
        self.assertEqual(self.read("/3308/0/5750"), "the speed")


class BusTest(DbusScenario):
    def test_no_bus_yet(self):
        self.bus = Bus(self.rig)
        self.bus.stop()
        self.write_field(kind="--plain")
        self.start_server(names=("gw", CLIENT))
        self.configure()
        self.start_daemon()
        self.registered(CLIENT)
        self.log("D-Bus: no connection")
        self.bus.start()
        self.bus.wait_name(40)
        self.log("D-Bus: org.fieldway.Agent1 is there")
        self.assertEqual(len(self.logged("D-Bus")), 2)

    def test_bus_restarts(self):
        self.start()
        self.bus.stop()
        self.log("D-Bus: the bus closed the connection")
        self.bus.start()
        self.bus.wait_name(40)
        self.assertEqual(self.read("/3308/0/5750"), "the speed")

    def test_name_is_taken(self):
        self.start()
        first = self.daemon
        os.makedirs(self.rig.path("second"))
        second = self.start_daemon(state=self.rig.path("second"))
        self.log("another program has the name")
        first.process.send_signal(signal.SIGTERM)
        first.process.wait_end()
        self.bus.wait_name(40)
        self.assertFalse(second.process.ended())


if __name__ == "__main__":
    main()
