#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One random configuration after the other, with wrong files, pauses, requests and signals between them:
the daemon lives, and with the last one all is as that one says. FIELDWAY_SEED repeats a run."""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Simulator, main  # noqa: E402
from fieldway_test.bus import PATH, Refused  # noqa: E402
from fieldway_test.scenario import free_port  # noqa: E402
from reload_test import BUS, HOSTS, PROFILE, VALUE, ReloadScenario, client  # noqa: E402

STEPS = 25
DEVICES = 12
UNITS = DEVICES // len(HOSTS)
POINTS = """  second: {address: 31, unit: Cel}
  asked:  {address: 32, unit: Cel, rate: on-demand}
  wanted: {address: 40, unit: Cel, access: rw}
  total:  {address: 41, unit: Cel, counter: {max_step: 1000}}
"""
MAP = ("3303/0/5700: value", "3303/1/5700: second", "3303/2/5700: asked", "3303/7/5700: value", "3303/8/5700: total",
       "3308/0/5900: wanted", "3304/0/5700: {value: 3.5}", "3/0/2: second", "3/0/17: {value: meter}")
VARIANTS = (("fast: 1s", "fast: 300ms"), ("unit: Cel", "unit: K"), ("model: Board", "model: Other"),
            ("rate: fast}", "rate: fast, max_gap: 4}"))
OF_DEVICE = ("", "", "", ", endpoint: none", ", endpoint: gw-x{n}", ", endpoint: gw-d{n:03}", ", enabled: false",
             ", lwm2m: {{3303/5/5700: second}}")
OF_SERVER = ([], ["lifetime: 1h"], ["notify: {pmin: 1s}"], ['protocol: "1.1"'], ["formats: [tlv]"], ["formats: [senml-json]"])
WAITS = ("none", "first-read, at_most: 2s", "seen, at_most: 2s")
VERBS = {"Endpoint": ("Disable", "Enable", "Restart"), "Device": ("Pause", "Resume"), "Bus": ("Pause", "Resume", "Restart")}
REQUESTS = (("request", "GET /3303/2/5700"), ("request", "GET /3"), ("observe", "/3303/0/5700"), ("observe", "/3303"),
            ("request", "PUT /3308/0/5900 format=0 payload=3231"), ("request", "PUT /1/0/3 format=0 payload=3737"))
NAMES = ("gw", "gw-both", *(client(n) for n in range(1, DEVICES + 1)), *(f"gw-x{n}" for n in range(1, DEVICES + 1)))
WRONG = "etc/devices.d/wrong.yaml"


class RandomTest(ReloadScenario):
    def prepare_random(self):
        seed = int(os.environ.get("FIELDWAY_SEED") or time.time_ns() % 1000000)
        print(f"FIELDWAY_SEED={seed}", file=sys.stderr)
        self.random = random.Random(seed)
        self.port = free_port(HOSTS)
        self.simulator = Simulator(self.rig, [w for h in HOSTS for w in ("--plain", "--tcp", f"{h}:{self.port}")])
        self.servers = []
        for _ in range(2):
            self.start_server(True, names=NAMES)
            self.servers.append(self.server)

    # What there may be in files

    def write_profile(self, rows=None):
        text = PROFILE.partition("  second:")[0] + POINTS
        for old, new in VARIANTS:
            if not rows and self.random.random() < 0.2:
                text = text.replace(old, new)
        rows = rows or self.random.sample(MAP, self.random.randint(1, len(MAP)))
        self.rig.write("etc/profiles.d/board.yaml", text + "lwm2m:\n" + "".join(f"  {row}\n" for row in sorted(rows)))

    def write_buses(self):
        lan = BUS.format(port=self.port)
        if self.random.random() < 0.3:
            lan = lan.replace("timeout: 2s", "timeout: 1s")
        self.rig.write("etc/buses.d/lan.yaml", lan + "---\n" + lan.replace("bus: lan", "bus: wan"))

    def random_row(self, n, name):
        host, unit = divmod(n - 1, UNITS)
        return (f'  - {{name: "d{name:03}", profile: board, bus: {self.random.choice(("lan", "lan", "wan"))}, '
                f'address: {{host: {HOSTS[host]}, unit: {unit + 1}}}{self.random.choice(OF_DEVICE).format(n=n)}}}\n')

    def write_random_devices(self):
        numbers = self.random.sample(range(1, DEVICES + 1), self.random.randint(2, DEVICES))
        names = list(numbers)
        if self.random.random() < 0.4:
            self.random.shuffle(names)
        text = "schema: 1\ndevices:\n" + "".join(map(self.random_row, numbers, names))
        if self.random.random() < 0.5:
            text += (f"endpoints:\n  - {{name: both, lwm2m: {{3303/0/5700: d{names[0]:03}.value, "
                     f"3303/1/5700: d{names[1]:03}.value}}}}\n")
        self.rig.write("etc/devices.d/site.yaml", text)

    def write_main(self):
        self.server = self.random.choice(self.servers)
        self.configure(server=self.random.choice(OF_SERVER), more=f"register: {{wait: {self.random.choice(WAITS)}}}")
        if self.random.random() < 0.3:
            whom = self.random.choice(('["host"]', '["d00*"]', '["*1", "host"]'))
            self.rig.write("etc/fieldway.yaml", self.text("etc/fieldway.yaml").replace('["*"]', whom))

    def write_wrong(self, wrong):
        if wrong:
            self.rig.write(WRONG, "schema: 1\ndevices: [{name: x}]\n")
        elif os.path.exists(self.rig.path(WRONG)):
            os.unlink(self.rig.path(WRONG))

    # What happens meanwhile

    def attempt(self, *arguments, **options):
        """What is refused is as good."""
        try:
            self.bus.call(*arguments, **options)
        except Refused:
            pass

    def disturb(self):
        self.servers[0].command("fault deregister " + self.random.choice(("silent", "none", "none")))
        self.simulator.command("* delay " + self.random.choice(("0", "0", "700")))
        objects = list(self.bus.objects())
        for _ in range(self.random.randint(0, 3)):
            path = self.random.choice(objects)
            kind = path.removeprefix(PATH + "/").partition("/")[0].capitalize()
            self.attempt(path, kind, self.random.choice(VERBS[kind]))
        for _ in range(self.random.randint(0, 3)):
            kind, words = self.random.choice(REQUESTS)
            self.random.choice(self.servers).send(kind, self.random.choice(NAMES), words)

    def change(self):
        parts = (self.write_profile, self.write_buses, self.write_random_devices, self.write_main)
        for write in self.random.sample(parts, self.random.randint(1, 3)):
            write()
        self.write_wrong(self.random.random() < 0.1)
        how = self.random.random()
        if how < 0.2:
            self.daemon.process.send_signal(signal.SIGHUP)
        else:
            confirm = self.random.choice((300000, 1000000, 60000000)) if how < 0.4 else 0
            self.attempt(PATH, "Manager", "Reload", "t", str(confirm), timeout=60)
        if self.random.random() < 0.2:
            self.attempt(PATH, "Manager", "Confirm")

    # What it comes to

    def resume_all(self):
        for path in self.bus.objects():
            kind = path.removeprefix(PATH + "/").partition("/")[0].capitalize()
            self.attempt(path, kind, "Enable" if kind == "Endpoint" else "Resume")

    def settle(self):
        """The files are in force, whatever was being read."""
        def accepted():
            try:
                self.bus.call(PATH, "Manager", "Reload", "t", "0", timeout=60)
            except Refused:    # former ones are being read
                return False
            return self.state() == "accepted"

        self.rig.until(accepted, 60, "the last configuration to be in force")

    def test_random(self):
        self.prepare_random()
        # Wrong ones, such as two endpoints of one name, are for reloads.
        self.write_profile(rows=MAP)
        self.write_buses()
        self.write_devices(range(1, DEVICES + 1))
        self.write_main()
        self.run_daemon()
        for _ in range(STEPS):
            self.disturb()
            self.change()
        self.write_wrong(False)
        self.servers[0].command("fault deregister none")
        self.simulator.command("* delay 0")
        self.start_server(True, names=NAMES)    # a fresh one, which shows who comes
        self.write_profile(rows=MAP[:2])
        self.write_buses()
        self.write_devices(range(1, DEVICES + 1))
        self.configure(more="register: {wait: none}")
        self.settle()
        self.resume_all()
        everybody = ("gw", *(client(n) for n in range(1, DEVICES + 1)))
        self.registered(*everybody, timeout=60)
        for name in everybody[1:]:
            self.until_code(name, VALUE, "2.05", timeout=60)
        self.assertEqual(self.bus.get(PATH, "Manager", "Paused"), [])
        self.assertEqual({e.arguments[0] for e in self.server.events if e.word == "registered"}, set(everybody))

    def row(self, n, more=""):
        host, unit = divmod(n - 1, UNITS)
        return (f'  - {{name: "d{n:03}", profile: board, bus: lan, '
                f'address: {{host: {HOSTS[host]}, unit: {unit + 1}}}{more}}}\n')


if __name__ == "__main__":
    main()
