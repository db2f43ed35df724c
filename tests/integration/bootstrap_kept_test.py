#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a bootstrap leaves: rights of several servers, on the disk, the account at the
bootstrap server itself, and endpoints under other names."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import main  # noqa: E402
from fieldway_test.encode import senml_json  # noqa: E402
from fieldway_test.scenario import LINKS, SENML_JSON  # noqa: E402
from bootstrap_test import SERVERS, BootstrapScenario, security, server  # noqa: E402


def rights(instance, path, owner, **entries):
    """A /2; entries: s101=15, s0=1."""
    obj, of = (int(n) for n in path.strip("/").split("/"))
    return {f"/2/{instance}/0": obj, f"/2/{instance}/1": of, f"/2/{instance}/3": owner,
            **{f"/2/{instance}/2/{name[1:]}": bits for name, bits in entries.items()}}


class SeveralTest(BootstrapScenario):
    """Two servers, and what the bootstrap says they may."""

    def start(self):
        self.one = self.boot = self.start_server()
        self.two = self.start_server()
        self.server = self.boot
        self.configure_bootstrap()
        self.start_daemon()
        self.asked()

    def write_accounts(self):
        self.write("gw", "/0", {**security(1, self.one.uri("coap"), 101), **security(2, self.two.uri("coap"), 102)})
        self.write("gw", "/1", {**server(0, 101, 700), **server(1, 102, 800)})

    def codes(self, path):
        """What each of them is answered."""
        return [s.request("gw", "GET", path, "accept=110").fields["code"] for s in (self.one, self.two)]

    def expect_codes(self, **wanted):
        self.assertEqual({path: self.codes(path) for path in wanted}, wanted)

    def both(self, one=0, two=0):
        self.one.wait_registered("gw", 30, one)
        self.two.wait_registered("gw", 30, two)

    def test_rights(self):
        """What no /2 names is closed; over a restart, and another bootstrap."""
        self.start()
        self.write_accounts()
        self.write("gw", "/16/3", {"/16/3/0/0": "three"})
        self.write("gw", "/2", {**rights(0, "1/0", 101), **rights(1, "1/1", 102), **rights(2, "3/0", 65535, s0=1),
                                **rights(4, "16/3", 65535, s102=3), **rights(5, "16/65535", 65535, s102=16)})
        self.finish()
        self.both()
        self.log("no /2 of the bootstrap says who may use")
        wanted = {"/3/0/16": ["2.05", "2.05"], "/16/3/0": ["4.01", "2.05"], "/7/0": ["4.01", "4.01"],
                  "/1/0/1": ["2.05", "4.01"], "/1/1/1": ["4.01", "2.05"]}
        self.expect_codes(**wanted)
        # Who may make one owns it, and nobody else comes in.
        body = f"format={SENML_JSON} payload={senml_json({'/16/65535/0/0': 'new'}).hex()}"
        made = [s.request("gw", "POST", "/16", body).fields["code"] for s in (self.one, self.two)]
        self.assertEqual(made, ["4.01", "2.01"])
        wanted["/16/0/0"] = ["4.01", "2.05"]
        self.expect_codes(**wanted)
        one, two = len(self.one.events), len(self.two.events)
        self.restart()
        self.both(one, two)
        self.expect_codes(**wanted)
        # Another one, which changes one of them and names another instance.
        one, two = len(self.one.events), len(self.two.events)
        self.server = self.two
        self.expect(self.post("gw", "/1/1/9"), "2.04")
        self.server = self.boot
        self.asked(start=one)
        self.write("gw", "/2/4", rights(4, "16/3", 65535, s101=1))
        self.write("gw", "/2/9", rights(9, "7/0", 65535, s0=1))
        self.finish()
        self.both(one, two)
        wanted.update({"/16/3/0": ["2.05", "4.01"], "/7/0": ["2.05", "2.05"]})
        self.expect_codes(**wanted)

    def test_without_any(self):
        """Of several servers nobody may do anything then."""
        self.start()
        self.write_accounts()
        self.finish()
        self.both()
        self.expect_codes(**{"/3/0/16": ["4.01", "4.01"], "/1/0/1": ["4.01", "4.01"]})

    def test_one_server(self):
        """Nobody asks for a /2 then, and it is kept all the same."""
        self.start_server()
        self.configure_bootstrap()
        self.start_daemon()
        self.asked()
        self.write("gw", "/0/1", security(1, self.server.uri("coap"), 101))
        self.write("gw", "/1/0", server(0, 101))
        self.write("gw", "/2", rights(3, "3/0", 101, s0=1))
        self.finish()
        self.ready("gw")
        self.assertEqual(self.read("gw", "/2"), rights(3, "3/0", 101, s0=1))
        self.ready("gw", start=self.restart())
        self.assertEqual(self.read("gw", "/2"), rights(3, "3/0", 101, s0=1))
        self.assertEqual(self.logged("not all that was bootstrapped"), [])

    def test_one_leaves(self):
        """The other one may do all; and a /2 is there for the time when there are several again."""
        self.start()
        self.write_accounts()
        self.write("gw", "/2", {**rights(0, "1/0", 101), **rights(2, "3/0", 65535, s0=1)})
        self.finish()
        self.both()
        one = len(self.one.events)
        self.server = self.one
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.server = self.boot
        self.asked(start=one)
        self.expect(self.server.request("gw", "DELETE", "/0/2"), "2.02")
        self.finish()
        self.event("registered", "gw", one)
        self.two.wait_event(lambda e: e.word == "deregistered", 15)
        self.until_read("gw", "/7/0", lambda a: a.fields.get("code") == "2.05")
        self.assertEqual(self.read_one("gw", "/2/2/2/0"), 1)
        self.ready("gw", start=self.restart())
        self.assertEqual(self.read_one("gw", "/2/2/2/0"), 1)


class TakenTest(BootstrapScenario):
    """What the server is told was delivered is on the disk."""

    def start(self):
        self.start_server()
        self.configure_bootstrap(servers=SERVERS.format(uri=self.server.uri("coap"), more=", lifetime: 700s"))
        self.record = self.rig.path("state/records/host.bootstrap")
        self.start_daemon()
        self.ready("gw")
        self.ask()

    def ask(self):
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.write("gw", "/1/0", server(0, 101, 900))

    def kill(self):
        start = self.now()
        self.kill_daemon()
        self.start_daemon()
        return start

    def test_at_once(self):
        self.start()
        self.assertFalse(os.path.exists(self.record))
        self.write("gw", "/16/3", {"/16/3/0/0": "three"})
        self.finish()
        self.assertTrue(os.path.exists(self.record))
        self.assertEqual(self.ready("gw", start=self.kill()).lt, "900")
        self.assertEqual(self.read("gw", "/16"), {"/16/3/0/0": "three"})

    def test_not_written(self):
        """The account is what it was; the server hears why, and may finish again."""
        self.start()
        # A folder with something in it is not replaced by a file.
        os.makedirs(self.record + "/in-the-way")
        for _ in range(2):
            self.assertEqual(self.finish(code="4.06").payload, b"it cannot be put in force: Is a directory")
        self.log("state")
        self.assertEqual([e.lt for e in self.server.events if e.word == "registered"], ["700"])
        os.rmdir(self.record + "/in-the-way")
        os.rmdir(self.record)
        self.assertEqual(self.registered("gw", start=self.kill()).lt, "700")
        self.ask()
        start = self.now()
        self.finish()
        self.assertEqual(self.registered("gw", start=start).lt, "900")

    def hold(self):
        """Finish; whoever writes the record waits at a pipe in its place. The name of the answer."""
        self.pipe = self.rig.path("state/temporary/host.bootstrap")
        os.mkfifo(self.pipe)
        name = self.server.send("request", "gw", "POST /bs")
        # It has sent what came before.
        self.server.command("clients")
        return name

    def release(self):
        """Whoever waits there goes on; it may be that nobody has come yet, and then nobody will wait."""
        self.addCleanup(os.close, os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK))

    def test_power_fails_before(self):
        """Nobody has been told anything."""
        self.start()
        name = self.hold()
        start = self.kill()
        self.assertEqual(self.registered("gw", start=start).lt, "700")
        self.assertEqual(self.server.answers[name].word, "failed")

    def test_power_fails_behind(self):
        """Before what was written to other objects stands where it is kept from then on. Once."""
        self.start()
        self.write("gw", "/16/3", {"/16/3/0/0": "three"})
        # Whoever writes that waits at a pipe.
        os.mkfifo(self.rig.path("state/temporary/journal"))
        self.finish()
        self.assertEqual(self.ready("gw", start=self.kill()).lt, "900")
        self.assertEqual(self.read("gw", "/16"), {"/16/3/0/0": "three"})
        self.expect(self.server.request("gw", "DELETE", "/16/3"), "2.02")
        self.ready("gw", start=self.restart())
        self.assertEqual(self.read("gw", "/16"), {})

    def test_reload_before(self):
        """The server hears that nothing came of it, and is asked again."""
        self.start()
        name = self.hold()
        start = self.now()
        self.reload()
        self.rig.until(lambda: name in self.server.answers, 20, "the answer to Finish")
        answer = self.expect(self.server.answers.pop(name), "4.06")
        self.assertEqual(answer.payload, b"it cannot be put in force: Operation canceled")
        self.release()
        self.asked(start=start)
        self.assertEqual(self.registered("gw", start=self.kill()).lt, "700")

    def test_former(self):
        """As before; what another bootstrap left stands, also when the disk has room again."""
        self.start()
        start = self.now()
        self.finish()
        self.registered("gw", start=start)
        self.ask()
        self.write("gw", "/1/0", server(0, 101, 950))
        temporary = self.rig.path("state/temporary/host.bootstrap")
        os.mkdir(temporary)
        self.finish(code="4.06")
        os.rmdir(temporary)
        # At its end it tries again what could not be written.
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start_daemon()
        self.assertEqual(self.registered("gw", start=start).lt, "900")


class AccountTest(BootstrapScenario):
    """The one at the bootstrap server."""

    def begin(self, **options):
        self.start_server()
        self.configure_bootstrap(**options)
        self.start_clock_daemon()
        self.asked()
        self.expect(self.put("gw", "/0/65534/12", "600"), "2.04")
        self.bootstrap()
        self.ready("gw")

    def expect_gone(self):
        """There is nobody any more who could be asked."""
        self.expect(self.post("gw", "/1/0/9"), "4.04")

    def start_again(self):
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start_clock_daemon()
        self.ready("gw", start=start)

    def test_purged(self):
        """/0/x/12, and it does not come back."""
        self.begin()
        self.daemon.step(590)
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.finish()
        self.daemon.step(2)
        self.ready("gw", start=start)
        self.daemon.step(599)
        self.log("is over, as its server wanted it")
        self.expect_gone()
        self.start_again()
        self.expect_gone()

    def test_purged_later(self):
        """The time goes on over a restart."""
        self.begin()
        self.start_again()
        self.daemon.step(601)
        self.log("is over, as its server wanted it")
        self.expect_gone()

    def work(self):
        """A bootstrap server at work on an endpoint that is registered at another server."""
        boot, self.server = self.server, self.other
        since = boot.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.server = boot
        self.asked(start=since)
        self.server = self.other

    def test_purged_at_work(self):
        """The other server is listened to again then."""
        self.other = self.start_server()
        self.start_server()
        self.configure_bootstrap()
        self.start_clock_daemon()
        self.asked()
        self.expect(self.put("gw", "/0/65534/12", "600"), "2.04")
        self.bootstrap(uri=self.other.uri("coap"), lifetime=86400)
        self.other.wait_registered("gw")
        # It knows: time that goes on before would have it register again.
        self.expect(self.other.request("gw", "GET", "/1/0/1"), "2.05")
        self.daemon.step(500)
        self.work()
        self.daemon.step(101)
        self.log("is over, as its server wanted it")
        self.expect_gone()

    def test_forgotten_at_work(self):
        """A reload has no bootstrap server any more."""
        self.other = self.start_server()
        self.start_server()
        self.configure_bootstrap(servers=SERVERS.format(uri=self.other.uri("coap"), more=""))
        self.start_daemon()
        self.other.wait_registered("gw")
        self.work()
        with open(self.rig.path("etc/fieldway.yaml"), encoding="utf-8") as f:
            text = f.read()
        self.rig.write("etc/fieldway.yaml", re.sub(r"bootstrap:\n(  .*\n)*", "", text))
        self.reload()
        self.expect_gone()

    def test_replaced(self):
        """Another bootstrap server is asked from then on."""
        boot = self.start_server()
        other = self.start_server()
        self.server = boot
        self.configure_bootstrap()
        self.start_daemon()
        self.asked()
        self.write("gw", "/0", {**security(1, boot.uri("coap"), 101),
                                "/0/7/0": other.uri("coap"), "/0/7/1": True, "/0/7/2": 3})
        self.write("gw", "/1/0", server(0, 101))
        self.finish()
        self.ready("gw")
        for _ in range(2):
            since, start = other.now(), self.now()
            self.expect(self.post("gw", "/1/0/9"), "2.04")
            self.server = other
            self.asked(start=since)
            links = self.expect(self.server.request("gw", "GET", "/0", f"accept={LINKS}"), "2.05").payload.decode()
            self.assertIn("</0/7>", links)
            self.assertNotIn("65534", links)
            self.finish()
            self.server = boot
            self.ready("gw", start=start)
            self.assertEqual([e.word for e in boot.events[start:] if e.word == "bootstrap-request"], [])
            self.ready("gw", start=self.restart())


class NameTest(BootstrapScenario):
    """What a bootstrap left goes with an endpoint client name."""

    ROW = """schema: 1
devices:
  - {{name: {name}, endpoint: {client}, profile: meter, bus: lan, address: {{host: "127.0.0.11", unit: 1}}}}
"""

    def write_row(self, name, client):
        self.rig.write("etc/devices.d/site.yaml", self.ROW.format(name=name, client=client))

    def start(self):
        self.start_server()
        self.start_meters(1)
        self.configure_bootstrap('endpoints: ["m*", "x*"]', more="register: {wait: none}\n")
        self.write_row("m1", "gw-m1")
        self.start_daemon()
        self.bootstrap("gw-m1", lifetime=700)
        self.ready("gw-m1")

    def test_yaml_name(self):
        """Another name in the files: the same endpoint."""
        self.start()
        self.write_row("x1", "gw-m1")
        start = self.now()
        self.reload()
        self.assertEqual(self.read_one("gw-m1", "/1/0/1"), 700)
        self.assertEqual(self.registered("gw-m1", start=self.restart()).lt, "700")
        self.assertEqual([e.word for e in self.server.events[start:] if e.word == "bootstrap-request"], [])

    def test_client_name(self):
        """Another endpoint, which has to be bootstrapped for itself, also when nobody has done so before a restart."""
        self.start()
        self.write_row("m1", "gw-y1")
        start = self.now()
        self.reload()
        self.event("deregistered", "gw-m1", start)
        self.asked("gw-y1", start)
        start = self.restart()
        self.bootstrap("gw-y1", start, lifetime=800)
        self.assertEqual(self.registered("gw-y1", start=start).lt, "800")
        self.assertEqual(self.registered("gw-y1", start=self.restart()).lt, "800")

    def rename_host(self, name):
        with open(self.rig.path("etc/fieldway.yaml"), encoding="utf-8") as f:
            text = f.read()
        self.rig.write("etc/fieldway.yaml", re.sub("name: g[wx],", f"name: {name},", text))

    def test_back(self):
        """In a reload, too, before anybody has bootstrapped it under the other one."""
        self.start()
        self.expect(self.put("gw-m1", "/1/0/1", "710"), "2.04")
        self.write_row("m1", "gw-y1")
        start = self.now()
        self.reload()
        self.event("deregistered", "gw-m1", start)
        self.asked("gw-y1", start)
        self.write_row("m1", "gw-m1")
        start = self.now()
        self.reload(3)
        self.assertEqual(self.registered("gw-m1", start=start).lt, "710")
        self.assertEqual(self.registered("gw-m1", start=self.restart()).lt, "710")

    def test_host(self):
        """Of the machine, too; and back."""
        self.start_server()
        self.configure_bootstrap()
        self.start_daemon()
        self.bootstrap(lifetime=900)
        self.ready("gw")
        start = self.now()
        self.rename_host("gx")
        self.reload()
        self.event("deregistered", "gw", start)
        self.asked("gx", start)
        start = self.restart()
        self.asked("gx", start)
        self.rename_host("gw")
        self.stop_daemon(self.daemon)
        start = self.now()
        self.start_daemon()
        self.assertEqual(self.registered("gw", start=start).lt, "900")


if __name__ == "__main__":
    main()
