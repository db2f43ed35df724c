# SPDX-License-Identifier: Apache-2.0
"""What the cases of the enabler test specification (ETS INT 1.2.1) are written with.

A test is named after its case and decorated with @case(NUMBER); it runs once for each version
and endpoint for which cases.py has it, each time with programs of its own, and leaves a line in
results/ of the build folder, of which table.py makes the table in tests/specs.md."""
import functools
import json
import os
import pwd
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, build_path, encode, main as run_tests, read_links  # noqa: E402,F401
from fieldway_test.scenario import CBOR, LINKS, OPAQUE, SENML_CBOR, SENML_JSON, TEXT, TLV  # noqa: E402,F401

from fieldway_test.bus import PATH, Bus  # noqa: E402
from fieldway_test.local import Program  # noqa: E402

import machine  # noqa: E402
from cases import CASES  # noqa: E402
from data import (BUS, CONFIGURATIONS, DEVICE, HOST, HOST_ROWS, LOCAL_DEVICE, LOCAL_PROFILE, MAIN, NAMES,  # noqa: E402,F401
                  NO_ENDPOINT, OWN_ENDPOINT, OTHER, PROFILE, VIRTUAL, YAML_NAMES, host_rows)

JSON, LWM2M_CBOR, ETCH_JSON, ETCH_CBOR = 11543, 11544, 320, 322
RESULTS = build_path("tests", "conformance", "results")
UPDATE_SAYS = {"lt", "b", "Q", "links", "sms", "pid", "lwm2m"}


def case(number):
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for version, end in self.variants(number):
                with self.subTest(registered_as=version, endpoint=end):
                    self.run_variant(test, number, version, end)
        run.case = number
        return run
    return decorate


class Case(Scenario):
    version = end = name = None

    @classmethod
    def setUpClass(cls):
        """What an earlier run has left of the same tests does not count."""
        os.makedirs(RESULTS, exist_ok=True)
        cls.results = os.path.join(RESULTS, f"{os.path.basename(sys.argv[0]).removesuffix('.py')}-{cls.__name__}.json")
        with open(cls.results, "w", encoding="utf-8"):
            pass

    def setUp(self):
        """Each variant has its own."""

    @staticmethod
    def variants(number):
        """(version, end) of what is run."""
        return CASES[number].closed()

    def run_variant(self, test, number, version, end):
        self.version, self.end, self.name = version, end, NAMES[end]
        super().setUp()
        former = len(self.daemons)
        result = "failed"
        try:
            test(self)
            result = "passed"
        except unittest.SkipTest:
            result = "skipped"
            raise
        finally:
            if self.doCleanups() is False:
                result = "failed"
            with open(self.results, "a", encoding="utf-8") as f:
                f.write(json.dumps({"case": number, "version": version, "endpoint": end, "result": result}) + "\n")
        del self.daemons[former:]

    # The preconditions

    def write_field(self, data):
        """What is behind the endpoint."""
        if self.end == HOST and not data.get("shown"):
            return
        more = NO_ENDPOINT if self.end == HOST else OWN_ENDPOINT
        shown = {"points": "\n  ".join(data["points"] or ["any: {address: 0}"]),
                 "map": "\n  ".join(data["map"] if self.end == VIRTUAL else [])}
        if "publish" in data:
            self.rig.write("etc/profiles.d/probe.yaml", LOCAL_PROFILE.format(**shown))
            self.rig.write("etc/devices.d/site.yaml", LOCAL_DEVICE.format(
                owner=pwd.getpwuid(os.geteuid()).pw_name, more=more))
            return
        self.simulator = Simulator(self.rig, ["--plain", "--tcp", "127.0.0.1:0"])
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=self.simulator.port(0)))
        self.rig.write("etc/profiles.d/probe.yaml", PROFILE.format(**shown))
        self.rig.write("etc/devices.d/site.yaml", DEVICE.format(more=more))

    def configure_case(self, configuration="C.1", server=(), more="", others="", lifetime="24h"):
        data = CONFIGURATIONS[configuration]
        self.write_field(data)
        if self.end == HOST and data.get("shown"):
            more += HOST_ROWS.format(
                create=data.get("create", []), map="\n    ".join(host_rows(data["map"])))
        self.rig.write("etc/fieldway.yaml", MAIN.format(
            uri=self.server.uri("coaps"), version=self.version, end=YAML_NAMES[self.end],
            lifetime=lifetime,
            server="\n    ".join([*data["server"], *server]), more=more, others=others))

    def prepare_machine(self, configuration="C.1"):
        if self.end == HOST:
            machine.prepare(battery=configuration in ("C.4", "C.6"))

    def begin(self, configuration="C.1", bus=False, arguments=(), commands=(), **options):
        """Registered, and it knows: the event. /1/0/6 is false, as in all configurations."""
        self.prepare_machine(configuration)
        self.write_keys([self.name], "etc/keys/one.psk")
        self.start_server(secure=True)
        for command in commands:
            self.server.command(command)
        self.configure_case(configuration, **options)
        started = {"arguments": arguments}
        publish = CONFIGURATIONS[configuration].get("publish")
        if bus or publish:
            self.bus = Bus(self.rig)
            started = {"arguments": ["--bus=system", *arguments], "environment": self.bus.environment()}
        self.start_clock_daemon(**started)
        if bus or publish:
            self.bus.wait_name()
        if publish:
            self.program = Program(self, None, PATH + "/device/dev")
            self.publish(*publish)
        event = self.registered(self.name)
        self.write("/1/0/6", False)
        self.hold()
        return event

    def hold(self):
        """For this daemon and server time goes on by steps: however slow the machine, no period ends before its test
        says so."""
        self.server.command("hold")
        self.daemon.hold()

    def publish(self, *values):
        """What the program behind the endpoint says: (point, D-Bus type, value)."""
        self.assertIsNone(self.program.publish(*values))

    def asked(self, method, path, payload, content_format, point, value):
        """A request of which the program is told: it is to write `value` there, and does. Answered 2.04."""
        options = f"format={content_format} payload={payload.hex()}" if payload else ""
        name = self.server.send("request", self.name, f"{method} {path} {options}")
        serial, *wanted = self.program.wait_write()
        self.assertEqual(wanted, [point, value])
        self.program.complete(serial)
        self.rig.until(lambda: name in self.server.answers, 15, f"the answer to {method} {path}")
        return self.expect(self.server.answers.pop(name), "2.04")

    def ctl(self, *arguments):
        """Who is at the machine, with begin(bus=True)."""
        done = self.rig.start([build_path("fieldwayctl"), *arguments], env={**os.environ, **self.bus.environment()},
                              stderr=subprocess.PIPE)
        self.assertEqual(done.wait_end(30), 0, done.lines)
        return done.lines

    def set_battery(self, volts, amperes):
        """What the two batteries of C.4 give, as the client has it: the first this, the second one more."""
        wanted = {"/3/0/7/0": volts, "/3/0/7/1": volts + 1, "/3/0/8/0": amperes, "/3/0/8/1": amperes + 1}
        if self.end == HOST:
            machine.set_batteries((volts, amperes), (volts + 1, amperes + 1))
        else:
            self.simulator.command(f"set holding 0 {volts} {volts + 1} {amperes} {amperes + 1}")
        self.rig.until(lambda: wanted.items() <= self.content("/3/0").items(), 15, "the client knowing its batteries")

    # What the server does; the code is part of the case

    def get(self, path, accept=None, code="2.05"):
        answer = self.expect(self.server.request(self.name, "GET", path, "" if accept is None else f"accept={accept}"),
                             code)
        if code == "2.05" and accept is not None:
            self.assertEqual(answer.format, accept)
        return answer

    def content(self, path, accept=None):
        """{path: value} of a Read."""
        return self.server.values(self.get(path, accept), path)

    def value(self, path, accept=None):
        return self.content(path, accept)[path]

    def write(self, path, value, content_format=TEXT, code="2.04"):
        return self.expect(self.send(self.name, "PUT", path, self.body(path, value, content_format), content_format),
                           code)

    def update(self, path, values, content_format=TLV, code="2.04"):
        """Write by POST: a partial update."""
        return self.expect(self.send(self.name, "POST", path, self.body(path, values, content_format), content_format),
                           code)

    def body(self, path, value, content_format):
        """Bytes stay as they are; {path: value} of an instance or a pack; or one value."""
        if isinstance(value, bytes):
            return value
        values = value if isinstance(value, dict) else {path: value}
        if content_format == SENML_CBOR:
            return encode.senml_cbor(values)
        if content_format == SENML_JSON:
            return encode.senml_json(values)
        if content_format == JSON:
            return encode.lwm2m_json(values)
        if content_format == LWM2M_CBOR:
            return encode.lwm2m_cbor(values)
        if content_format == TLV:
            return encode.tlv(self.resources(values))
        return encode.cbor(value) if content_format == CBOR else encode.text(value)

    @staticmethod
    def resources(values):
        """{id: value or {id: value}} of one instance."""
        found = {}
        for path, value in values.items():
            ids = [int(i) for i in path.strip("/").split("/")]
            if len(ids) == 4:
                found.setdefault(ids[2], {})[ids[3]] = value
            else:
                found[ids[2]] = value
        return found

    def execute(self, path, code="2.04"):
        return self.expect(self.server.request(self.name, "POST", path), code)

    def delete(self, path, code="2.02"):
        return self.expect(self.server.request(self.name, "DELETE", path), code)

    def attributes(self, target, code="2.04"):
        return self.expect(self.server.request(self.name, "PUT", target), code)

    def discover(self, target):
        """[(path, {attribute: value})], in order."""
        return read_links(self.get(target, LINKS).payload)

    def observe(self, target, accept=SENML_CBOR):
        """The values of the answer."""
        self.expect_observed = self.now()
        answer = self.expect(self.server.observe(self.name, target, f"accept={accept}"), "2.05")
        self.assertIn("observe", answer.fields)
        self.token = answer.token
        return self.server.values(answer, target.partition("?")[0])

    def cancel(self, path):
        return self.expect(self.server.cancel(self.name, path), "2.05")

    # What the server hears

    def notified(self, path, start, number=1):
        """The number-th notification of an observation from event `start` on: its values."""
        def look():
            return [e for e in self.server.events[start:] if e.word == "notify" and e.path == path]

        self.rig.until(lambda: len(look()) >= number, 15, f"notification {number} of {path}")
        self.server.catch_up()
        event = look()[number - 1]
        self.assertEqual((event.code, "observe" in event.fields), ("2.05", True), event)
        return self.server.values(event, path)

    def notifications(self, path, start):
        """How many there have been, when nothing is on its way."""
        self.settle()
        return len([e for e in self.server.events[start:] if e.word == "notify" and e.path == path])

    def settle(self):
        """What the client has sent has arrived, and been answered."""
        self.get("/3/0/16")

    def updated(self, start, **says):
        """Its next Update, which says this and nothing else."""
        event = self.event("updated", self.name, start)
        self.assertEqual({k: v for k, v in event.fields.items() if k in UPDATE_SAYS}, says, event)
        self.settle()
        return event

    def clients(self):
        start = self.now()
        self.server.command("clients")
        return {e.arguments[0]: e for e in self.server.events[start:] if e.word == "client"}

    def events(self, word, start):
        return [e for e in self.server.events[start:] if e.word == word]


def main():
    machine.enter()
    run_tests()
