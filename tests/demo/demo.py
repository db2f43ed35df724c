#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo.py [--once]: simulated meters on one side, an LwM2M server on the other,
and fieldwayd between them. Started by packaging/quickstart."""
import os
import signal

# Ctrl-C is how it ends, also while it is still loading.
signal.signal(signal.SIGINT, signal.SIG_DFL)
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from fieldway_test import (  # noqa: E402
    Bus, Daemon, Lwm2mServer, ProgramEnded, Rig, Simulator, Timeout, build_path, enter_namespace)
from fieldway_test.scenario import free_port  # noqa: E402
from story import ENDPOINTS, Failure, Story  # noqa: E402
from table import Table  # noqa: E402

ONCE_S = 90
REST_S = 10             # between rounds of an endless demo
HOSTS = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
MODBUS_PORT = 1502      # as the configuration has it
LOG_LINES = 15


def write_configuration(rig, replacements):
    """The demo's files, with the places that are only known now."""
    source = os.path.join(HERE, "configuration")
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as f:
                text = f.read()
            for old, new in replacements.items():
                text = text.replace(old, new)
            rig.write(os.path.join("etc", os.path.relpath(path, source)), text)
    return rig.path("etc")


def write_keys(rig):
    lines = "".join(f"{name}:{os.urandom(16).hex()}\n" for name in ENDPOINTS)
    return rig.write("etc/keys/plant.psk", lines, 0o600)


class Demo:
    def __init__(self, rig, own_network, once):
        self.rig = rig
        port = free_port(HOSTS, MODBUS_PORT)
        meters = Simulator(rig, [w for host in HOSTS for w in ("--meter", "--tcp", f"{host}:{port}")])
        board = Simulator(rig, ["--relay", "--rtu", rig.path("board")])
        keys = write_keys(rig)
        server = Lwm2mServer(rig, ["--coaps", "127.0.0.1:0", "--psk-file", keys])
        configuration = write_configuration(rig, {
            "coaps://127.0.0.1:5684": server.uri("coaps"),
            f"port: {MODBUS_PORT}": f"port: {port}",
            "/dev/serial/by-id/usb-demo-if00-port0": board.places[0],
        })
        self.table = Table("Fieldway: what the LwM2M server sees"
                           + (" (in a network of its own)" if own_network else ""))
        rig.on_turn = self.table.turn
        self.story = Story(rig, server, meters, board, self.table, not once)
        self.bus = Bus(rig)
        self.daemon = Daemon(rig, configuration, arguments=["--bus", self.bus.address], stderr=subprocess.PIPE)
        for process in rig.processes:
            process.essential = True
        self.table.say("fieldwayd started with the configuration in " + configuration)
        self.status = [build_path("fieldwayctl"), "status", "--bus=" + self.bus.address]
        self.table.say("its own view: " + " ".join(self.status))

    def run(self, once):
        self.story.tell()
        while not once:
            self.story.pause(REST_S)
            self.story.again()
        self.bus.wait_name()
        status = self.rig.start(self.status, stderr=subprocess.PIPE)
        if status.wait_end() != 0:
            raise Failure("the status of fieldwayd: " + " ".join(status.lines))
        for line in ["fieldwayctl status:", *status.lines]:
            self.table.say(line)


def run(once):
    own_network = enter_namespace()
    demo = None
    with Rig() as rig:
        if once:
            rig.end = time.monotonic() + ONCE_S
        try:
            demo = Demo(rig, own_network, once)
            demo.run(once)
        except (Failure, ProgramEnded, Timeout) as e:
            return str(e), demo.daemon.process.lines[-LOG_LINES:] if demo else []
        finally:
            if demo:
                demo.table.close()
    return None, []


def main(arguments):
    if arguments not in ([], ["--once"]):
        print("Usage: demo.py [--once]", file=sys.stderr)
        return 2
    try:
        reason, log = run(bool(arguments))
    except ProgramEnded as e:
        reason, log = str(e), []
    except SystemExit as e:
        # Ctrl-C is how the endless one ends.
        return 0 if not arguments and e.code == 128 + signal.SIGINT else e.code
    if not reason:
        print("All of it was seen.")
        return 0
    for line in log:
        print("fieldwayd: " + line, file=sys.stderr)
    print("Not seen: " + reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
