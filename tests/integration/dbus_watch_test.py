#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live values over D-Bus: Watch, Unwatch and ValueChanged, to whom, and how many."""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, main  # noqa: E402
from fieldway_test.bus import NAME, STRANGER, Caller, add_group, marshal_text  # noqa: E402
from field_test import DEVICES, NAME as CLIENT  # noqa: E402
from dbus_test import DEVICE, HOST, VFD, DbusScenario  # noqa: E402

WATCHES_OF_CALLER_MAX = 64      # dbus/internal.h
LIMIT = "org.freedesktop.DBus.Error.LimitsExceeded"


class Watcher:
    """A connection that watches, and reads signals when it is asked to."""

    def __init__(self, scenario, user=None):
        self.scenario, self.caller = scenario, Caller(scenario.bus, user)
        scenario.addCleanup(self.caller.close)
        self.name = take_text(self.caller.read_message()[3], 0)[0]
        self.values = []

    def order(self, member, path, endpoint=VFD):
        """The error's name, or None. What comes before the answer are values."""
        self.caller.call(endpoint, NAME + ".Endpoint", member, signature="s", body=marshal_text(path))
        kind, _, fields, _ = self.message((2, 3))
        return fields[4].decode() if kind == 3 else None

    def message(self, kinds):
        while True:
            kind, signature, fields, body = self.caller.read_message()
            if kind == 4 and fields[3] == b"ValueChanged":
                self.values.append((fields[1].decode(), *take_value(signature, body)))
            if kind in kinds:
                return kind, signature, fields, body

    def wait(self, fits):
        """The values up to one that fits."""
        end = time.monotonic() + 20
        while not any(fits(*value[1:]) for value in self.values):
            self.scenario.assertLess(time.monotonic(), end, self.values)
            self.message((4,))
        values, self.values = self.values, []
        return values

    def quiet(self):
        """Whether nothing has come by the time that the bus has answered."""
        self.caller.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", "org.freedesktop.DBus")
        self.message((2,))
        return not self.values


def align(offset, size):
    return offset + -offset % size


def take_text(body, offset):
    offset = align(offset, 4)
    size = int.from_bytes(body[offset:offset + 4], "little")
    return body[offset + 4:offset + 4 + size].decode(), offset + 5 + size


def take_value(signature, body):
    """(path, value or its bytes, problem) of s v s t; the variant of one basic type, or of what is not looked into."""
    assert signature == "svst", signature
    path, offset = take_text(body, 0)
    size = body[offset]
    kind = body[offset + 1:offset + 1 + size].decode()
    offset += size + 2
    if kind == "s":
        value, offset = take_text(body, offset)
    elif kind in "xtd":
        offset = align(offset, 8)
        value, offset = struct.unpack_from("<" + {"x": "q", "t": "Q", "d": "d"}[kind], body, offset)[0], offset + 8
    elif kind == "b":
        offset = align(offset, 4)
        value, offset = bool(body[offset]), offset + 4
    elif kind == "a{qv}":
        offset = align(offset, 4)
        size = int.from_bytes(body[offset:offset + 4], "little")
        value, offset = size, align(offset + 4, 8) + size
    else:
        raise ValueError(kind)
    problem, offset = take_text(body, offset)
    return path, value, problem, struct.unpack_from("<Q", body, align(offset, 8))[0]


class WatchTest(DbusScenario):
    def start(self, **options):
        super().start(**options)
        self.until_property(DEVICE, "Device", "State", lambda state: state == "online")
        self.rig.until(lambda: {5900} <= set(self.read("/3308/0")), 20, "values")

    def test_a_resource(self):
        self.start()
        watcher = Watcher(self)
        self.assertIsNone(watcher.order("Watch", "/3308/0/5900"))
        (where, path, value, problem, sampled), = watcher.wait(lambda path, value, problem, sampled: True)
        self.assertEqual((where, path, value, problem), (VFD, "/3308/0/5900", 0.0, ""))
        self.assertLess(abs(sampled / 1e6 - time.time()), 3600)
        for speed in (123, 124, 200):
            self.simulator.command(f"set holding 100 {speed}")
            values = watcher.wait(lambda path, value, problem, sampled: value == speed / 10)
            self.assertEqual({path for _, path, *_ in values}, {"/3308/0/5900"})
        # Others change, and it is not told.
        self.simulator.command("set holding 111 42")
        self.rig.until(lambda: self.read("/3306/0/5851") == 42, 20, "another value")
        self.assertTrue(watcher.quiet())
        self.assertIsNone(watcher.order("Unwatch", "/3308/0/5900"))
        self.simulator.command("set holding 100 1")
        self.rig.until(lambda: self.read("/3308/0/5900") == 0.1, 20, "the value")
        self.assertTrue(watcher.quiet())

    def test_everything(self):
        self.start()
        watcher = Watcher(self)
        self.assertIsNone(watcher.order("Watch", "/"))
        values = watcher.wait(lambda path, *rest: path == "/3308/2/5900")
        paths = [path for _, path, *_ in values]
        self.assertEqual(len(set(paths)), len(paths))
        self.assertLess({"/1/0/1", "/3/0/0", "/3/0/11", "/3306/0/5850", "/3308/0/5750", "/3308/0/5900"}, set(paths))
        self.assertEqual([path for path in paths if path.startswith(("/0", "/21", "/23"))], [])
        self.assertNotIn("/3/0/12", paths)
        self.write("/1/0/1", "s", "1234", endpoint=HOST)
        self.write("/1/0/1", "s", "1234")
        values = watcher.wait(lambda path, value, *rest: (path, value) == ("/1/0/1", 1234))
        self.assertEqual({where for where, *_ in values}, {VFD})

    def test_parts(self):
        self.start()
        watcher = Watcher(self)
        self.assertIsNone(watcher.order("Watch", "/3/0/11/0"))
        self.assertEqual(watcher.wait(lambda path, *rest: True)[0][1:4], ("/3/0/11/0", 0, ""))
        self.simulator.command("set holding 120 8")
        watcher.wait(lambda path, value, *rest: (path, value) == ("/3/0/11/0", 16))

    def test_what_is_wrong(self):
        """With the last value, and again when it is good."""
        self.start()
        self.simulator.command("set holding 100 77")
        watcher = Watcher(self)
        self.assertIsNone(watcher.order("Watch", "/3308/0"))
        watcher.wait(lambda path, value, problem, sampled: value == 7.7)
        self.simulator.command("silent")
        values = watcher.wait(lambda path, value, problem, sampled: path == "/3308/0/5900" and problem)
        self.assertEqual(values[-1][2], 7.7)
        self.assertIn("vfd", values[-1][3])
        self.simulator.command("talk")
        watcher.wait(lambda path, value, problem, sampled: (path, value, problem) == ("/3308/0/5900", 7.7, ""))

    def test_refused(self):
        self.start()
        watcher = Watcher(self)
        for path, error in (("/9", "NoSuchPath"), ("/3308/0/1", "NoSuchPath"), ("/0/0", "AccessDenied"),
                            ("/3/0/4", "NotAllowed"), ("speed", "InvalidArgs"), ("/3/0/1/2/3", "InvalidArgs")):
            with self.subTest(path):
                self.assertEqual(watcher.order("Watch", path).rpartition(".")[2], error)
        self.assertEqual(watcher.order("Unwatch", "/3/0").rpartition(".")[2], "NoSuchPath")
        self.assertEqual(watcher.values, [])

    MORE = """  - {name: "x{n}", profile: vfd, bus: lan, each: {n: 2-4},
     address: {host: 127.0.0.1, unit: "{n}"}}
"""

    def test_a_limit(self):
        self.write_field(kind="--plain")
        self.rig.write("etc/devices.d/site.yaml", DEVICES + self.MORE)
        self.start_server(names=("gw", CLIENT))
        self.configure()
        self.start_daemon()
        self.bus.wait_name()
        self.until_property(HOST, "Endpoint", "State", lambda state: state == "registered")
        watcher, other = Watcher(self), Watcher(self)
        paths = self.leaves()
        self.assertGreater(len(paths), WATCHES_OF_CALLER_MAX)
        answers = [watcher.order("Watch", path, endpoint) for endpoint, path in paths]
        self.assertEqual(answers[:WATCHES_OF_CALLER_MAX], [None] * WATCHES_OF_CALLER_MAX)
        self.assertEqual(set(answers[WATCHES_OF_CALLER_MAX:]), {LIMIT})
        self.assertIsNone(other.order("Watch", "/3308/0"))
        self.assertIsNone(watcher.order("Unwatch", paths[0][1], paths[0][0]))
        self.assertIsNone(watcher.order("Watch", paths[-1][1], paths[-1][0]))
        # Twice is once.
        self.assertIsNone(watcher.order("Watch", paths[-1][1], paths[-1][0]))

    def leaves(self):
        """(endpoint, path) of all that can be watched."""
        found = []
        for endpoint in sorted(path for path in self.bus.objects() if "/endpoint/" in path):
            for o, instances in self.read("/", endpoint).items():
                found.append((endpoint, f"/{o}"))
                for i, resources in instances.items():
                    found.append((endpoint, f"/{o}/{i}"))
                    found += [(endpoint, f"/{o}/{i}/{r}") for r in resources]
        return found

    def test_the_watcher_leaves(self):
        """Without a word; nothing is sent to nobody."""
        self.start()
        watcher = Watcher(self)
        self.assertIsNone(watcher.order("Watch", "/3308/0/5900"))
        watcher.wait(lambda path, *rest: True)
        monitor = self.monitor("interface=" + NAME + ".Endpoint")
        self.simulator.command("set holding 100 1")
        monitor.wait_line(lambda line: "ValueChanged" in line)
        watcher.caller.close()
        self.rig.until(lambda: not self.bus.has_owner(watcher.name), 20, "the watcher to be gone")
        seen = len(monitor.lines)
        self.simulator.command("set holding 100 2")
        self.rig.until(lambda: self.read("/3308/0/5900") == 0.2, 20, "the value")
        self.assertEqual([line for line in monitor.lines[seen:] if "ValueChanged" in line], [])

    def test_everybody_may(self):
        add_group()
        self.start()
        watcher = Watcher(self, STRANGER)
        self.assertIsNone(watcher.order("Watch", "/3308/0/5900"))
        watcher.wait(lambda path, *rest: path == "/3308/0/5900")

    def test_one_who_does_not_read(self):
        """The daemon keeps nothing for him; what he reads later ends with what is so then."""
        self.bus = Bus(self.rig, limits=(("max_incoming_bytes", 65536), ("max_replies_per_connection", 2000)))
        self.start()
        watcher = Watcher(self)
        for _ in range(400):
            for member in ("Unwatch", "Watch"):
                watcher.caller.call(VFD, NAME + ".Endpoint", member, signature="s", body=marshal_text("/"))
        self.simulator.command("set holding 100 99")
        answers = []
        for _ in range(800):
            kind, _, fields, _ = watcher.message((2, 3))
            answers.append(fields[4].decode() if kind == 3 else None)
        self.assertLessEqual(set(answers), {None, LIMIT, NAME + ".Error.NoSuchPath"})
        self.rig.until(lambda: watcher.order("Watch", "/") is None, 20, "room")
        watcher.wait(lambda path, value, *rest: (path, value) == ("/3308/0/5900", 9.9))


if __name__ == "__main__":
    main()
