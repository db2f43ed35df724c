# SPDX-License-Identifier: Apache-2.0
"""The base data of the enabler test specification, appendix C, as configurations:
of the host by itself, and of a virtual endpoint with a simulated Modbus device
behind it. A configuration is what there is at least."""
import re

HOST, VIRTUAL = "host", "virtual"
NAMES = {HOST: "gw", VIRTUAL: "gw-dev"}
YAML_NAMES = {HOST: "host", VIRTUAL: "dev"}

# Of those whose device the host shows too.
HOST_ROWS = """host:
  create: {create}
  lwm2m:
    {map}
"""
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
# C.13, with or without a server of the factory.
BOOTSTRAP = """schema: 1
gateway: {{name: gw}}
bootstrap:
  uri: {uri}
  endpoints: [{end}]
  security: {{mode: psk, key: "psk-file:keys/one.psk"}}
  {more}
{servers}
"""
FACTORY = """servers:
  - name: one
    short_id: 1
    uri: {uri}
    endpoints: [{end}]
    security: {{mode: psk, key: "psk-file:keys/one.psk"}}
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
  - {{name: dev, profile: probe, bus: lan, address: {{host: 127.0.0.1, unit: 1}}{more}}}
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
# Where the host shows what they have, and where servers keep a portfolio as at the host.
NO_ENDPOINT = ", endpoint: none"
OWN_ENDPOINT = ", create: [16]"
# The same with a program behind it instead of a Modbus device.
LOCAL_DEVICE = """schema: 1
devices:
  - {{name: dev, profile: probe, address: {{owner: {owner}}}{more}}}
"""
LOCAL_PROFILE = """schema: 1
profile: probe
plugin: local
info: {{manufacturer: Fieldway, model: Probe}}
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
    **C3, "shown": True,
    "points": ["latitude: {address: 0, type: float32, unit: lat}", "longitude: {address: 2, type: float32, unit: lon}"],
    "map": ["6/0/0: latitude", "6/0/1: longitude", "6/0/2: {value: 140}",
            "6/0/3: {value: 100}", "6/0/5: {value: 1367491215}", "6/0/6: {value: 3}"],
}
# publish: what the program says of the points. shown: the host shows them too, of a device without an endpoint.
C11 = {
    **C3, "shown": True,
    "points": ["psm: {type: int64, access: rw}", "active: {type: int64, access: rw}", "wide: {type: bytes, access: rw}",
               "narrow: {type: bytes, access: rw}", "modes: {type: uint64}", "mode: {type: uint64, access: rw}"],
    "map": ["10/0/4: psm", "10/0/5: active", "10/0/8: wide", "10/0/9: narrow", "10/0/12: modes", "10/0/13: mode",
            '10/0/11/0: {value: "11:0"}', '11/0/0: {value: internet}', "11/0/3: {value: true}", "11/0/4: {value: 3}"],
    "publish": [("psm", "x", 3600), ("active", "x", 600), ("wide", "ay", b"\2"), ("narrow", "ay", b"\5"),
                ("modes", "t", 3), ("mode", "t", 1)],
}
# With those rows that 1250 and 1350 ask of a modem and of who chooses bearers. create: what servers may make.
C10 = {
    **C11, "create": [11],
    "points": [*C11["points"], "second: {type: string}", "bearer: {type: int64, access: rw}", "wlan: {type: bool}",
               "status: {type: int64}"],
    "map": [*C11["map"], "10/0/11/1: second", "13/0/0/0: bearer", '12/0/0: {value: wlan0}', "12/0/1: wlan",
            "12/0/3: status", '12/0/4: {value: "02:00:00:00:00:01"}', "12/0/5: {value: plant}", "12/0/8: {value: 1}",
            "12/0/9: {value: 1}", "12/0/14: {value: 4}", "12/0/15: {value: 0}"],
}
C15 = {
    **C3, "shown": True,
    "points": ["up: {type: bytes}", "down: {type: bytes, access: rw}"],
    "map": ["19/0/0/0: up", "19/1/0/0: down"],
    "publish": [("up", "ay", b"meter 1"), ("down", "ay", b"none")],
}
C16 = {
    **C3, "shown": True,
    "points": ["class: {type: int64, access: rw}", "status: {type: int64}", "log: {type: bytes}",
               "start: {type: bool, access: w}"],
    "map": ["20/0/4010: class", "20/0/4011: {execute: start, value: true}", "20/0/4013: status", "20/0/4014: log"],
    "publish": [("class", "x", 0), ("status", "x", 3), ("log", "ay", b"line 1")],
}
CONFIGURATIONS = {"C.1": C1, "C.3": C3, "C.4": C4, "C.6": C6, "C.7": C7, "C.10": C10,
                  "C.11": C11, "C.15": C15, "C.16": C16}


def host_rows(rows):
    """Rows of the profile's map, as the host has them: of the device dev."""
    return [re.sub(r"(: |execute: )([a-z]\w*)(?=$|,)", r"\1dev.\2", row) if "value:" not in row or "execute" in row else row
            for row in rows]
