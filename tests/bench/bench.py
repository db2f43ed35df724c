#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the programs as built and prints Markdown. BENCH: which parts, of
endpoints loop modbus many codecs; BENCH_N: which numbers of endpoints;
BENCH_SECONDS: how long what recurs is watched."""
import os
import resource
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]

import facts  # noqa: E402
import field  # noqa: E402
import north  # noqa: E402
import tables  # noqa: E402
from fieldway_test import enter_namespace  # noqa: E402
from measure import run  # noqa: E402

PARTS = ("endpoints", "loop", "modbus", "many", "codecs")
NUMBERS = "100 1000 10000"
LOOP_SOCKETS = 10000
CONNECTIONS = (1, 100)
HANDSHAKES = 2000
ELLIPTIC_N = 1000
# Beside a socket for each endpoint.
OTHER_FILES = 200


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure_endpoints(numbers):
    runs = []
    for suite in ("none", "PSK"):
        base = north.measure_base(suite)
        for n in numbers:
            say(f"{n} endpoints, security {suite}")
            runs.append(north.measure(suite, n, base))
    base = north.measure_base("ECDHE-PSK")
    return runs + [north.measure_registration("ECDHE-PSK", min(ELLIPTIC_N, max(numbers)), base)]


def print_part(title, lines):
    print("", f"### {title}", "", *lines, sep="\n", flush=True)


def run_parts(parts, numbers):
    results = {}
    if "endpoints" in parts:
        results["endpoints"] = measure_endpoints(numbers)
        print_part("Endpoints", tables.endpoints(results["endpoints"]))
        print_part("Handshakes", tables.handshakes({
            suite: run("handshake", priority, HANDSHAKES) for suite, priority in north.SUITES.items() if priority}))
    if "loop" in parts:
        say("loop")
        print_part("The loop alone", tables.loop(LOOP_SOCKETS, run("loop", LOOP_SOCKETS)))
    if "modbus" in parts:
        say("modbus")
        results["modbus"] = [field.measure_requests(n) for n in CONNECTIONS]
        print_part("Modbus requests of 10 registers", tables.modbus(results["modbus"]))
    if "many" in parts:
        say("many devices")
        results["many"] = field.measure_many()
        print_part("Many Modbus devices", tables.many(results["many"]))
    if "codecs" in parts:
        say("codecs")
        results["codecs"] = run("codecs")
        print_part("Codecs", tables.codecs(results["codecs"]))
    return results


def main():
    parts = (os.environ.get("BENCH") or " ".join(PARTS)).split()
    numbers = [int(word) for word in (os.environ.get("BENCH_N") or NUMBERS).split()]
    wrong = [part for part in parts if part not in PARTS]
    if wrong:
        sys.exit(f"no such part: {' '.join(wrong)}; there are {' '.join(PARTS)}")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if "endpoints" in parts and files < max(numbers) + OTHER_FILES:
        sys.exit(f"{files} files may be open, which is too few for {max(numbers)} endpoints: raise `ulimit -Hn`")
    if not enter_namespace():
        sys.exit("no network namespace of its own can be had here")
    print(*facts.lines(), sep="\n", flush=True)
    results = run_parts(parts, numbers)
    print_part("Beside the aims", tables.aims(results))


if __name__ == "__main__":
    main()
