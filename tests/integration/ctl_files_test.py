#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl and the files of the configuration: what it writes, and that it never writes what is wrong."""
import glob
import json
import os
import pty
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main, source_path  # noqa: E402
from ctl_json_test import JsonScenario  # noqa: E402


class FilesScenario(JsonScenario):
    def setUp(self):
        super().setUp()
        os.mkdir(self.rig.path("etc"))

    def words(self, *arguments):
        return (*arguments, "--config=" + self.rig.path("etc"), "--daemon=" + build_path("fieldwayd"), *self.folders())

    def asked(self, answers, *arguments):
        """What is printed, and the questions, of somebody at a terminal."""
        master, slave = pty.openpty()
        process = subprocess.Popen([build_path("fieldwayctl"), *self.words(*arguments)], stdin=slave,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        os.close(slave)
        os.write(master, answers.encode())
        out, errors = process.communicate(timeout=30)
        os.close(master)
        self.assertEqual(process.returncode, 0, errors)
        return out, errors

    def make(self, *arguments, stderr="", **options):
        return self.ctl(*self.words(*arguments), stderr=stderr, environment={}, **options)

    def refused(self, text, *arguments, status=1):
        """Nothing is changed, and nothing is left behind."""
        before = self.tree()
        done = self.run_ctl(*self.words(*arguments), environment={})
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(self.tree(), before)
        return done.stderr

    def tree(self):
        texts = {}
        for folder, _, names in os.walk(self.rig.path("etc")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    texts[os.path.relpath(path, self.rig.path("etc"))] = f.read()
        return texts

    def text(self, name):
        with open(self.rig.path("etc", name), encoding="utf-8") as f:
            return f.read()

    def check(self):
        return self.run_ctl("check", self.rig.path("etc"), "--daemon=" + build_path("fieldwayd"), *self.folders(),
                            environment={}).stderr

    def set_up(self, *arguments):
        return self.make("setup", "--server=coap://127.0.0.1:5683", "--name=gw", *arguments)


class SetupTest(FilesScenario):
    def test_setup(self):
        """On what the package brings: comments only."""
        with open(source_path("etc/fieldway.yaml"), encoding="utf-8") as f:
            self.rig.write("etc/fieldway.yaml", f.read())
        before = set(glob.glob("/tmp/fieldway-check-*"))
        words = ("setup", "--server=coaps://lwm2m.example.com", "--name=gw7", "--first-bus=/dev/serial/by-id/x", "--bus-name=hall")
        printed = self.make(*words, "--print")
        self.assertEqual(len(self.tree()), 1)
        text = self.make(*words, stderr=None)
        self.assertIn("fieldwayctl credentials create", text)
        for name in ("fieldway.yaml", "buses.d/hall.yaml"):
            self.assertIn(self.text(name), printed)
        self.assertIn("uri: \"coaps://lwm2m.example.com\"", self.text("fieldway.yaml"))
        self.assertIn("rtu: {device: /dev/serial/by-id/x, ", self.text("buses.d/hall.yaml"))
        self.assertEqual(os.stat(self.rig.path("etc/keys/main.psk")).st_mode & 0o777, 0o640)
        self.refused("there is a configuration already", *words)
        self.assertEqual(set(glob.glob("/tmp/fieldway-check-*")), before)
        self.make("credentials", "create")
        self.assertEqual(self.check(), "")

    def test_kinds(self):
        for place, line in (("tcp", "tcp: {port: 502}"), ("ble", "adapter: any")):
            self.set_up("--first-bus=" + place, "--bus-name=" + place, "--again")
            self.assertIn(line, self.text(f"buses.d/{place}.yaml"))
        self.set_up("--again")
        self.assertEqual(self.json(*self.words("setup", "--server=coap://h", "--again", "--print"), environment={})
                         ["written"], False)

    def test_refused(self):
        for words, text in ((("--name=gw",), "--server: is missing"), (("--server=http://h", "--name=gw"), "coaps://HOST"),
                            (("--server=coaps://h", "--security=none"), "coap:// with --security none"),
                            (("--server=coap://h", "--name=a/b"), "a name has letters"),
                            (("--server=coap://h", "--first-bus=com1"), "a serial port")):
            with self.subTest(words):
                self.refused(text, "setup", *words, status=2)
        self.rig.write("etc/buses.d/bus1.yaml", "schema: 1\n")
        self.refused("File exists", "setup", "--server=coap://h", "--first-bus=tcp")
        self.rig.write("etc/buses.d/bad.yaml", "nonesuch: 1\n")
        self.assertIn(self.rig.path("etc/buses.d/bad.yaml:1:1: "),
                      self.refused("nothing was changed", "setup", "--server=coap://h"))
        self.make("setup", "--server=coap://h", "--force", stderr=None)
        self.assertIn("coap://h", self.text("fieldway.yaml"))

    def test_asked(self):
        """On a terminal, each question until there is an answer that will do."""
        # The name is taken as it is offered; the first server is none.
        out, errors = self.asked("gw9\nhttp://x\ncoap://127.0.0.1:5683\n\n\ntcp\n\n", "setup")
        self.assertIn("coaps://HOST[:PORT]", errors)
        self.assertIn("Security: psk, or none [none]: ", errors)
        self.assertIn("written: ", out)
        self.assertIn("name: gw9", self.text("fieldway.yaml"))
        self.assertIn("bus: bus1", self.text("buses.d/bus1.yaml"))


class NewDeviceTest(FilesScenario):
    def test_asked(self):
        self.set_up("--first-bus=tcp", "--bus-name=lan")
        _, errors = self.asked("em/1\nem1\neastron-sdm630\nlan\nunit:1\n =1\n  host=10.0.0.7  unit=1\n",
                               "new-device")
        self.assertEqual(errors.count("an address is KEY=VALUE"), 2)
        self.assertIn('{name: em1, profile: eastron-sdm630, bus: lan, address: {host: "10.0.0.7", unit: 1}}',
                      self.text("devices.d/em1.yaml"))

    def test_new_device(self):
        self.set_up("--first-bus=tcp", "--bus-name=lan")
        words = ("new-device", "em1", "--profile=eastron-sdm630", "--on=lan", "--host=10.0.0.7", "--unit=1", "-p", "ct=40")
        line = ("  - {name: em1, profile: eastron-sdm630, bus: lan, address: {host: \"10.0.0.7\", unit: 1}, "
                "parameters: {ct: 40}}\n")
        self.assertEqual(self.make(*words, "--print"), "schema: 1\ndevices:\n" + line)
        self.assertFalse(os.path.exists(self.rig.path("etc/devices.d")))
        self.assertEqual(self.make(*words), f"written: {self.rig.path('etc/devices.d/em1.yaml')}\n"
                                            "'systemctl reload fieldway' puts it in force.\n")
        self.assertEqual(self.text("devices.d/em1.yaml"), "schema: 1\ndevices:\n" + line)
        self.assertEqual(self.check(), "")
        told = json.loads(self.make("new-device", "em2", "--profile=eastron-sdm630", "--on=lan", "--host=10.0.0.8",
                                    "--unit=1", "--json"))
        self.assertEqual((told["written"], told["files"][0]["file"]), (True, "devices.d/em2.yaml"))

    def test_local(self):
        """A program of this machine, on no bus of the files."""
        self.set_up("--first-bus=tcp", "--bus-name=lan")
        with open(source_path("etc/examples/profiles.d/door-camera.yaml"), encoding="utf-8") as f:
            self.rig.write("etc/profiles.d/door-camera.yaml", f.read())
        self.make("new-device", "camera", "--profile=door-camera", "--on=local", "--owner=daemon")
        self.assertEqual(self.text("devices.d/camera.yaml"),
                         "schema: 1\ndevices:\n  - {name: camera, profile: door-camera, address: {owner: daemon}}\n")
        self.assertEqual(self.check(), "")
        self.refused('there is no user "daemno"', "new-device", "second", "--profile=door-camera", "--on=local",
                     "--owner=daemno")

    def test_refused(self):
        self.set_up("--first-bus=tcp", "--bus-name=lan")
        words = ("new-device", "em1", "--profile=eastron-sdm630", "--on=lan", "--host=10.0.0.7")
        self.make(*words, "--unit=1")
        self.refused("File exists", *words, "--unit=2")
        again = ("new-device", "em2", *words[2:], "--unit=1")
        self.refused("nothing was changed", *again)     # the same address twice
        self.refused("unknown bus \"lam\", did you mean \"lan\"?", "new-device", "em3", "--profile=eastron-sdm630",
                     "--on=lam", "--unit=1")
        self.refused("no key of an address", "new-device", "em3", "--profile=x", "--on=lan", "--u}=1", status=2)
        self.refused("--unit, --host, --mac or the like: is missing", "new-device", "em3", "--profile=x", "--on=lan", status=2)
        self.refused("-p NAME=VALUE", *again, "-p", "ct", status=2)
        self.refused("a name has letters", "new-device", "../em3", *words[2:], status=2)

    def test_quotes(self):
        """Whatever is said stays text, and in its place."""
        text = self.make("new-device", "em3", "--profile=yes", "--on=l-1.x", "--a=8E1", "--b=no", "--c=x\": {", "--d=0x10",
                         "--e=", "--print")
        self.assertIn('profile: "yes", bus: l-1.x, address: {a: "8E1", b: "no", c: "x\\": {", d: 0x10, e: ""}}', text)


SITE = """schema: 1
# the meters of hall 2
devices:
  - name: "r-{unit:03}"      # a range
    profile: eastron-sdm630
    bus: lan
    address: {host: "10.0.0.9", unit: 1-4}   # of one gateway
    override:
      2: {rates: {fast: 3s}}
  # rows
  - name: "t-{room}"
    profile: eastron-sdm630
    bus: lan
    each:
      - {room: kitchen, host: "10.0.1.1"}   # old
      - {room: roof, host: "10.0.1.2"}
    address: {host: "{host}", unit: 1}
  - {name: single, profile: eastron-sdm630, bus: lan, address: {host: 10.0.2.1, unit: 1}}
"""


class RowScenario(FilesScenario):
    def setUp(self):
        super().setUp()
        self.set_up("--first-bus=tcp", "--bus-name=lan")
        self.rig.write("etc/devices.d/site.yaml", SITE)

    def words(self, *arguments):
        state = () if arguments[0] in ("setup", "new-device", "migrate") else ("--state=" + self.rig.path("state"),)
        return (*super().words(*arguments), *state)

    def becomes(self, before, after, *arguments):
        """Of the file these lines change, and nothing else."""
        text = self.make(*arguments)
        self.assertIn(before, SITE)
        self.assertEqual(self.text("devices.d/site.yaml"), SITE.replace(before, after))
        self.rig.write("etc/devices.d/site.yaml", SITE)
        return text


class RetireTest(RowScenario):
    def test_disabled(self):
        self.becomes("fast: 3s}}\n", "fast: 3s}}\n      3: {enabled: false}\n", "retire", "r-003")
        self.becomes("fast: 3s}}\n", "fast: 3s}, enabled: false}\n", "retire", "r-002")
        self.becomes('"{host}", unit: 1}\n', '"{host}", unit: 1}\n    override: {roof: {enabled: false}}\n', "retire", "t-roof")
        text = self.becomes("10.0.2.1, unit: 1}}", "10.0.2.1, unit: 1}, enabled: false}", "retire", "single")
        self.assertIn("servers lose of gw-single:\n  /3/0/2  serial\n", text)
        self.assertRegex(text, r"changed  device +single +is not polled any more\ngone +endpoint  single  de-registers")
        self.assertEqual(self.json(*self.words("retire", "single", "--print"), environment={})["written"], False)

    def test_removed(self):
        line = '      - {room: roof, host: "10.0.1.2"}\n'
        self.becomes(line, "", "retire", "t-roof", "--remove")
        self.becomes(SITE.splitlines(True)[-1], "", "retire", "single", "--remove")
        self.refused("site.yaml:4: a range or table makes this device", "retire", "r-001", "--remove")
        self.make("new-device", "own", "--profile=eastron-sdm630", "--on=lan", "--host=10.0.3.1", "--unit=1")
        self.assertIn("removed: ", self.make("retire", "own", "--remove"))
        self.assertFalse(os.path.exists(self.rig.path("etc/devices.d/own.yaml")))

    def test_refused(self):
        self.refused("no device 'singel' in the configuration, did you mean 'single'?", "retire", "singel", status=3)
        self.rig.write("etc/devices.d/site.yaml", SITE.replace("2: {rates", "3: {enabled: false}\n      2: {rates"))
        self.refused("this changes nothing", "retire", "r-003")


class ReplaceTest(RowScenario):
    def test_replace(self):
        self.becomes('"10.0.1.2"', '"10.0.1.77"', "replace", "t-roof", "--host=10.0.1.77")
        self.becomes("{host: 10.0.2.1, unit: 1}", '{host: "10.9.9.9", unit: 9}', "replace", "single", "--unit=9", "--host",
                     "10.9.9.9")
        self.assertRegex(self.make("replace", "single", "--unit=7"), r"changed  device +single +its address")

    def test_refused(self):
        self.refused("site.yaml:4: unit makes 4 devices of this row", "replace", "r-001", "--unit=9")
        self.refused("site.yaml:11: unit makes 2 devices", "replace", "t-roof", "--unit=3")
        self.rig.write("etc/devices.d/rooms.yaml", "schema: 1\ndevices:\n  - {name: 'c-{room}', profile: eastron-sdm630, "
                       "bus: lan, address: {host: '{host}', unit: 1}, each: 'csv:rooms.csv'}\n")
        self.rig.write("etc/rooms.csv", "room,host\nhall,10.0.7.1\ncellar,10.0.7.2\n")
        self.refused("rooms.yaml:3: its host may come from the table csv:rooms.csv: edit that by hand",
                     "replace", "c-hall", "--host=10.0.7.3")
        self.refused("such as --mac", "replace", "single", status=2)
        self.refused("999 is not between 0 and 255", "replace", "single", "--unit=999")
        self.refused("nonesuch", "replace", "single", "--nonesuch=1")
        # The address of another.
        self.refused("single has the address of t-kitchen", "replace", "single", "--host=10.0.1.1")


class BackupTest(JsonScenario):
    def words(self, *arguments):
        checker = () if arguments[0] == "backup" else ("--daemon=" + build_path("fieldwayd"), *self.folders())
        return (*arguments, "--config=" + self.rig.path("etc"), "--state=" + self.rig.path("state"), *checker)

    def read(self, name):
        with open(self.rig.path(name), "rb") as f:
            return f.read()

    def restored(self, *arguments):
        return self.ctl(*self.words("restore", self.rig.path("b.tar"), *arguments), stderr=None, environment={})

    def test_backup(self):
        """Of a running gateway, put in place on one that was lost."""
        self.start_meters(2)
        self.start_server(secure=True)
        self.configure()
        self.start_daemon()
        self.registered("gw", "gw-m1", "gw-m2")
        self.rig.until(lambda: os.path.exists(self.rig.path("state/records/gateway.last-good")), 20, "the record")
        text = self.ctl(*self.words("backup", self.rig.path("b.tar")), environment={})
        self.assertIn("It holds keys", text)
        self.assertEqual(os.stat(self.rig.path("b.tar")).st_mode & 0o777, 0o600)
        self.fails("File exists", *self.words("backup", self.rig.path("b.tar")), environment={})
        self.fails("it runs", *self.words("restore", self.rig.path("b.tar")), environment={})
        self.stop_daemon(self.daemon)
        wanted = {name: self.read(name) for name in ("etc/fieldway.yaml", "etc/keys/plant.psk", "etc/devices.d/site.yaml",
                                                     "state/records/gateway.last-good")}
        for name in wanted:
            os.remove(self.rig.path(name))
        self.rig.write("etc/buses.d/other.yaml", "nonesuch: 1\n")
        self.assertIn("kept in", self.restored())
        self.assertEqual({name: self.read(name) for name in wanted}, wanted)
        self.assertEqual(os.stat(self.rig.path("etc/keys/plant.psk")).st_mode & 0o777, 0o600)
        self.assertFalse(os.path.exists(self.rig.path("etc/buses.d/other.yaml")))
        self.assertTrue(os.path.exists(self.rig.path("etc.before-restore/buses.d/other.yaml")))
        self.fails("is there from an earlier time", *self.words("restore", self.rig.path("b.tar")), environment={})
        self.restart_server()
        self.start_daemon()
        self.registered("gw", "gw-m1", "gw-m2")

    def test_without_keys(self):
        self.start_meters(1)
        self.write_keys(["gw", "gw-m1"])
        self.configure(uri="coaps://127.0.0.1:5684")
        told = self.json(*self.words("backup", self.rig.path("b.tar"), "--without-keys"), environment={})
        self.assertEqual(told, {"file": self.rig.path("b.tar"), "keys": False})
        key = self.read("etc/keys/plant.psk")
        self.assertNotIn(key.split(b":")[1].strip()[:16], self.read("b.tar"))
        os.remove(self.rig.path("etc/devices.d/site.yaml"))
        self.restored()
        self.assertEqual(self.read("etc/keys/plant.psk"), key)
        self.assertTrue(os.path.exists(self.rig.path("etc/devices.d/site.yaml")))

    def test_refused(self):
        self.start_meters(1)
        self.configure(uri="coap://127.0.0.1:5683")
        self.fails("No such file", *self.words("restore", self.rig.path("none.tar")), environment={}, status=3)
        self.rig.write("b.tar", "no archive")
        before = self.read("etc/fieldway.yaml")
        done = self.run_ctl(*self.words("restore", self.rig.path("b.tar")), environment={})
        self.assertEqual(done.returncode, 1)
        self.assertIn("tar has failed", done.stderr)
        for version, text in ((2, "of a later fieldwayctl"), ('"x"', "no backup of fieldwayctl")):
            self.rig.write("t/fieldway-backup", f'{{"version": {version}, "keys": true}}')
            subprocess.run(["tar", "-cf", self.rig.path("b.tar"), "-C", self.rig.path("t"), "fieldway-backup"], check=True)
            self.fails(text, *self.words("restore", self.rig.path("b.tar")), environment={})
        os.symlink("/etc/passwd", self.rig.path("t/config"))
        subprocess.run(["tar", "-cf", self.rig.path("b.tar"), "-C", self.rig.path("t"), "fieldway-backup", "config"],
                       check=True)
        self.fails("neither a file nor a folder", *self.words("restore", self.rig.path("b.tar")), environment={})
        # A configuration that is wrong now.
        os.remove(self.rig.path("b.tar"))
        self.rig.write("etc/buses.d/bad.yaml", "nonesuch: 1\n")
        self.ctl(*self.words("backup", self.rig.path("b.tar")), environment={})
        done = self.run_ctl(*self.words("restore", self.rig.path("b.tar")), environment={})
        self.assertIn("nothing was changed", done.stderr)
        # Not where it was unpacked.
        self.assertIn("\n" + self.rig.path("etc/buses.d/bad.yaml") + ":1:1: ", "\n" + done.stderr)
        self.assertEqual((done.returncode, self.read("etc/fieldway.yaml")), (1, before))
        self.assertFalse(os.path.exists(self.rig.path("etc.before-restore")))
        self.assertIn("restored", self.restored("--force"))


class MigrateTest(FilesScenario):
    def test_present(self):
        self.set_up("--first-bus=tcp")
        self.assertEqual(self.make("migrate"), "2 documents, all of schema 1, the present one: nothing to do\n")

    def test_names(self):
        """What nobody reads becomes what is read, once it is right."""
        self.set_up()
        text = "schema: 1\nbus: lan\nplugin: modbus\ntcp: {port: 502}   # as it was\n"
        self.rig.write("etc/buses.d/lan.yml", text)
        self.assertIn("written: ", self.make("migrate"))
        self.assertEqual(self.text("buses.d/lan.yaml"), text)
        self.assertFalse(os.path.exists(self.rig.path("etc/buses.d/lan.yml")))
        self.rig.write("etc/buses.d/lan.yml", text)
        self.refused("File exists", "migrate")
        self.rig.write("etc/buses.d/two.yml", text.replace("schema: 1", "schema: 2"))
        self.refused("two.yml:1:9: is of a later fieldwayctl than this one", "migrate")
        self.rig.write("etc/buses.d/two.yml", "bus: x\n")
        self.refused("two.yml:1:1: has no schema", "migrate")


class ObjectsTest(FilesScenario):
    def test_objects(self):
        self.set_up("--first-bus=tcp", "--bus-name=lan")
        self.make("new-device", "em1", "--profile=eastron-sdm630", "--on=lan", "--host=10.0.0.7", "--unit=1")
        with open(source_path("objects/3316-voltage.yaml"), encoding="utf-8") as f:
            self.rig.write("etc/objects.d/3316-mine.yaml", f.read())
        words = [word for word in self.words("objects", "--json") if not word.startswith("--daemon")]
        rows = [row for row in json.loads(self.ctl(*words, environment={})) if row["id"] in (3316, 3303)]
        self.has_keys(rows[0], "id", "version", "name", "file", "hidden", "endpoints")
        own = [row for row in rows if row["file"].startswith(self.rig.path("etc"))]
        self.assertGreater(len(own), 0)
        self.assertEqual({(row["hidden"], row["id"]) for row in own}, {(False, 3316)})
        self.assertEqual(len([row for row in rows if row["hidden"]]), len(own))
        self.assertEqual([row["endpoints"] for row in own][-1], 1)
        self.assertEqual({row["endpoints"] for row in rows if row["id"] == 3303}, {0})
        self.assertIn("hidden by the next", self.ctl(*words[:1], *words[2:], environment={}))


class DiffTest(JsonScenario):
    def diff(self):
        words = ("diff", "--config=" + self.rig.path("etc"), "--state=" + self.rig.path("state"), *self.folders())
        return {(row["change"], row["kind"], row["name"]): row["effect"] for row in
                self.json(*words, environment={})["changes"]}

    def change(self, name, before, after):
        with open(self.rig.path("etc", name), encoding="utf-8") as f:
            text = f.read()
        self.assertIn(before, text)
        self.rig.write("etc/" + name, text.replace(before, after))

    def test_diff(self):
        """Against what the daemon has accepted, while it runs."""
        self.start_meters(3)
        self.start_server()
        self.configure()
        self.start_daemon()
        self.registered("gw", "gw-m1", "gw-m2", "gw-m3")
        self.rig.until(lambda: self.run_ctl("diff", "--state=" + self.rig.path("state"), "--config=" + self.rig.path("etc"),
                                            *self.folders(), environment={}).stdout == "nothing changes\n", 20, "the record")
        self.change("devices.d/site.yaml", "n: 1-3", "n: 2-4")
        found = self.diff()
        self.assertEqual(set(found), {("new", "device", "m4"), ("gone", "device", "m1"), ("new", "endpoint", "m4"),
                                      ("gone", "endpoint", "m1")})
        self.assertEqual(found["gone", "endpoint", "m1"], "de-registers")
        self.change("devices.d/site.yaml", "n: 2-4", "n: 1-3")
        self.change("buses.d/lan.yaml", "timeout: 300ms", "timeout: 400ms")
        found = self.diff()
        self.assertEqual(found["changed", "bus", "lan"], "is set up anew, with 3 devices")
        self.assertEqual(found["changed", "device", "m2"], "its bus changes")
        self.change("buses.d/lan.yaml", "timeout: 400ms", "timeout: 300ms")
        self.change("fieldway.yaml", "gateway}-{name}", "gateway}_{name}")
        self.assertEqual(self.diff(), {("changed", "endpoint", name): "another endpoint client name: de-registers, and "
                                       "registers anew" for name in ("m1", "m2", "m3")})
        self.change("fieldway.yaml", "gateway}_{name}", "gateway}-{name}")
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="ascii") as f:
            f.write("writes: {allow: false}\nregister: {at_most: 31s}\n")
        self.assertEqual(self.diff(), {("changed", "gateway", "writes"): "holds from then on, nothing is interrupted",
                                       ("changed", "gateway", "register"): "holds from then on, nothing is interrupted"})
        self.change("fieldway.yaml", "writes: {allow: false}\nregister: {at_most: 31s}\n", "")
        for key, value, effect in (("short_id: 101", "short_id: 102", "its endpoints de-register, and register anew"),
                                   ('endpoints: ["*"]', "endpoints: [host]",
                                    "some endpoints register there, or de-register"),
                                   ("short_id: 101", "short_id: 101\n    lifetime: 2h",
                                    "its endpoints tell it so, and stay registered"),
                                   ("short_id: 101", "short_id: 101\n    queue_mode: true",
                                    "the endpoints concerned register again"),
                                   ("short_id: 101", "short_id: 101\n    send: true",
                                    "holds from then on, nothing is interrupted")):
            self.change("fieldway.yaml", key, value)
            self.assertEqual(self.diff(), {("changed", "server", "plant"): effect})
            self.change("fieldway.yaml", value, key)
        self.change("fieldway.yaml", "name: plant", "name: site")
        self.assertEqual(set(self.diff()), {("new", "server", "site"), ("gone", "server", "plant")})

    def test_nothing_accepted(self):
        self.fails("has accepted no configuration yet", "diff", "--state=" + self.rig.path("none"), environment={}, status=3)


if __name__ == "__main__":
    main()
