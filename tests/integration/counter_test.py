#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A meter's register that wraps, is reset and loses the agent for a while: the total goes on
(configuration.md, Counters)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Simulator, main  # noqa: E402

NAME, TOTAL = "gw-m1", "/3200/0/5501"
PROFILE = """schema: 1
profile: pulses
plugin: modbus
info: {manufacturer: ACME, model: S0}
rates: {fast: 200ms}
defaults: {area: holding, type: uint16, rate: fast}
points: {pulses: {address: 0, counter: {wrap: 65536}}}
lwm2m: {3200/0/5501: pulses, 3200/0/5500: {value: true}}
"""
BUS = "schema: 1\nbus: lan\nplugin: modbus\ntcp: {{port: {port}}}\ntimeout: 300ms\n"
DEVICES = """schema: 1
devices: [{name: m1, profile: pulses, bus: lan, address: {host: 127.0.0.1, unit: 1}}]
"""


class CounterTest(Scenario):
    def total(self, expected):
        self.until_read(NAME, TOTAL, lambda a: self.server.values(a, TOTAL) == {TOTAL: expected})

    def test_wrap_reset_and_restart(self):
        self.simulator = Simulator(self.rig, ["--plain", "--tcp", "127.0.0.1:0"])
        self.simulator.command("set holding 0 65530")
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=self.simulator.port(0)))
        self.rig.write("etc/profiles.d/pulses.yaml", PROFILE)
        self.rig.write("etc/devices.d/site.yaml", DEVICES)
        self.start_server(names=("gw", NAME))
        self.configure()
        self.start_daemon()
        self.registered(NAME)
        self.total(65530)
        self.simulator.command("set holding 0 4")
        self.total(65540)
        self.log("point pulses (holding 0) went from 65530 to 4, counted as a wrap")
        self.simulator.command("set holding 0 30000")
        self.total(95536)
        # Away while the device is replaced by a new one.
        self.stop_daemon(self.daemon)
        self.simulator.command("set holding 0 7")
        start = self.now()
        self.start_daemon()
        self.registered(NAME, start=start)
        self.total(95543)
        self.log("counted as a reset of the meter")


if __name__ == "__main__":
    main()
