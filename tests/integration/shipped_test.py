#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Device types of etc/profiles.d with a gateway and simulated devices around them: SunSpec's, of
which only the running gateway finds the registers, some that are written, and one that tells
another model from its own."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402
from fieldway_test.programs import source_path  # noqa: E402

BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {port: 502}
timeout: 300ms
offline: {after: 2, retry: 300ms..500ms}
"""
TYPES = ("sunspec-inverter", "advantech-adam-6060", "heidelberg-energy-control")
INVERTER, MODULE, WALLBOX = ("gw-" + name for name in TYPES)
METER = "eastron-sdm630"

# A signature, model 1 with its names, a model that nobody wants, model 103, the end.
CHAIN, COMMON, FOREIGN, MODEL = 50000, 50002, 50069, 50097
NUMBERS = (103, 50, 1255, 410, 420, 425, -2, 4002, 4010, 3995, 2305, 2310, 2298, -1, 2875, 0, 5002, -2, 288, 1, -1505, -1,
           9990, -2, 0x00bc, 0x614e, 0, 851, -2, 7205, -1, 297, 1, 415, -32768, -32768, -32768, -1, 4)


def words(text, size):
    data = text.encode().ljust(size, b"\0")
    return [data[i] << 8 | data[i + 1] for i in range(0, size, 2)]


def rounded(values):
    return {path: round(value, 6) if isinstance(value, float) else value for path, value in values.items()}


class ShippedTest(Scenario):
    def put_registers(self, index, address, values):
        for i, value in enumerate(values):
            self.simulator.command(f"{index} set holding {address + i} {value & 0xffff}")

    def start(self, types):
        rows = ""
        for i, name in enumerate(types):
            with open(source_path("etc", "profiles.d", name + ".yaml"), encoding="utf-8") as f:
                self.rig.write(f"etc/profiles.d/{name}.yaml", f.read())
            address = f"{{host: 127.0.0.1, port: {self.simulator.port(i)}, unit: 1}}"
            rows += f"  - {{name: {name}, profile: {name}, bus: lan, address: {address}}}\n"
        self.rig.write("etc/buses.d/lan.yaml", BUS)
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + rows)
        self.start_server(names=("gw", *("gw-" + name for name in types)))
        self.configure()
        self.start_daemon()

    def start_types(self):
        self.simulator = Simulator(self.rig, ["--plain"] + ["--tcp", "127.0.0.1:0"] * len(TYPES))
        self.put_registers(0, CHAIN, words("SunS", 4) + [1, 65] + words("SolarEdge", 32) + words("SE10K", 32))
        self.put_registers(0, COMMON + 42, words("4.14", 16) + words("7E1A2B3C", 32))
        self.put_registers(0, FOREIGN, [120, 26])
        self.put_registers(0, MODEL, NUMBERS)
        self.put_registers(0, MODEL + 52, [0xffff])
        self.start(TYPES)
        self.registered(INVERTER, MODULE, WALLBOX)

    def is_read(self, endpoint, path, expected):
        self.until_read(endpoint, path, lambda a: rounded(self.server.values(a, path)) == {path: expected})

    def test_types(self):
        self.start_types()
        with self.subTest("inverter"):
            self.inverter()
        with self.subTest("module"):
            self.module()
        with self.subTest("wallbox"):
            self.wallbox()

    def inverter(self):
        for path, expected in (("/3/0/0", "SolarEdge"), ("/3/0/1", "SE10K"), ("/3/0/2", "7E1A2B3C"), ("/3/0/3", "4.14"),
                               ("/3305/0/5800", 2875.0), ("/3305/0/5805", 12345678.0), ("/3305/0/5810", -150.5),
                               ("/3305/1/5800", 2970.0), ("/3316/0/5700", 230.5), ("/3316/2/5700", 229.8),
                               ("/3316/3/5700", 720.5), ("/3317/1/5700", 4.2), ("/3317/3/5700", 8.51),
                               ("/3317/4/5700", 12.55), ("/3318/0/5700", 50.02), ("/3303/0/5700", 41.5), ("/3348/0/5547", 4)):
            self.is_read(INVERTER, path, expected)
        self.put_registers(0, MODEL + 14, [-31, 1])
        self.is_read(INVERTER, "/3305/0/5800", -310.0)

    def module(self):
        self.is_read(MODULE, "/3306/5/5850", False)
        self.put(MODULE, "/3306/5/5850", "1")
        self.assertEqual(self.simulator.command("1 get coil 20 2"), "0 1")
        self.is_read(MODULE, "/3306/5/5850", True)

    def wallbox(self):
        self.is_read(WALLBOX, "/3308/0/5900", 0.0)
        self.put(WALLBOX, "/3308/0/5900", "10.5")
        self.assertEqual(self.simulator.command("2 get holding 261"), "105")
        self.is_read(WALLBOX, "/3308/0/5900", 10.5)

    def test_another_model(self):
        """At the address of a meter is one of the same maker, whose numbers would be plausible."""
        self.simulator = Simulator(self.rig, ["--meter", "--tcp", "127.0.0.1:0"])
        self.put_registers(0, 0xfc02, [0x0089])
        self.start((METER,))
        self.log("meter_code is 137, not 112")
        self.put_registers(0, 0xfc02, [0x0070])
        self.registered("gw-" + METER)
        self.is_read("gw-" + METER, "/3/0/2", "100000")


if __name__ == "__main__":
    main()
