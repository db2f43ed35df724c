#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against Eclipse Leshan: values that endpoints send without being asked."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from leshan import values  # noqa: E402
from plant import GATEWAY, Plant, endpoint, main  # noqa: E402
from fieldway_test import Bus, build_path  # noqa: E402

METER = endpoint("em-03")
MUTE = "/1/0/23"


class SendTest(Plant):
    def start_daemon(self, **options):
        self.bus = Bus(self.rig)
        super().start_daemon(arguments=["--bus=system"], environment=self.bus.environment(), **options)
        self.bus.wait_name()

    def ctl(self, *arguments, status=0):
        found, lines = self.bus.run([build_path("fieldwayctl"), *arguments, f"--bus={self.bus.address}"], timeout=60)
        self.assertEqual(found, status, lines)
        return "\n".join(lines)

    def unmute(self, name):
        self.assertAnswer(self.leshan.request("PUT", name, MUTE, {
            "kind": "singleResource", "id": 23, "type": "boolean", "value": False}), 204)

    def number(self, name, path):
        answer = self.assertAnswer(self.leshan.request("GET", name, path), 205)
        return float(values(answer["content"], path)[path][1])

    def sent(self, name, start):
        """{path: (type, value)}"""
        event = self.leshan.wait("SEND", name, start)
        found = {}
        for path, node in event.data["val"].items():
            found.update(values(node, path))
        return found

    def test_send(self):
        self.start_plant()
        self.device("em-03", "freeze")
        voltages = {f"/3316/{i}/5700": self.number_of_meter("em-03", 2 * i) for i in range(3)}
        for path, value in voltages.items():
            self.rig.until(lambda: abs(self.number(METER, path) - value) < 1e-6, 20, f"{path} as frozen, {value}")
        self.assertIn("muted", self.ctl("send", METER, "/3316", status=1))
        self.unmute(METER)
        start = self.leshan.now()
        self.assertEqual(self.ctl("send", METER, *voltages, "/3/0/0"), "4 values sent")
        found = self.sent(METER, start)
        self.assertEqual(found.pop("/3/0/0"), ("STRING", "Eastron"))
        self.assertEqual(found, {path: ("FLOAT", str(value)) for path, value in voltages.items()})
        # All of a meter is more than a block.
        start = self.leshan.now()
        n = int(self.ctl("send", METER, "/3316", "/3305", "/3").split()[0])
        found = self.sent(METER, start)
        self.assertEqual(len(found), n)
        self.assertGreater(n, 40)
        # The machine itself.
        self.unmute(GATEWAY)
        start = self.leshan.now()
        self.ctl("send", GATEWAY, "/3/0/16")
        self.assertEqual(list(self.sent(GATEWAY, start)), ["/3/0/16"])


if __name__ == "__main__":
    main()
