# SPDX-License-Identifier: Apache-2.0
"""CPU and memory of processes seen from outside, and programs that print name=value."""
import glob
import os
import subprocess
import time

from fieldway_test import Daemon, build_path

PROGRAM_TIMEOUT_S = 120
HELPERS_TURN_S, HELPERS_TURNS, HELPERS_REST_US = 0.5, 60, 100
# How long what recurs is watched.
SECONDS = int(os.environ.get("BENCH_SECONDS") or 5)


def sleep(seconds):
    """Nothing to wait for but time: what is measured runs meanwhile."""
    time.sleep(seconds)


def _read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def _thread_us(pid, thread):
    try:
        return int(_read(f"/proc/{pid}/task/{thread}/schedstat").split()[0]) / 1000
    except FileNotFoundError:
        return 0    # it has just ended


def cpu_us(pid):
    """Of all threads that there are, user and system; the scheduler counts it in nanoseconds."""
    return sum(_thread_us(pid, thread) for thread in os.listdir(f"/proc/{pid}/task"))


def wait_for_helpers(pid):
    """Until the threads beside the main one, which write what must survive, have come to rest."""
    used = None
    for _ in range(HELPERS_TURNS):
        sleep(HELPERS_TURN_S)
        now = cpu_us(pid) - _thread_us(pid, pid)
        if used is not None and now - used < HELPERS_REST_US:
            return
        used = now


def memory_kb(pid):
    """Resident, and of that what no file backs: heap, stacks, data."""
    fields = dict(line.split(":", 1) for line in _read(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    return int(fields["Rss"].split()[0]), int(fields["Anonymous"].split()[0])


def children(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        found += [int(word) for word in _read(path).split()]
    return found


def lost_datagrams():
    """Of this network namespace, because a receive buffer was full."""
    names, values = [line.split()[1:] for line in _read("/proc/net/snmp").splitlines() if line.startswith("Udp:")]
    return int(dict(zip(names, values))["RcvbufErrors"])


def run(name, *arguments):
    """A program of this folder that measures by itself: {name: number}."""
    out = subprocess.run([build_path("tests/bench", name), *map(str, arguments)], check=True,
                         stdout=subprocess.PIPE, text=True, timeout=PROGRAM_TIMEOUT_S).stdout
    return {key: float(value) for key, value in (line.split("=") for line in out.splitlines())}


class Tool:
    """A program of this folder that is told by lines and answers with `word name=value...`."""

    def __init__(self, rig, name, *arguments):
        self.process = rig.start([build_path("tests/bench", name), *arguments])
        self.process.wait_line("ready")

    def ask(self, line, answer, timeout=60):
        start = self.process.now()
        self.process.write(line)
        return self.process.wait_line(answer, timeout, start)

    def stats(self):
        words = self.ask("stats", "stats ").split()[1:]
        return {key: value if key == "suite" else float(value) for key, value in (w.split("=") for w in words)}

    def reach(self, name, value, timeout=120):
        self.ask(f"reach {name} {value}", "reached", timeout)


def start_daemon(rig, folder):
    """As users run it; its log goes nowhere, as it costs both sides."""
    daemon = Daemon(rig, rig.path(folder), state=rig.path(folder, "state"), stderr=subprocess.DEVNULL)
    daemon.process.essential = True
    return daemon
