#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.7.3: what servers ask of a modem, which a program carries out on links that are there."""
import json
import os
import subprocess

from ets import TLV, Case, case, encode, main, read_links
from fieldway_test.bus import PATH
from fieldway_test.namespace import network_of, other_network

ENDPOINT = PATH + "/endpoint/host"
PS_PREFERRED, WLAN_PREFERRED = 1, 7     # /13/0/0
SERVER = "10.9.0.1"


def ip(*words):
    done = subprocess.run(["ip", "-j", *words], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else []


def is_up(link):
    return "UP" in ip("link", "show", "dev", link)[0]["flags"]


class ApnTest(Case):
    """Each connection profile that is enabled has a link of its own."""

    def connect(self, profile):
        """What a modem manager does: it hears of the profile over D-Bus, makes the connection, and tells which there are."""
        self.rig.until(lambda: self.bus.call(ENDPOINT, "Endpoint", "Read", "s", f"/11/{profile}/3") == [True], 15,
                       "the profile being enabled")
        link = f"apn{profile}"
        ip("link", "add", "name", link, "type", "bridge")
        self.addCleanup(ip, "link", "del", link)
        ip("link", "set", link, "up")
        if is_up(link):
            self.publish(("second", "s", f"11:{profile}"))

    @case(1250)
    def test_1250_configuration(self):
        self.begin("C.10")
        self.assertEqual(self.content("/10/0/11", TLV), {"/10/0/11/0": "11:0"})
        start = self.now()
        answer = self.expect(self.send(self.name, "POST", "/11", encode.tlv({0: "second", 3: False, 4: 3}), TLV), "2.01")
        self.assertEqual(answer.location, "/11/1")
        event = self.event("updated", self.name, start)
        self.assertLessEqual({"/11/0", "/11/1"}, {path for path, _ in read_links(event.links.encode())})
        self.settle()
        start = self.now()
        self.execute("/1/0/8")
        self.updated(start)
        self.write("/11/1/3", True)
        self.connect(1)
        self.assertEqual(self.content("/10/0/11", TLV), {"/10/0/11/0": "11:0", "/10/0/11/1": "11:1"})


class BearerTest(Case):
    """Two links lead to the server, and one of them at a time has an address."""
    LINKS = {"wwan0": ("10.1.0.1", "10.1.0.2"), "wlan0": ("10.2.0.1", "10.2.0.2")}

    def start_server(self, **_):
        """In another network, at the far ends of both."""
        with other_network():
            ip("addr", "add", f"{SERVER}/32", "dev", "lo")
            server = super().start_server(secure=True, place=f"{SERVER}:0")
        far_network, self.bearer = server.process.child.pid, None
        for link, (_, far) in self.LINKS.items():
            ip("link", "add", "name", link, "type", "veth", "peer", "name", f"far-{link}", "netns", str(far_network))
            self.addCleanup(ip, "link", "del", link)
            with network_of(far_network):
                ip("addr", "add", f"{far}/24", "dev", f"far-{link}")
                ip("link", "set", f"far-{link}", "up")
        self.use("wwan0")
        return server

    def use(self, link):
        """What a connection manager does: another bearer comes, and the one of before goes with its address."""
        ours, far = self.LINKS[link]
        ip("link", "set", link, "up")
        ip("addr", "add", f"{ours}/24", "dev", link)
        ip("route", "replace", f"{SERVER}/32", "via", far, "dev", link)
        if self.bearer:
            ip("addr", "flush", "dev", self.bearer)
            ip("link", "set", self.bearer, "down")
        self.bearer = link

    def tell(self, preferred):
        """What it says of itself, by what the links are."""
        up = is_up("wlan0")
        self.publish(("bearer", "x", preferred), ("wlan", "b", up), ("status", "x", int(up)))

    def comes_from(self, link, start):
        """An Update; as 1.1 a new security context asks for a Register (T 6.4.3). It takes the agent a second to be sure
        of a network."""
        def look():
            return [e for e in self.server.events[start:] if e.word in ("updated", "registered")]

        for _ in range(60):
            if look():
                break
            self.daemon.step(1)
            self.rig.turn(0.2)
        event = look()[0]
        self.assertEqual(event.fields["from"].rpartition(":")[0], self.LINKS[link][0])
        self.assertEqual(event.word, {"1.1": "registered", "1.2": "updated"}[self.version])

    @case(1350)
    def test_1350_selection(self):
        event = self.begin("C.10")
        self.assertEqual(event.fields["from"].rpartition(":")[0], self.LINKS["wwan0"][0])
        self.tell(PS_PREFERRED)
        for preferred, link in (WLAN_PREFERRED, "wlan0"), (PS_PREFERRED, "wwan0"):
            self.asked("PUT", "/13/0/0", encode.tlv({0: {0: preferred}}), TLV, "bearer", preferred)
            start = self.now()
            self.use(link)
            self.comes_from(link, start)
            self.tell(preferred)
            values = self.content("/12/0", TLV)
            self.assertEqual((values["/12/0/1"], values["/12/0/3"]), (link == "wlan0", int(link == "wlan0")))
            # What the agent itself sees of the network.
            addresses = [v for p, v in self.content("/4/0").items() if p.startswith("/4/0/4/")]
            self.assertEqual([a for a in addresses if a.startswith("10.")], [self.LINKS[link][0]])
            self.assertEqual(self.content("/13/0/0", TLV), {"/13/0/0/0": preferred})
        self.assertEqual(self.content("/10/0", TLV)["/10/0/11/0"], "11:0")


if __name__ == "__main__":
    main()
