# SPDX-License-Identifier: Apache-2.0
"""What has to be seen at the server, step by step."""
import struct
import time

from table import Row

HOST, BOILER = "demo", "demo-boiler"
METERS = ("demo-meter-1", "demo-meter-2", "demo-meter-3")
ENDPOINTS = (HOST, *METERS, BOILER)
ERROR = "/3/0/11"
RELAY, TEMPERATURE, POWER, ENERGY = "/3306/0/5850", "/3303/0/5700", "/3305/0/5800", "/3305/0/5805"
SHOWN = {
    HOST: ("/3/0/16",),
    BOILER: (TEMPERATURE, POWER, RELAY),
    **{name: ("/3316/0/5700", POWER, ENERGY, ERROR) for name in METERS},
}
SENML_CBOR, TEXT = 112, 0
SILENT = 2              # the meter that falls silent
SILENCE_CODE = 8        # /3/0/11: peripheral malfunction
PATIENCE_S = 30
AGAIN_S = 0.5
SILENCE_S = 6
ENERGY_TOLERANCE_WH = 200.0     # ten a second move on while we look


class Failure(Exception):
    """The server did not see what it should have."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


class Story:
    def __init__(self, rig, server, meters, board, table, slow):
        self.rig, self.server, self.meters, self.board, self.table = rig, server, meters, board, table
        self.slow = slow        # for people to watch
        self.powers = set()     # of meter 3, as its own endpoint showed them
        self.registered = []
        server.listeners.append(self.take)
        table.steps = [[text, False] for text in (
            "every endpoint registers, with DTLS and a key of its own",
            "values of all of them are observed",
            "a register in kWh arrives as Wh",
            "one endpoint is made of points of two devices",
            "a Write from the server flips a relay, and is read back",
            f"meter {SILENT} falls silent: {ERROR} says {SILENCE_CODE}, reading it is 5.03",
            "it talks again: its values return",
        )]

    # Events of the server

    def take(self, event):
        if event.word == "registered":
            self.registered.append(event.arguments[0])
            self.table.say(f"{event.arguments[0]} registered, LwM2M {event.lwm2m}, "
                           f"{'DTLS' if event.secure == '1' else 'no security'}")
        elif event.word in ("expired", "deregistered"):
            self.table.say(f"{event.arguments[0]} {event.word}")
        elif event.word == "notify" and event.code == "2.05":
            self.show(event.arguments[0], event.path, event)

    def show(self, endpoint, path, event):
        if (endpoint, path) not in self.table.rows:
            return
        values = self.server.values(event, path)
        if path == ERROR:
            codes = [v for v in values.values() if isinstance(v, int)]
            self.table.set(endpoint, path, max(codes, default=0))
            self.table.set_stale(endpoint, SILENCE_CODE in codes, set(SHOWN[endpoint]) - {ERROR})
            return
        if path not in values:
            return
        self.table.set(endpoint, path, values[path])
        if (endpoint, path) == (METERS[2], POWER):
            self.powers.add(values[path])

    # Steps

    def done(self, index):
        self.table.steps[index][1] = True
        self.table.say(f"seen: {self.table.steps[index][0]}")

    def value(self, endpoint, path):
        return self.table.rows[endpoint, path].value

    def pause(self, seconds):
        """Goes on reading, and showing, meanwhile."""
        end = time.monotonic() + seconds
        self.rig.until(lambda: time.monotonic() >= end, seconds + PATIENCE_S, "the time to pass")

    def until(self, condition, what):
        self.rig.until(condition, PATIENCE_S, what)

    def register(self):
        self.until(lambda: set(ENDPOINTS) <= set(self.registered), f"registrations of {', '.join(ENDPOINTS)}")
        for endpoint in ENDPOINTS:
            event = self.server.wait_registered(endpoint)
            expect(event.secure == "1" and event.identity == endpoint, f"{endpoint} registered without its key")
        self.done(0)

    def unit(self, endpoint, path):
        """As the object says; where that leaves it open, 5701 of the instance."""
        known = self.server.objects.find(path)
        if known.unit:
            return known.unit
        units = path.rsplit("/", 1)[0] + "/5701"
        if not self.server.objects.find(units):
            return ""
        answer = self.server.request(endpoint, "GET", units, f"accept={TEXT}")
        return answer.payload.decode() if answer.word == "response" and answer.code == "2.05" else ""

    def observe(self):
        for endpoint in ENDPOINTS:
            for path in SHOWN[endpoint]:
                self.table.add(Row(endpoint, path, self.server.objects.find(path).name, self.unit(endpoint, path)))
        for endpoint in ENDPOINTS:
            for path in SHOWN[endpoint]:
                answer = self.server.observe(endpoint, path, f"accept={SENML_CBOR}")
                expect(answer.word == "response" and answer.code == "2.05" and "token" in answer.fields,
                       f"Observe of {endpoint} {path}: {answer}")
                self.show(endpoint, path, answer)
        self.until(lambda: all(row.seen for row in self.table.rows.values()), "a value of everything observed")
        self.done(1)

    def kilowatt_hours(self):
        words = [int(w) for w in self.meters.command("0 get input 72 2").split()]
        register = struct.unpack(">f", struct.pack(">HH", *words))[0]
        self.table.rows[METERS[0], ENERGY].seen = None
        self.until(lambda: self.table.rows[METERS[0], ENERGY].seen, "a notification of the energy")
        seen = self.value(METERS[0], ENERGY)
        expect(abs(seen - 1000 * register) < ENERGY_TOLERANCE_WH,
               f"the register holds {register:.2f} kWh, the server sees {seen} Wh")
        self.table.say(f"register {register:.2f} kWh, server {seen:.0f} Wh")
        self.done(2)

    def two_devices(self):
        def both():
            tenths = struct.unpack(">h", struct.pack(">H", int(self.board.command("0 get input 0"))))[0]
            return abs(self.value(BOILER, TEMPERATURE) - tenths / 10) < 2 and \
                self.value(BOILER, POWER) in self.powers
        self.until(both, "the board's temperature and meter 3's power in one endpoint")
        self.done(3)

    def write(self):
        wanted = not self.value(BOILER, RELAY)
        answer = self.server.request(BOILER, "PUT", RELAY, f"format={TEXT} payload={'31' if wanted else '30'}")
        expect(answer.word == "response" and answer.code == "2.04", f"Write of {RELAY}: {answer}")
        coil = self.board.command("0 get coil 0")
        expect(coil == str(int(wanted)), f"2.04 to a Write of {int(wanted)}, but the coil is {coil}")
        answer = self.server.request(BOILER, "GET", RELAY, f"accept={SENML_CBOR}")
        expect(answer.word == "response" and answer.code == "2.05", f"Read of {RELAY}: {answer}")
        read = self.server.values(answer, RELAY)[RELAY]
        expect(read == wanted, f"wrote {wanted}, read {read}")
        self.until(lambda: self.value(BOILER, RELAY) == wanted, f"notification of {RELAY}")
        self.table.say(f"relay written {'on' if wanted else 'off'}, coil {coil}, read back")
        self.done(4)

    def read_until(self, endpoint, path, code):
        """Reads again and again: what a value is worth takes a poll to be known."""
        end = time.monotonic() + PATIENCE_S
        while True:
            answer = self.server.request(endpoint, "GET", path, f"accept={SENML_CBOR}")
            if answer.word == "response" and answer.code == code:
                return answer
            expect(time.monotonic() < end, f"Read of {endpoint} {path} should be {code}: {answer}")
            self.pause(AGAIN_S)

    def silence(self):
        meter = METERS[SILENT - 1]
        self.meters.command(f"{SILENT - 1} silent")
        self.until(lambda: self.value(meter, ERROR) == SILENCE_CODE, f"{ERROR} of {meter} saying {SILENCE_CODE}")
        answer = self.read_until(meter, POWER, "5.03")
        self.table.say(f"{meter} {POWER}: 5.03 {answer.payload.decode('utf-8', 'replace')}")
        row = self.table.rows[meter, POWER]
        expect(row.stale, f"{meter} is silent, but shown as if it were not")
        self.done(5)

    def talk(self):
        meter = METERS[SILENT - 1]
        row = self.table.rows[meter, POWER]
        row.seen = None
        if self.slow:
            self.pause(SILENCE_S)
        self.meters.command(f"{SILENT - 1} talk")
        self.until(lambda: row.seen and not row.stale, f"{meter} returning")
        self.read_until(meter, POWER, "2.05")
        self.done(6)

    def tell(self):
        """All of it, once."""
        for step in (self.register, self.observe, self.kilowatt_hours, self.two_devices, self.write,
                     self.silence, self.talk):
            step()

    def again(self):
        """What can be seen over and over."""
        for step in (self.write, self.silence, self.talk):
            step()
