#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LwM2M Send: what people have endpoints send to their server, over D-Bus and with fieldwayctl."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from fieldway_test.bus import NAME, PATH  # noqa: E402
from fieldway_test.decode import LABELS, read_cbor  # noqa: E402
from field_test import DEVICES, NAME as CLIENT, SPEED  # noqa: E402
from dbus_test import DEVICE, HOST, VFD  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402

MUTE, FIXED = "/1/0/23", "/3308/0/5750"
SENML_JSON, SENML_CBOR = 110, 112
MUTED = "Send is muted (/1/x/23): fieldway.yaml has no `send: true` for its server, or the server wants none"


class SendTest(CtlScenario):
    def start(self, mute=False, **options):
        super().start(**options)
        self.registered(CLIENT)
        self.simulator.command("set holding 100 123")
        self.rig.until(lambda: self.read("/3308/0").get(5900) == 12.3, 20, "the speed")
        if not mute:
            self.expect(self.put(CLIENT, MUTE, "0"), "2.04")

    def send_values(self, *paths):
        return tuple(self.bus.call(VFD, "Endpoint", "Send", "as", str(len(paths)), *paths))

    def error_of(self, *paths):
        return self.bus.error(VFD, "Endpoint.Send", "array:string:" + ",".join(paths))

    def sent(self, start):
        """The values of the next one."""
        event = self.event("sent", CLIENT, start)
        return event, self.server.values(event, "/")

    def test_values(self):
        self.start()
        start = self.now()
        self.assertEqual(self.send_values(FIXED, SPEED, "/3/0/0"), (3, 0))
        event, values = self.sent(start)
        self.assertEqual(event.format, SENML_CBOR)
        self.assertEqual(values, {SPEED: 12.3, FIXED: "the speed", "/3/0/0": "ACME"})
        # All of them as of the newest sample.
        base, *others = [{LABELS.get(k, k): v for k, v in r.items()} for r in read_cbor(event.payload)]
        self.assertTrue(0 <= time.time() - base["bt"] < 30, base)
        self.assertTrue(all("t" not in record for record in others))
        self.log("endpoint vfd: uid")
        # More than a block, and what is named twice once.
        start = self.now()
        n, _ = self.send_values("/", SPEED)
        _, values = self.sent(start)
        self.assertEqual(len(values), n)
        self.assertEqual((values[SPEED], values["/1/0/0"]), (12.3, 101))
        self.assertTrue(all(not path.startswith(("/0/", "/21/")) for path in values))

    def test_mute(self):
        self.start(mute=True)
        self.assertEqual(self.error_of(SPEED), (NAME + ".Error.Muted", MUTED))
        self.expect(self.put(CLIENT, MUTE, "0"), "2.04")
        start = self.now()
        self.assertEqual(self.send_values(SPEED), (1, 0))
        self.sent(start)
        self.expect(self.put(CLIENT, MUTE, "1"), "2.04")
        self.assertEqual(self.error_of(SPEED)[0], NAME + ".Error.Muted")
        self.assertEqual(len([e for e in self.server.events if e.word == "sent"]), 1)

    def test_refused(self):
        self.start()
        for paths, name, text in ((["/3308/0/1"], "NoSuchPath", "/3308/0/1 is not there"),
                                  ([SPEED, "/9"], "NoSuchPath", "/9 is not there"),
                                  (["/3/0/12"], "NotAllowed", "/3/0/12 cannot be read"),
                                  (["/0/0/5"], "AccessDenied", "Its values are secret"),
                                  (["speed"], "InvalidArgs", "speed is no path"),
                                  ([SPEED] * 65, "InvalidArgs", "64 at most")):
            with self.subTest(paths):
                found = self.error_of(*paths)
                self.assertEqual((found[0].rpartition(".")[2], text in found[1]), (name, True), found)
        self.refused("There is nothing to send", self.send_values)
        self.bus.call(VFD, "Endpoint", "Disable")
        self.rig.until(lambda: self.bus.get(VFD, "Endpoint", "State") == "paused", 20, "the endpoint to be paused")
        self.assertEqual(self.error_of(SPEED), (NAME + ".Error.Offline", "It is not registered"))
        self.assertEqual([e for e in self.server.events if e.word == "sent"], [])

    def test_what_is_not_good(self):
        self.start()
        self.simulator.command("silent")
        self.until_property(DEVICE, "Device", "State", lambda state: state == "offline")
        name, text = self.error_of(SPEED)
        self.assertEqual(name, NAME + ".Error.NoValue")
        self.assertRegex(text, f"^{SPEED} has no good value: vfd: last read ")
        start = self.now()
        self.assertEqual(self.send_values("/3308/0")[1], 1)
        values = self.sent(start)[1]
        self.assertEqual((values[FIXED], SPEED in values), ("the speed", False))

    def test_the_server_answers_by_an_error(self):
        self.start()
        self.server.command("fault send 4.05")
        self.assertEqual(self.error_of(SPEED), (NAME + ".Error.Refused", "the server answered 4.05 Method Not Allowed"))
        self.server.command("fault send none")
        # One that has forgotten us is registered at anew.
        start = self.now()
        self.server.command(f"forget {CLIENT}")
        self.assertEqual(self.error_of(SPEED)[0], NAME + ".Error.Refused")
        self.registered(CLIENT, start=start)

    def send_later(self, path):
        return self.rig.start(["busctl", f"--address={self.bus.address}", "--timeout=60", "call", NAME, path,
                               NAME + ".Endpoint", "Send", "as", "1", "/3/0/16"], stderr=subprocess.PIPE)

    def test_it_ends_meanwhile(self):
        """The endpoint, or the daemon, while the server has not answered."""
        self.start()
        self.server.command("fault send silent")
        start = self.now()
        first = self.send_later(VFD)
        self.log("endpoint vfd: uid")
        self.rig.write("etc/devices.d/site.yaml", DEVICES.replace("name: vfd", "name: other"))
        self.bus.call(PATH, "Manager", "Reload", "t", "0")
        # It does not wait for the answer that is missing.
        self.event("deregistered", CLIENT, start)
        self.expect(self.put("gw", MUTE, "0"), "2.04")
        second = self.send_later(HOST)
        self.log("endpoint host: uid")
        self.stop_daemon(self.daemon)
        for call in (first, second):
            self.assertNotEqual(call.wait_end(30), 0)
            self.assertIn("The registration ended before the server has answered", "\n".join(call.lines))

    def test_settings(self):
        """Of the server, in YAML."""
        self.write_field(kind="--plain")
        self.start_server(names=("gw", CLIENT))
        self.configure(server=["formats: [senml-json, tlv]", "send: true"])
        self.start_daemon()
        self.bus.wait_name()
        self.registered(CLIENT)
        start = self.now()
        self.assertEqual(self.send_values(FIXED), (1, 0))
        event, values = self.sent(start)
        self.assertEqual((event.format, values), (SENML_JSON, {FIXED: "the speed"}))
        # What the server says of it outlives a restart.
        self.expect(self.put(CLIENT, MUTE, "1"), "2.04")
        self.stop_daemon(self.daemon)
        self.start_daemon()
        self.bus.wait_name()
        self.registered(CLIENT, start=start)
        self.assertEqual(self.error_of(FIXED)[0], NAME + ".Error.Muted")

    def test_fieldwayctl(self):
        self.start(mute=True)
        self.fails("vfd: " + MUTED, "send", "vfd", SPEED)
        self.ctl("write", "vfd", MUTE, "0")
        start = self.now()
        self.assertEqual(self.ctl("send", "vfd", SPEED, "3308/0/5750"), "2 values sent\n")
        self.assertEqual(self.sent(start)[1], {SPEED: 12.3, FIXED: "the speed"})
        self.assertEqual(json.loads(self.ctl("send", CLIENT, SPEED, "--json")),
                         {"endpoint": CLIENT, "paths": [SPEED], "values": 1, "left_out": 0})
        self.fails("/9/0/0 is not there", "send", "vfd", "/9/0/0", status=3)
        self.fails("no path", "send", "vfd", "speed", status=2)
        self.fails("send", "send", "vfd", status=2)
        self.fails("no endpoint 'm9'", "send", "m9", SPEED, status=3)
        self.server.command("fault send 4.00")
        self.fails("vfd: the server answered 4.00 Bad Request", "send", "vfd", SPEED)


if __name__ == "__main__":
    main()
