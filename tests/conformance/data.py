# SPDX-License-Identifier: Apache-2.0
"""The base data of the enabler test specification, appendix C, as configurations:
of the host by itself, and of a virtual endpoint with a simulated Modbus device
behind it. A configuration is what there is at least."""

HOST, VIRTUAL = "host", "virtual"
NAMES = {HOST: "gw", VIRTUAL: "gw-dev"}

MAIN = """schema: 1
gateway: {{name: gw}}
servers:
  - name: one
    short_id: 1
    uri: {uri}
    protocol: "{version}"
    lifetime: {lifetime}
    liveness: 24h
    endpoints: [{end}]
    security: {{mode: psk, identity: "{{endpoint}}", key: "psk-file:keys/one.psk"}}
    {server}
{others}
{more}
"""
# Of C.14, and of what is bootstrapped.
OTHER = """  - name: two
    short_id: 2
    uri: {uri}
    protocol: "{version}"
    lifetime: 24h
    liveness: 24h
    endpoints: [{end}]
    notify: {{pmin: 1s, pmax: 10s}}
    security: {{mode: psk, identity: "{{endpoint}}", key: "psk-file:keys/one.psk"}}
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 300ms
retries: 0
"""
DEVICE = """schema: 1
devices:
  - {name: dev, profile: probe, bus: lan, address: {host: 127.0.0.1, unit: 1}}
"""
PROFILE = """schema: 1
profile: probe
plugin: modbus
info: {{manufacturer: Fieldway, model: Probe}}
rates: {{fast: 100ms}}
stale: {{after: 1000h}}
defaults: {{area: holding, rate: fast}}
points:
  {points}
lwm2m:
  3/0/2: {{value: "S-1"}}
  3/0/3: {{value: "1.0"}}
  {map}
"""
# C.1: /1/0 {0, 1, 6, 7} and /3/0 {0, 1, 2, 3, 11, 16}; the rest is C.3.
C1 = {"server": [], "points": [], "map": []}
C3 = {**C1, "server": ["notify: {pmin: 1s, pmax: 10s}"]}
BATTERY_VOLTS, BATTERY_AMPERES, BATTERY_LEVEL = 0, 2, 4     # holding registers
C4 = {
    **C3,
    "points": ["u0: {address: 0, type: int16, unit: mV}", "u1: {address: 1, type: int16, unit: mV}",
               "i0: {address: 2, type: int16, unit: mA}", "i1: {address: 3, type: int16, unit: mA}",
               'level: {address: 4, type: uint16, unit: "%"}'],
    "map": ["3/0/6/0: {value: 1}", "3/0/6/1: {value: 2}", "3/0/7/0: u0", "3/0/7/1: u1", "3/0/8/0: i0", "3/0/8/1: i1",
            "3/0/9: level"],
}
C6 = C4
C7 = {
    **C3,
    "points": ["latitude: {address: 0, type: float32, unit: lat}", "longitude: {address: 2, type: float32, unit: lon}"],
    "map": ["6/0/0: latitude", "6/0/1: longitude", "6/0/2: {value: 140}",
            "6/0/3: {value: 100}", "6/0/5: {value: 1367491215}", "6/0/6: {value: 3}"],
}
CONFIGURATIONS = {"C.1": C1, "C.3": C3, "C.4": C4, "C.6": C6, "C.7": C7}
