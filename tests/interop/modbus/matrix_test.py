#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes of every type and order over every transport, with devices that share no code
with ours: pymodbus, modbus-serial, jsmodbus."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import fetched  # noqa: E402
import matrix  # noqa: E402
from peers import Peer, Wire, prepare  # noqa: E402
from fieldway_test import Scenario, build_path, main  # noqa: E402
from fieldway_test.scenario import free_port  # noqa: E402

PLACE = "127.0.0.1"
BUS = """schema: 1
bus: {name}
plugin: modbus
timeout: 2s
{keys}
"""
KEYS = {
    "tcp": "tcp: {{port: {port}}}",
    "rtu-tcp": "tcp: {{port: {port}, framing: rtu}}",
    "ascii-tcp": "tcp: {{port: {port}, framing: ascii}}",
    "tls": "tcp: {{port: {port}}}\ntls: {{ca: tls/ca.pem, certificate: tls/client.pem, key: tls/client.key}}",
    "rtu": 'rtu: {{device: {path}, baud: 9600, format: "8N1"}}',
    "ascii": 'ascii: {{device: {path}, baud: 9600, format: "7N1"}}',
}
IDENTIFIED = ("pymodbus", "modbus_serial")     # jsmodbus has no function 43
SERIAL = ("rtu", "ascii")
TEXT_OF = {True: "1", False: "0"}


class MatrixTest(Scenario):
    def serve(self, peer, transports):
        """The devices of one program, each with a bus of its own; returns their names."""
        arguments, names, devices = [], [], []
        for kind in transports:
            name = f"{peer.replace('_', '-')}-{kind}"
            host = ""
            if kind in SERIAL:
                wire = Wire()
                self.addCleanup(wire.close)
                keys = KEYS[kind].format(path=wire.ends[0])
                arguments += [f"--{kind}", wire.ends[1]]
            else:
                port, host = free_port([PLACE]), f", host: {PLACE}"
                keys = KEYS[kind].format(port=port)
                arguments += [f"--{kind}", f"{PLACE}:{port}"]
            if kind == "tls":
                arguments += self.certificates()
            self.rig.write(f"etc/buses.d/{name}.yaml", BUS.format(name=name, keys=keys))
            names.append(name)
            devices.append(f"  - {{name: {name}, profile: matrix, bus: {name}, address: {{unit: 1{host}}}}}\n")
        self.peer = Peer(self.rig, peer, arguments)
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + "".join(devices))
        return names

    def certificates(self):
        folder = self.rig.path("etc/tls")
        os.makedirs(folder, exist_ok=True)
        subprocess.run([build_path("tests/lib/certificates"), folder], check=True)
        return [os.path.join(folder, name) for name in ("server.pem", "server.key")]

    def fill(self, index, which):
        for row in self.rows:
            self.peer.set(index, row.area, row.address, row.cells[which])

    def expected(self, which, instance=None):
        return {f"/{matrix.OBJECT}/{i}/{row.resource}": row.values[which]
                for i, row in enumerate(self.rows) if instance in (None, i)}

    def check(self, peer, transports, functions):
        self.rows = matrix.rows(functions)
        names = self.serve(peer, transports)
        self.rig.write("etc/profiles.d/matrix.yaml", matrix.profile(self.rows, peer in IDENTIFIED))
        self.rig.write("etc/objects.d/matrix.yaml", matrix.OBJECT_YAML)
        for index in range(len(names)):
            self.fill(index, 0)
        self.start_server(names=["gw"])
        self.configure()
        self.start_daemon()
        self.registered(*(f"gw-{name}" for name in names))
        for index, name in enumerate(names):
            self.check_reads(f"gw-{name}", 0)
            self.check_writes(f"gw-{name}", index)
            if peer in IDENTIFIED:
                self.check_identity(f"gw-{name}")
        print(f"== {peer}: {len(self.rows)} points over {', '.join(transports)}")

    def check_reads(self, endpoint, which):
        wanted = self.expected(which)
        path = f"/{matrix.OBJECT}"
        self.until_read(endpoint, path, lambda a: len(self.server.values(a, path)) == len(wanted))
        found = self.read(endpoint, path)
        for (place, value), row in zip(wanted.items(), self.rows):
            with self.subTest(endpoint, row=row.name):
                self.assertEqual((type(found[place]), found[place]), (type(value), value))

    def check_identity(self, endpoint):
        for _, _, path, text in matrix.IDENTITY:
            self.until_read(endpoint, f"/{path}", lambda a: self.server.values(a, f"/{path}") == {f"/{path}": text})

    def check_writes(self, endpoint, index):
        """What is written lies in the peer's registers, byte for byte, and nothing beside it."""
        for i, row in enumerate(self.rows):
            if not row.writable:
                continue
            with self.subTest(endpoint, row=row.name):
                value = row.values[1]
                text = TEXT_OF[value] if isinstance(value, bool) else str(value)
                self.expect(self.put(endpoint, f"/{matrix.OBJECT}/{i}/{row.resource}", text), "2.04")
                count = len(row.cells[1])
                self.assertEqual(self.peer.get(index, row.area, row.address, count + 1), [*row.cells[1], 0])

    def test_pymodbus(self):
        self.check("pymodbus", ["tcp", "tls", "rtu-tcp", "ascii-tcp", "rtu", "ascii"], (6, 15, 16, 22, 23))

    def test_modbus_serial(self):
        self.check("modbus_serial", ["tcp", "rtu"], (6, 15, 16))

    def test_jsmodbus(self):
        self.check("jsmodbus", ["tcp", "rtu"], (6, 15, 16))


if __name__ == "__main__":
    fetched.prepare_or_exit("The Modbus peers", prepare)
    main()
