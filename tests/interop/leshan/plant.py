# SPDX-License-Identifier: Apache-2.0
"""A gateway as somebody would set it up: sixteen meters, three boards of relays and a drive on
Modbus TCP, by the profiles that are shipped, every endpoint with a key of its own from one secret."""
import hashlib
import hmac
import os
import shutil
import struct
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

from fieldway_test import Scenario, Simulator, enter_namespace, source_path  # noqa: E402
from fieldway_test.scenario import free_port  # noqa: E402
from leshan import Leshan, prepare_or_exit  # noqa: E402

GATEWAY = "urn:dev:os:32473-gw7"
NAMES = ([f"em-{n:02}" for n in range(1, 17)] + [f"relays-{n}" for n in range(1, 4)] + ["drive-1"])
HOSTS = ([f"127.0.1.{n}" for n in range(1, 17)] + [f"127.0.2.{n}" for n in range(1, 4)] + ["127.0.3.1"])
KINDS = ["--meter"] * 16 + ["--relay"] * 3 + ["--plain"]
SALT = b"fieldway-psk-1"
KEY_BYTES = 16

FIELDWAY = """schema: 1
gateway:
  name: gw7
  endpoint: "urn:dev:os:32473-{{gateway}}"
  endpoint_template: "urn:dev:ops:32473-{{gateway}}-{{name}}"
servers:
  - name: plant
    short_id: 101
    uri: {uri}
    lifetime: 1h
    {lines}
    security: {security}
    endpoints: ["*"]
{more}
"""
PSK = '{mode: psk, identity: "{endpoint}", key: "derive:keys/master"}'
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 500ms
retries: 0
rates: {{fast: 1s, slow: 2s}}
offline: {{after: {after}, retry: 500ms..1s}}
"""
DRIVE = """schema: 1
profile: acme-vfd
plugin: modbus
info: {manufacturer: ACME, model: VFD}
rates: {fast: 1s}
defaults: {area: holding, type: uint16, rate: fast}
points:
  speed:    {address: 100, scale: 0.1, unit: Hz, access: rw, range: 0..50, inexact: reject}
  running:  {area: coil, address: 0, type: bool, access: rw}
  overtemp: {address: 120, bit: 3}
  jammed:   {address: 120, bit: 4}
lwm2m:
  3308/0/5900: speed
  3306/0: {5850: running, 5750: {value: "Lüfter №1 \\"öst\\""}}
  3339/0/5522: {value: "AN6tvu//"}
  3/0/11: {alarms: {overtemp: 16, jammed: 17}}
"""
DEVICES = """schema: 1
devices:
  - {name: "em-{n:02}", profile: eastron-sdm630, bus: lan, each: {n: 1-16}, address: {host: "127.0.1.{n}", unit: 1}}
  - name: "relays-{n}"
    profile: waveshare-modbus-rtu-relay
    bus: lan
    each: {n: 1-3}
    address: {host: "127.0.2.{n}", unit: 1}
  - {name: drive-1, profile: acme-vfd, bus: lan, address: {host: 127.0.3.1, unit: 1}}
"""


def endpoint(name):
    return f"urn:dev:ops:32473-gw7-{name}"


ENDPOINTS = [GATEWAY, *(endpoint(name) for name in NAMES)]


def derived(master, identity):
    """RFC 5869 with SHA-256, one block: what `derive:` promises."""
    key = hmac.new(SALT, master, hashlib.sha256).digest()
    return hmac.new(key, identity.encode() + b"\x01", hashlib.sha256).digest()[:KEY_BYTES]


def shortest(single):
    """The double that stands for a float32: its shortest decimal."""
    for digits in range(1, 10):
        text = f"{single:.{digits}g}"
        if struct.pack(">f", float(text)) == struct.pack(">f", single):
            break
    return float(text)


class Plant(Scenario):
    def start_leshan(self, endpoints=ENDPOINTS):
        """Knows keys for all, as an operator gives them: over REST."""
        self.master = os.urandom(32)
        self.server = self.leshan = Leshan(self.rig)
        self.addCleanup(lambda: self.leshan.kill())
        for name in endpoints:
            self.leshan.put_key(name, derived(self.master, name))

    def start_field(self, silent=()):
        """silent: devices that never answered, and are waited for however long the rest takes."""
        port = free_port(HOSTS)
        self.simulator = Simulator(self.rig, [
            word for kind, host in zip(KINDS, HOSTS) for word in (kind, "--tcp", f"{host}:{port}")])
        for name in silent:
            self.device(name, "silent")
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=port, after=1000 if silent else 3))
        self.rig.write("etc/profiles.d/acme-vfd.yaml", DRIVE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        shutil.copytree(source_path("etc", "profiles.d"), self.rig.path("shared", "profiles.d"))

    def device(self, name, command):
        """To the simulated device of that name."""
        return self.simulator.command(f"{NAMES.index(name)} {command}")

    def write_configuration(self, *lines, security=PSK, more=""):
        secure = security == PSK
        uri = self.leshan.uri("coaps" if secure else "coap")
        self.write_master()
        self.rig.write("etc/fieldway.yaml", FIELDWAY.format(
            uri=uri, lines="\n    ".join(lines), security=security, more=more))

    def write_master(self):
        """What keys are derived from."""
        path = self.rig.write("etc/keys/master", "", 0o600)
        with open(path, "wb") as f:
            f.write(self.master)

    def start_plant(self, *lines, silent=(), more=""):
        """All of it; returns when Leshan knows all 21."""
        self.start_leshan()
        self.start_field(silent)
        self.write_configuration(*lines, more=more)
        self.start_daemon()
        self.leshan.wait_all("REGISTRATION", ENDPOINTS)

    def number_of_meter(self, name, address):
        """The float32 in an input register of a simulated meter."""
        words = [int(w, 0) for w in self.device(name, f"get input {address} 2").split()]
        return shortest(struct.unpack(">f", struct.pack(">HH", *words))[0])

    def assertAnswer(self, answer, status):
        self.assertTrue(answer["status"].endswith(f"({status})"), answer)
        return answer


def main():
    """Like fieldway_test's, but Leshan is fetched while there is a network."""
    prepare_or_exit()
    enter_namespace()
    unittest.main(verbosity=2 if os.environ.get("FIELDWAY_TEST_VERBOSE") else 1)
