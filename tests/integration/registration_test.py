#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Register and De-register of the host and of virtual endpoints: over every
kind of transport, as every version, with everything that they say."""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Timeout, main  # noqa: E402
from fieldway_test.scenario import METER_PROFILE, TLV  # noqa: E402

ROOT = '</>;ct="60 110 112 11542"'
ROOT_1_2 = '</>;ct="60 110 112 11542 11544 320 322"'
ENDPOINTS = ("gw", "gw-m1", "gw-m2")

# As gnutls_priority_init() reads them from a file; what the server is left with.
ONLY = {
    "PSK-AES-128-CCM-8": "tls-disabled-kx = ECDHE-PSK\n" + "".join(
        f"tls-disabled-cipher = {c}\n" for c in ("AES-128-CBC", "AES-256-CBC")),
    "PSK-AES-128-CBC-SHA256": "tls-disabled-kx = ECDHE-PSK\ntls-disabled-cipher = AES-128-CCM-8\n",
    "ECDHE-PSK-AES-128-CBC-SHA256": "tls-disabled-kx = PSK\ntls-disabled-cipher = AES-128-CCM-8\n",
}
NONE = ("tls-disabled-kx = ECDHE-PSK\ntls-disabled-cipher = AES-128-CCM-8\n"
        "tls-disabled-cipher = AES-128-CBC\n")      # but AES-256-GCM, which we do not offer
OTHERS = "".join(f"tls-disabled-cipher = {c}\n" for c in (
    "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305", "AES-128-CCM", "AES-256-CCM", "AES-256-CCM-8",
    "AES-256-CBC", "CAMELLIA-128-GCM", "CAMELLIA-256-GCM"))


class TransportTest(Scenario):
    def expect_endpoints(self, secure):
        for name in ENDPOINTS:
            event = self.registered(name)
            self.assertEqual(event.secure, "1" if secure else "0")
            if secure:
                self.assertEqual(event.identity, name)
            self.assertEqual(self.read_one(name, "/3/0/16"), "U")

    def check(self, secure, place, uri=None):
        self.start_server(secure, place)
        self.start_meters(2)
        self.configure(uri=uri and uri.format(port=self.port()))
        self.start_daemon()
        self.expect_endpoints(secure)
        return self.server

    def port(self):
        return self.server.places["coaps" if self.secure else "coap"].rsplit(":", 1)[1]

    def test_without_security(self):
        self.check(False, "127.0.0.1:0")

    def test_psk(self):
        self.check(True, "127.0.0.1:0")

    def test_ipv6(self):
        self.check(False, "[::1]:0")

    def test_ipv6_psk(self):
        self.check(True, "[::1]:0")

    def test_a_name(self):
        self.check(True, "127.0.0.1:0", "coaps://localhost:{port}")

    def test_a_name_of_ipv6(self):
        for name in ("localhost", "ip6-localhost"):
            try:
                socket.getaddrinfo(name, None, socket.AF_INET6)
            except socket.gaierror:
                continue
            self.check(True, "[::1]:0", f"coaps://{name}:{{port}}")
            return
        self.skipTest("no name here has the address ::1")


def start_limited_server(scenario, limits):
    """That speaks only what is left by them."""
    os.environ["GNUTLS_SYSTEM_PRIORITY_FILE"] = scenario.rig.write("gnutls.conf", "[overrides]\n" + limits)
    try:
        scenario.start_server(secure=True)
    finally:
        del os.environ["GNUTLS_SYSTEM_PRIORITY_FILE"]


class SuiteTest(Scenario):
    def start(self, limits, others=OTHERS):
        self.write_keys(ENDPOINTS)
        start_limited_server(self, others + limits)
        self.configure()
        self.start_clock_daemon()

    def test_each(self):
        for name, limits in ONLY.items():
            with self.subTest(name):
                self.start(limits)
                self.assertEqual(self.registered("gw").secure, "1")
                self.stop_daemon(self.daemon)

    def test_none_in_common(self):
        self.start(NONE, OTHERS.replace("tls-disabled-cipher = AES-256-GCM\n", ""))
        self.assertRegex(self.log("not registered at server plant"),
                         r"^fieldwayd: gw: .*: it sent TLS alert 40, .*: no cipher suite in common, .* next attempt in ")
        self.assertEqual([e for e in self.server.events if e.word == "registered"], [])


class VersionTest(Scenario):
    """Object versions that a missing `ver` means: lwm2m.md, Registration."""

    SENSORS = "</3305>;ver=1.1", "</3305/0>", "</3316>;ver=1.1", "</3316/0>"

    def start(self, *lines, fault=None):
        self.start_server()
        self.start_meters()
        if fault:
            self.server.command("fault register " + fault)
        self.configure(lines)
        self.start_daemon()
        return self.registered("gw", "gw-m1")

    def expect_links(self, events, version, root):
        objects = (("</4/0>", "</7/0>", "</16>"), ("</7/0>", *self.SENSORS))
        for event, own in zip(events, objects):
            self.assertEqual(event.lwm2m, version)
            self.assertEqual(event.links, ",".join([*root, "</1/0>", "</3/0>", *own]))
            self.assertEqual((event.lt, event.b), ("3600", "U"))
            self.assertEqual(set(event.fields), {"location", "lt", "lwm2m", "b", "secure", "from", "links"})

    def test_1_2(self):
        self.expect_links(self.start(), "1.2", [ROOT_1_2])
        # Default Notification Mode, since /1 1.2.
        self.expect(self.put("gw", "/1/0/26", "1"), "2.04")
        self.assertEqual(self.read("gw", "/1/0/26"), {"/1/0/26": 1})

    def test_falls_back_to_1_1(self):
        self.expect_links(self.start(fault="4.12-on-1.2"), "1.1", [ROOT])
        refused = [e.code for e in self.server.events if e.word == "refused"]
        # The second may know from the first.
        self.assertIn(refused, (["4.12"], ["4.12", "4.12"]))
        # Resources newer than /1 1.1 are absent.
        self.assertIn("/1/0/23", self.read("gw", "/1/0"))
        self.expect(self.put("gw", "/1/0/26", "1"), "4.04")
        self.expect_remembered()

    def expect_remembered(self):
        """Whoever registers again does not try 1.2 again."""
        start = self.now()
        self.server.command("forget gw")
        self.expect(self.post("gw-m1", "/1/0/8"), "2.04")
        self.expect(self.post("gw-m1", "/3/0/4"), "2.04")
        self.assertEqual(self.registered("gw-m1", start=start).lwm2m, "1.1")
        self.assertEqual([e for e in self.server.events[start:] if e.word == "refused"], [])

    def test_1_1(self):
        self.expect_links(self.start('protocol: "1.1"'), "1.1", [ROOT])
        self.expect(self.put("gw", "/1/0/26", "1"), "4.04")

    def test_1_0(self):
        self.expect_links(self.start('protocol: "1.0"'), "1.0", [])
        self.assertNotIn("/1/0/23", self.read("gw", "/1/0", TLV))
        for path in ("/3", "/3/0", "/3/0/16"):
            self.assertEqual(self.server.request("gw-m1", "GET", path).format, TLV)

    def test_fixed_versions_do_not_fall_back(self):
        self.start_server()
        self.server.command("fault register 4.12")
        self.configure(['protocol: "1.2"'])
        self.start_daemon()
        self.log("gw: not registered at server plant")
        self.log("; endpoints: 1, devices: 0, buses: 0, servers: 1")
        self.assertEqual([e.code for e in self.server.events if e.word == "refused"], ["4.12"])

    def test_an_endpoint_of_its_own_name(self):
        self.start_server()
        self.start_meters(2, devices="""schema: 1
devices:
  - {{name: m1, profile: meter, bus: lan, address: {{host: 127.0.0.11, unit: 1}}, endpoint: "urn:dev:mac:1"}}
  - {{name: m2, profile: meter, bus: lan, address: {{host: 127.0.0.12, unit: 1}}, endpoint: none}}
endpoints:
  - name: both
    lwm2m: {{3305/0/5800: m1.power, 3305/1/5800: m2.power}}
""")
        self.configure()
        self.start_daemon()
        both = self.registered("gw-both", "urn:dev:mac:1")[0]
        self.assertIn("</3305/0>,</3305/1>", both.links)
        self.registered("gw")
        self.assertEqual({e.arguments[0] for e in self.server.events if e.word == "registered"},
                         {"gw", "gw-both", "urn:dev:mac:1"})


    def test_a_list_larger_than_a_block(self):
        """Goes in blocks (RFC 7959), in DTLS records that fit any path."""
        self.start_server(secure=True)
        self.start_meters(1)
        self.rig.write("etc/devices.d/site.yaml", """schema: 1
devices:
  - {name: m1, profile: meter, bus: lan, address: {host: 127.0.0.11, unit: 1}, endpoint: none}
endpoints:
  - name: m2
    lwm2m:
""" + "".join(f"      3316/{i}/5700: m1.v1\n" for i in range(200)))
        self.configure()
        self.start_daemon()
        links = self.registered("gw-m2").links
        self.assertTrue(links.endswith(",".join(["</3316>;ver=1.1", *(f"</3316/{i}>" for i in range(200))])), links)


class WaitTest(Scenario):
    """register: what a virtual endpoint waits for."""

    def start(self, wait, silent, clock=False):
        self.start_server()
        self.start_meters(2)
        if silent:
            self.simulator.command("1 silent")
        self.configure(more=f"register: {wait}")
        if clock:
            self.start_clock_daemon()
        else:
            self.start_daemon()
        self.registered("gw")

    def is_registered(self, name):
        return any(e.word == "registered" and e.arguments == [name] for e in self.server.events)

    def test_none(self):
        self.start("{wait: none}", silent=True)
        self.registered("gw-m2")
        self.until_code("gw-m2", "/3316/0/5700", "5.03")

    def test_first_read(self):
        self.start("{wait: first-read, at_most: 1h}", silent=True)
        self.registered("gw-m1")
        # Everything that was waited for is there.
        self.assertEqual(set(self.read("gw-m1", "/3305/0")) & {"/3305/0/5800", "/3305/0/5805"},
                         {"/3305/0/5800", "/3305/0/5805"})
        self.log("device m2 is offline")
        self.assertFalse(self.is_registered("gw-m2"))
        self.simulator.command("1 talk")
        self.registered("gw-m2")

    def test_at_most(self):
        self.start("{wait: first-read, at_most: 30m}", silent=True, clock=True)
        self.registered("gw-m1")
        self.daemon.step(29 * 60)
        self.log("device m2 is offline")
        self.assertFalse(self.is_registered("gw-m2"))
        self.daemon.step(60)
        self.registered("gw-m2")
        self.assertEqual(self.until_code("gw-m2", "/3316/0/5700", "5.03").payload[:3], b"m2:")

    def test_seen(self):
        """One that is not there stays away; the log says so, once."""
        self.start("{wait: seen, at_most: 30m}", silent=True, clock=True)
        self.registered("gw-m1")
        self.log("device m2 is offline")
        text = "gw-m2: does not register before it is seen, and device m2 on bus lan has not been read yet"
        self.assertEqual(self.logged(text), [])
        self.daemon.step(30 * 60)
        self.log(text)
        self.daemon.step(60 * 60)
        self.assertEqual(len(self.logged("does not register before it is seen")), 1)
        self.assertFalse(self.is_registered("gw-m2"))
        self.simulator.command("1 talk")
        self.registered("gw-m2")

    def test_nothing_to_be_seen(self):
        """An endpoint that is only written cannot wait for a value."""
        for wait in ("{wait: seen}", "{wait: first-read, at_most: 1h}"):
            with self.subTest(wait):
                self.start_server()
                self.start_meters(1, profile=METER_PROFILE.replace(
                    "lwm2m:\n", "  horn: {area: coil, address: 0, type: bool, access: w}\nlwm2m:\n"))
                self.rig.write("etc/devices.d/site.yaml", """schema: 1
devices:
  - {name: m1, profile: meter, bus: lan, address: {host: 127.0.0.11, unit: 1}, endpoint: none}
endpoints:
  - {name: m2, lwm2m: {3306/0/5850: m1.horn}}
""")
                self.configure(more=f"register: {wait}")
                self.start_daemon()
                self.registered("gw-m2", timeout=10)
                self.stop_daemon(self.daemon)


class EndTest(Scenario):
    def start(self):
        self.start_server(secure=True)
        self.start_meters(2)
        self.configure()
        self.start_daemon()
        self.ready(*ENDPOINTS)

    def test_all_deregister(self):
        self.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                start = self.now()
                self.daemon.process.send_signal(number)
                self.assertEqual(self.daemon.process.wait_end(), 0)
                for name in ENDPOINTS:
                    self.event("deregistered", name, start)
                if number == signal.SIGTERM:
                    self.start_daemon()
                    self.ready(*ENDPOINTS, start=start)

    def test_a_second_signal_ends_it_at_once(self):
        self.start()
        self.server.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.server.process.send_signal, signal.SIGCONT)
        self.daemon.process.send_signal(signal.SIGTERM)
        # Taken, and waiting for the server's answers, which never come.
        self.daemon.notify.wait("STOPPING=1")
        with self.assertRaises(Timeout):
            self.daemon.process.wait_end(1)
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.process.wait_end(2), 0)

    def test_an_absent_server_does_not_hold_it_for_ever(self):
        self.start()
        self.server.process.child.kill()
        self.server.process.wait_end()
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.process.wait_end(20), 0)


if __name__ == "__main__":
    main()
