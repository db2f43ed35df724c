# SPDX-License-Identifier: Apache-2.0
"""Modbus implementations of other people as devices: the programs beside this file."""
import os
import re
import shutil
import subprocess
import sys
import threading
import tty

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "lib")]

import fetched  # noqa: E402
from fieldway_test import Simulator, build_path  # noqa: E402

# Debian's packages are the system's Python's, whichever one runs the tests.
SYSTEM_PYTHON = "/usr/bin/python3"


def modules():
    return build_path("tests/interop/modbus/peer/npm/node_modules")


def prepare():
    """Fetches what npm has. To be called before the network is left."""
    manifest = os.path.join(HERE, "package.json")

    def install():
        shutil.copy(manifest, folder)
        # Prebuilt parts come with the packages: none of their scripts has to run.
        problem = fetched.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"],
                              cwd=folder)
        if problem:
            raise fetched.Unavailable(problem)

    for name, package in (("node", "nodejs"), ("npm", "npm"), ("mbpoll", "mbpoll")):
        fetched.need(name, package)
    if subprocess.run([SYSTEM_PYTHON, "-c", "import pymodbus.client, pymodbus.server"], capture_output=True, check=False).returncode:
        raise fetched.Unavailable("there is no pymodbus here (Debian: python3-pymodbus, python3-serial-asyncio)")
    with fetched.place(build_path("tests/interop/modbus/peer")) as peer:
        folder = os.path.join(peer, "npm")
        fetched.made(folder, fetched.digest([manifest]), install)


def program(name, role="peer"):
    path = os.path.join(HERE, f"{role}_{name}")
    if os.path.exists(path + ".py"):
        return [SYSTEM_PYTHON, path + ".py"]
    return [shutil.which("node") or "node", path + ".js"]


class Peer(Simulator):
    """A program with the command line and the commands of tests/lib/simulator.md."""

    def __init__(self, rig, name, arguments):
        super().__init__(rig, arguments, program=program(name), env={**os.environ, "NODE_PATH": modules()})

    def set(self, index, area, address, values):
        for i in range(0, len(values), 100):
            words = " ".join(str(v) for v in values[i:i + 100])
            self.command(f"{index} set {area} {address + i} {words}")

    def get(self, index, area, address, count):
        return [int(v) for v in self.command(f"{index} get {area} {address} {count}").split()]


class Wire:
    """Two ptys as the ends of one serial line."""

    def __init__(self):
        self.masters, self.slaves = [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self.masters.append(master)
            self.slaves.append(slave)     # kept open: else the other end sees the line fall
        self.ends = [os.ttyname(slave) for slave in self.slaves]
        for i in range(2):
            threading.Thread(target=self._carry, args=(self.masters[i], self.masters[1 - i]), daemon=True).start()

    @staticmethod
    def _carry(source, target):
        try:
            while data := os.read(source, 4096):
                os.write(target, data)
        except OSError:
            pass    # the test has ended

    def close(self):
        for fd in (*self.slaves, *self.masters):
            os.close(fd)


class Master:
    """A program master_NAME: connected to a device, it carries out `read` and `write`."""

    def __init__(self, rig, name, kind, place):
        self.rig, self.replies = rig, []
        self.process = rig.start([*program(name, "master"), kind, place],
                                 env={**os.environ, "NODE_PATH": modules()})
        self.process.listeners.append(self._take)
        self.process.wait_line("ready")

    def _take(self, line):
        if line.startswith(("ok", "error")):
            self.replies.append(line)

    def command(self, line):
        self.replies.clear()
        self.process.write(line)
        self.rig.until(lambda: self.replies, 15, line)
        if not self.replies[0].startswith("ok"):
            raise ValueError(f"{line}: {self.replies[0]}")
        return [int(v) for v in self.replies[0].split()[1:]]

    def read(self, area, address, count):
        return self.command(f"read {area} {address} {count}")

    def close(self):
        """Else it would go on reading a serial line."""
        self.process.stop()

    def write(self, area, address, values):
        self.command(f"write {area} {address} " + " ".join(str(v) for v in values))


class Mbpoll:
    """The same with a run of mbpoll for each."""

    TYPES = {"coil": "0", "discrete": "1", "input": "3", "holding": "4"}

    def __init__(self, rig, kind, place):
        if kind == "tcp":
            host, port = place.rsplit(":", 1)
            self.words = ["mbpoll", "-m", "tcp", "-p", port, "-a", "1", "-0", "-1", host]
        else:
            self.words = ["mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", "-a", "1", "-0", "-1", place]

    def run(self, area, address, more, values=()):
        words = [*self.words[:-1], "-t", self.TYPES[area], "-r", str(address), *more, self.words[-1],
                 *(str(v) for v in values)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15,
                              check=False)
        if done.returncode != 0:
            raise ValueError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def read(self, area, address, count):
        found = re.findall(r"^\[\d+\]:\s+(\d+)", self.run(area, address, ["-c", str(count)]), re.M)
        return [int(v) for v in found]

    def write(self, area, address, values):
        self.run(area, address, [], values)

    def close(self):
        pass


def master(rig, name, kind, place):
    return Mbpoll(rig, kind, place) if name == "mbpoll" else Master(rig, name, kind, place)
