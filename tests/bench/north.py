# SPDX-License-Identifier: Apache-2.0
"""The daemon towards servers: N endpoints that share one simulated device, against the sink."""
import os
import subprocess
import time

from fieldway_test import Rig, build_path, source_path
from measure import SECONDS, Tool, cpu_us, lost_datagrams, memory_kb, run, sleep, start_daemon, wait_for_helpers

PORT = 5683
DEVICES_PORT = 1502
# Until what has been started has come to rest.
SETTLE_S = 2
BUFFER_BYTES = 16 << 20
TRIES = 3
NAP_US = 200
KEY = b"fieldway-bench-1".hex()
PRIORITY = "NONE:+VERS-DTLS1.2:+{}:+SHA256:+AEAD:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1"
SUITES = {
    "none": None,
    "PSK": PRIORITY.format("PSK:+AES-128-CCM-8"),
    "ECDHE-PSK": PRIORITY.format("ECDHE-PSK:+AES-128-CBC"),
}
# Header, explicit nonce and tag of a record with AES-128-CCM-8 (RFC 6655).
RECORD_BYTES = 13 + 8 + 8

GATEWAY = """schema: 1
gateway: {{name: gw, endpoint: "{{gateway}}", endpoint_template: "{{gateway}}-{{name}}"}}
servers:
  - name: plant
    short_id: 101
    uri: {scheme}://127.0.0.1:{port}
    protocol: "1.2"
    lifetime: 1d
    liveness: 1h
    notify: {{pmin: 1s, pmax: 1s}}
    endpoints: ["*"]
    security: {security}
register: {{wait: none}}
"""
PSK = '{mode: psk, identity: "{endpoint}", key: "psk-file:keys"}'
PROFILE = """schema: 1
profile: meter
plugin: modbus
rates: {fast: 1s}
defaults: {area: input, type: uint16, rate: fast}
points: {power: {address: 0, unit: W}}
"""
BUS = f"""schema: 1
bus: lan
plugin: modbus
tcp: {{port: {DEVICES_PORT}}}
"""
DEVICES = """schema: 1
devices:
  - {name: meter, profile: meter, bus: lan, address: {host: "127.1.0.1", unit: 1}, endpoint: none}
"""
ENDPOINTS = """endpoints:
  - name: "e{{n}}"
    each: {{n: 1-{n}}}
    info: {{manufacturer: ACME, model: Boiler}}
    lwm2m: {{3305/0/5800: meter.power}}
"""


def configure(rig, secure, n):
    scheme, security = ("coaps", PSK) if secure else ("coap", "{mode: none}")
    rig.write("etc/fieldway.yaml", GATEWAY.format(scheme=scheme, port=PORT, security=security))
    rig.write("etc/profiles.d/meter.yaml", PROFILE)
    rig.write("etc/buses.d/lan.yaml", BUS)
    rig.write("etc/devices.d/site.yaml", DEVICES + (ENDPOINTS.format(n=n) if n > 0 else ""))
    names = ["gw"] + [f"gw-e{i}" for i in range(1, n + 1)]
    rig.write("etc/keys", "".join(f"{name}:{KEY}\n" for name in names), 0o600)


def check_us(rig):
    """What reading the files takes, by itself; the best of some tries."""
    return min(_check_us(rig) for _ in range(TRIES))


def _check_us(rig):
    with subprocess.Popen([build_path("fieldwayd"), "--check", rig.path("etc"), "--objects", source_path("objects"),
                           "--host-program", build_path("fieldway-plugin-host"), "--plugins", rig.path("plugins")],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
    return (usage.ru_utime + usage.ru_stime) * 1e6


class Run:
    """One daemon with n endpoints."""

    def __init__(self, rig, suite, n):
        self.n = n
        configure(rig, suite != "none", n)
        self.sink = Tool(rig, "sink", str(PORT), *filter(None, [SUITES[suite]]))
        # The daemon is not to pay for waking the reader, which no server on another machine lets it do.
        self.sink.process.write(f"nap {NAP_US}")
        self.slave = Tool(rig, "modbus_slave", str(DEVICES_PORT), "1000")
        lost = lost_datagrams()
        begin = time.monotonic()
        daemon = start_daemon(rig, "etc")
        self.process = daemon.process
        self.sink.reach("registers", n + 1)
        self.start_us = cpu_us(self.process.pid)
        self.start_s = time.monotonic() - begin
        self.check_us = check_us(rig)
        stats = self.sink.stats()
        self.repeats, self.suite = stats["repeats"], stats["suite"]
        self.lost = lost_datagrams() - lost
        # Registering is over: what is lost from here on would only blur the sums.
        self.sink.process.write(f"buffer {BUFFER_BYTES}")
        sleep(SETTLE_S)
        self.rss_kb, self.heap_kb = memory_kb(self.process.pid)

    def spend(self, seconds=SECONDS):
        """CPU, and what the sink counted meanwhile."""
        before, cpu = self.sink.stats(), cpu_us(self.process.pid)
        sleep(seconds)
        after, used = self.sink.stats(), cpu_us(self.process.pid) - cpu
        return used, {k: after[k] - before[k] for k in before if k != "suite"}

    def request(self, line):
        answers = self.sink.stats()["answers"]
        self.sink.process.write(line)
        self.sink.reach("answers", answers + self.n)
        sleep(SETTLE_S)
        wait_for_helpers(self.process.pid)

    def notifications(self, kind):
        used, counts = self.spend()
        n = counts[kind]
        return {"us": used / max(n, 1), "rate": n / SECONDS, "bytes": counts["bytes"] / max(n, 1),
                "repeats": counts["repeats"]}

    def stop(self):
        self.process.stop(60)
        self.slave.process.stop()
        self.sink.process.stop()


def _registration(suite, started, base):
    n = started.n
    return {
        "n": n, "security": suite, "suite": started.suite,
        "heap_kb": (started.heap_kb - base.heap_kb) / n, "rss_kb": (started.rss_kb - base.rss_kb) / n,
        "register_us": (started.start_us - base.start_us) / n, "check_us": (started.check_us - base.check_us) / n,
        "start_s": started.start_s, "repeats": started.repeats, "lost": started.lost,
    }


def measure_registration(suite, n, base):
    """base: a run without endpoints."""
    with Rig() as rig:
        started = Run(rig, suite, n)
        started.stop()
        return _registration(suite, started, base)


def measure(suite, n, base):
    """Notifications as well."""
    with Rig() as rig:
        started = Run(rig, suite, n)
        idle_us, _ = started.spend()
        started.request("observe /3305/0/5800")
        non = started.notifications("non")
        # /1/x/26: notifications are confirmable.
        started.request("put /1/0/26 1")
        con = started.notifications("con")
        started.stop()
    wire_bytes = non["bytes"] + (RECORD_BYTES if suite != "none" else 0)
    return {**_registration(suite, started, base), "sample_us": idle_us / n / SECONDS, "non": non, "con": con,
            "bare": run("loopback", round(wire_bytes), n)}


def measure_base(suite):
    """Without endpoints: what the sums of the others are less."""
    found = []
    for _ in range(TRIES):
        with Rig() as rig:
            found.append(Run(rig, suite, 0))
            found[-1].stop()
    return min(found, key=lambda run_0: run_0.start_us)
