#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several servers for one endpoint: who registers where, in which order (Core
6.2.1.1), what each of them sees, and what a reload makes of them."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Bus, ClockDaemon, Daemon, Lwm2mServer, Scenario, build_path, main  # noqa: E402
from fieldway_test.bus import PATH, Refused  # noqa: E402

HEAD = """schema: 1
gateway: {{name: gw, endpoint: "{{gateway}}", endpoint_template: "{{gateway}}-{{name}}"}}
register: {{wait: none}}
{more}
servers:
"""
SERVER = """  - name: {name}
    short_id: {short_id}
    uri: {uri}
"""
FIRST_SHORT_ID = 101


class ServersScenario(Scenario):
    def start_servers(self, *names):
        self.secure = False
        self.servers = {name: Lwm2mServer(self.rig, ["--coap", "127.0.0.1:0"]) for name in names}
        self.short_ids = {name: FIRST_SHORT_ID + i for i, name in enumerate(names)}
        self.server = self.servers[names[0]]

    @contextlib.contextmanager
    def at(self, name):
        """What is asked inside is asked by that server."""
        former, self.server = self.server, self.servers[name]
        try:
            yield self.server
        finally:
            self.server = former

    def write_servers(self, more="", **servers):
        """Lines of each, in this order."""
        text = HEAD.format(more=more)
        for name, lines in servers.items():
            text += SERVER.format(name=name, short_id=self.short_ids[name], uri=self.servers[name].uri("coap"))
            text += "".join(f"    {line}\n" for line in lines)
        self.rig.write("etc/fieldway.yaml", text)

    def registered_at(self, name, endpoint="gw", start=0):
        return self.servers[name].wait_registered(endpoint, start=start)

    def words(self, name, endpoint="gw", start=0):
        """What the endpoint has said there."""
        # A command is answered behind all that came before.
        self.servers[name].command("clients")
        return [e.word for e in self.servers[name].events[start:]
                if e.word in ("registered", "updated", "deregistered", "refused") and endpoint in e.arguments]

    def settle(self):
        """What the daemon has to say now has been said: it is asked, and answers when it has nothing else to do."""
        for _ in range(5):
            self.daemon.step(0)
            self.rig.turn(0.02)


class OrderTest(ServersScenario):
    RETRY = "retry: {count: 2, timer: 10s, sequence_delay: 1h}"

    def start(self, fault=None, **servers):
        self.start_servers(*servers)
        if fault:
            self.servers["a"].command("fault register " + fault)
        self.write_servers(**servers)
        self.start_clock_daemon()

    def fail_twice(self):
        """All that /1/x/17 allows."""
        self.log("gw: not registered at server a")
        self.daemon.step(13)
        self.rig.until(lambda: self.words("a").count("refused") == 2, 10, "two refusals")
        self.settle()

    def test_independent(self):
        self.start(fault="5.03", a=[], b=[], c=[])
        self.registered_at("b")
        self.registered_at("c")
        self.assertEqual(self.words("a"), ["refused"])

    def test_ascending(self):
        """Whatever their order in YAML, each behind the end of the one before."""
        self.start(fault="5.03", c=["priority: 30"], b=["priority: 20"], a=["priority: 10", self.RETRY])
        self.log("gw: not registered at server a")
        self.settle()
        self.assertEqual(self.words("b") + self.words("c"), [])
        self.servers["a"].command("fault register none")
        self.daemon.step(13)
        for name in "abc":
            self.registered_at(name)

    def test_goes_on_behind_a_failure(self):
        self.start(fault="5.03", a=["priority: 1", self.RETRY], b=["priority: 2"])
        self.log("gw: not registered at server a")
        self.settle()
        self.assertEqual(self.words("b"), [])
        self.fail_twice()
        self.registered_at("b")
        # And keeps trying.
        self.servers["a"].command("fault register none")
        self.daemon.step(2 * 3600)
        self.registered_at("a")
        self.settle()
        self.assertEqual(self.words("b").count("registered"), 1)

    def test_blocks(self):
        self.start(fault="5.03", a=["priority: 1", "failure_block: true", self.RETRY], b=["priority: 2"], c=[])
        self.registered_at("c")
        self.fail_twice()
        self.assertEqual(self.words("b"), [])
        self.servers["a"].command("fault register none")
        self.daemon.step(2 * 3600)
        self.registered_at("a")
        self.registered_at("b")

    def test_rejected(self):
        """/1/x/16: enough for the next one's turn."""
        self.start(fault="4.03", a=["priority: 1"], b=["priority: 2"])
        self.registered_at("b")

    def test_rejected_but_stays(self):
        self.start(fault="4.03", a=["priority: 1", "bootstrap_on_failure: false", self.RETRY], b=["priority: 2"])
        self.log("gw: not registered at server a")
        self.settle()
        self.assertEqual(self.words("b"), [])
        self.fail_twice()
        self.registered_at("b")

    def test_silent(self):
        """An attempt that nobody answers ends as well."""
        self.start(fault="silent", a=["priority: 1", "retry: {count: 1}"], b=["priority: 2"])
        for _ in range(60):
            # It is logged before the Register to the next one.
            words = self.words("b")
            if self.logged("gw: not registered at server a"):
                break
            self.assertEqual(words, [])
            self.daemon.step(2)
            self.settle()
        self.registered_at("b")

    def test_initial_delay(self):
        self.start(a=["priority: 1"], b=["priority: 2", "initial_delay: 30s"], c=["initial_delay: 50s"])
        self.daemon.hold()
        self.registered_at("a")
        self.settle()
        self.daemon.step(25)
        self.settle()
        self.assertEqual(self.words("b") + self.words("c"), [])
        self.daemon.step(10)
        self.registered_at("b")
        self.settle()
        self.assertEqual(self.words("c"), [])
        self.daemon.step(20)
        self.registered_at("c")

    def test_initial_delay_is_for_the_first_time(self):
        self.start(a=["initial_delay: 30s"])
        self.settle()
        self.assertEqual(self.words("a"), [])
        self.daemon.step(31)
        self.registered_at("a")
        self.expect(self.post("gw", "/3/0/4"), "2.04")
        self.daemon.step(2)
        self.rig.until(lambda: self.words("a") == ["registered", "registered"], 10, "the second registration")


class BusScenario(ServersScenario):
    def start(self, kind=Daemon, **servers):
        self.write_servers(**servers)
        self.bus = Bus(self.rig)
        self.start_daemon(kind=kind, arguments=["--bus=system"], environment=self.bus.environment())
        self.bus.wait_name()

    def reload(self):
        self.bus.call(PATH, "Manager", "Reload", "t", "0", timeout=30)

    def accounts(self):
        return {a["Server"]: a for a in self.bus.get(PATH + "/endpoint/host", "Endpoint", "Accounts")}

    def counts(self):
        return (self.bus.get(PATH, "Manager", "Accounts"), self.bus.get(PATH, "Manager", "Registered"))

    def until_counts(self, *counts):
        self.rig.until(lambda: self.counts() == counts, 15, f"{counts} accounts and registrations")

    def order(self, member, *arguments):
        return self.bus.call(PATH + "/endpoint/host", "Endpoint", member, *arguments, timeout=20)

    def refused(self, error, member, *arguments):
        with self.assertRaises(Refused) as caught:
            self.order(member, *arguments)
        self.assertIn(error, str(caught.exception))


class ReloadTest(BusScenario):
    def test_comes_and_goes(self):
        self.start_servers("a", "b", "c")
        self.start(a=[], b=[])
        for name in "ab":
            self.registered_at(name)
        self.until_counts(2, 2)
        self.assertEqual({n: (a["ShortServerId"], a["State"], a["Source"]) for n, a in self.accounts().items()},
                         {"a": (101, "registered", "yaml"), "b": (102, "registered", "yaml")})
        # One goes, another one comes; the third hears nothing but of /1.
        start = len(self.servers["b"].events)
        self.write_servers(b=[], c=[])
        self.reload()
        self.registered_at("c")
        self.rig.until(lambda: "deregistered" in self.words("a"), 15, "the goodbye to a")
        self.until_counts(2, 2)
        self.assertEqual(set(self.accounts()), {"b", "c"})
        self.assertIn(self.words("b", start=start), ([], ["updated"]))
        # None, and one again.
        self.write_servers()
        self.rig.write("etc/fieldway.yaml", HEAD.format(more="").replace("servers:\n", ""))
        self.reload()
        self.until_counts(0, 0)
        self.write_servers(a=[])
        self.reload()
        self.until_counts(1, 1)

    def test_keeps_its_instance(self):
        """It is the short id that servers know: another uri, or other servers, make no other instance of it."""
        self.start_servers("a", "b", "c")
        self.start(a=[], b=[])
        links = self.registered_at("b").links
        self.assertIn("</1/0>,</1/1>", links)
        self.write_servers(c=[], b=[])
        self.reload()
        self.assertIn("</1/0>,</1/1>", self.registered_at("c").links)
        self.write_servers(b=[])
        self.reload()
        event = self.servers["b"].wait_event(lambda e: e.word == "updated" and "links" in e.fields and
                                             "</1/0>" not in e.links)
        self.assertIn("</1/1>", event.links)

    def test_kept_meanwhile(self):
        """What a server wrote goes along under other names of the endpoint, also while it does not register there."""
        def site(name):
            self.rig.write("etc/devices.d/site.yaml", "schema: 1\nendpoints:\n"
                           f"  - {{name: {name}, endpoint: box, lwm2m: {{3/0/2: {{value: s}}}}}}\n")

        self.start_servers("a", "b")
        site("box")
        self.start(a=[], b=[])
        self.registered_at("b", "box")
        with self.at("b"):
            self.expect(self.put("box", "/1/1/3", "77"), "2.04")
        self.write_servers(a=[], b=["endpoints: [host]"])
        self.reload()
        self.rig.until(lambda: "deregistered" in self.words("b", "box"), 15, "the goodbye of box")
        site("crate")
        self.reload()
        start = len(self.servers["b"].events)
        self.write_servers(a=[], b=[])
        self.reload()
        self.registered_at("b", "box", start)
        with self.at("b"):
            self.assertEqual(self.read_one("box", "/1/1/3"), 77)

    def test_order_of_yaml(self):
        """A reload that lets go those that waited."""
        self.start_servers("a", "b")
        self.servers["a"].command("fault register 4.03")
        self.start(a=["priority: 1", "failure_block: true"], b=["priority: 2"])
        self.log("gw: not registered at server a")
        self.rig.until(lambda: self.accounts()["b"]["State"] == "queued", 10, "b waiting for a")
        self.write_servers(a=["priority: 1"], b=["priority: 2"])
        self.reload()
        self.registered_at("b")


class PeopleTest(BusScenario):
    def test_update(self):
        self.start_servers("a", "b")
        self.start(a=[], b=[])
        self.until_counts(2, 2)
        self.order("Update")
        self.assertEqual([self.words(name).count("updated") for name in "ab"], [1, 1])
        self.order("UpdateAt", "s", "b")
        self.assertEqual([self.words(name).count("updated") for name in "ab"], [1, 2])
        self.refused("no server c", "UpdateAt", "s", "c")

    def test_update_that_one_refuses(self):
        """The first trouble is told, when all have answered."""
        self.start_servers("a", "b")
        self.start(a=[], b=[])
        self.until_counts(2, 2)
        self.servers["a"].command("fault update 5.03")
        self.refused("5.03", "Update")
        self.assertEqual(self.words("b").count("updated"), 1)
        # It waits for its next attempt, and the other one is asked alone.
        self.order("Update")
        self.assertEqual(self.words("b").count("updated"), 2)
        self.refused("not registered", "UpdateAt", "s", "a")

    def ctl(self, *arguments):
        done = subprocess.run([build_path("fieldwayctl"), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30, check=False, encoding="utf-8",
                              env={**os.environ, **self.bus.environment()})
        return done.returncode, done.stdout + done.stderr

    def test_fieldwayctl(self):
        self.start_servers("a", "b")
        self.servers["b"].command("fault register 5.03")
        self.start(a=[], b=[])
        self.until_counts(2, 1)
        self.rig.until(lambda: self.accounts()["b"]["State"] == "waiting", 10, "b waiting")
        self.assertEqual(self.ctl("update", "host", "--server", "a"), (0, ""))
        self.assertEqual(self.words("a"), ["registered", "updated"])
        status, text = self.ctl("update", "host", "--server=b")
        self.assertEqual((status, "not registered" in text), (1, True), text)
        status, text = self.ctl("update", "host", "--server=c")
        self.assertEqual((status, "no server c" in text), (3, True), text)
        status, text = self.ctl("list", "endpoints")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"(?m)^host .* waiting .*")
        for name, state in (("a", "registered"), ("b", "waiting")):
            self.assertRegex(text, rf"{name}\b.*{state}|{state}.*{name}\b")
        status, text = self.ctl("status")
        self.assertIn("5.03", text)
        self.assertEqual({n: a["LastError"][:16] for n, a in self.accounts().items()}, {"a": "", "b": "it answered 5.03"})

    def test_doctor(self):
        """Each server's trouble is its own."""
        self.start_servers("a", "b")
        self.servers["a"].command("fault register 5.03")
        self.start(a=["priority: 1"], b=["priority: 2"])
        self.rig.until(lambda: self.accounts()["a"]["State"] == "waiting", 10, "a waiting")
        _, text = self.ctl("doctor")
        self.assertRegex(text, r"a: 0 of 1 registered: it answered 5\.03")
        self.assertIn("b: 0 of 1 registered: other servers come first", text)

    def test_pause(self):
        self.start_servers("a", "b")
        self.start(a=["priority: 1"], b=["priority: 2"])
        self.until_counts(2, 2)
        self.order("Disable")
        self.until_counts(2, 0)
        self.assertEqual({a["State"] for a in self.accounts().values()}, {"paused"})
        starts = {name: len(self.servers[name].events) for name in "ab"}
        self.order("Enable")
        for name in "ab":
            self.registered_at(name, start=starts[name])

    def test_pause_and_initial_delay(self):
        """Who has been registered once does not wait for it again."""
        self.start_servers("a")
        self.start(kind=ClockDaemon, a=["initial_delay: 30s"])
        self.addCleanup(self.daemon.clock.close)
        self.rig.until(lambda: self.accounts()["a"]["State"] == "waiting", 10, "a waiting")
        self.daemon.step(31)
        self.until_counts(1, 1)
        self.order("Disable")
        self.until_counts(1, 0)
        self.order("Enable")
        self.until_counts(1, 1)

    def test_restart(self):
        self.start_servers("a", "b")
        self.start(a=["priority: 1"], b=["priority: 2"])
        self.until_counts(2, 2)
        starts = {name: len(self.servers[name].events) for name in "ab"}
        self.order("Restart")
        for name in "ab":
            self.registered_at(name, start=starts[name])
            self.assertEqual(self.words(name), ["registered", "deregistered", "registered"])


if __name__ == "__main__":
    main()
