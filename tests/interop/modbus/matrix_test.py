#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes of every type and order over every transport, with devices that share no code
with ours: pymodbus, modbus-serial, jsmodbus."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import fetched  # noqa: E402
import matrix  # noqa: E402
from peers import Peer, Wire, prepare  # noqa: E402
from fieldway_test import Scenario, encode, main  # noqa: E402
from fieldway_test.scenario import SENML_CBOR, free_port  # noqa: E402

PLACE = "127.0.0.1"
TCP_BUS = """schema: 1
bus: {name}
plugin: modbus
tcp: {{port: {port}{more}}}
timeout: 2s
"""
SERIAL_BUS = """schema: 1
bus: {name}
plugin: modbus
rtu: {{device: {path}, baud: 9600, format: "8N1"}}
timeout: 2s
"""
TEXT_OF = {True: "1", False: "0"}


class MatrixTest(Scenario):
    def serve(self, peer, transports):
        """The devices of one program, each with a bus of its own; returns their names."""
        arguments, names = [], []
        for kind in transports:
            names.append(f"{peer.replace('_', '-')}-{kind}")
            if kind == "rtu":
                wire = Wire()
                self.addCleanup(wire.close)
                ends = wire.ends
                self.rig.write(f"etc/buses.d/{names[-1]}.yaml", SERIAL_BUS.format(name=names[-1], path=ends[0]))
                arguments += ["--rtu", ends[1]]
            else:
                port = free_port([PLACE])
                self.rig.write(f"etc/buses.d/{names[-1]}.yaml", TCP_BUS.format(name=names[-1], port=port, more=""))
                arguments += [f"--{kind}", f"{PLACE}:{port}"]
        self.peer = Peer(self.rig, peer, arguments)
        host = {True: "", False: f", host: {PLACE}"}
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + "".join(
            f"  - {{name: {name}, profile: matrix, bus: {name}, address: {{unit: 1{host[kind == 'rtu']}}}}}\n"
            for name, kind in zip(names, transports)))
        return names

    def fill(self, index, which):
        for row in self.rows:
            self.peer.set(index, row.area, row.address, row.cells[which])

    def expected(self, which, instance=None):
        return {f"/{matrix.OBJECT}/{i}/{row.resource}": row.values[which]
                for i, row in enumerate(self.rows) if instance in (None, i)}

    def check(self, peer, transports):
        self.rows = matrix.rows()
        names = self.serve(peer, transports)
        self.rig.write("etc/profiles.d/matrix.yaml", matrix.profile(self.rows))
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

    def check_reads(self, endpoint, which):
        wanted = self.expected(which)
        path = f"/{matrix.OBJECT}"
        self.until_read(endpoint, path, lambda a: len(self.server.values(a, path)) == len(wanted))
        found = self.read(endpoint, path)
        for (place, value), row in zip(wanted.items(), self.rows):
            with self.subTest(endpoint, row=row.name):
                self.assertEqual((type(found[place]), found[place]), (type(value), value))

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
        self.check("pymodbus", ["tcp", "rtu"])

    def test_modbus_serial(self):
        self.check("modbus_serial", ["tcp", "rtu"])

    def test_jsmodbus(self):
        self.check("jsmodbus", ["tcp", "rtu"])


if __name__ == "__main__":
    fetched.prepare_or_exit("The Modbus peers", prepare)
    main()
