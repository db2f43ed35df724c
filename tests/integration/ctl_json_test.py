#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl --json: the shapes that fieldwayctl(1) promises; and colours, which only terminals get."""
import json
import os
import pty
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main  # noqa: E402
from fieldway_test.programs import plugin_folder  # noqa: E402
from ctl_field_test import FOLDERS, HERE  # noqa: E402
from ctl_profile_test import TRIED_BASE  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402
from field_test import NAME as CLIENT, SPEED  # noqa: E402

ENDPOINT = {"name", "client_name", "state", "paused", "servers", "devices", "last_error"}
DEVICE = {"name", "bus", "profile", "enabled", "paused", "state", "reason", "statistics"}
BUS = {"name", "plugin", "state", "paused", "devices", "online", "statistics"}

REGISTRY = """<LWM2M><Object ObjectType="MODefinition"><Name>Thing</Name><ObjectID>33000</ObjectID>
<LWM2MVersion>1.0</LWM2MVersion><ObjectVersion>1.0</ObjectVersion><MultipleInstances>Multiple</MultipleInstances>
<Mandatory>Optional</Mandatory><Resources><Item ID="1"><Name>State</Name><Operations>R</Operations>
<MultipleInstances>Single</MultipleInstances><Mandatory>Mandatory</Mandatory><Type>Integer</Type>
<RangeEnumeration></RangeEnumeration><Units></Units></Item></Resources></Object></LWM2M>
"""


class JsonScenario(CtlScenario):
    def json(self, *arguments, **options):
        return json.loads(self.ctl(*arguments, "--json", stderr=None, **options))

    def has_keys(self, item, *names):
        self.assertEqual(set(item), set(names), item)
        return item

    def folders(self):
        return (*FOLDERS, "--plugins=" + plugin_folder(self.rig),
                "--host-program=" + build_path("fieldway-plugin-host"))


class LookTest(JsonScenario):
    def test_status(self):
        self.start()
        self.until("2 registered", "status")
        status = self.has_keys(self.json("status"), "version", "configuration", "errors", "paused", "packages", "servers", "endpoints",
                           "states",
                           "buses", "history", "devices_in_trouble", "endpoints_in_trouble")
        self.assertEqual((status["configuration"], status["errors"], status["endpoints"]), ("accepted", [], 2))
        self.assertEqual(status["servers"], [{"name": "plant", "registered": 2, "total": 2, "disabled": 0}])
        self.assertEqual(status["buses"], [{"name": "lan", "online": 1, "total": 1, "disabled": 0}])
        self.assertEqual(status["states"], {"registered": 2})
        self.assertEqual((status["devices_in_trouble"], status["endpoints_in_trouble"]), ([], []))
        self.assertEqual(status["history"], {"waiting": 0, "bytes": 0, "oldest_usec": 0, "lost": 0})
        self.simulator.command("silent")
        self.until("offline", "list", "devices")
        trouble, = self.json("status")["devices_in_trouble"]
        self.has_keys(trouble, "name", "state", "reason")
        self.assertEqual((trouble["name"], trouble["state"]), ("vfd", "offline"))

    def test_list(self):
        self.start()
        self.until("2 registered", "status")
        host, vfd = self.json("list")
        self.has_keys(vfd, *ENDPOINT)
        self.assertEqual((host["name"], host["devices"], host["last_error"]), ("host", [], None))
        self.assertEqual((vfd["client_name"], vfd["devices"]), (CLIENT, ["vfd"]))
        self.assertEqual(vfd["servers"], [{"name": "plant", "uri": self.server.uri("coap"), "state": "registered",
                                           "security": "none", "source": "yaml", "version": "1.2", "last_error": None}])
        device, = self.json("list", "devices")
        self.has_keys(device, *DEVICE)
        self.assertEqual((device["name"], device["enabled"], device["reason"]), ("vfd", True, None))
        self.assertGreater(device["statistics"]["requests"], 0)
        bus, = self.json("list", "buses")
        self.has_keys(bus, *BUS)
        shown = self.has_keys(self.json("bus", "lan"), "bus", "devices")
        self.has_keys(shown["bus"], *BUS)
        self.has_keys(shown["devices"][0], *DEVICE)

    def test_explain(self):
        self.start()
        told = self.has_keys(self.json("explain", "vfd"), "device", "line", "requests", "measured", "profile")
        self.has_keys(told["device"], *DEVICE)
        self.has_keys(told["requests"][0], "text", "period_usec", "wire_bytes", "wire_usec")
        self.assertEqual(told["requests"][0]["period_usec"], 200000)
        self.has_keys(told["measured"][0], "text", "period_usec", "effective_usec", "requests", "errors", "timeouts",
                  "exceptions", "last_usec", "mean_usec", "max_usec")
        self.has_keys(told["profile"][0], "point", "key", "value", "origin")

    def test_absent(self):
        """Standard output stays empty, and the status says it."""
        self.start()
        for command in (("explain", "vfb"), ("read", "pump", "/3"), ("bus", "lam")):
            self.fails("no ", *command, "--json", status=3)


class ValueTest(JsonScenario):
    def test_values(self):
        self.start()
        self.assertEqual(self.json("write", "vfd", SPEED, "12.5"), {"endpoint": "vfd", "path": SPEED, "written": "12.5"})
        self.rig.until(lambda: self.ctl("read", "vfd", SPEED) == "12.5\n", 20, "the speed")
        self.assertEqual(self.json("read", "vfd", SPEED), {"endpoint": "vfd", "values": [{"path": SPEED, "value": 12.5}]})
        values = {item["path"]: item["value"] for item in self.json("read", "vfd", "/")["values"]}
        self.assertEqual((values["/3308/0/5750"], values["/3/0/11/0"]), ("the speed", 0))
        self.assertIs(values["/3306/0/5850"], False)

    def test_poll(self):
        self.start(rate="1h")
        self.simulator.command("set holding 100 123")
        self.assertEqual(self.json("poll", "vfd", "running", "speed"), {"device": "vfd", "points": [
            {"name": "running", "value": False, "problem": None}, {"name": "speed", "value": 12.3, "problem": None}]})
        self.simulator.command("exception 2")
        point, = self.json("poll", "vfd", "speed")["points"]
        self.assertEqual((point["value"], point["problem"]), (None, "illegal address"))


class LineTest(JsonScenario):
    def test_asked(self):
        self.start(rate="1h")
        self.simulator.command("set holding 100 513")
        self.assertEqual(self.json("raw", "lan", *HERE, "1", "0300640001"), {"answer": "03020201"})
        told = self.has_keys(self.json("probe", "lan", *HERE, "1", "holding", "99-100", "--decode"),
                         "area", "registers", "decoded")
        self.assertEqual(told["registers"][1], {"address": 100, "value": 513, "problem": None})
        self.has_keys(told["decoded"][0], "type", "address", "order", "value", "plausible")
        self.assertIn({"type": "uint16", "address": 100, "order": "AB", "value": "513", "plausible": True}, told["decoded"])
        self.assertIsNone(self.json("probe", "lan", *HERE, "1", "holding", "100")["decoded"])

    def test_scan(self):
        self.start(rate="1h")
        told = self.has_keys(self.json("scan", "lan", "--host=127.0.0.1", "--units=1-3"), "units", "asked")
        self.assertEqual(told["asked"], 3)
        unit = self.has_keys(told["units"][0], "unit", "value", "problem", "identification")
        self.assertEqual(unit["unit"], 1)
        told = self.has_keys(self.json("scan", "lan", *HERE, "1", "--registers", "holding", "99-101"), "area", "ranges",
                         "exceptions", "exist", "requests")
        self.assertEqual((told["area"], told["exist"]), ("holding", 3))
        self.assertEqual(told["ranges"], [{"first": 99, "last": 101}])

    def test_lent(self):
        self.start()
        self.assertEqual(self.json("bus", "lan", "release", "10s"), {"bus": "lan", "lent_usec": 10000000})
        self.assertEqual(self.json("bus", "lan", "release", "back"), {"bus": "lan", "lent_usec": 0})

    def test_recording(self):
        self.start()
        told = self.has_keys(self.json("record", "lan", self.rig.path("wire.rec"), "--time=1s"), "pieces", "dropped")
        self.assertGreater(told["pieces"], 0)
        self.fails("not both", "record", "lan", "-", "--json", status=2)
        replay = self.rig.start([build_path("fieldwayctl"), "replay", self.rig.path("wire.rec"), "--json",
                                 "--tcp=127.0.0.1:0"])
        told = json.loads(replay.wait_line("{"))
        self.has_keys(told, "pty", "host", "port")
        self.assertEqual((told["pty"], told["host"]), (None, "127.0.0.1"))


class FilesTest(JsonScenario):
    def test_profile(self):
        file = self.rig.write("tried-base.yaml", TRIED_BASE)
        folders = (*self.folders(), "--config=" + self.rig.path("mine"))
        self.assertEqual(self.json("profile", "test", file, *folders, environment={}),
                         [{"profile": "tried-base", "samples": 1, "values": 1, "wrong": 0}])
        told = self.has_keys(self.json("profile", "show", file, *folders, environment={}), "profile", "values")
        self.has_keys(told["values"][0], "point", "key", "value", "origin")

    def test_try(self):
        self.start(rate="1h")
        file = self.rig.path("etc/profiles.d/vfd.yaml")
        done = self.run_ctl("profile", "try", file, "lan", *HERE, "1", "--json", *self.folders(),
                            "--config=" + self.rig.path("etc"))
        told = self.has_keys(json.loads(done.stdout), "profile", "rows", "model", "read", "points")
        self.has_keys(told["rows"][0], "path", "resource", "value", "point", "where")
        self.assertEqual((told["profile"], told["model"]), ("vfd", None))

    def test_check(self):
        self.write_field()
        self.configure(uri="coap://127.0.0.1:5683")
        words = ("check", self.rig.path("etc"), "--json", "--daemon", build_path("fieldwayd"), *self.folders())
        told = self.has_keys(json.loads(self.run_ctl(*words, environment={}).stdout), "folder", "accepted", "messages")
        self.assertEqual((told["folder"], told["accepted"]), (self.rig.path("etc"), True))
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="ascii") as f:
            f.write("nonesuch: true\n")
        done = self.run_ctl(*words, environment={})
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout)
        message = self.has_keys(told["messages"][-1], "file", "line", "column", "text", "warning")
        self.assertEqual((told["accepted"], message["file"], message["column"], message["warning"]),
                         (False, self.rig.path("etc/fieldway.yaml"), 1, False))
        self.assertIn("nonesuch", message["text"])

    def test_import(self):
        told = self.json("import-object", self.rig.write("33000.xml", REGISTRY), environment={})
        self.has_keys(told, "yaml")
        self.assertIn("id: 33000", told["yaml"])


class ColourTest(JsonScenario):
    def on_terminal(self, *arguments, **environment):
        master, slave = pty.openpty()
        done = subprocess.run([build_path("fieldwayctl"), *arguments], stdin=subprocess.DEVNULL, stdout=slave, check=True,
                              timeout=30, env={"TERM": "xterm", **self.bus.environment(), **environment})
        os.close(slave)
        self.assertEqual(done.returncode, 0)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:     # the other end is closed
            pass
        os.close(master)
        return text.decode()

    def test_colours(self):
        self.start()
        self.until("2 registered", "status")
        self.assertIn("\x1b[32mregistered\x1b[0m", self.on_terminal("list"))
        self.assertIn("\x1b[32mconfiguration accepted\x1b[0m", self.on_terminal("status"))
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.on_terminal("list", **environment))
        self.assertIn("\x1b", self.on_terminal("list", NO_COLOR=""))    # no-color.org: not empty
        self.assertNotIn("\x1b", self.on_terminal("list", "--json"))
        self.assertNotIn("\x1b", self.ctl("list"))
        self.simulator.command("silent")
        self.until("offline", "list", "devices")
        self.assertIn("\x1b[31moffline\x1b[0m", self.on_terminal("status"))


if __name__ == "__main__":
    main()
