#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Days on the movable clock, in which servers come and go: what the daemon has at the end of each is what it had
at the end of the one before. Four of them, or a month with FIELDWAY_TEST_LONG (`make check-long`)."""
import collections
import os
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import bootstrap_test  # noqa: E402
from fieldway_test import Lwm2mServer, main, scenario  # noqa: E402

DAYS = 30 if os.environ.get("FIELDWAY_TEST_LONG") else 4
WARM_UP = 1             # days in which pools and tables find their size
STEP_S = 1800
HOUR_S = 3600
QUIET_S = 0.004
KIB = 1024
# What two ends of days may differ by, though the same had happened: texts of another length, a packet on its way.
HEAP_SLACK = 2 * KIB
# The heap's holes, of which the kernel sees whole pages.
RESIDENT_SLACK = 256 * KIB
# Endpoints differ in what they wait for when a day ends.
TIMER_SLACK = 9     # as many are observed

MAIN = """schema: 1
gateway: {{name: gw, endpoint: "{{gateway}}", endpoint_template: "{{gateway}}-{{name}}"}}
servers:
  - name: plant
    short_id: 101
    uri: {plant}
    lifetime: 12h
    liveness: 1h
    endpoints: [host, "m*", "p*"]
    security: {{mode: psk, identity: "{{endpoint}}", key: "psk-file:keys/plant.psk"}}
  - name: cloud
    short_id: 102
    uri: {cloud}
    lifetime: 4h
    queue_mode: true
    notify: {{pmax: 2h}}
    endpoints: [host, "m*", "p*"]
bootstrap: {{uri: "{cloud}", endpoints: [b1]}}
"""
DEVICES = """schema: 1
devices:
  - {{name: "m{{n}}", profile: meter, bus: lan, each: {{n: 1-{count}}}, address: {{host: "127.0.0.1{{n}}", unit: 1}}}}
endpoints:
  - {{name: "p{{n}}", each: {{n: 1-5}}, lwm2m: {{3316/0/5700: m1.v1, 3305/0/5800: m2.power}}}}
  - {{name: b1, lwm2m: {{3316/0/5700: m3.v1}}}}
"""
# Half of each day has one more.
SIXTH = "  - {name: p6, lwm2m: {3316/0/5700: m4.v1}}\n"
METERS = 4
ALWAYS = ["gw", *(f"gw-m{n}" for n in range(1, METERS + 1)), *(f"gw-p{n}" for n in range(1, 6))]


class SoakTest(bootstrap_test.BootstrapScenario):
    def start_all(self):
        self.seen = collections.Counter()
        self.start_server(secure=True, names=(*ALWAYS, "gw-p6"))
        self.plant = self.follow(self.server)
        self.cloud = self.follow(Lwm2mServer(self.rig, ["--coap", "127.0.0.1:0"]))
        self.start_meters(METERS, bus=scenario.BUS.replace("300ms..500ms", "10m..30m"),
                          profile=scenario.METER_PROFILE.replace("fast: 200ms", "fast: 1h"), devices=DEVICES)
        self.rig.write("etc/fieldway.yaml", MAIN.format(plant=self.plant.uri("coaps"), cloud=self.cloud.uri("coap")))
        environment = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}     # what is free counts as free
        self.start_clock_daemon(environment=environment)
        self.bootstraps = 0
        self.bootstrap_b1(0)
        self.settle()

    # Time

    def quiet(self):
        """Until nobody says anything any more."""
        while True:
            before = len(self.plant.events) + len(self.cloud.events)
            end = time.monotonic() + QUIET_S
            while time.monotonic() < end:
                self.rig.turn(QUIET_S)
            if len(self.plant.events) + len(self.cloud.events) == before:
                return

    def pass_hours(self, hours):
        for _ in range(round(hours * HOUR_S / STEP_S)):
            self.daemon.step(STEP_S)
            self.quiet()

    def come_to_rest(self):
        """What is on its way arrives, a datagram in each turn of a server, and the disk has what was to be written."""
        for _ in range(3 * len(ALWAYS)):
            for server in (self.plant, self.cloud):
                server.catch_up()
            self.daemon.step(0)
        self.rig.until(lambda: not os.listdir(self.rig.path("state/temporary")), 20, "the disk")

    # Servers

    def follow(self, server):
        """server.here: who is registered there."""
        server.here = set()

        def take(event):
            self.seen[event.word] += 1
            if event.word == "registered":
                server.here.add(event.arguments[0])
            elif event.word == "deregistered":
                server.here.discard(event.arguments[0])

        server.listeners.append(take)
        return server

    def settle(self):
        """All are registered, and nothing more comes of that."""
        for _ in range(200):
            if self.plant.here >= set(ALWAYS) and self.cloud.here >= {*ALWAYS, "gw-b1"}:
                break
            self.daemon.step(60)
            self.quiet()
        else:
            self.fail("not all endpoints came back")
        self.pass_hours(2)

    def restart(self, server, secure):
        """Another one in its place, which knows nobody."""
        place = server.places["coaps" if secure else "coap"]
        if not server.process.ended():
            server.process.child.kill()
            server.process.wait_end()
        if secure:
            self.plant = self.follow(self.start_server(True, place))
        else:
            self.cloud = self.follow(Lwm2mServer(self.rig, ["--coap", place]))

    def stop(self, server):
        server.process.child.kill()
        server.process.wait_end()

    def silence(self, server, how):
        for what in ("register", "update", "notify", "deregister"):
            server.command(f"fault {what} {how}")

    def bootstrap_b1(self, start):
        former, self.server = self.server, self.cloud
        self.bootstrap("gw-b1", start, uri=self.cloud.uri("coap"), lifetime=4 * HOUR_S)
        self.server = former
        self.bootstraps += 1

    # A day

    def observe_all(self, server):
        for endpoint in ALWAYS[1:]:
            for path in ("/3316/0/5700", "/3305/0"):
                server.observe(endpoint, path)
            server.request(endpoint, "PUT", "/3316/0/5700?pmin=1&pmax=7200&st=0.5")
        server.observe("gw", "/3")

    def work(self, server):
        """Reads, writes, what is made and deleted."""
        payload = bootstrap_test.senml_json({"/16/5/0/0": "x" * 100}).hex()
        for endpoint in ALWAYS:
            server.request(endpoint, "GET", "/", "accept=112")
            server.request(endpoint, "GET", "/3", "accept=40")
            server.request(endpoint, "PUT", "/1/0/1", f"format=0 payload={b'43200'.hex()}")
        server.request("gw", "POST", "/16", f"format=110 payload={payload}")
        server.request("gw", "DELETE", "/16/5")

    def reload(self, sixth):
        self.rig.write("etc/devices.d/site.yaml", DEVICES.format(count=METERS) + (SIXTH if sixth else ""))
        ready = self.daemon.notify.states.count("READY=1")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.rig.until(lambda: self.daemon.notify.states.count("READY=1") > ready, 20, "the end of the reload")

    def live_a_day(self):
        self.observe_all(self.plant)
        self.work(self.plant)
        self.pass_hours(3)
        self.silence(self.cloud, "silent")
        self.pass_hours(4)
        self.silence(self.cloud, "none")
        self.pass_hours(2)
        self.stop(self.plant)
        self.pass_hours(2)
        self.restart(self.plant, True)
        self.pass_hours(3)
        self.settle()
        self.reload(True)
        start = len(self.cloud.events)
        self.expect(self.cloud.request("gw-b1", "POST", "/1/0/9"), "2.04")
        self.bootstrap_b1(start)
        self.pass_hours(1)
        self.stop(self.cloud)
        self.pass_hours(5)
        self.restart(self.cloud, False)
        self.reload(False)
        self.settle()
        self.come_to_rest()

    # What it has

    def usage(self):
        heap, timers = self.daemon.clock.usage()
        pid = self.daemon.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            hosts = f.read().split()
        return {"heap": heap, "timers": timers, "resident": self.daemon.memory(), "fds": fds(pid),
                "host": sum(resident(h) for h in hosts), "host fds": sum(fds(h) for h in hosts)}

    def test_days(self):
        self.start_all()
        begun, samples = time.monotonic(), []
        self.seen.clear()
        for day in range(DAYS):
            self.live_a_day()
            samples.append(self.usage())
            u = samples[-1]
            print(f"== day {day + 1:2}: heap {u['heap'] / KIB:.1f} KiB, resident {u['resident'] // KIB} KiB, "
                  f"{u['fds']} descriptors, {u['timers']} timers; plugin host {u['host'] // KIB} KiB, "
                  f"{u['host fds']} descriptors", file=sys.stderr, flush=True)
        print("== " + ", ".join(f"{n} {word}" for word, n in sorted(self.seen.items())), file=sys.stderr)
        print(f"== {DAYS} days in {time.monotonic() - begun:.0f} s, {len(ALWAYS) + 1} endpoints or one more, {self.bootstraps} "
              "bootstraps", file=sys.stderr)
        # Days of which nothing came would show nothing.
        for word in "registered", "updated", "notify", "deregistered", "bootstrap-request":
            self.assertGreaterEqual(self.seen[word], DAYS, word)
        self.judge(samples[WARM_UP:])

    def judge(self, samples):
        third = max(1, len(samples) // 3)
        slacks = {"heap": HEAP_SLACK, "fds": 0, "timers": TIMER_SLACK, "host fds": 0}
        # Sanitizers do not count, and keep what is freed; what leaked they tell at the end.
        if samples[0]["heap"]:
            slacks |= {"resident": RESIDENT_SLACK, "host": RESIDENT_SLACK}
        for name, slack in slacks.items():
            first, last = (statistics.median(s[name] for s in part) for part in (samples[:third], samples[-third:]))
            self.assertLessEqual(last - first, slack, f"{name} grew from {first} to {last}")


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:")) * KIB


if __name__ == "__main__":
    main()
