#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`bootstrap:`, with the test's server as bootstrap server and as the server that
endpoints are sent to."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, Lwm2mServer, Scenario, build_path, main, source_path  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from fieldway_test.encode import senml_cbor, senml_json  # noqa: E402
from fieldway_test.programs import check_words  # noqa: E402
from fieldway_test.scenario import LINKS, SENML_CBOR, SENML_JSON  # noqa: E402

MAIN = """schema: 1
gateway: {{name: gw, endpoint: "{{gateway}}", endpoint_template: "{{gateway}}-{{name}}"}}
bootstrap:
  uri: {uri}
  {bootstrap}
{more}
"""
SERVERS = """servers:
  - {{name: plant, short_id: 101, uri: "{uri}"{more}}}
"""
NEW_KEY = bytes(range(16))


def security(instance, uri, short_id, identity=None, key=None):
    values = {f"/0/{instance}/0": uri, f"/0/{instance}/1": False, f"/0/{instance}/2": 3,
              f"/0/{instance}/10": short_id}
    if key:
        values.update({f"/0/{instance}/2": 0, f"/0/{instance}/3": identity.encode(), f"/0/{instance}/5": key})
    return values


def server(instance, short_id, lifetime=600, more=None):
    return {f"/1/{instance}/0": short_id, f"/1/{instance}/1": lifetime, f"/1/{instance}/6": True,
            f"/1/{instance}/7": "U", **(more or {})}


class BootstrapScenario(Scenario):
    def configure_bootstrap(self, *bootstrap, servers="", more=""):
        uri = self.server.uri("coaps" if self.secure else "coap")
        lines = list(bootstrap)
        if self.secure:
            lines.append('security: {mode: psk, key: "psk-file:keys/plant.psk"}')
        if servers is not None and servers:
            more += servers
        self.rig.write("etc/fieldway.yaml", MAIN.format(
            uri=uri, bootstrap="\n  ".join(lines) or "use: fallback", more=more))

    def asked(self, endpoint="gw", start=0):
        return self.event("bootstrap-request", endpoint, start)

    def write(self, endpoint, path, values, code="2.04"):
        return self.expect(self.put(endpoint, path, senml_json(values), SENML_JSON), code)

    def finish(self, endpoint="gw", code="2.04"):
        return self.expect(self.server.request(endpoint, "POST", "/bs"), code)

    def bootstrap(self, endpoint="gw", start=0, **options):
        """One server, as /0/1 and /1/0."""
        self.asked(endpoint, start)
        for path in ("/0", "/1"):
            self.expect(self.server.request(endpoint, "DELETE", path), "2.02")
        self.write(endpoint, "/0/1", security(1, options.pop("uri", None) or self.server.uri("coap"), 101,
                                              **{k: options.pop(k) for k in ("identity", "key") if k in options}))
        self.write(endpoint, "/1/0", server(0, 101, **options))
        self.finish(endpoint)

    def reload(self, count=2):
        self.daemon.process.send_signal(signal.SIGHUP)
        self.rig.until(lambda: self.daemon.notify.states.count("READY=1") == count, 20, "READY=1 again")

    def restart(self, **options):
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start_daemon(**options)
        return start


class ClientInitiatedTest(BootstrapScenario):
    def test_without_servers(self):
        """ETS 0: nothing but a bootstrap account."""
        self.start_server()
        self.configure_bootstrap()
        self.start_daemon()
        event = self.asked()
        self.assertEqual((event.arguments, event.pct), (["gw"], "112"))
        links = self.expect(self.server.request("gw", "GET", "/0", f"accept={LINKS}"), "2.05").payload.decode()
        self.assertEqual(links, "</>;lwm2m=1.2,</0/65534>")
        self.write("gw", "/0/1", security(1, self.server.uri("coap"), 101))
        # ETS 9: it is not complete.
        self.assertIn(b"has no /1", self.finish(code="4.06").payload)
        self.write("gw", "/1/0", server(0, 101, more={"/1/0/2": 7, "/1/0/17": 3}))
        self.assertEqual([e.word for e in self.server.events if e.word == "registered"], [])
        self.finish()
        self.assertEqual(self.registered("gw").lt, "600")
        values = self.read("gw", "/1/0")
        self.assertEqual((values["/1/0/0"], values["/1/0/2"], values["/1/0/17"]), (101, 7, 3))
        self.assertGreater(values["/1/0/12"], 1_700_000_000)
        # Keys and accounts are not for servers.
        self.expect(self.server.request("gw", "GET", "/0/1"), "4.01")

    def test_over_restarts(self):
        """For the host and for virtual endpoints, with what the server wrote on top."""
        self.start_server()
        self.start_meters(1)
        self.configure_bootstrap()
        self.start_daemon()
        for endpoint in ("gw", "gw-m1"):
            self.bootstrap(endpoint, lifetime=700)
        self.ready("gw", "gw-m1")
        self.expect(self.put("gw-m1", "/1/0/1", "800"), "2.04")
        for _ in range(2):
            start = self.restart()
            self.assertEqual([e.lt for e in self.ready("gw", "gw-m1", start=start)], ["700", "800"])
        self.assertEqual([e.word for e in self.server.events[start:] if e.word == "bootstrap-request"], [])

    def test_queue_mode(self):
        """The binding of LwM2M 1.0 asks for it; this server is registered at as 1.2, which has `Q`."""
        self.start_server()
        self.configure_bootstrap()
        self.start_daemon()
        self.bootstrap(more={"/1/0/7": "UQ"})
        says = [(e.fields["b"], e.fields.get("Q")) for e in (self.registered("gw"), self.register_anew())]
        self.assertEqual(says, [("U", "1")] * 2)
        self.assertEqual(self.read_one("gw", "/1/0/7"), "UQ")
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.write("gw", "/1/0", server(0, 101))
        self.finish()
        self.assertNotIn("Q", self.registered("gw", start=start).fields)

    def register_anew(self):
        return self.registered("gw", start=self.restart())

    def test_factory_reset(self):
        """/3/0/5: what a bootstrap left is gone, too."""
        self.start_server()
        self.configure_bootstrap(servers=SERVERS.format(uri=self.server.uri("coap"), more=", lifetime: 700s"),
                                 more="host: {allow: [factory_reset]}\n")
        self.start_daemon()
        self.ready("gw")
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.write("gw", "/16/3", {"/16/3/0/0": "three"})
        self.bootstrap(start=start, lifetime=900)
        self.assertEqual(self.registered("gw", start=start).lt, "900")
        self.until_code("gw", "/16/3", "2.05")
        start = self.now()
        self.expect(self.post("gw", "/3/0/5"), "2.04")
        self.event("deregistered", "gw", start)
        self.assertEqual(self.registered("gw", start=start).lt, "700")
        self.until_code("gw", "/16/3", "4.04")
        start = self.restart()
        self.assertEqual(self.ready("gw", start=start).lt, "700")
        self.assertEqual([e.word for e in self.server.events[start:] if e.word == "bootstrap-request"], [])

    def test_elsewhere(self):
        """What is written to other objects; the server may change it afterwards."""
        self.start_server()
        self.configure_bootstrap()
        self.start_daemon()
        self.asked()
        self.write("gw", "/16/3", {"/16/3/0/0": "three"})
        self.write("gw", "/16/4", {"/16/4/0/0": "four"})
        self.write("gw", "/3/0", {"/3/0/15": "Europe/Berlin"}, "4.00")
        self.bootstrap()
        self.ready("gw")
        self.assertEqual(self.read("gw", "/16"), {"/16/3/0/0": "three", "/16/4/0/0": "four"})
        self.expect(self.server.request("gw", "DELETE", "/16/3"), "2.02")
        start = self.restart()
        self.ready("gw", start=start)
        self.assertEqual(self.read("gw", "/16"), {"/16/4/0/0": "four"})

    def test_keys(self):
        """ETS 1: asks under the key of YAML, registers under the one that was written."""
        bootstrap = self.start_server(secure=True)
        self.configure_bootstrap()
        self.keys = {"gw": NEW_KEY.hex()}
        plant = self.start_server(secure=True)
        self.server = bootstrap
        self.start_daemon()
        self.bootstrap(uri=plant.uri("coaps"), identity="gw", key=NEW_KEY)
        self.server = plant
        self.assertEqual(self.registered("gw").identity, "gw")
        start = self.restart()
        self.assertEqual(self.registered("gw", start=start).identity, "gw")
        # It can be bootstrapped again, and what is not written stays.
        since, start = bootstrap.now(), plant.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.server = bootstrap
        self.asked(start=since)
        self.write("gw", "/1/0", server(0, 101, 1300))
        self.finish()
        self.server = plant
        self.assertEqual(self.registered("gw", start=start).lt, "1300")
        for line in self.daemon.process.lines:
            self.assertNotIn(NEW_KEY.hex(), line)


class SequenceTest(BootstrapScenario):
    def start(self, *bootstrap, more=""):
        self.start_server()
        self.configure_bootstrap(*bootstrap, servers=SERVERS.format(uri=self.server.uri("coap"), more=more))

    def test_fallback(self):
        """ETS 6 and 7: registers by YAML; asks when it is refused."""
        self.start()
        self.server.command("fault register 4.03")
        self.start_daemon()
        self.asked()
        self.server.command("fault register none")
        self.bootstrap(lifetime=900)
        self.assertEqual(self.registered("gw").lt, "900")

    def test_added_later(self):
        """Whose server has failed asks one that a reload brings."""
        self.start_server()
        self.server.command("fault register 4.03")
        self.configure()
        self.start_daemon()
        self.log("gw: not registered at server plant")
        self.configure_bootstrap(servers=SERVERS.format(uri=self.server.uri("coap"), more=""))
        self.reload()
        self.asked()
        self.server.command("fault register none")
        self.bootstrap(lifetime=900)
        self.assertEqual(self.registered("gw").lt, "900")

    def test_only_failed_one_stays(self):
        """One server has it registered, until a reload takes that away."""
        self.start_server()
        other = Lwm2mServer(self.rig, ["--coap", "127.0.0.1:0"])
        self.server.command("fault register 4.03")
        plant = SERVERS.format(uri=self.server.uri("coap"), more="")
        self.configure_bootstrap(servers=plant + f"  - {{name: other, short_id: 102, uri: \"{other.uri('coap')}\"}}\n")
        self.start_daemon()
        other.wait_registered("gw")
        self.log("gw: not registered at server plant")
        self.assertEqual([e.word for e in self.server.events if e.word == "bootstrap-request"], [])
        self.configure_bootstrap(servers=plant)
        self.reload()
        self.asked()

    def test_no_need(self):
        self.start()
        self.start_daemon()
        self.ready("gw")
        self.assertEqual([e.word for e in self.server.events if e.word == "bootstrap-request"], [])
        # ETS 5: a server asks for it. Others are not listened to meanwhile.
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.write("gw", "/1/0", server(0, 101, 1000))
        self.finish()
        # It is the account that it was, with another lifetime, and registers all the same.
        self.assertEqual(self.registered("gw", start=start).lt, "1000")
        self.assertEqual(self.read_one("gw", "/1/0/1"), 1000)
        start = self.restart()
        self.assertEqual(self.registered("gw", start=start).lt, "1000")

    def test_unchanged(self):
        """A bootstrap that leaves all as it was: its end is seen by a Register."""
        self.start()
        self.start_daemon()
        self.ready("gw")
        for _ in range(2):
            start = self.now()
            self.expect(self.post("gw", "/1/0/9"), "2.04")
            self.asked(start=start)
            self.finish()
            self.assertEqual(self.registered("gw", start=start).lt, "3600")
            self.until_read("gw", "/1/0/1", lambda a: a.fields.get("code") == "2.05")

    def test_first(self):
        self.start("use: first")
        self.start_daemon()
        self.bootstrap(lifetime=900)
        self.assertEqual(self.registered("gw").lt, "900")
        start = self.restart()
        self.assertEqual(self.registered("gw", start=start).lt, "900")

    def test_always(self):
        self.start("use: always")
        self.start_daemon()
        self.bootstrap(lifetime=900)
        self.assertEqual(self.registered("gw").lt, "900")
        start = self.restart()
        self.bootstrap(start=start, lifetime=901)
        self.assertEqual(self.registered("gw", start=start).lt, "901")
        # A bootstrap server that refuses keeps nobody from registering.
        self.server.command("fault bootstrap 4.00")
        start = self.restart()
        self.assertEqual(self.registered("gw", start=start).lt, "901")

    def test_removed_server(self):
        """Its registration ends; back to YAML without `bootstrap:`."""
        self.start()
        self.start_daemon()
        self.ready("gw")
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked()
        start = self.now()
        self.expect(self.server.request("gw", "DELETE", "/0"), "2.02")
        self.write("gw", "/0/5", security(5, self.server.uri("coap"), 102))
        self.write("gw", "/1/6", server(6, 102, 950))
        self.finish()
        self.event("deregistered", "gw", start)
        self.assertEqual(self.registered("gw", start=start).lt, "950")
        self.assertEqual(self.read_one("gw", "/1/6/0"), 102)
        self.stop_daemon(self.daemon)
        self.configure()
        start = self.now()
        self.start_daemon()
        self.assertEqual(self.registered("gw", start=start).lt, "3600")


class ReloadTest(BootstrapScenario):
    def test_reload(self):
        """What was bootstrapped is not reached by servers:, until there is no bootstrap: any more."""
        self.start_server()
        uri = self.server.uri("coap")
        self.configure_bootstrap("use: first", servers=SERVERS.format(uri=uri, more=""))
        self.start_daemon()
        self.bootstrap(lifetime=900)
        self.ready("gw")
        self.configure_bootstrap("use: first", servers=SERVERS.format(uri=uri, more=", lifetime: 700s"))
        start = self.now()
        self.reload()
        self.log("server plant: does not reach 1 endpoint that a bootstrap server has told where to register; the first is host")
        self.assertEqual(self.read_one("gw", "/1/0/1"), 900)
        # It can still be asked for, which begins anew when the configuration changes meanwhile.
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        start = self.now()
        self.reload(3)
        self.bootstrap(start=start, lifetime=950)
        self.until_read("gw", "/1/0/1", lambda a: a.fields.get("code") == "2.05")
        self.assertEqual(self.read_one("gw", "/1/0/1"), 950)
        start = self.now()
        self.configure(["lifetime: 800s"])
        self.reload(4)
        self.assertEqual(self.registered("gw", start=start).lt, "800")
        # And back: nothing is left of it.
        start = self.now()
        self.configure_bootstrap("use: first", servers=SERVERS.format(uri=uri, more=", lifetime: 700s"))
        self.reload(5)
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start_daemon()
        self.asked(start=start)

    def test_reload_after_a_time_without(self):
        """What lies there of before is not said to hold, for that reload forgets it."""
        self.start_server()
        uri = self.server.uri("coap")
        self.configure_bootstrap("use: first", servers=SERVERS.format(uri=uri, more=""))
        self.start_daemon()
        self.bootstrap(lifetime=900)
        self.ready("gw")
        self.configure(["lifetime: 700s"])
        start = self.restart()
        self.assertEqual(self.ready("gw", start=start).lt, "700")
        start = self.now()
        self.configure_bootstrap("use: first", servers=SERVERS.format(uri=uri, more=", lifetime: 800s"))
        self.reload()
        self.asked(start=start)
        self.assertEqual(self.logged("does not reach"), [])


class BusTest(BootstrapScenario):
    """As people see it."""

    def setUp(self):
        super().setUp()
        self.bus = Bus(self.rig)

    def start(self):
        self.start_daemon(arguments=["--bus=system"], environment=self.bus.environment())
        self.bus.wait_name()

    def ctl(self, *arguments):
        """Status and what it prints."""
        done = subprocess.run([build_path("fieldwayctl"), *arguments], capture_output=True, timeout=30, check=False,
                              encoding="utf-8", env={**os.environ, **self.bus.environment()})
        return done.returncode, done.stdout + done.stderr

    def get(self, name):
        return self.bus.get(PATH + "/endpoint/host", "Endpoint", name)

    def sources(self):
        return [a["Source"] for a in self.get("Accounts")]

    def until_state(self, state, error=""):
        self.rig.until(lambda: self.get("State") == state, 20, state)
        self.assertIn(error, self.get("LastError"))
        if not error:
            self.assertEqual(self.get("LastError"), "")

    def test_state(self):
        """Before it has a server, and while a bootstrap server works."""
        self.start_server()
        self.server.command("fault bootstrap 4.00")
        self.configure_bootstrap()
        self.start()
        self.until_state("bootstrapping", "it answered 4.00")
        self.assertRegex(self.ctl("list")[1], r"\nhost +gw +bootstrapping +- +- +- +it answered 4\.00")
        self.assertIn("1 bootstrapping", self.ctl("status")[1])
        self.assertEqual(self.ctl("disable", "host"), (0, ""))
        self.until_state("paused", "it answered 4.00")
        self.server.command("fault bootstrap none")
        start = self.now()
        self.assertEqual(self.ctl("enable", "host"), (0, ""))
        self.asked(start=start)
        self.until_state("bootstrapping", "it answered 4.00")
        self.bootstrap()
        self.ready("gw")
        self.until_state("registered")
        self.assertRegex(self.ctl("list")[1], r"\nhost +gw +registered +server-101 +bootstrap +- +-\n")
        self.assertRegex(self.ctl("show", "host")[1], r"Server +server-101 +registered +coap://\S+ +none +bootstrap +1\.2\n")
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.until_state("bootstrapping")
        self.finish()
        self.until_state("registered")

    def test_account_reset(self):
        """Back to YAML, from what a bootstrap server and a server wrote."""
        self.start_server()
        self.configure_bootstrap(servers=SERVERS.format(uri=self.server.uri("coap"), more=", lifetime: 700s"))
        self.start()
        self.ready("gw")
        self.assertEqual(self.sources(), ["yaml"])
        self.assertEqual(self.ctl("account", "reset", "host"), (3, "fieldwayctl: host: It is as the configuration has it\n"))
        self.assertEqual(self.ctl("account", "rest", "host")[0], 2)
        self.expect(self.put("gw", "/1/0/1", "710"), "2.04")
        self.assertEqual(self.ctl("account", "reset", "host"), (0, ""))
        self.until_read("gw", "/1/0/1", lambda a: b"700" in self.read_text("gw", "/1/0/1"))
        # What a bootstrap server wrote goes at once, and is not there at the next start.
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.bootstrap(start=start, lifetime=900)
        self.assertEqual(self.registered("gw", start=start).lt, "900")
        self.assertEqual(self.sources(), ["bootstrap"])
        start = self.now()
        self.assertEqual(self.ctl("account", "reset", "host"), (0, ""))
        self.assertEqual(self.registered("gw", start=start).lt, "700")
        self.assertEqual(self.sources(), ["yaml"])
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start()
        self.assertEqual(self.registered("gw", start=start).lt, "700")

    def test_account_reset_without_servers(self):
        """There is nothing but the bootstrap server then."""
        self.start_server()
        self.configure_bootstrap()
        self.start()
        self.bootstrap(lifetime=900)
        self.ready("gw")
        start = self.now()
        self.assertEqual(self.ctl("account", "reset", "host"), (0, ""))
        self.event("deregistered", "gw", start)
        self.asked(start=start)
        self.until_state("bootstrapping")
        start = self.restart(arguments=["--bus=system"], environment=self.bus.environment())
        self.bootstrap(start=start, lifetime=901)
        self.assertEqual(self.registered("gw", start=start).lt, "901")

    def check(self):
        """What `fieldwayctl check` says; it is accepted."""
        status, text = self.ctl(*check_words(self.rig))
        self.assertEqual(status, 0, text)
        return text

    def test_check(self):
        """Which servers do not reach endpoints that were bootstrapped; asked for over D-Bus, and by a reload, too."""
        self.start_server()
        self.start_meters(2)
        self.configure_bootstrap("use: first", 'endpoints: ["host", "m1"]', more=SERVERS.format(
            uri=self.server.uri("coap"), more='}\n  - {name: other, short_id: 102, uri: "coap://127.0.0.1:9", endpoints: [m2]'))
        self.start()
        self.assertNotIn("does not reach", self.check())
        for endpoint in ("gw", "gw-m1"):
            self.bootstrap(endpoint)
        self.ready("gw", "gw-m1")
        wanted = "server plant: does not reach 2 endpoints that a bootstrap server has told where to register"
        self.assertRegex(self.check(), r"fieldway\.yaml:\d+:\d+: " + wanted + "; the first is host")
        self.assertNotIn("other", self.check())
        warnings = self.bus.call(PATH, "Manager", "CheckConfig")[1]
        self.assertIn(wanted, str(warnings))
        self.assertEqual(self.ctl("reload"), (0, self.check()))
        self.assertEqual(self.ctl("account", "reset", "host"), (0, ""))
        self.assertIn("does not reach 1 endpoint that", self.check())

    def read_text(self, endpoint, path):
        return self.expect(self.server.request(endpoint, "GET", path, "accept=0"), "2.05").payload


class PackTest(BootstrapScenario):
    def test_applied(self):
        """ETS 12: all instances of its objects are replaced, and one that is of no use changes nothing."""
        self.start_server()
        uri = self.server.uri("coap")
        self.put_pack({**security(1, uri, 101), **server(0, 101, 1100)})
        self.configure_bootstrap("pack: true")
        self.start_daemon()
        self.assertEqual(self.event("pack-request", "gw").acc, "</0/65534>")
        self.assertEqual(self.registered("gw").lt, "1100")
        self.assertEqual(self.registered("gw", start=self.restart()).lt, "1100")
        self.put_pack({**security(4, uri, 102), **server(5, 102, 1150)})
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.event("deregistered", "gw", start)
        self.assertEqual(self.registered("gw", start=start).lt, "1150")
        self.assertEqual(set(self.read("gw", "/1/5")), set(self.read("gw", "/1")))
        self.assertEqual([e.word for e in self.server.events if e.word == "bootstrap-request"], [])
        # Without its /1.
        self.put_pack(security(6, uri, 103))
        start = self.now()
        self.expect(self.post("gw", "/1/5/9"), "2.04")
        self.event("pack-request", "gw", start)
        self.asked(start=start)
        self.log("no use for a pack of")
        links = self.expect(self.server.request("gw", "GET", "/0", f"accept={LINKS}"), "2.05").payload.decode()
        self.assertNotIn("</0/6>", links)
        self.finish()
        self.assertEqual(self.registered("gw", start=start).lt, "1150")

    def put_pack(self, values):
        self.server.command(f"pack {SENML_CBOR} {senml_cbor(values).hex()}")

    def test_pack(self):
        """When there is none."""
        self.start_server()
        values = {**security(1, self.server.uri("coap"), 101), **server(0, 101, 1100)}
        self.server.command(f"pack {SENML_JSON} {senml_json(values).hex()}")
        self.configure_bootstrap("pack: true")
        self.start_daemon()
        self.event("pack-request", "gw")
        # It comes in another format than the one that was asked for.
        self.bootstrap(lifetime=1200)
        self.assertEqual(self.registered("gw").lt, "1200")


if __name__ == "__main__":
    main()
