# SPDX-License-Identifier: Apache-2.0
"""The daemon with a clock that is moved (agent/base/test_clock.h)."""
import selectors
import socket
import struct

from .programs import Daemon

STEP = struct.Struct("=Q")
USAGE = struct.Struct("=QQ")
ASK = STEP.pack(2**64 - 1)
HOLD = STEP.pack(2**64 - 2)


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
        self._ask(STEP.pack(round(seconds * 1000000)))

    def step(self, seconds):
        """All clocks of the daemon go on, and what is due by then is done."""
        self._tell(STEP.pack(round(seconds * 1000000)))

    def hold(self):
        """From now on nothing else moves them."""
        self._tell(HOLD)

    def _ask(self, question):
        self._answer = b""
        self.socket.sendall(question)

    def _tell(self, step):
        self._ask(step)
        self.rig.until(lambda: len(self._answer) == STEP.size, 20, "the daemon's clock")
        if self._answer != step:
            raise AssertionError(f"the daemon's clock answered {self._answer.hex()}")

    def usage(self):
        """Bytes that the daemon's malloc() has given out, 0 where nobody counts them, and timers that are armed."""
        self._ask(ASK)
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

    def hold(self):
        """Time stands still for it from now on but for steps, also for its rate limits and retransmissions; that of its
        hosts goes on, and so their samples are ahead of it."""
        self.clock.hold()
