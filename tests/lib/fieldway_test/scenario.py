# SPDX-License-Identifier: Apache-2.0
"""A test case with a configuration, an LwM2M server, simulated devices and the daemon."""
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

from .clock import ClockDaemon
from .namespace import enter_namespace
from .notify import Notify
from .process import ProgramEnded, Rig, Timeout
from .programs import Daemon, Lwm2mServer, Simulator

HOST = "gw"             # the endpoint of the host itself
METERS = ("127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14")
TEXT, LINKS, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV = 0, 40, 42, 60, 110, 112, 11542
LOG_DAEMONS = 2  # the last ones; hundreds of them would hide what failed
LOG_LINES = 40
AGAIN_S = 0.1

SECURITY = 'security: {mode: psk, identity: "{endpoint}", key: "psk-file:keys/plant.psk"}'
GATEWAY = """schema: 1
gateway: {{name: gw, endpoint: "{{gateway}}", endpoint_template: "{{gateway}}-{{name}}"}}
servers:
  - name: plant
    short_id: 101
    uri: {uri}
    endpoints: ["*"]
    {server}
{more}
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 300ms
retries: 0
offline: {{after: 2, retry: 300ms..500ms}}
"""
METER_PROFILE = """schema: 1
profile: meter
plugin: modbus
info: {manufacturer: Eastron, model: SDM630}
rates: {fast: 200ms}
defaults: {area: input, type: float32, rate: fast, max_gap: 8, max_registers: 80, invalid: [nan]}
points:
  v1:     {address: 0, unit: V}
  power:  {address: 52, unit: W}
  energy: {address: 72, unit: kWh}
  serial: {area: holding, address: 0xFC00, type: uint32, rate: once}
lwm2m:
  3316/0/5700: v1
  3305/0: {5800: power, 5805: energy}
  3/0/2: serial
"""
METER_DEVICES = """schema: 1
devices:
  - {{name: "m{{n}}", profile: meter, bus: lan, each: {{n: 1-{count}}}, address: {{host: "127.0.0.1{{n}}", unit: 1}}}}
"""


def free_port(hosts, wanted=0):
    """One that is free on all of them: the wanted one, if it can be."""
    for port in (wanted, *(0,) * 20):
        sockets = []
        try:
            for host in hosts:
                sockets.append(socket.socket())
                sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sockets[-1].bind((host, port))
                port = sockets[-1].getsockname()[1]
            return port
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise Timeout("no port is free on " + ", ".join(hosts))


class Scenario(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.rig = Rig()
        self.rig.__enter__()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.server = self.simulator = self.daemon = self.keys = None

    def run(self, result=None):
        self.daemons = []
        known = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > known:
            for daemon in self.daemons[-LOG_DAEMONS:]:
                for line in daemon.process.lines[-LOG_LINES:]:
                    print(f"{self.id()}: {line}", file=sys.stderr)

    # The server

    def write_keys(self, names, name="etc/keys/plant.psk", mode=0o600):
        """A file with a fresh key for each; returns its path."""
        self.keys = {n: os.urandom(16).hex() for n in names}
        return self.rig.write(name, "".join(f"{n}:{k}\n" for n, k in self.keys.items()), mode)

    def start_server(self, secure=False, place="127.0.0.1:0", names=(HOST, "gw-m1", "gw-m2", "gw-m3"),
                     **options):
        """A second one takes the place and keys of the first."""
        self.secure = secure
        arguments = ["--coaps" if secure else "--coap", place]
        if secure:
            if not self.keys:
                self.write_keys(names)
            arguments += ["--psk-file", self.rig.write(
                "server.psk", "".join(f"{n}:{k}\n" for n, k in self.keys.items()), 0o600)]
        self.server = Lwm2mServer(self.rig, arguments, **options)
        return self.server

    def restart_server(self):
        scheme = "coaps" if self.secure else "coap"
        place = self.server.places[scheme]
        self.server.process.child.kill()
        self.server.process.wait_end()
        return self.start_server(self.secure, place)

    # The configuration

    def configure(self, server=(), more="", uri=None):
        """fieldway.yaml, with lines of servers: and whole sections of the top level."""
        if uri is None:
            uri = self.server.uri("coaps" if self.secure else "coap")
        lines = [SECURITY] if uri.startswith("coaps:") else []
        self.rig.write("etc/fieldway.yaml", GATEWAY.format(
            uri=uri, server="\n    ".join([*lines, *server]), more=more))

    def start_meters(self, count=1, bus=BUS, profile=METER_PROFILE, devices=METER_DEVICES):
        """Simulated ones and the configuration that has them as m1, m2, ..."""
        hosts = METERS[:count]
        port = free_port(hosts)
        self.simulator = Simulator(
            self.rig, [w for host in hosts for w in ("--meter", "--tcp", f"{host}:{port}")])
        self.rig.write("etc/buses.d/lan.yaml", bus.format(port=port))
        self.rig.write("etc/profiles.d/meter.yaml", profile)
        self.rig.write("etc/devices.d/site.yaml", devices.format(count=count))

    # The daemon

    def start_daemon(self, kind=Daemon, **options):
        notify = Notify(self.rig)
        self.addCleanup(notify.close)
        environment = {**options.pop("environment", {}), **notify.environment()}
        self.daemon = kind(self.rig, self.rig.path("etc"), stderr=subprocess.PIPE, environment=environment,
                           **options)
        self.daemon.notify = notify
        self.daemon.process.essential = True
        self.daemons.append(self.daemon)
        # Before the rig ends it, to see how it ends.
        self.addCleanup(self.stop_daemon, self.daemon)
        return self.daemon

    def start_clock_daemon(self, **options):
        daemon = self.start_daemon(ClockDaemon, **options)
        self.addCleanup(daemon.clock.close)
        return daemon

    def stop_daemon(self, daemon):
        """It ends by itself and well; a second signal spares the goodbye to a server that is away."""
        if daemon.process.ended():
            return
        daemon.process.essential = False
        daemon.process.send_signal(signal.SIGTERM)
        if self.server is None or self.server.process.ended():
            # Only once the first has been taken: two of a kind may become one.
            self.rig.until(lambda: "STOPPING=1" in daemon.notify.states or daemon.process.ended(), 15,
                           "the daemon stopping")
            daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.process.wait_end(), 0, "exit status of the daemon")

    def kill_daemon(self):
        """Without a goodbye, and without what it has not written yet."""
        self.daemon.process.essential = False
        self.daemon.process.send_signal(signal.SIGKILL)
        self.daemon.process.wait_end()

    def log(self, text, timeout=15, start=0):
        """The first line of the daemon's log that has the text in it."""
        process = self.daemon.process

        def look():
            ended = process.ended()
            if ended:
                process.drain()
            found.extend(line for line in process.lines[start:] if text in line)
            if not found and ended:
                raise ProgramEnded(f"the daemon ended, exit status {process.child.returncode}, before {text!r}")
            return found

        found = []
        self.rig.until(look, timeout, f"the daemon logging {text!r}")
        return found[0]

    def logged(self, text):
        return [line for line in self.daemon.process.lines if text in line]

    # What the server sees

    def registered(self, *endpoints, start=0, timeout=30):
        """The events of their registration; the only one for a single endpoint."""
        events = [self.server.wait_registered(e, timeout, start) for e in endpoints]
        return events[0] if len(events) == 1 else events

    def ready(self, *endpoints, start=0, timeout=30):
        """Like registered(); and they know it, so that their clocks can be moved."""
        events = self.registered(*endpoints, start=start, timeout=timeout)
        for endpoint in endpoints:
            self.read(endpoint, "/3/0/16")
        return events

    def event(self, word, endpoint, start=0, timeout=15):
        return self.server.wait_event(lambda e: e.word == word and e.arguments[:1] == [endpoint], timeout, start)

    def now(self):
        """For `start`: what comes from now on."""
        return self.server.now()

    def expect(self, answer, code):
        self.assertEqual((answer.word, answer.fields.get("code")), ("response", code), answer)
        return answer

    def read(self, endpoint, path, accept=SENML_CBOR):
        answer = self.expect(self.server.request(
            endpoint, "GET", path, "" if accept is None else f"accept={accept}"), "2.05")
        if accept is not None:
            self.assertEqual(answer.format, accept)
        return self.server.values(answer, path.partition("?")[0])

    def read_one(self, endpoint, path, accept=SENML_CBOR):
        return self.read(endpoint, path, accept)[path]

    def send(self, endpoint, method, path, payload=None, content_format=TEXT, options=""):
        """payload: bytes or text."""
        if isinstance(payload, str):
            payload = payload.encode()
        if payload is not None:
            options += f" format={content_format} payload={payload.hex()}"
        return self.server.request(endpoint, method, path, options)

    def put(self, endpoint, path, payload=None, content_format=TEXT):
        return self.send(endpoint, "PUT", path, payload, content_format)

    def post(self, endpoint, path, payload=None, content_format=TEXT):
        return self.send(endpoint, "POST", path, payload, content_format)

    def until_read(self, endpoint, path, fits, timeout=20):
        """Asks until the answer fits: a value takes a poll to be known."""
        end = time.monotonic() + timeout
        while True:
            answer = self.server.request(endpoint, "GET", path, f"accept={SENML_CBOR}")
            if fits(answer):
                return answer
            if time.monotonic() > end:
                raise Timeout(f"GET {path} of {endpoint} is still {answer}")
            self.rig.turn(AGAIN_S)

    def until_code(self, endpoint, path, code, timeout=20):
        return self.until_read(endpoint, path, lambda a: a.fields.get("code") == code, timeout)


def main():
    enter_namespace()
    unittest.main(verbosity=2 if os.environ.get("FIELDWAY_TEST_VERBOSE") else 1)
