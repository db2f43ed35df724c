# SPDX-License-Identifier: Apache-2.0
"""The daemon with a clock that is moved (agent/base/test_clock.h)."""
import selectors
import socket
import struct

from .programs import Daemon

STEP = struct.Struct("=Q")
USAGE = struct.Struct("=QQ")
ASK = b"\xff" * STEP.size


class Clock:
    """The far end of the descriptor in FIELDWAY_CLOCK_FD."""

    def __init__(self, rig):
        self.rig = rig
        self.socket, self.daemons = socket.socketpair()
        self.socket.setblocking(False)
        self._answer = b""
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def environment(self):
        return {"FIELDWAY_CLOCK_FD": str(self.daemons.fileno())}

    def read(self, stream):
        data = self.socket.recv(USAGE.size)
        if not data:
            self.rig.selector.unregister(stream)
        self._answer += data

    def close(self):
        if self.socket.fileno() >= 0 and self.socket in self.rig.selector.get_map():
            self.rig.selector.unregister(self.socket)
        self.socket.close()

    def push(self, seconds):
        """As step(), for a daemon that may end by it and never answer."""
        step = STEP.pack(round(seconds * 1000000))
        self._answer = b""
        self.socket.sendall(step)
        return step

    def step(self, seconds):
        """All clocks of the daemon go on, and what is due by then is done."""
        step = self.push(seconds)
        self.rig.until(lambda: len(self._answer) == STEP.size, 20, "the daemon's clock")
        if self._answer != step:
            raise AssertionError(f"the daemon's clock answered {self._answer.hex()}")

    def usage(self):
        """Bytes that the daemon's malloc() has given out, 0 where nobody counts them, and timers that are armed."""
        self._answer = b""
        self.socket.sendall(ASK)
        self.rig.until(lambda: len(self._answer) == USAGE.size, 20, "the daemon's usage")
        return USAGE.unpack(self._answer)

    def moved(self):
        """Whether anything has been answered."""
        return self._answer != b""


class ClockDaemon(Daemon):
    """Its hosts' clocks follow it."""

    PROGRAM = "tests/integration/clock_fieldwayd"
    HOST_PROGRAM = "tests/integration/clock_plugin_host"

    def __init__(self, rig, configuration, environment=None, **options):
        self.clock = Clock(rig)
        super().__init__(rig, configuration, pass_fds=[self.clock.daemons.fileno()],
                         environment={**(environment or {}), **self.clock.environment()}, **options)
        self.clock.daemons.close()

    def step(self, seconds):
        self.clock.step(seconds)
