#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fault matrix: all that goes wrong between a gateway and a Modbus device, over each transport on which it can:
what the server is told, what D-Bus says, what is counted, and how long values are away after it is over. The lines of
the output that begin with `==` are a table."""
import collections
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, Scenario, Simulator, build_path, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from fieldway_test.process import Timeout  # noqa: E402

STREAMS, LINES = ("tcp", "tls", "rtutcp"), ("rtu", "ascii")
IDS, CHECKSUMS = ("tcp", "tls"), ("rtutcp", "rtu", "ascii")
KINDS = STREAMS + LINES
VALUE, SECOND, ERRORS = "/3303/0/5700", "/3303/1/5700", "/3/0/11"
HELD = {VALUE: 7, SECOND: 1050}
RECOVERY_S = 5      # the longest back-off, a time-out and a poll, on a busy machine
POLLS = 8           # that a fault of no consequence is watched for

PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 200ms}
stale: {after: 1s}
defaults: {area: holding, type: uint16, rate: fast}
points:
  value:  {address: 30, unit: Cel}
  second: {address: 50, unit: Cel}
lwm2m:
  3303/0/5700: value
  3303/1/5700: second
"""
BUS = """schema: 1
bus: b-{kind}
plugin: modbus
{section}
timeout: 250ms
retries: 1
offline: {{after: 3, retry: 300ms..400ms}}
"""
DEVICE = "  - {{name: {kind}, profile: board, bus: b-{kind}, address: {{unit: 1{host}}}}}\n"
SECTIONS = {
    "tcp": "tcp: {{port: {port}}}",
    "tls": "tls: {{ca: tls/ca.pem, certificate: tls/client.pem, key: tls/client.key}}\ntcp: {{port: {port}}}",
    "rtutcp": "tcp: {{port: {port}, framing: rtu}}",
    "rtu": "rtu: {{device: {path}, baud: 115200, format: \"8N1\"}}",
    "ascii": "ascii: {{device: {path}, baud: 115200, format: \"7E1\"}}",
}
OPTIONS = {"tcp": "--tcp", "tls": "--tls", "rtutcp": "--rtu-tcp", "rtu": "--rtu", "ascii": "--ascii"}

# What is told to the simulator, over which transports, the device's state meanwhile, what the server and people read,
# what the statistics have as the last error where that is more, and which of their counts rises.
Fault = collections.namedtuple("Fault", "name command kinds state text error count")


def offline(name, command, kinds, text, count="errors"):
    return Fault(name, command, kinds, "offline", text, text, count)


def exception(number, error, text):
    """An answer: the device is there."""
    name = f"exception {number}"
    return Fault(name, name, KINDS, "online", f"{text} ({name})", f"{name} ({error})", "exceptions")


UNFIT = "answer does not fit the request"
CLOSED = "connection closed by the device"
FAILED = "the device has failed"
FAULTS = (
    offline("silent", "silent", KINDS, "no answer", "timeouts"),
    offline("late, after the retry", "delay 350", KINDS, "no answer", "timeouts"),
    offline("wrong transaction", "fault transaction", IDS, UNFIT),
    offline("wrong unit", "fault unit", KINDS, "answer of another unit"),
    offline("wrong function", "fault function", KINDS, UNFIT),
    offline("wrong length", "fault length", KINDS, UNFIT),
    offline("wrong checksum", "fault crc", CHECKSUMS, "checksum wrong"),
    offline("wrong baud rate", "fault rate", ("rtu",), "no answer (3 garbled bytes)", "timeouts"),
    offline("wrong baud rate", "fault rate", ("ascii",), "checksum wrong"),
    offline("half an answer", "fault truncate", KINDS, "no answer", "timeouts"),
    exception(1, "illegal function", "the device does not know how to read it"),
    exception(2, "illegal data address", "the device knows no such address"),
    exception(3, "illegal data value", "the device calls the request illegal"),
    exception(4, "device failure", FAILED),
    exception(5, "acknowledge, still working", "the device is busy"),
    exception(6, "device busy", "the device is busy"),
    exception(8, "memory parity error", FAILED),
    offline("exception 10", "exception 10", KINDS, "exception 10 (gateway path unavailable)"),
    offline("exception 11", "exception 11", KINDS, "exception 11 (gateway target did not answer)"),
    offline("closed in the middle", "fault half", STREAMS, CLOSED),
    offline("reset", "fault reset", STREAMS, CLOSED),
    offline("unplugged", "unplug", STREAMS, "Connection refused"),
    Fault("unplugged", "unplug", LINES, "failed", "No such file or directory", "", None),
)
# What costs nothing but time.
HARMLESS = (
    ("in two pieces", "fault split", KINDS),
    ("noise before it", "fault noise", CHECKSUMS),
    ("echo of the request", "echo on", LINES),
    ("cut once", "cut", STREAMS),
)


class MatrixTest(Scenario):
    def setUp(self):
        super().setUp()
        folder = self.rig.path("etc", "tls")
        os.makedirs(folder)
        subprocess.run([build_path("tests/lib/certificates"), folder], check=True)
        arguments = ["--certificates", folder]
        for kind in KINDS:
            arguments += [OPTIONS[kind], self.rig.path("tty-" + kind) if kind in LINES else "127.0.0.1:0"]
        self.simulator = Simulator(self.rig, arguments)
        devices = ""
        for i, kind in enumerate(KINDS):
            serial = kind in LINES
            section = SECTIONS[kind].format(path=self.simulator.places[i],
                                            port=None if serial else self.simulator.port(i))
            self.rig.write(f"etc/buses.d/{kind}.yaml", BUS.format(kind=kind, section=section))
            devices += DEVICE.format(kind=kind, host="" if serial else ", host: 127.0.0.1")
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + devices)
        self.simulator.command("* set holding 30 7")
        self.simulator.command("* set holding 50 1050")
        self.start_server(names=("gw", *("gw-" + kind for kind in KINDS)))
        self.configure(more="register: {wait: none}")
        self.bus = Bus(self.rig)
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.registered(*("gw-" + kind for kind in KINDS))
        self.recover(KINDS)

    def tell(self, kinds, command):
        for kind in kinds:
            self.simulator.command(f"{KINDS.index(kind)} {command}")

    def device(self, kind, name):
        return self.bus.get(f"{PATH}/device/{kind}", "Device", name)

    def counts(self, kind):
        """Of all requests of a device, and what a point's last error is."""
        requests, points = self.bus.call(f"{PATH}/device/{kind}", "Device", "GetStatistics")
        names = ("requests", "errors", "timeouts", "exceptions")
        return dict(zip(names, map(sum, zip(*(r[3:7] for r in requests))))), dict((p[0], p[-1]) for p in points)

    def ask(self, kind, path=VALUE):
        return self.server.request("gw-" + kind, "GET", path, "accept=112")

    def until(self, condition, what, timeout=20):
        """A condition that asks others, which takes turns itself."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise Timeout(f"waited in vain for {what}")
            self.rig.turn(0.02)

    def told(self, kind):
        """The answer to a read, which is a right one if it is a value."""
        answer = self.ask(kind)
        if answer.fields.get("code") == "2.05":
            self.assertEqual(self.server.values(answer, VALUE)[VALUE], HELD[VALUE])
        return answer

    def recover(self, kinds):
        """By kind, how many milliseconds it takes until there are values again."""
        begin, took = time.monotonic(), {}

        def look():
            for kind in kinds:
                if kind not in took and self.told(kind).fields.get("code") == "2.05":
                    took[kind] = round(1000 * (time.monotonic() - begin))
            return len(took) == len(kinds)

        self.until(look, "values again", RECOVERY_S)
        for kind in kinds:
            self.until(lambda k=kind: self.device(k, "State") == "online", f"{kind} online", RECOVERY_S)
            self.assertEqual(self.device(kind, "Reason"), "")
            self.assertEqual(list(self.server.values(self.ask(kind, ERRORS), ERRORS).values()), [0])
            answer = self.until_code("gw-" + kind, SECOND, "2.05")
            self.assertEqual(self.server.values(answer, SECOND)[SECOND], HELD[SECOND])
        return took

    def row(self, name, kinds, server, errors, bus, counted, took=None):
        """For all transports what the first one has; the times of each."""
        text = " | ".join((name, server, str(errors), bus, counted, ", ".join(
            f"{kind} {took[kind]}" if took else kind for kind in kinds)))
        for place, short in ((self.rig.folder + "/", ""), ("b-" + kinds[0], "B"), (f"device {kinds[0]}", "device D")):
            text = text.replace(place, short)
        print("== |", re.sub(r"port \d+", "port P", text), "|", file=sys.stderr)

    def lasts(self, fault, kind):
        """All of it is said by all of them; the cells of the table."""
        def said():
            answer = self.told(kind)
            return answer.fields.get("code") == "5.03" and fault.text.encode() in answer.payload

        self.until(said, f"{kind} telling of {fault.text!r}")
        self.until(lambda: self.device(kind, "State") == fault.state, f"{kind} {fault.state}")
        payload = self.expect(self.told(kind), "5.03").payload.decode()
        # Which device of which bus, for how long, and the register where it is one's.
        self.assertRegex(payload, rf"^{kind}: last read \S+( \S+)? ago, bus b-{kind}: ")
        if fault.state != "failed":
            self.assertRegex(payload, r"\bholding (30|50)\b")
        errors = list(self.server.values(self.ask(kind, ERRORS), ERRORS).values())
        self.assertEqual(errors, [0] if fault.state == "online" else [8])
        reason = self.device(kind, "Reason")
        if fault.state == "online":
            self.assertEqual(reason, "")
        else:
            self.assertIn(fault.text, reason)
        cause = payload.partition("ago, ")[2]
        return "5.03 " + cause, errors[0], fault.state + {"": "", cause: ", the same"}.get(reason, ": " + reason)

    def counted(self, fault, kind, before):
        counts, errors = self.counts(kind)
        if fault.count:
            self.assertGreater(counts[fault.count], before[fault.count])
            self.assertIn(fault.error, errors["value"])
        return f"{fault.count}: {errors['value']}" if fault.count else "-"

    def check(self, fault):
        before = {kind: self.counts(kind)[0] for kind in fault.kinds}
        self.tell(fault.kinds, fault.command)
        try:
            cells = {kind: (*self.lasts(fault, kind), self.counted(fault, kind, before[kind])) for kind in fault.kinds}
        finally:
            self.tell(fault.kinds, "talk")
            took = self.recover(fault.kinds)
        self.row(fault.name, fault.kinds, *cells[fault.kinds[0]], took)

    def test_faults(self):
        for fault in FAULTS:
            with self.subTest(fault.name):
                self.check(fault)

    def test_harmless(self):
        """Values all the time, and no state but online."""
        for name, command, kinds in HARMLESS:
            with self.subTest(name):
                before = {kind: self.counts(kind)[0] for kind in kinds}
                self.tell(kinds, command)
                for kind in kinds:
                    self.until(lambda k=kind: self.counts(k)[0]["requests"] > before[k]["requests"] + POLLS, "polls")
                    self.expect(self.told(kind), "2.05")
                    self.assertEqual(self.device(kind, "State"), "online")
                self.row(name, kinds, "2.05", 0, "online", "-")
                self.tell(kinds, "talk")
        self.assertEqual(self.logged(" is offline"), [])

    def test_somebody_else_has_the_connection(self):
        """Of a device that takes one: it is told, and over as soon as that has gone."""
        taken = {kind: offline("one connection, taken", "single", (kind,),
                               "TLS: the device closed the connection in the handshake" if kind == "tls" else CLOSED)
                 for kind in STREAMS}
        before = {kind: self.counts(kind)[0] for kind in STREAMS}
        others = []
        for kind in STREAMS:
            i = KINDS.index(kind)
            others.append(socket.create_connection(("127.0.0.1", self.simulator.port(i))))
            self.addCleanup(others[-1].close)
            self.until(lambda n=i: int(self.simulator.command(f"{n} connected")) > 1, "both connected")
        self.tell(STREAMS, "single")
        cells = {}
        for kind in STREAMS:
            with self.subTest(kind):
                cells[kind] = (*self.lasts(taken[kind], kind), self.counted(taken[kind], kind, before[kind]))
        for other in others:
            other.close()
        took = self.recover(STREAMS)
        for kind in STREAMS:
            self.row(taken[kind].name, (kind,), *cells[kind], took)
            # Its own one is kept.
            made = self.simulator.command(f"{KINDS.index(kind)} connections")
            requests = self.counts(kind)[0]["requests"]
            self.until(lambda k=kind, n=requests: self.counts(k)[0]["requests"] > n + POLLS, "polls")
            self.assertEqual(self.simulator.command(f"{KINDS.index(kind)} connections"), made)


if __name__ == "__main__":
    main()
