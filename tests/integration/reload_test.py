#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Another configuration while the daemon runs: what it leaves alone notices
nothing, and what is wrong with it changes nothing (agent/gateway/configuration/reload.h)."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, ClockDaemon, Scenario, Simulator, build_path, main  # noqa: E402
from fieldway_test.bus import PATH, Refused  # noqa: E402
from fieldway_test.scenario import free_port  # noqa: E402

HOSTS = ("127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14")
OF_HOST = 125       # units of a host
DEVICES = len(HOSTS) * OF_HOST
VALUE, SECOND = "/3303/0/5700", "/3303/1/5700"
OBSERVED = range(20, DEVICES, 24)
PROFILE = """schema: 1
profile: board
plugin: modbus
info: {manufacturer: ACME, model: Board}
rates: {fast: 1s}
defaults: {area: holding, type: uint16, rate: fast}
points:
  value:  {address: 30, unit: Cel}
  second: {address: 31, unit: Cel}
lwm2m:
  3303/0/5700: value
"""
BUS = """schema: 1
bus: lan
plugin: modbus
tcp: {{port: {port}}}
timeout: 2s
offline: {{after: 5, retry: 1s..2s}}
"""


def client(n):
    return f"gw-d{n:03}"


class ReloadScenario(Scenario):
    bus = None

    def row(self, n, more=""):
        host, unit = divmod(n - 1, OF_HOST)
        return (f'  - {{name: "d{n:03}", profile: board, bus: lan, '
                f'address: {{host: {HOSTS[host]}, unit: {unit + 1}}}{more}}}\n')

    def text(self, name):
        with open(self.rig.path(*name.split("/"))) as file:
            return file.read()

    def write_devices(self, rows):
        """rows: numbers, or texts of rows."""
        self.rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + "".join(
            r if isinstance(r, str) else self.row(r) for r in rows))

    def prepare(self, count=3, secure=False, server=(), more="register: {wait: none}"):
        port = free_port(HOSTS)
        self.simulator = Simulator(self.rig, [w for h in HOSTS for w in ("--plain", "--tcp", f"{h}:{port}")])
        self.rig.write("etc/buses.d/lan.yaml", BUS.format(port=port))
        self.rig.write("etc/profiles.d/board.yaml", PROFILE)
        self.write_devices(range(1, count + 1))
        self.start_server(secure, names=("gw", "gw-renamed", *(client(n) for n in range(1, count + 1))))
        self.server_lines, self.more = list(server), more
        self.configure(server=server, more=more)

    def run_daemon(self, **options):
        self.bus = self.bus or Bus(self.rig)
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment(), **options)
        self.bus.wait_name()

    def start(self, count=3, **options):
        self.prepare(count, **options)
        self.run_daemon()
        self.registered("gw", *(client(n) for n in range(1, count + 1)), timeout=60)

    def reload(self, confirm=0, timeout=60):
        self.bus.call(PATH, "Manager", "Reload", "t", str(confirm), timeout=timeout)

    def refused_reload(self, *texts):
        with self.assertRaises(Refused) as caught:
            self.reload()
        for text in texts:
            self.assertIn(text, str(caught.exception))

    def state(self):
        return self.bus.get(PATH, "Manager", "ConfigurationState")

    def errors(self):
        return self.bus.get(PATH, "Manager", "ConfigurationErrors")

    def until_state(self, state, timeout=20):
        self.rig.until(lambda: self.state() == state, timeout, f"the state {state}")

    def events_since(self, start):
        """What clients have said of their registration: {endpoint: [word ...]}."""
        said = {}
        for event in self.server.events[start:]:
            if event.word in ("registered", "updated", "deregistered", "expired", "refused"):
                said.setdefault(event.arguments[0], []).append(event)
        return said

    def words_since(self, start):
        return {name: [e.word for e in events] for name, events in self.events_since(start).items()}


class ManyTest(ReloadScenario):
    def sockets(self):
        """Of the daemon; a session has one of its own."""
        folder = f"/proc/{self.daemon.process.child.pid}/fd"
        return {os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)
                if os.readlink(os.path.join(folder, fd)).startswith("socket:")}

    def notified(self, value, start):
        self.simulator.command(f"* set holding 30 {value}")
        for n in OBSERVED:
            self.server.wait_event(
                lambda e: e.word == "notify" and e.arguments[0] == client(n) and e.path == VALUE and
                self.server.values(e, VALUE) == {VALUE: value}, 20, start)

    def counts(self, what):
        return [int(self.simulator.command(f"{i} {what}")) for i in range(len(HOSTS))]

    def test_three_of_five_hundred(self):
        """One shows more, one has another endpoint name, one is gone; all others go on."""
        changed, renamed, gone = 3, 7, 261
        self.start(DEVICES, secure=True)
        for n in OBSERVED:
            self.until_code(client(n), VALUE, "2.05", timeout=60)
            self.expect(self.server.observe(client(n), VALUE), "2.05")
        self.notified(11, self.now())
        connections, sockets, start = self.counts("connections"), self.sockets(), self.now()
        requests = self.counts("requests")
        more = {changed: ", lwm2m: {3303/1/5700: second}", renamed: ", endpoint: gw-renamed"}
        self.write_devices(self.row(n, more.get(n, "")) for n in range(1, DEVICES + 1) if n != gone)
        self.reload()
        self.event("updated", client(changed), start)
        self.event("deregistered", client(renamed), start)
        self.event("deregistered", client(gone), start)
        self.registered("gw-renamed", start=start)
        # Sessions, observations and polls of the others.
        self.notified(12, start)
        self.until_code(client(changed), SECOND, "2.05")
        said = self.events_since(start)
        self.assertEqual({name: [e.word for e in events] for name, events in said.items()}, {
            client(changed): ["updated"], client(renamed): ["deregistered"], client(gone): ["deregistered"],
            "gw-renamed": ["registered"]})
        links = said[client(changed)][0].links
        for path in ("</1/0>", "</3/0>", "</3303/0>", "</3303/1>"):
            self.assertIn(path, links)
        self.assertEqual(self.counts("connections"), connections)
        for before, after in zip(requests, self.counts("requests")):
            self.assertGreater(after, before + OF_HOST // 2)
        # Those of the two that left, and of the one that came.
        left, came = sockets - self.sockets(), self.sockets() - sockets
        self.assertLessEqual((len(left), len(came)), (2, 1))
        self.assertEqual(self.bus.get(PATH, "Manager", "Devices"), DEVICES - 1)


class ReloadTest(ReloadScenario):
    def test_nothing(self):
        """The same again: nobody hears of it."""
        self.start()
        self.until_code(client(1), VALUE, "2.05")
        start = self.now()
        self.rig.write("etc/buses.d/lan.yaml", "# a comment\n" + self.text("etc/buses.d/lan.yaml"))
        for _ in range(3):
            self.reload()
        self.expect(self.server.request(client(1), "GET", VALUE), "2.05")
        self.assertEqual(self.words_since(start), {})
        self.assertEqual((self.state(), self.errors()), ("accepted", []))

    def test_wrong(self):
        """It changes nothing, says where, and is over with the next good one."""
        self.start()
        start = self.now()
        good = self.text("etc/devices.d/site.yaml")
        self.rig.write("etc/devices.d/site.yaml", good.replace("bus: lan", "bus: lon", 1))
        place = self.rig.path("etc", "devices.d", "site.yaml") + ":3:"
        self.refused_reload(place, "lon")
        self.assertEqual(self.state(), "last-good")
        (file, line, column, text), = self.errors()
        self.assertEqual((file, line), (self.rig.path("etc", "devices.d", "site.yaml"), 3))
        self.assertGreater(column, 1)
        self.assertIn("lon", text)
        self.expect(self.server.request(client(1), "GET", "/3/0/0"), "2.05")
        self.assertEqual(self.words_since(start), {})
        errors, warnings = self.bus.call(PATH, "Manager", "CheckConfig")
        self.assertEqual(errors, [(file, line, column, text)])
        self.assertEqual(warnings, [])
        self.rig.write("etc/devices.d/site.yaml", good)
        errors, warnings = self.bus.call(PATH, "Manager", "CheckConfig")
        self.assertEqual(errors, [])
        self.assertIn("second appears in no resource", " ".join(w[3] for w in warnings))
        self.assertEqual(self.state(), "last-good")
        self.reload()
        self.assertEqual((self.state(), self.errors()), ("accepted", []))

    def test_signal(self):
        """By SIGHUP, and word to systemd when it begins and ends."""
        self.start()
        start = self.now()
        self.write_devices([1, 2])
        self.daemon.process.send_signal(signal.SIGHUP)
        self.event("deregistered", client(3), start)
        self.rig.until(lambda: self.daemon.notify.states.count("READY=1") == 2, 20, "READY=1 again")
        states = self.daemon.notify.states
        begun = states.index("RELOADING=1")
        self.assertTrue(any(s.startswith("MONOTONIC_USEC=") for s in states[begun:]))
        self.assertEqual(self.words_since(start), {client(3): ["deregistered"]})

    def test_lifetime(self):
        """An Update that says so, and no more."""
        self.start(server=["lifetime: 1h"])
        start = self.now()
        self.configure(server=["lifetime: 2h"], more=self.more)
        self.reload()
        for name in ("gw", *(client(n) for n in (1, 2, 3))):
            self.assertEqual(self.event("updated", name, start).lt, "7200")
        self.assertEqual(set(map(tuple, self.words_since(start).values())), {("updated",)})
        self.assertEqual(self.read_one(client(1), "/1/0/1"), 7200)

    def test_waiting(self):
        """Whoever waits for a first value does so no longer for being asked to reload again and again."""
        self.prepare(more="register: {wait: first-read, at_most: 2s}")
        self.simulator.command("* silent")
        self.run_daemon()
        self.registered("gw")

        def is_registered():
            self.reload()
            return client(1) in self.words_since(0)

        self.rig.until(is_registered, 15, "an endpoint that nothing is read of")

    def test_read_once(self):
        """A point that is read once has been: for an endpoint that comes later it is read again, and not waited for."""
        self.prepare(more="register: {wait: first-read, at_most: 10m}")
        self.rig.write("etc/profiles.d/board.yaml", PROFILE.replace("unit: Cel}\nlwm2m:", "unit: Cel, rate: once}\nlwm2m:") +
                       "  3303/1/5700: second\n")
        for host in range(len(HOSTS)):
            self.simulator.command(f"{host} set holding 31 17")
        self.run_daemon()
        self.registered("gw", *(client(n) for n in (1, 2, 3)))
        start = self.now()
        self.write_devices([self.row(n, f", endpoint: once-{n}") for n in (1, 2, 3)])
        self.reload()
        self.registered(*(f"once-{n}" for n in (1, 2, 3)), start=start)
        for n in (1, 2, 3):
            self.assertEqual(self.read_one(f"once-{n}", SECOND), 17)
        # Also where it is a row that comes.
        self.write_devices([self.row(1, ", endpoint: once-1, lwm2m: {3303/2/5700: second}"),
                            *(self.row(n, f", endpoint: once-{n}") for n in (2, 3))])
        self.reload()
        self.until_code("once-1", "/3303/2/5700", "2.05")
        self.assertEqual(self.read_one("once-1", "/3303/2/5700"), 17)

    def wait_in_vain(self, register, **options):
        """Until the host has registered; its devices do not answer."""
        self.prepare(more=f"register: {register}")
        self.simulator.command("* silent")
        self.run_daemon(**options)
        self.ready("gw")

    def test_waiting_otherwise(self):
        """Who has waited for a device in vain registers when that is not waited for any more; it was told once."""
        said = "does not register before it is seen"
        self.wait_in_vain("{wait: seen, at_most: 1s}")
        self.rig.until(lambda: len(self.logged(said)) == 3, 20, "word of all three")
        self.write_devices([1, 2, 3, 4])
        self.reload()
        self.log(f"{client(4)}: {said}")
        self.configure(more="register: {wait: first-read, at_most: 1s}")
        self.reload()
        self.registered(client(1), client(2), client(3))
        self.assertEqual(len(self.logged(said)), 4)

    def test_waiting_less(self):
        """As long as it would have had to wait by now is over already."""
        self.wait_in_vain("{wait: first-read, at_most: 10m}", kind=ClockDaemon)
        self.addCleanup(self.daemon.clock.close)
        self.daemon.step(300)
        self.assertNotIn(client(1), self.words_since(0))
        self.configure(more="register: {wait: first-read, at_most: 1m}")
        self.reload()
        self.registered(client(1), client(2), client(3))

    def test_another_format(self):
        """Also of an endpoint that comes with it."""
        self.start(server=["formats: [tlv]"])
        for formats, number in (("[senml-json]", 110), ("[senml-cbor]", 112), ("[tlv]", 11542)):
            self.configure(server=[f"formats: {formats}"], more=self.more)
            self.write_devices([1, 2] if "tlv" in formats else [1, 2, 3, 4])
            start = self.now()
            self.reload()
            if "json" in formats:
                self.registered(client(4), start=start)
            for name in ("gw", client(1), *([] if "tlv" in formats else [client(4)])):
                answer = self.expect(self.server.request(name, "GET", "/3/0"), "2.05")
                self.assertEqual(answer.format, number)

    def test_another_server(self):
        self.start()
        former, start = self.server, self.now()
        self.start_server(names=("gw",))
        self.configure(more=self.more)
        self.reload()
        self.registered("gw", *(client(n) for n in (1, 2, 3)))
        for name in ("gw", client(1)):
            former.wait_event(lambda e: e.word == "deregistered" and e.arguments[0] == name, 15, start)
        self.until_code(client(1), VALUE, "2.05")

    def test_which_endpoints(self):
        """Whom a server does not want leaves it, and comes again when it does."""
        self.start()
        start = self.now()
        self.configure(more=self.more)
        text = self.text("etc/fieldway.yaml")
        self.rig.write("etc/fieldway.yaml", text.replace('["*"]', '["host", "d001"]'))
        self.reload()
        for n in (2, 3):
            self.event("deregistered", client(n), start)
        start = self.now()
        self.rig.write("etc/fieldway.yaml", text)
        self.reload()
        self.registered(client(2), client(3), start=start)
        self.assertEqual(self.words_since(start), {client(2): ["registered"], client(3): ["registered"]})

    def test_key(self):
        """Another file of keys is used at the next handshake, and makes none by itself."""
        self.start(secure=True)
        start = self.now()
        good = self.text("etc/keys/plant.psk")
        self.rig.write("etc/keys/plant.psk", good.replace("gw-renamed:", "gw-renamed:00"), 0o600)
        self.rig.write("etc/keys/new.psk", good, 0o600)
        text = self.text("etc/fieldway.yaml")
        self.rig.write("etc/fieldway.yaml", text.replace("keys/plant.psk", "keys/new.psk"))
        self.reload()
        self.expect(self.server.request(client(1), "GET", "/3/0/0"), "2.05")
        self.assertEqual(self.words_since(start), {})
        self.write_devices([1, 2, self.row(3, ", endpoint: gw-renamed")])
        self.reload()
        self.registered("gw-renamed", start=start)
        self.event("deregistered", client(3), start)
        self.assertEqual(self.words_since(start), {client(3): ["deregistered"], "gw-renamed": ["registered"]})

    def test_name_in_yaml(self):
        """The YAML name is for people here: servers hear nothing of another one."""
        self.start()
        self.expect(self.put(client(1), "/1/0/3", "77"), "2.04")
        start = self.now()
        self.write_devices([self.row(1, ", endpoint: gw-d001").replace('"d001"', '"first"'), 2, 3])
        self.reload()
        self.until_code(client(1), VALUE, "2.05")
        self.assertEqual(self.words_since(start), {})
        self.assertEqual(self.read_one(client(1), "/1/0/3"), 77)
        objects = self.bus.objects()
        self.assertIn(PATH + "/endpoint/first", objects)
        self.assertNotIn(PATH + "/endpoint/d001", objects)
        self.assertIn(PATH + "/device/first", objects)

    def test_names_exchanged(self):
        """What servers wrote goes with the endpoint, not with the name in YAML, which others take."""
        self.start()
        for n in (1, 2):
            self.expect(self.put(client(n), "/1/0/3", str(70 + n)), "2.04")

        def named(n, name):
            return self.row(n, f", endpoint: {client(n)}").replace(f'"d{n:03}"', f'"{name}"')

        start = self.now()
        # One exchanges its name with another; a new one takes that of the third, which nothing was written to.
        self.write_devices([named(1, "d002"), named(2, "d001"), named(3, "third"), named(4, "d003")])
        self.reload()
        self.expect(self.put(client(3), "/1/0/3", "73"), "2.04")
        self.write_devices([named(1, "d002"), named(2, "d001"), named(3, "fourth"), named(4, "d003"), named(5, "third")])
        self.reload()
        self.registered(client(5))
        for _ in range(2):
            for n in (1, 2, 3):
                self.assertEqual(self.read_one(client(n), "/1/0/3"), 70 + n)
            self.assertNotEqual(self.server.request(client(5), "GET", "/1/0/3").code, "2.05")
            self.stop_daemon(self.daemon)
            self.run_daemon()
            self.registered(*(client(n) for n in range(1, 6)), start=start)
            start = self.now()

    def test_objects(self):
        """Clients of D-Bus are told which objects come and go."""
        self.start()
        monitor = self.rig.start(
            ["dbus-monitor", "--address", self.bus.address,
             "type=signal,interface=org.freedesktop.DBus.ObjectManager",
             f"type=signal,path={PATH},interface=org.freedesktop.DBus.Properties"], stderr=subprocess.PIPE)
        monitor.wait_line("signal")     # of the monitor itself: it listens
        self.write_devices([2, 3, 4])

        def seen(member, path):
            at = [i for i, line in enumerate(monitor.lines) if f"member={member}" in line]
            return any(f'"{path}"' in line for i in at for line in monitor.lines[i:i + 2])

        self.reload()
        for kind in ("endpoint", "device"):
            self.rig.until(lambda: seen("InterfacesRemoved", f"{PATH}/{kind}/d001"), 15, f"{kind} d001 removed")
            self.rig.until(lambda: seen("InterfacesAdded", f"{PATH}/{kind}/d004"), 15, f"{kind} d004 added")
        self.assertFalse(any("d002" in line for line in monitor.lines))
        self.assertEqual(set(self.bus.objects()), {
            PATH + "/endpoint/host", PATH + "/bus/lan",
            *(f"{PATH}/{kind}/d{n:03}" for kind in ("endpoint", "device") for n in (2, 3, 4))})

    def test_from_nothing_and_back(self):
        self.prepare()
        files = [f"etc/{name}" for name in ("fieldway.yaml", "buses.d/lan.yaml", "devices.d/site.yaml")]
        texts = {name: self.text(name) for name in files}
        for name in files:
            os.unlink(self.rig.path(*name.split("/")))
        self.run_daemon()
        self.assertEqual(self.state(), "not-configured")
        self.assertEqual(self.bus.objects(), {})
        for name, text in texts.items():
            self.rig.write(name, text)
        self.reload()
        self.registered("gw", client(1), client(2), client(3))
        self.until_code(client(1), VALUE, "2.05")
        self.assertEqual(self.state(), "accepted")
        start = self.now()
        for name in files:
            os.unlink(self.rig.path(*name.split("/")))
        self.reload()
        for name in ("gw", client(1), client(2), client(3)):
            self.event("deregistered", name, start)
        self.assertEqual(self.state(), "not-configured")


class CommandTest(ReloadScenario):
    def ctl(self, *words):
        return self.bus.run([build_path("fieldwayctl"), *words, "--bus", self.bus.address])

    def test_commands(self):
        self.start()
        status, (warning,) = self.ctl("reload")
        self.assertEqual(status, 0)
        self.assertRegex(warning, r"/profiles\.d/board\.yaml:9:3: point second .* \(warning\)$")
        status, lines = self.ctl("reload", "--json")
        document = json.loads("".join(lines))
        self.assertEqual((status, document["reloaded"], document["confirm_usec"]), (0, True, None))
        self.assertEqual([(w["line"], w["column"]) for w in document["warnings"]], [(9, 3)])
        status, lines = self.ctl("reload", "--confirm", "1h")
        self.assertEqual(status, 0)
        self.assertEqual(len(lines), 2)
        self.assertIn(warning, lines)
        self.assertIn("within 1h", "".join(lines))
        self.assertIn("NOT CONFIRMED", self.ctl("status")[1][0])
        self.assertEqual(self.ctl("confirm"), (0, []))
        self.assertEqual(self.ctl("status")[1][0].split(", ")[1], "configuration accepted")
        status, lines = self.ctl("confirm")
        self.assertEqual(status, 1)
        self.assertIn("Nothing waits to be confirmed", lines[0])
        for wrong in ("0s", "2d", "5", "soon"):
            self.assertEqual(self.ctl("reload", "--confirm", wrong)[0], 2)

    def test_wrong(self):
        """As fieldwayd --check prints it, a line for each error."""
        self.start()
        self.rig.write("etc/devices.d/site.yaml", self.text("etc/devices.d/site.yaml").replace("bus: lan", "bus: lon"))
        status, lines = self.ctl("reload")
        self.assertEqual(status, 1)
        for row in (3, 4, 5):
            self.assertRegex(lines[row - 3], rf"/devices\.d/site\.yaml:{row}:\d+: .*lon")
        self.assertEqual(lines[3:], ["fieldwayctl reload: nothing has changed"])


if __name__ == "__main__":
    main()
