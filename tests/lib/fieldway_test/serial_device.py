# SPDX-License-Identifier: Apache-2.0
"""A serial device at the other end of a pty, under a path that stays while it is
unplugged and plugged in again, as those of /dev/serial/by-id do."""
import os
import pty
import select
import termios
import threading
import tty

AWAKE_S = 0.02      # how long nobody at the other end is waited for at a time


class SerialDevice:
    """Says what it is told, and answers: `answers` has (bytes that end a request, answer),
    the answer bytes, None, or something that makes bytes of the request."""

    def __init__(self, path, answers=()):
        self.path = path
        self.answers = list(answers)
        self.heard = b""        # all of it
        self.speeds = []        # that the port had when a request was answered
        self.master = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.plug()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def plug(self):
        with self._lock:
            master, slave = pty.openpty()
            tty.setraw(slave)
            os.symlink(os.ttyname(slave), self.path)
            os.close(slave)
            os.set_blocking(master, False)
            self.master = master

    def unplug(self):
        with self._lock:
            os.unlink(self.path)
            os.close(self.master)
            self.master = None

    def say(self, data):
        """False: the other end does not take it now, or nothing is plugged in."""
        with self._lock:
            try:
                return self.master is not None and os.write(self.master, data) == len(data)
            except BlockingIOError:
                return False

    def close(self):
        self._ended = True
        self._wake.set()
        self._thread.join()
        if self.master is not None:
            self.unplug()

    def _read(self):
        """What has come; b"" when nobody has the other end open."""
        with self._lock:
            try:
                return os.read(self.master, 4096) if self.master is not None else b""
            except OSError:
                return b""

    def _speed(self):
        with self._lock:
            return termios.tcgetattr(self.master)[5] if self.master is not None else None

    def _answer(self, pending):
        for request, answer in self.answers:
            if not pending.endswith(request):
                continue
            self.speeds.append(self._speed())
            data = answer(pending) if callable(answer) else answer
            if data:
                self.say(data)
            return b""
        return pending[-4096:]

    def _run(self):
        pending = b""
        while not self._ended:
            with self._lock:
                master = self.master
            if master is None:
                self._wake.wait(AWAKE_S)
                continue
            select.select([master], [], [], AWAKE_S)
            data = self._read()
            if not data:
                self._wake.wait(AWAKE_S)
                continue
            self.heard += data
            for byte in data:
                pending = self._answer(pending + bytes([byte]))
