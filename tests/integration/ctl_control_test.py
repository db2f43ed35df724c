#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl: what endpoints, devices and buses are told, and values as they come."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main  # noqa: E402
from fieldway_test.bus import STRANGER, add_group  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402
from field_test import NAME as CLIENT, SPEED  # noqa: E402

WHEN = r"20\d\d-\d\d-\d\d \d\d:\d\d"


class ControlTest(CtlScenario):
    def json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json"))

    def test_execute(self):
        self.start()
        self.assertEqual(self.ctl("execute", "vfd", "/3/0/12"), "")
        self.assertEqual(self.simulator.command("get coil 9"), "1")
        self.assertEqual(self.json("execute", CLIENT, "3/0/12", "0='a'"),
                         {"endpoint": CLIENT, "path": "/3/0/12", "executed": "0='a'"})
        self.fails("cannot be executed", "execute", "vfd", SPEED)
        self.fails("not there", "execute", "vfd", "/3/0/99", status=3)
        self.fails("execute takes a resource", "execute", "vfd", "/3/0", status=2)
        self.fails("Arguments are", "execute", "vfd", "/3/0/12", "on")

    def test_update(self):
        self.start()
        self.until("2 registered", "status")
        start = self.now()
        self.assertEqual(self.ctl("update", "vfd"), "")
        self.event("updated", CLIENT, start)
        self.assertEqual(self.json("update", "endpoint", "vfd"), {"endpoint": "vfd", "done": "update"})
        self.server.command("fault register 4.03")
        self.server.command("fault update 4.04")
        self.fails("vfd: it answered 4.03 Forbidden", "update", "vfd")
        self.fails("not registered", "update", "vfd")
        self.server.command("fault register none")
        start = self.now()
        self.ctl("restart", "vfd")
        self.registered(CLIENT, start=start)

    def test_paused_endpoint(self):
        self.start()
        self.until("2 registered", "status")
        start = self.now()
        self.assertEqual(self.ctl("disable", "vfd"), "")
        self.event("deregistered", CLIENT, start)
        self.until("paused", "list")
        status = self.ctl("status")
        self.assertRegex(status, rf"\nPaused +endpoint  vfd  {WHEN}, by user {os.geteuid()}\n")
        self.assertLess(status.index("Paused"), status.index("Servers"))
        self.assertNotIn("Not registered", status)
        self.assertRegex(self.ctl("show", "vfd"), r"(?s)Endpoint +vfd\nClient name +gw-vfd\nState +paused\nServer .*plant  paused")
        entry, = self.json("status")["paused"]
        self.assertEqual((entry["kind"], entry["name"], entry["uid"]), ("endpoint", "vfd", os.geteuid()))
        self.fails("vfd: It is paused", "restart", "vfd")
        start = self.now()
        self.assertEqual(self.json("enable", "vfd"), {"endpoint": "vfd", "done": "enable"})
        self.registered(CLIENT, start=start)
        self.assertNotIn("Paused", self.ctl("status"))
        self.ctl("pause", "endpoint", "vfd")
        self.until("paused", "list")
        self.ctl("resume", "endpoint", "vfd")
        self.until("2 registered", "status")

    def test_paused_device(self):
        self.start()
        self.assertEqual(self.ctl("pause", "vfd"), "")
        self.until("paused", "list", "devices")
        self.assertRegex(self.ctl("status"), r"\nPaused +device  vfd ")
        self.assertNotIn("Not online", self.ctl("status"))
        self.assertRegex(self.ctl("show", "device", "vfd"), r"(?s)Device +vfd\n.*State +paused\nPaused +by a user\n.*Endpoints +vfd ")
        self.fails("paused", "write", "vfd", SPEED, "1")
        self.assertEqual(self.ctl("resume", "vfd"), "")
        self.until("online", "list", "devices")

    def test_paused_bus(self):
        self.start()
        self.assertEqual(self.json("pause", "bus", "lan"), {"bus": "lan", "done": "pause"})
        self.until("paused", "list", "buses")
        self.assertIn("State       paused", self.ctl("show", "bus", "lan"))
        self.ctl("enable", "bus", "lan")
        self.until("online", "list", "devices")
        self.ctl("restart", "bus", "lan")
        self.until("online", "list", "devices")

    def test_wrong_words(self):
        self.start()
        self.fails("update NAME, or update endpoint NAME", "update", "bus", "lan", status=2)
        self.fails("disable NAME, or disable endpoint|bus NAME", "disable", "device", "vfd", status=2)
        self.fails("no device 'vfb', did you mean 'vfd'?", "pause", "vfb", status=3)
        self.fails("no bus 'lam', did you mean 'lan'?", "restart", "bus", "lam", status=3)
        self.fails("show NAME, or show endpoint|device|bus NAME", "show", "planet", "earth", status=2)
        self.fails("no endpoint 'vfx'", "show", "vfx", status=3)

    def test_rights(self):
        add_group()
        self.start()
        for command in (["update", "vfd"], ["disable", "vfd"], ["pause", "vfd"], ["restart", "bus", "lan"],
                        ["execute", "vfd", "/3/0/12"], ["log-level", "debug"]):
            with self.subTest(command):
                self.fails("needs root or the group fieldway-admin", *command, status=5, user=STRANGER)
        self.assertEqual(self.ctl("log-level", user=STRANGER).split()[1], "info")

    def test_show(self):
        self.start()
        self.until("2 registered", "status")
        self.assertRegex(self.ctl("show", CLIENT), r"^Endpoint      vfd\nClient name   gw-vfd\nState         registered\n"
                                                   r"Server        plant  registered  coap://\S+  none  yaml  1\.2\n"
                                                   r"Devices       vfd  online  lan  -\n$")
        self.assertRegex(self.ctl("show", "device", "vfd"),
                         r"^Device        vfd\nBus           lan\nProfile       vfd\nState         online\n"
                         r"Statistics    [0-9,]+ requests, .*\nEndpoints     vfd  registered  gw-vfd\n$")
        self.assertEqual(self.json("show", "vfd")["endpoint"]["client_name"], CLIENT)
        self.assertEqual(self.json("show", "device", "vfd")["device"]["bus"], "lan")
        self.assertEqual(self.json("show", "bus", "lan")["bus"]["plugin"], "modbus")

    def test_log_level(self):
        self.start()
        levels = dict(line.split() for line in self.ctl("log-level").splitlines())
        self.assertEqual((levels["others"], levels["lwm2m"]), ("info", "info"))
        self.assertEqual(self.ctl("log-level", "lwm2m", "debug"), "")
        self.assertEqual(self.ctl("log-level", "notice"), "")
        levels = self.json("log-level")["levels"]
        self.assertEqual((levels["others"], levels["lwm2m"], levels["dbus"]), ("notice", "debug", "notice"))
        self.assertEqual(self.json("log-level", "lwm2m", "others"), {"module": "lwm2m", "level": "others"})
        self.assertEqual(self.json("log-level")["levels"]["lwm2m"], "notice")
        self.fails("A level is debug", "log-level", "lwm2m", "loud")
        self.fails("no such module", "log-level", "lwm3m", "debug")

    def test_why(self):
        self.start()
        self.simulator.command("set holding 100 123")
        self.rig.until(lambda: self.run_ctl("read", "vfd", SPEED).stdout == "12.3\n", 20, "the speed")
        self.assertRegex(self.ctl("why", "vfd", SPEED), (
            rf"^Path        {SPEED}  Set Point Value, float \(object Set Point\)\nValue       12\.3\n"
            r"Sampled     [^\n]* ago\nDevice      vfd on bus lan: online\nPoint       point speed \(holding 100\)\n"
            r"Decoded     area holding, address 100, type uint16; raw x 0\.1 Hz\n"
            r"Polled      every 200ms \(fast\) by holding 100-102 \(3 registers\)\nLast asked  [^\n]* ago\n"
            r"Sent        .. .. 00 00 00 06 01 03 00 64 00 03\nReceived    .. .. 00 00 00 09 01 03 06 00 7b[ 0-9a-f]*\n"
            r"Observed    by nobody\n$"))
        self.observe_instance()
        self.assertRegex(self.ctl("why", "vfd", SPEED),
                         r"\nObserved    by plant at /3308/0: last told [^\n]* ago, pmin 2s, pmax 1m\n$")
        self.assertIn("Comes from  a constant of the configuration", self.ctl("why", "vfd", "/3308/0/5750"))
        document = self.json("why", "vfd", SPEED)
        self.assertEqual(set(document), {"resource", "point", "exchange", "observations"})
        self.assertEqual(document["resource"]["values"], [{"path": SPEED, "value": 12.3}])
        self.assertEqual(document["point"]["period_usec"], 200000)
        self.assertRegex(document["exchange"]["sent"], r"^....00000006010300640003$")
        self.assertEqual(document["observations"][0]["minimum_usec"], 2000000)
        self.assertEqual(self.json("why", "vfd", "/3/0/0")["exchange"],
                         {"request": None, "problem": None, "asked_usec": None, "sent": None, "received": None, "cut": False})
        self.fails("no path of a resource", "why", "vfd", "/3308")
        self.fails("no such path", "why", "vfd", "/3308/0/1", status=3)
        self.simulator.command("silent")
        self.until("offline", "list", "devices")
        self.assertRegex(self.ctl("why", "vfd", SPEED), r"\nValue       12\.3\nProblem     .*vfd")

    # ---- watch ----

    def watch(self, *arguments):
        return self.rig.start([build_path("fieldwayctl"), "watch", *arguments], stderr=subprocess.PIPE,
                              env={**os.environ, **self.bus.environment()})

    def test_watch(self):
        self.start()
        self.rig.until(lambda: self.run_ctl("read", "vfd", SPEED).returncode == 0, 20, "a value")
        watch = self.watch("vfd", SPEED)
        watch.wait_line(lambda line: re.fullmatch(rf"{WHEN}:\d\d  {SPEED}  0", line))
        self.simulator.command("set holding 100 123")
        watch.wait_line(lambda line: re.fullmatch(rf"{WHEN}:\d\d  {SPEED}  12\.3", line))
        self.simulator.command("silent")
        line = watch.wait_line(lambda line: line.endswith(")"))
        self.assertRegex(line, rf"{SPEED}  12\.3  \(.*vfd.*\)$")
        self.stop_daemon(self.daemon)
        self.assertEqual(watch.wait_end(), 4)
        self.assertIn("fieldwayctl: fieldwayd has ended", watch.lines)

    def test_watch_so_many(self):
        self.start()
        self.rig.until(lambda: self.run_ctl("read", "vfd", SPEED).returncode == 0, 20, "a value")
        self.assertRegex(self.ctl("watch", "vfd", "/3/0/0", "/3/0/1", "--count", "2"),
                         rf"^{WHEN}:\d\d  /3/0/0  ACME\n{WHEN}:\d\d  /3/0/1  VFD\n$")
        line, = self.ctl("watch", "vfd", SPEED, "--count=1", "--json").splitlines()
        value = json.loads(line)
        self.assertEqual((value["path"], value["values"], value["problem"]), (SPEED, [{"path": SPEED, "value": 0.0}], None))
        self.assertGreater(value["time_usec"], 10 ** 15)
        line, = self.ctl("watch", "vfd", "/3/0/11", "--count=1").splitlines()
        self.assertEqual(line, "-  /3/0/11/0  0")
        self.fails("no path", "watch", "vfd", "speed", status=2)
        self.fails("no such path", "watch", "vfd", "/9", status=3)
        self.fails("--count takes", "watch", "vfd", "/3", "--count", "0", status=2)


if __name__ == "__main__":
    main()
