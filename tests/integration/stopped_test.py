#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plugin host, or the daemon, that is stopped while values flow: memory stays
bounded, everybody gets one answer, nothing is done twice or too late, nothing
old is shown as new."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, coap, main  # noqa: E402
from fieldway_test.coap import ACK, CON, PUT  # noqa: E402
from fieldway_test.scenario import HOST  # noqa: E402

POWER, RELAY = "/3305/0/5800", "/3306/0/5850"
METERS = 3
STOPPED_S = 5                   # less than the watchdog takes
GROWTH_KB = 4096                # tens of megabytes, were what flows meanwhile kept
DEADLINE_S = 5                  # a server's patience
WATCHDOG_S = 20                 # two or three ticks of 5 s, and a start
HOST_WRITES_MAX = 64            # FIELDBUS_WRITES_MAX
EXCHANGES_MAX = 32              # transport/parameters.h, of one endpoint
WRITE_PER_ENDPOINT = 30
# Requests that do not merge, every 10 ms each: 2,400 a second.
PROFILE = """schema: 1
profile: meter
plugin: modbus
info: {manufacturer: Eastron, model: SDM630}
rates: {fast: 10ms}
stale: {after: %s}
defaults: {area: input, type: float32, rate: fast, invalid: [nan]}
points:
  power: {address: 52, unit: W}
  v1:    {address: 0, unit: V}
  a1:    {address: 6}
  f:     {address: 70}
  x1:    {address: 100}
  x2:    {address: 110}
  x3:    {address: 120}
  x4:    {address: 130}
  relay: {area: coil, address: 3, type: bool, access: rw, rate: once}
lwm2m:
  3305/0/5800: power
  3316/0/5700: v1
  3306/0/5850: relay
"""
DEVICES = """schema: 1
devices:
  - {{name: "m{{n}}", profile: meter, bus: lan, each: {{n: 1-{count}}}, address: {{host: "127.0.0.1{{n}}", unit: 1}}}}
"""


def memory_kb(pid, what="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int([line for line in f if line.startswith(what + ":")][0].split()[1])


def is_sanitized(pid):
    """Freed memory is kept by a sanitizer, to see its use; its shadow takes terabytes of addresses."""
    return memory_kb(pid, "VmSize") > 1 << 30


class Servers(coap.Server):
    """Many clients, and all their requests' answers by token."""

    def __init__(self, rig):
        self.clients, self.answers = {}, {}
        super().__init__(rig)

    def read(self, stream):
        before = len(self.received)
        super().read(stream)
        for message in self.received[before:]:
            if message.type == CON:
                self.raw(coap.encode(coap.Message(ACK, 0, message.id, b"", [], b"")))
            if message.code:
                self.answers.setdefault(message.token, set()).add((message.type, message.id, message.code,
                                                                   message.payload))

    def answer(self, request, text, options=()):
        for query in coap.values(request, coap.URI_QUERY):
            if query.startswith(b"ep="):
                self.clients[query[3:].decode()] = self.client
        super().answer(request, text, options)

    def ask(self, name, method, path, token, payload=b"", message_id=None):
        self.client = self.clients[name]
        options = coap.uri_path(path)
        if payload:
            options.append((coap.CONTENT_FORMAT, b""))
        return self.send(CON, method, token, options, payload, message_id)


class StoppedScenario(Scenario):
    def start(self, stale="1m"):
        self.start_meters(METERS, profile=PROFILE % stale, devices=DEVICES)
        self.names = [f"gw-m{n + 1}" for n in range(METERS)]
        self.start_server(names=(HOST, *self.names))
        self.configure()
        self.start_daemon()
        self.registered(*self.names)
        for name in self.names:
            self.until_code(name, POWER, "2.05")

    def host(self):
        found = self.daemon.hosts()
        self.assertEqual(len(found), 1)
        return found[0]

    def passes(self, seconds):
        end = time.monotonic() + seconds
        self.rig.until(lambda: time.monotonic() >= end, seconds + 5, "the time to pass")

    def stop_process(self, pid):
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(self.go_on, pid)

    def go_on(self, pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def expect_bounded(self, pid, before, what):
        growth = memory_kb(pid) - before
        print(f"{self.id()}: {what} grew by {growth} kB", file=sys.stderr)
        if not is_sanitized(pid):
            self.assertLess(growth, GROWTH_KB)

    def writes(self):
        self.simulator.command("* requests")
        return len([t for t in self.simulator.traces if " function 5 " in t])


class HostStoppedTest(StoppedScenario):
    def start_by_hand(self):
        """Against a server made by hand, which asks many things at a time."""
        self.server = None
        self.peer = Servers(self.rig)
        self.addCleanup(self.peer.close)
        self.start_meters(METERS, profile=PROFILE % "1m", devices=DEVICES)
        self.names = [f"gw-m{n + 1}" for n in range(METERS)]
        self.configure(uri="coap://" + self.peer.place)
        self.start_daemon()
        self.rig.until(lambda: set(self.names) <= set(self.peer.clients), 30, "Registers")
        self.simulator.command("* trace on")

    def ask_all(self):
        """Writes, each sent twice as by an impatient server, and reads; by token."""
        asked = []
        for i in range(WRITE_PER_ENDPOINT):
            for j, name in enumerate(self.names):
                token = bytes([1, i, j])
                sent = self.peer.ask(name, PUT, RELAY, token, b"1")
                self.peer.ask(name, PUT, RELAY, token, b"1", message_id=sent)
                asked.append(token)
        for j, name in enumerate(self.names):
            self.peer.ask(name, coap.GET, POWER, bytes([2, j]))
            asked.append(bytes([2, j]))
        return asked

    def codes(self, kind):
        """The code of each answer; one for each question, however often it was sent."""
        found = []
        for token, answers in self.peer.answers.items():
            if token[0] == kind:
                # An answer may itself be repeated, as the same message.
                self.assertEqual(len({(code, payload) for _, _, code, payload in answers}), 1, token)
                self.assertEqual(len({number for kind, number, _, _ in answers if kind == CON}) <= 1, True)
                found += [(code, payload) for _, _, code, payload in list(answers)[:1]]
        return found

    def test_questions_meanwhile(self):
        self.start_by_hand()
        host, daemon = self.host(), self.daemon.process.pid
        self.passes(1)
        before = memory_kb(daemon)
        self.stop_process(host)
        begin = time.monotonic()
        asked = self.ask_all()
        self.rig.until(lambda: all(t in self.peer.answers for t in asked), DEADLINE_S + 2, "all answers")
        took = time.monotonic() - begin
        print(f"{self.id()}: {len(asked)} answers in {took:.1f} s", file=sys.stderr)
        self.assertLess(took, DEADLINE_S)
        # What is known is told at once.
        self.assertEqual({code for code, _ in self.codes(2)}, {coap.code("2.05")})
        writes = self.codes(1)
        self.assertEqual(len(writes), METERS * WRITE_PER_ENDPOINT)
        unknown = [payload for code, payload in writes if code == coap.code("5.04")]
        busy = [payload for code, payload in writes if code == coap.code("5.03")]
        self.assertEqual((len(unknown), len(busy)),
                         (HOST_WRITES_MAX, METERS * WRITE_PER_ENDPOINT - HOST_WRITES_MAX))
        self.assertRegex(unknown[0].decode(),
                         r"^outcome unknown: bus lan: device m\d: point relay \(coil 3\): no result in time")
        self.passes(max(0, STOPPED_S - (time.monotonic() - begin)))
        self.expect_bounded(daemon, before, "the daemon")
        self.go_on(host)
        # They were given up: none is carried out behind the server's back.
        self.log("its result came late: not sent")
        self.rig.until(lambda: len(self.logged("came to the plugin host after its deadline")) >= 10, 5, "late results")
        self.passes(1)
        self.assertEqual(self.writes(), 0)
        self.assertEqual(self.host(), host)
        # And the next one works.
        self.peer.ask("gw-m1", PUT, RELAY, b"\x03", b"1")
        self.rig.until(lambda: b"\x03" in self.peer.answers, 5, "an answer")
        self.assertEqual(self.writes(), 1)

    def test_values_return(self):
        self.start()
        host, daemon = self.host(), self.daemon.process.pid
        self.passes(1)
        before = memory_kb(daemon), memory_kb(host)
        self.stop_process(host)
        self.passes(STOPPED_S)
        self.expect_bounded(daemon, before[0], "the daemon")
        self.go_on(host)
        begin = time.monotonic()
        for name in self.names:
            old = self.read_one(name, POWER)
            self.until_read(name, POWER, lambda a, path=POWER: a.fields.get("code") == "2.05" and
                            self.server.values(a, path)[path] != old, 5)
        print(f"{self.id()}: values returned after {time.monotonic() - begin:.2f} s", file=sys.stderr)
        self.expect_bounded(host, before[1], "the host")
        self.assertEqual(self.host(), host)

    def test_watchdog(self):
        """In real time: one that never goes on is ended, and another one takes over."""
        self.start(stale="1s")
        host, daemon = self.host(), self.daemon.process.pid
        start = self.now()
        before = memory_kb(daemon)
        self.stop_process(host)
        begin = time.monotonic()
        self.until_code("gw-m1", POWER, "5.03", 5)
        self.expect(self.put("gw-m1", RELAY, "1"), "5.04")
        self.log("bus lan: plugin host did not answer (killed by SIGKILL); the next one starts at once", WATCHDOG_S)
        for name in self.names:
            self.until_code(name, POWER, "2.05", 5)
        print(f"{self.id()}: values returned {time.monotonic() - begin:.1f} s after the stop", file=sys.stderr)
        self.expect_bounded(daemon, before, "the daemon")
        # What the write did is read by the new one: nothing.
        answer = self.until_code("gw-m1", RELAY, "2.05")
        self.assertEqual(self.server.values(answer, RELAY), {RELAY: False})
        self.assertEqual([e for e in self.server.events[start:] if e.word in ("registered", "deregistered")], [])


class DaemonStoppedTest(StoppedScenario):
    def test_newest_values(self):
        """Its host goes on: what comes first afterwards is what the devices hold then."""
        self.start(stale="1s")
        host, daemon = self.host(), self.daemon.process.pid
        self.simulator.command("* freeze")
        self.simulator.command("* set input 52 0x447a 0")      # 1000.0
        for name in self.names:
            self.until_read(name, POWER, lambda a: self.server.values(a, POWER) == {POWER: 1000})
        self.passes(1)
        before = memory_kb(host), memory_kb(daemon)
        self.stop_process(daemon)
        self.passes(STOPPED_S / 2)
        self.simulator.command("* set input 52 0x44fa 0")      # 2000.0
        self.passes(STOPPED_S / 2)
        self.expect_bounded(host, before[0], "the host")
        asked = [self.server.send("request", name, f"GET {POWER} accept=112") for name in self.names]
        self.passes(0.2)
        self.go_on(daemon)
        self.rig.until(lambda: all(n in self.server.answers for n in asked), 10, "the answers")
        for name in asked:
            answer = self.server.answers.pop(name)
            if answer.code != "5.03":
                self.assertEqual(self.server.values(self.expect(answer, "2.05"), POWER), {POWER: 2000})
        begin = time.monotonic()
        for name in self.names:
            answer = self.until_code(name, POWER, "2.05", 5)
            self.assertEqual(self.server.values(answer, POWER), {POWER: 2000})
        print(f"{self.id()}: values returned after {time.monotonic() - begin:.2f} s", file=sys.stderr)
        self.passes(1)
        self.expect_bounded(daemon, before[1], "the daemon")
        self.assertEqual(self.host(), host)

    def test_nothing_stale(self):
        """Devices that fell silent meanwhile: their last values are seconds old."""
        self.start(stale="2s")
        daemon = self.daemon.process.pid
        self.passes(0.5)
        self.stop_process(daemon)
        self.simulator.command("* silent")
        self.passes(3)
        asked = [self.server.send("request", name, f"GET {POWER} accept=112") for name in self.names]
        self.passes(0.2)
        self.go_on(daemon)
        self.rig.until(lambda: all(n in self.server.answers for n in asked), 10, "the answers")
        for name in asked:
            self.expect(self.server.answers.pop(name), "5.03")
        for name in self.names:
            self.expect(self.server.request(name, "GET", POWER), "5.03")
        self.simulator.command("* talk")
        for name in self.names:
            self.until_code(name, POWER, "2.05")


if __name__ == "__main__":
    main()
