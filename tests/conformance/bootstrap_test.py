#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ETS 6.1: the bootstrap interface."""
from ets import LINKS, SENML_CBOR, TLV, YAML_NAMES, Case, case, encode, main, read_links
from data import BOOTSTRAP, CONFIGURATIONS, FACTORY

from fieldway_test import Lwm2mServer, Timeout
from fieldway_test.scenario import free_port

SERVER = {"/1/0/0": 1, "/1/0/1": 86400, "/1/0/6": False, "/1/0/7": "U"}     # SRV-MIN of C.1


class BootstrapTest(Case):
    """self.boot is the bootstrap server, self.server the one that it names. Requests go to either."""

    def start(self, factory=False, uri=None, more=""):
        """C.13; factory: with a server account of its own, at uri."""
        self.prepare_machine()
        self.write_keys(["gw", "gw-dev"], "etc/keys/one.psk")
        self.start_server(secure=True)
        self.start_boot()
        if self.version == "1.1":
            self.server.command("fault register 4.12-on-1.2")
        self.write_field(CONFIGURATIONS["C.1"])
        end = YAML_NAMES[self.end]
        servers = FACTORY.format(uri=uri or self.server.uri("coaps"), end=end) if factory else ""
        self.rig.write("etc/fieldway.yaml", BOOTSTRAP.format(
            uri=self.boot.uri("coaps"), end=end, more=more, servers=servers))
        self.start_clock_daemon()

    def start_boot(self):
        keys = self.rig.write("bs.psk", "".join(f"{n}:{k}\n" for n, k in self.keys.items()), 0o600)
        self.boot = Lwm2mServer(self.rig, ["--coaps", "127.0.0.1:0", "--psk-file", keys])

    def at_boot(self, method, path, options="", code="2.04"):
        return self.expect(self.boot.request(self.name, method, path, options), code)

    def put(self, path, values):
        """A Bootstrap-Write."""
        return self.at_boot("PUT", path, f"format={SENML_CBOR} payload={encode.senml_cbor(values).hex()}")

    def asked(self, start=0):
        """It has asked to be bootstrapped, and was answered 2.04."""
        event = self.boot.wait_event(
            lambda e: e.word == "bootstrap-request" and e.arguments == [self.name], 30, start)
        self.assertEqual((event.secure, event.identity), ("1", self.name))

    def has_asked(self):
        return [e for e in self.boot.events if e.word == "bootstrap-request"]

    def account(self):
        return {"/0/0/0": self.server.uri("coaps"), "/0/0/1": False, "/0/0/2": 0, "/0/0/3": self.name.encode(),
                "/0/0/5": bytes.fromhex(self.keys[self.name]), "/0/0/10": 1}

    def write_account(self):
        self.put("/0", self.account())
        self.put("/1", SERVER)

    def links(self):
        answer = self.at_boot("GET", "/", f"accept={LINKS}", "2.05")
        self.assertEqual(answer.format, LINKS)
        return read_links(answer.payload)

    def expect_account(self, there=True):
        """The root with the version, the bootstrap account, and the server account if it is there."""
        links = self.links()
        self.assertEqual((links[0][0], links[0][1]["lwm2m"]), ("/", "1.2"))
        found = dict(links)
        securities = [p for p in found if p.startswith("/0/")]
        self.assertEqual(len([p for p in securities if "ssid" not in found[p]]), 1, "bootstrap account")
        self.assertEqual(found.get("/0/0", {}).get("ssid"), "1" if there else None)
        self.assertEqual(found.get("/1/0", {}).get("ssid"), "1" if there else None)
        self.assertIn("/3/0", found)

    def finish(self, code="2.04"):
        return self.at_boot("POST", "/bs", code=code)

    def bootstrap(self, start=0):
        """What 0 has."""
        self.asked(start)
        self.write_account()
        self.expect_account()
        self.finish()

    def expect_registered(self, start=0):
        """With PSK, as 401."""
        event = self.registered(self.name, start=start)
        self.assertEqual((event.secure, event.identity, event.lwm2m), ("1", self.name, self.version))
        self.assertEqual(self.content("/3/0", TLV)["/3/0/16"], "U")
        return event

    @case(0)
    def test_0_client_initiated(self):
        self.start()
        self.bootstrap()
        self.registered(self.name)

    @case(1)
    def test_1_full_with_psk(self):
        self.start()
        self.bootstrap()
        self.expect_registered()
        self.assertEqual({p: v for p, v in self.content("/1/0").items() if p in SERVER}, SERVER)

    @case(4)
    def test_4_delete(self):
        self.start()
        self.asked()
        self.write_account()
        self.expect_account()
        values = self.boot.values(self.at_boot("GET", "/1", f"accept={SENML_CBOR}", "2.05"), "/1")
        self.assertEqual({p: values.get(p) for p in SERVER}, SERVER)
        self.at_boot("DELETE", "/0", code="2.02")
        self.at_boot("DELETE", "/1", code="2.02")
        self.expect_account(there=False)
        self.assertNotEqual(self.boot.request(self.name, "GET", "/1", f"accept={TLV}").payload[:1], b"\x08")
        self.write_account()
        self.expect_account()
        self.finish()
        self.expect_registered()

    @case(5)
    def test_5_server_initiated(self):
        self.start()
        self.bootstrap()
        self.expect_registered()
        boot, start = len(self.boot.events), self.now()
        self.execute("/1/0/9")
        self.bootstrap(boot)
        # The account is what it was, and the registration a new one.
        self.daemon.step(2)
        self.expect_registered(start)
        self.assertIn(self.name, self.clients())

    @case(6)
    def test_6_sequence(self):
        """No smartcard; a server of the factory; then the bootstrap server, whose account stays."""
        self.start(factory=True)
        self.registered(self.name)
        self.settle()
        self.assertEqual(self.has_asked(), [])
        # Leshan's does not wait for our steps.
        start = self.now()
        self.execute("/1/0/9")
        self.bootstrap()
        self.expect_registered(start)

    @case(7)
    def test_7_fallback(self):
        port = free_port(["127.0.0.1"])
        self.start(factory=True, uri=f"coaps://127.0.0.1:{port}")
        # Until /1/x/17 attempts and the waits between them are over.
        for _ in range(60):
            try:
                self.rig.until(self.has_asked, 0.2, "the request for a bootstrap")
                break
            except Timeout:
                self.daemon.step(60)
        self.assertEqual(self.events("registered", 0), [])
        self.bootstrap()
        self.expect_registered()

    @case(8)
    def test_8_read(self):
        self.start()
        self.asked()
        self.write_account()
        self.put("/2", {"/2/0/0": 3, "/2/0/1": 0, "/2/0/2/0": 31, "/2/0/3": 65535})
        for path, wanted in ("/1", SERVER), ("/2", {"/2/0/0": 3, "/2/0/1": 0, "/2/0/2/0": 31, "/2/0/3": 65535}):
            values = self.boot.values(self.at_boot("GET", path, f"accept={SENML_CBOR}", "2.05"), path)
            self.assertEqual({p: values.get(p) for p in wanted}, wanted)
        self.finish()
        self.expect_registered()

    @case(9)
    def test_9_consistency(self):
        self.start()
        self.asked()
        self.at_boot("PUT", "/1/0/5", f"format=0 payload={b'86400'.hex()}")
        self.finish("4.06")

    @case(12)
    def test_12_pack(self):
        self.start(more="pack: true")
        pack = encode.senml_cbor({**self.account(), **SERVER})
        self.boot.command(f"pack {SENML_CBOR} {pack.hex()}")
        event = self.boot.wait_event(lambda e: e.word == "pack-request" and e.arguments == [self.name], 30)
        self.assertRegex(event.acc, r"^</0/\d+>")
        self.expect_registered()
        self.assertEqual(self.has_asked(), [])


if __name__ == "__main__":
    main()
