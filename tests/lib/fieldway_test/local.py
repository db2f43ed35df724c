# SPDX-License-Identifier: Apache-2.0
"""Local devices: programs of this machine, of users of their own, that publish values and are told what to write."""
import struct
import time

from .bus import NAME, PATH, STRANGER, Bus, Caller, add_group
from .scenario import Scenario

CAMERA = PATH + "/device/door_2dcamera"     # as sd_bus_path_encode() has it
CLIENT = "gw-door-camera"
OWNER, OTHER = STRANGER, 2      # daemon and bin of base-passwd
PEOPLE, LIMIT = "/3300/0/5700", "/3308/0/5900"
PROFILE = """schema: 1
profile: vision
plugin: local
info: {{manufacturer: Example, model: Vision}}
{silence}
points:
  people: {{type: int64}}
  limit: {{type: int64, access: rw, range: 0..500, persist: true}}
  sharp: {{type: float, range: 0..1}}
  place: {{type: string, persist: true}}
  alert: {{type: bool, access: w}}
lwm2m:
  3300/0/5700: people
  3308/0/5900: limit
  3300/1/5700: sharp
  3300/1/5750: place
  3/0/12: {{execute: alert, value: true}}
"""
DEVICES = """schema: 1
devices:
  - {{name: door-camera, profile: vision, address: {{owner: daemon{more}}}}}
"""


class Body:
    """What D-Bus makes of values."""

    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def put(self, letter, value):
        if letter == "s":
            self.align(4)
            text = value.encode()
            self.data += struct.pack("<I", len(text)) + text + b"\0"
        elif letter == "v":
            kind, value = value
            self.data += bytes([len(kind)]) + kind.encode() + b"\0"
            self.put(kind, value)
        elif letter == "ay":
            self.align(4)
            self.data += struct.pack("<I", len(value)) + value
        else:
            code, size = {"t": ("Q", 8), "x": ("q", 8), "d": ("d", 8), "u": ("I", 4), "i": ("i", 4), "b": ("I", 4),
                          "q": ("H", 2), "y": ("B", 1)}[letter]
            self.align(size)
            self.data += struct.pack("<" + code, value)


class Program(Caller):
    """One that publishes, and is told what to write."""

    def __init__(self, scenario, user=OWNER, device=CAMERA):
        super().__init__(scenario.bus, user)
        scenario.addCleanup(self.close)
        self.scenario, self.requested, self.device = scenario, [], device
        _, _, body = self.take()        # of Hello
        self.name = body[4:-1].decode()

    def take(self):
        kind, _, fields, body = self.read_message()
        if kind == 4 and fields[3] == b"WriteRequested":
            serial, size = struct.unpack_from("<QI", body)
            point = body[12:12 + size].decode()
            offset = 13 + size
            letter = self.letter = chr(body[offset + 1])
            if letter == "a":   # ay, whose signature is two letters long
                self.letter, offset = "ay", offset + 4
                offset += -offset % 4
                size, = struct.unpack_from("<I", body, offset)
                self.requested.append((serial, point, bytes(body[offset + 4:offset + 4 + size])))
                return kind, fields, body
            offset += 3
            offset += -offset % (8 if letter in "xtd" else 4)
            if letter == "s":
                size, = struct.unpack_from("<I", body, offset)
                self.requested.append((serial, point, body[offset + 4:offset + 4 + size].decode()))
                return kind, fields, body
            value, = struct.unpack_from("<" + {"x": "q", "t": "Q", "d": "d", "b": "I"}[letter], body, offset)
            self.requested.append((serial, point, value))
        return kind, fields, body

    def answer(self):
        """The error of the answer, without what all have in front; None: it is none."""
        while True:
            kind, fields, body = self.take()
            if kind in (2, 3):
                self.text = body[4:-1].decode() if kind == 3 else ""
                return fields[4].decode().removeprefix(NAME + ".Error.") if kind == 3 else None

    def publish(self, *values, device=None):
        """(point, variant's type, value[, time[, quality]])"""
        self.say(*values, device=device)
        return self.answer()

    def say(self, *values, device=None):
        """Does not wait for the answer, which is at answer()."""
        content = Body()
        for name, letter, value, *more in values:
            content.align(8)
            content.put("s", name)
            content.put("v", (letter, value))
            content.put("t", more[0] if more else 0)
            content.put("u", more[1] if more[1:] else 0)
        # The array's elements begin where 8 can be divided, which its length does not count.
        self.call(device or self.device, NAME + ".Device", "Publish", signature="a(svtu)",
                  body=struct.pack("<II", len(content.data), 0) + bytes(content.data))

    def complete(self, serial, error="", detail=""):
        return self.complete_on(self.device, serial, error, detail)

    def complete_on(self, device, serial, error="", detail=""):
        body = Body()
        for letter, value in ("t", serial), ("s", error), ("s", detail):
            body.put(letter, value)
        self.call(device, NAME + ".Device", "CompleteWrite", signature="tss", body=bytes(body.data))
        return self.answer()

    def wait_write(self):
        end = time.monotonic() + 15
        while not self.requested:
            self.scenario.assertLess(time.monotonic(), end, "no WriteRequested")
            self.take()
        return self.requested.pop(0)


class LocalScenario(Scenario):
    silence = ""
    address = ""
    groups = ""     # of the system, as add_group() takes them

    def setUp(self):
        super().setUp()
        add_group(self.groups)
        self.start_server()
        self.configure()
        self.write_files()
        self.bus = Bus(self.rig)

    def write_files(self, profile=PROFILE, devices=DEVICES):
        self.rig.write("etc/profiles.d/vision.yaml", profile.format(silence=self.silence))
        self.rig.write("etc/devices.d/site.yaml", devices.format(more=self.address))

    def start(self, **options):
        environment = {**options.pop("environment", {}), **self.bus.environment()}
        self.start_daemon(arguments=["--bus=system"], environment=environment, **options)
        self.bus.wait_name()

    def state(self):
        return self.bus.get(CAMERA, "Device", "State")

    def until_state(self, state):
        self.rig.until(lambda: self.state() == state, 20, f"{state}")
        return self.bus.get(CAMERA, "Device", "Reason")

    def begin(self):
        self.start()
        self.registered(CLIENT)
        program = Program(self)
        self.assertIsNone(program.publish(("people", "x", 3), ("limit", "x", 10)))
        return program

    def write(self, payload="42"):
        """Does not wait for the answer, which is at finish()."""
        return self.server.send("request", CLIENT, f"PUT {LIMIT} format=0 payload={payload.encode().hex()}")

    def finish(self, name, code):
        self.rig.until(lambda: name in self.server.answers, 15, "the answer to a write")
        return self.expect(self.server.answers.pop(name), code)
