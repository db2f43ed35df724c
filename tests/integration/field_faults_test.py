#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All that the answer of a Modbus device can have wrong: what servers are told
of values and of writes, what the log says, that nobody else notices, and that
it is over when it is over."""
import contextlib
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402

VALUE, SECOND, NUMBER = "/3303/0/5700", "/3303/1/5700", "/3308/0/5900"
NAMES = ("gw", "gw-a1", "gw-a2", "gw-b1")
OTHERS = ("gw-a1", "gw-b1")     # the other unit of the line, and another line of the bus
WRITES = {"5", "6", "15", "16"}
OBSERVED_S = 3
PROFILE = """schema: 1
profile: board
plugin: modbus
info: {{manufacturer: ACME, model: Board}}
rates: {{fast: 200ms, slow: {rate}}}
stale: {{after: {stale}}}
defaults: {{area: holding, type: uint16, rate: fast}}
points:
  value:  {{address: 30, unit: Cel, type: uint32}}
  second: {{address: 50, unit: Cel}}
  number: {{address: 111, access: rw, rate: slow}}
lwm2m:
  3303/0/5700: value
  3303/1/5700: second
  3308/0/5900: number
"""
TCP_BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 250ms
retries: 0
offline: {{after: {after}, retry: {retry}}}
"""
TCP_DEVICES = """schema: 1
devices:
  - {name: a1, profile: board, bus: lan, address: {host: 127.0.0.11, unit: 1}}
  - {name: a2, profile: board, bus: lan, address: {host: 127.0.0.11, unit: 2}}
  - {name: b1, profile: board, bus: lan, address: {host: 127.0.0.12, unit: 1}}
"""
RTU_BUS = """schema: 1
bus: cabinet
plugin: modbus
rtu: {{device: {device}, baud: 115200, format: "8N1"}}
timeout: 250ms
retries: 0
offline: {{after: {after}, retry: {retry}}}
"""
RTU_DEVICES = """schema: 1
devices:
  - {name: a2, profile: board, bus: cabinet, address: {unit: 2}}
"""

# What the simulator is told, and what people read of it.
EXCEPTIONS = {
    1: "exception 1 (illegal function)",
    2: "exception 2 (illegal data address)",
    4: "exception 4 (device failure)",
    5: "exception 5 (acknowledge, still working)",
    6: "exception 6 (device busy)",
    10: "exception 10 (gateway path unavailable)",
    11: "exception 11 (gateway target did not answer)",
}
ANSWERS = {
    "silent": "no answer",
    "delay 350": "no answer",
    "fault mute": "no answer",
    "fault truncate": "no answer",
    "fault unit": "answer of another unit",
    "fault function": "answer does not fit the request",
    "fault length": "answer does not fit the request",
}
TCP = {
    **ANSWERS,
    "fault noise": "answer does not fit the request",
    "fault transaction": "answer does not fit the request",
    "fault close": "connection closed by the device",
    "fault half": "connection closed by the device",
    "fault reset": "connection closed by the device",
}
RTU = {
    **ANSWERS,
    "fault crc": "checksum wrong",
}


class FaultScenario(Scenario):
    def start(self, serial=False, rate="200ms", stale="3x", after=3, clock=False, more="",
              retry="300ms..400ms"):
        self.bus = "cabinet" if serial else "lan"
        if serial:
            device = self.rig.path("ttyCabinet")
            self.simulator = Simulator(self.rig, ["--unit", "2", "--rtu", device])
            bus, devices = RTU_BUS.format(device=device, after=after, retry=retry), RTU_DEVICES
        else:
            port = self.start_boards()
            bus, devices = TCP_BUS.format(port=port, after=after, retry=retry), TCP_DEVICES
        self.rig.write(f"etc/buses.d/{self.bus}.yaml", bus)
        self.rig.write("etc/profiles.d/board.yaml", PROFILE.format(rate=rate, stale=stale))
        self.rig.write("etc/devices.d/site.yaml", devices)
        self.names = ("gw", "gw-a2") if serial else NAMES
        self.simulator.command("* set holding 30 0 7 9")
        self.start_server(names=NAMES)
        self.configure(more=more)
        if clock:
            self.start_clock_daemon()
            self.ready(*self.names)
        else:
            self.start_daemon()
            self.registered(*self.names)
        self.all_good()

    def all_good(self):
        for name in self.names[1:]:
            self.until_code(name, VALUE, "2.05")

    def start_boards(self):
        self.simulator = Simulator(self.rig, ["--tcp", "127.0.0.11:0"])
        port = self.simulator.port(0)
        self.rig.processes.remove(self.simulator.process)
        self.simulator.process.stop()
        self.simulator = Simulator(self.rig, ["--tcp", f"127.0.0.11:{port}", "--tcp", f"127.0.0.12:{port}"])
        return port

    def mark(self):
        """The log from here on."""
        return self.daemon.process.now()

    def writes(self):
        """The data of all writing requests since `trace on`."""
        self.simulator.command("requests")
        return [t.split(" data ")[1] for t in self.simulator.traces if t.split(" ")[5] in WRITES]

    def trace(self):
        self.simulator.traces.clear()
        self.simulator.command("trace on")

    def requests(self, unit):
        return len([t for t in self.simulator.traces if f" unit {unit} " in t])


class ReadTest(FaultScenario):
    def check_fault(self, fault, text):
        """What a2 answers goes wrong, whatever it is asked."""
        start = self.mark()
        self.simulator.command("only 2")
        self.simulator.command(fault)
        self.until_code("gw-a2", VALUE, "5.03")
        # Device and age, and what it was, down to the register.
        answer = self.until_read("gw-a2", VALUE, lambda a: b"holding" in a.payload)
        payload = self.expect(answer, "5.03").payload.decode()
        self.assertRegex(payload, r"^a2: last read [0-9a-z. ]+ ago, bus .*")
        line = self.log(f"bus {self.bus}: device a2: holding", start=start)
        self.assertRegex(line, r"device a2: holding (30-31 \(2 registers\)|50 \(1 register\)|111 \(1 register\)): ")
        self.assertIn(text, line)
        for name in self.names[1:]:
            if name != "gw-a2":
                self.read_one(name, VALUE)
        self.simulator.command("talk")
        self.until_code("gw-a2", VALUE, "2.05")
        self.assertEqual(self.read_one("gw-a2", VALUE), 7)
        return payload

    def next_fault(self):
        """A device may write ten lines in half a minute."""
        self.daemon.step(31)
        self.all_good()

    def check_faults(self, faults):
        for fault, text in faults.items():
            with self.subTest(fault):
                start = self.mark()
                self.check_fault(fault, text)
                self.log("device a2 of bus " + self.bus + " is online", start=start)
                self.next_fault()
        self.assertEqual([e for e in self.server.events if e.word == "deregistered"], [])

    def test_tcp(self):
        self.start(clock=True)
        self.check_faults(TCP)

    def test_rtu(self):
        self.start(serial=True, clock=True)
        self.check_faults(RTU)

    def test_exceptions(self):
        """An answer, except for that of a gateway which had none, or no way to ask."""
        self.start(clock=True)
        for number, text in EXCEPTIONS.items():
            with self.subTest(number):
                start = self.mark()
                payload = self.check_fault(f"exception {number}", text)
                if number not in (10, 11):
                    self.assertRegex(payload, r"bus lan: point value \(holding 30\): ")
                    self.log("bus lan: device a2: holding 30-31 (2 registers): answered again", start=start)
                self.assertEqual(self.logged("device a2 is offline") != [], number in (10, 11))
                self.next_fault()

    def test_one_register(self):
        """That a device never answers, while it answers others: it goes on, and the log says which."""
        self.start(stale="1s")
        self.simulator.command("only 2 50")
        self.simulator.command("silent")
        answer = self.until_code("gw-a2", SECOND, "5.03")
        self.assertIn("point second (holding 50)", answer.payload.decode())
        self.log("bus lan: device a2: holding 50 (1 register): no answer")
        self.read_one("gw-a2", VALUE)
        self.assertEqual(self.logged("device a2 is offline"), [])
        self.simulator.command("talk")
        self.log("bus lan: device a2: holding 50 (1 register): answered again")

    def test_late_answers(self):
        """Each comes when the next request is under way; none is shown as its answer."""
        for serial in (False, True):
            with self.subTest("rtu" if serial else "tcp"):
                self.start(serial=serial, stale="1m", after=1000)
                self.simulator.command("set holding 50 1050")
                self.until_read("gw-a2", SECOND, lambda a: self.server.values(a, SECOND) == {SECOND: 1050})
                seen = set()
                for _ in range(4):
                    self.simulator.command("delay 300")
                    self.watch(0.4, seen)
                    self.simulator.command("delay 0")
                    self.watch(0.3, seen)
                self.assertEqual(seen, {(7, 1050, 0)})
                self.stop_daemon(self.daemon)

    def watch(self, seconds, seen):
        """All that is shown meanwhile, not only what good answers have mended again."""
        over = self.after(seconds)
        while not over():
            seen.add((self.read_one("gw-a2", VALUE), self.read_one("gw-a2", SECOND), self.read_one("gw-a2", NUMBER)))
            self.rig.turn(0.02)

    def after(self, seconds):
        end = time.monotonic() + seconds
        return lambda: time.monotonic() >= end

    def pace(self, count):
        before = count()
        begin = time.monotonic()
        self.rig.until(self.after(OBSERVED_S), OBSERVED_S + 5, "the time to pass")
        self.simulator.command("requests")
        return (count() - before) / (time.monotonic() - begin)

    def test_others_keep_their_pace(self):
        """The other unit behind the same gateway, and other lines."""
        self.start(retry="600ms..900ms")
        self.trace()
        def other_line():
            return int(self.simulator.command("1 requests"))
        same = self.pace(lambda: self.requests(1))
        other = self.pace(other_line)
        for fault in ("fault unit", "fault reset", "exception 6", "silent"):
            with self.subTest(fault):
                self.simulator.command("only 2")
                self.simulator.command(fault)
                self.until_code("gw-a2", VALUE, "5.03")
                self.assertGreater(self.pace(other_line), 0.8 * other)
                # A probe of 250 ms each 600 to 900, at most.
                self.assertGreater(self.pace(lambda: self.requests(1)), 0.5 * same)
                self.simulator.command("talk")
                self.until_code("gw-a2", VALUE, "2.05")

    def test_nobody_takes_connections(self):
        """A host that drops what comes: neither refused nor made."""
        self.start()
        port = self.simulator.port(0)
        start = self.mark()
        self.simulator.command("0 unplug")
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.11", port))
            listener.listen(0)
            for _ in range(4):      # its queue is full
                s = stack.enter_context(socket.socket())
                s.setblocking(False)
                s.connect_ex(("127.0.0.11", port))
            self.until_code("gw-a2", VALUE, "5.03")
            self.log(f"cannot connect to 127.0.0.11 port {port}: Connection timed out", start=start)
            self.read_one("gw-b1", VALUE)
        self.simulator.command("0 talk")
        self.until_code("gw-a2", VALUE, "2.05")

    def test_refused_and_unroutable(self):
        self.start()
        port = self.simulator.port(0)
        start = self.mark()
        self.simulator.command("0 unplug")
        answer = self.until_read("gw-a2", VALUE, lambda a: b"refused" in a.payload)
        self.expect(answer, "5.03")
        self.assertIn(f"cannot connect to 127.0.0.11 port {port}: Connection refused", answer.payload.decode())
        self.log("device a2 is offline: bus lan: device a2: ", start=start)
        self.simulator.command("0 talk")
        self.until_code("gw-a2", VALUE, "2.05")
        self.stop_daemon(self.daemon)
        self.rig.write("etc/devices.d/site.yaml", TCP_DEVICES.replace(
            "127.0.0.11, unit: 2", "198.51.100.7, unit: 2"))
        self.configure(more="register: {wait: none}")
        self.start_daemon()
        self.log(f"device a2 is offline: bus lan: device a2: holding 30-31 (2 registers): "
                 f"cannot connect to 198.51.100.7 port {port}: Network is unreachable")
        answer = self.until_code("gw-a2", VALUE, "5.03")
        self.assertIn("a2: never read, bus lan: device a2: ", answer.payload.decode())


class WriteTest(FaultScenario):
    # 5.04: nobody knows, 4.00 and 5.00: the device said no, 5.03: not now.
    EXCEPTIONS = {1: "5.00", 2: "5.00", 3: "4.00", 4: "5.00", 5: "5.04", 6: "5.03", 10: "5.03", 11: "5.04"}

    def start(self, **options):
        super().start(rate="1h", stale="2h", after=50, **options)
        self.until_code("gw-a2", NUMBER, "2.05")

    def check_write(self, fault, code, text, value, done=False):
        """Asked once, told where and why, shown as the device has it."""
        before = self.read_one("gw-a2", NUMBER)
        start = self.mark()
        self.trace()
        self.simulator.command("only 2")
        self.simulator.command(fault)
        answer = self.expect(self.put("gw-a2", NUMBER, str(value)), code)
        self.simulator.command("talk")
        reason = "outcome unknown: " if code == "5.04" else ""
        reason += f"bus {self.bus}: device a2: point number (holding 111): "
        self.assertTrue(answer.payload.decode().startswith(reason), answer.payload)
        self.assertIn(text, answer.payload.decode())
        line = self.log(f"gw-a2: server plant: write {NUMBER} ", start=start)
        self.assertIn(f" {before:.15g} -> {value}: failed: ", line)
        self.assertIn(reason, line)
        self.assertIn(text, line)
        self.assertLessEqual(len(self.writes()), 1)
        # Read back long before its hour has come.
        held = value if done else round(before)
        self.until_read("gw-a2", NUMBER, lambda a: a.fields.get("code") == "2.05" and
                        self.server.values(a, NUMBER) == {NUMBER: held})
        self.assertEqual(self.simulator.command("get holding 111"), str(held))

    def check_writes(self, faults):
        """All but a silent one have done it; one that takes long only after it was first read back."""
        for i, (fault, text) in enumerate(faults.items()):
            with self.subTest(fault):
                self.check_write(fault, "5.04", text, 101 + i, done=fault != "silent")
                self.assertEqual(len(self.writes()), 1)

    def test_tcp(self):
        self.start()
        self.check_writes({**TCP, "fault data": "answer does not fit the request"})

    def test_rtu(self):
        self.start(serial=True)
        self.check_writes({**RTU, "fault data": "answer does not fit the request",
                           "fault function": "checksum wrong", "fault length": "checksum wrong"})

    def test_exceptions(self):
        for serial in (False, True):
            self.start(serial=serial)
            for number, code in self.EXCEPTIONS.items():
                with self.subTest(number, serial=serial):
                    self.check_write(f"exception {number}", code, f"exception {number} (", 200 + number)
                    self.assertEqual(len(self.writes()), 1)
            self.stop_daemon(self.daemon)

    def test_without_audit(self):
        """What failed is told all the same."""
        self.start(more="writes: {audit: false}")
        self.expect(self.put("gw-a2", NUMBER, "1"), "2.04")
        self.simulator.command("exception 4")
        self.expect(self.put("gw-a2", NUMBER, "2"), "5.00")
        self.log(f"gw-a2: write {NUMBER} failed: bus lan: device a2: point number (holding 111): exception 4")
        self.assertEqual(self.logged("server plant: write"), [])

    def test_uncertain_meanwhile(self):
        """Nobody knows what the register holds: no value is shown until it has been read."""
        self.start()
        self.simulator.command("fault mute")
        self.trace()
        self.expect(self.put("gw-a2", NUMBER, "55"), "5.04")
        self.expect(self.server.request("gw-a2", "GET", NUMBER), "5.03")
        self.simulator.command("talk")
        answer = self.until_code("gw-a2", NUMBER, "2.05")
        self.assertEqual(self.server.values(answer, NUMBER), {NUMBER: 55})
        self.assertEqual(self.writes(), ["00 6f 00 37"])

    def test_nobody_listens(self):
        """It cannot have been written."""
        self.start()
        self.trace()
        self.simulator.command("0 unplug")
        answer = self.expect(self.put("gw-a2", NUMBER, "5"), "5.04")
        self.assertIn("point number (holding 111): cannot connect to 127.0.0.11 port ", answer.payload.decode())
        self.assertEqual(self.writes(), [])
        self.simulator.command("0 talk")
        self.until_code("gw-a2", VALUE, "2.05")

    def test_line_pulled(self):
        """A serial port that goes while a write is under way."""
        self.start(serial=True)
        self.trace()
        self.simulator.command("fault close")
        answer = self.expect(self.put("gw-a2", NUMBER, "66"), "5.04")
        self.assertIn("bus cabinet: device a2: point number (holding 111): ", answer.payload.decode())
        self.simulator.command("talk")
        self.until_read("gw-a2", NUMBER, lambda a: a.fields.get("code") == "2.05" and
                        self.server.values(a, NUMBER) == {NUMBER: 66})
        self.assertEqual(self.writes(), ["00 6f 00 42"])


if __name__ == "__main__":
    main()
