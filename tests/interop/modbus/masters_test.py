#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The simulated devices that all other tests trust, asked by masters that share no code with them:
pymodbus, modbus-serial, jsmodbus, mbpoll."""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import fetched  # noqa: E402
from peers import master, prepare  # noqa: E402
from fieldway_test import Scenario, Simulator, main  # noqa: E402

MASTERS = ("pymodbus", "modbus_serial", "jsmodbus", "mbpoll")
COUNT = 60
FIRST = 7


class MastersTest(Scenario):
    def simulate(self, kind):
        """The simulator and the place where a master finds it."""
        place = "127.0.0.1:0" if kind == "tcp" else self.rig.path("line")
        simulator = Simulator(self.rig, ["--plain", f"--{kind}", place])
        return simulator, simulator.places[0]

    def check(self, kind):
        simulator, place = self.simulate(kind)
        chance = random.Random(1)
        for name in MASTERS:
            device = master(self.rig, name, kind, place)
            for area in ("coil", "discrete", "input", "holding"):
                most = 1 if area in ("coil", "discrete") else 0xffff
                values = [chance.randint(0, most) for _ in range(COUNT)]
                with self.subTest(name, kind=kind, area=area):
                    simulator.command(f"0 set {area} {FIRST} " + " ".join(str(v) for v in values))
                    self.assertEqual(device.read(area, FIRST, COUNT), values)
                if area in ("coil", "holding"):
                    self.check_writes(simulator, device, (name, kind, area), [most - v for v in values])
            device.close()

    def check_writes(self, simulator, device, what, values):
        area = what[2]
        for n in (1, COUNT):
            with self.subTest(what, n=n):
                device.write(area, FIRST, values[:n])
                found = simulator.command(f"0 get {area} {FIRST} {n}")
                self.assertEqual([int(v) for v in found.split()], values[:n])

    def test_tcp(self):
        self.check("tcp")

    def test_rtu(self):
        self.check("rtu")


if __name__ == "__main__":
    fetched.prepare_or_exit("The Modbus peers", prepare)
    main()
