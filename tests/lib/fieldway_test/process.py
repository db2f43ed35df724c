# SPDX-License-Identifier: Apache-2.0
"""Programs that never outlive the test, and one loop that reads all of them."""
import ctypes
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
KEPT_LINES = 20000
LAST_LINES = 60
CLEAN_ENDS = (0, -signal.SIGTERM)
END_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Timeout(AssertionError):
    """What was waited for did not happen in time."""


class ProgramEnded(AssertionError):
    """A program ended that should have gone on."""


def _end_with_parent(parent):
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Process:
    """A program; its output arrives line by line in `lines` and at `listeners`."""

    def __init__(self, rig, arguments, name=None, **options):
        parent = os.getpid()
        self.rig = rig
        self.name = name or os.path.basename(arguments[0])
        self.lines = []
        self.listeners = []
        self.essential = False  # its end fails whatever is waited for
        self._rests = {}
        self._finished = set()
        self.child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=options.pop("stderr", None), bufsize=0,
            # Ctrl-C is for us alone: we end them in the order that lets each say goodbye.
            start_new_session=True, preexec_fn=lambda: _end_with_parent(parent), **options)
        self.pid = self.child.pid
        for stream in (self.child.stdout, self.child.stderr):
            if stream:
                os.set_blocking(stream.fileno(), False)
                rig.selector.register(stream, selectors.EVENT_READ, self)

    def read(self, stream):
        """True when there was something."""
        data = stream.read(65536)
        if data is None:
            return False
        if not data:
            self._finish(stream)
            return False
        *lines, rest = (self._rests.get(stream, b"") + data).split(b"\n")
        self._rests[stream] = rest
        for line in lines:
            self._take(line.decode("utf-8", "replace"))
        return True

    def _finish(self, stream):
        if stream not in self._finished:
            self._finished.add(stream)
            self.rig.selector.unregister(stream)

    def _take(self, line):
        self.lines.append(line)
        del self.lines[:-KEPT_LINES]
        if self.rig.verbose:
            print(f"{self.name}: {line}", file=sys.stderr, flush=True)
        for listener in list(self.listeners):
            listener(line)

    def write(self, line):
        try:
            self.child.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise ProgramEnded(f"{self.name} has ended, exit status {self.child.wait()}") from None

    def ended(self):
        return self.child.poll() is not None

    def send_signal(self, number):
        self.child.send_signal(number)

    def now(self):
        """For `start`: what it says from now on. What it has said and we have not yet read came before."""
        self.drain()
        return len(self.lines)

    def wait_line(self, fits, timeout=10, start=0):
        """The first line from number `start` on that fits (a prefix, or a function)."""
        match = fits if callable(fits) else lambda line: line.startswith(fits)
        found = []

        def look():
            ended = self.ended()
            if ended:
                self.drain()
            found.extend(line for line in self.lines[start:] if match(line))
            if not found and ended:
                raise ProgramEnded(f"{self.name} ended, exit status {self.child.returncode}, before {fits}")
            return bool(found)

        self.rig.until(look, timeout, f"{self.name}: {fits}")
        return found[0]

    def wait_end(self, timeout=10):
        self.essential = False
        self.rig.until(self.ended, timeout, f"end of {self.name}")
        self.drain()
        return self.child.returncode

    def drain(self):
        """Reads what it has said so far, all of it when it has ended; a grandchild may hold the other end."""
        for stream in (self.child.stdout, self.child.stderr):
            while stream and stream not in self._finished and self.read(stream):
                pass

    def stop(self, timeout=10):
        """SIGTERM, and SIGKILL when that does not help. The exit status."""
        if not self.ended():
            self.child.terminate()
            end = time.monotonic() + timeout
            # Its output is read meanwhile, or it could wait for us.
            while not self.ended() and time.monotonic() < end:
                self.rig.turn(0.02)
            self.child.kill()
            self.child.wait()
        self.drain()
        for stream in (self.child.stdout, self.child.stderr):
            if stream:
                self._finish(stream)
                stream.close()
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass
        return self.child.returncode


def _exit_on_signal(number, frame):
    sys.exit(128 + number)


class Rig:
    """A folder and programs that are gone when it is left. Should this process
    die without leaving it, even by SIGKILL, the kernel ends the programs."""

    def __init__(self, verbose=None):
        self.verbose = bool(os.environ.get("FIELDWAY_TEST_VERBOSE")) if verbose is None else verbose
        self.selector = selectors.DefaultSelector()
        self.processes = []
        self.folder = None
        self.on_turn = None     # called after each turn
        self.end = None         # time.monotonic() by which every wait fails

    def __enter__(self):
        for number in END_SIGNALS:
            signal.signal(number, _exit_on_signal)
        self.folder = tempfile.mkdtemp(prefix="fieldway-")
        return self

    def __exit__(self, kind, value, traceback):
        # A second Ctrl-C must not leave anything behind.
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self.on_turn = None
        unclean = []
        for process in self.processes:
            process.listeners.clear()
        for process in reversed(self.processes):
            running = not process.ended()
            if process.stop() not in CLEAN_ENDS and running:
                unclean.append(process)
        self.selector.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # A sanitizer speaks last.
        if unclean and kind is None:
            raise ProgramEnded("\n".join([f"{p.name} ended with status {p.child.returncode}" for p in unclean] +
                                         unclean[0].lines[-LAST_LINES:]))

    def start(self, arguments, **options):
        process = Process(self, [str(a) for a in arguments], **options)
        self.processes.append(process)
        return process

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        """A file below the rig's folder; returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def turn(self, timeout):
        """Reads what has come, waiting at most `timeout` seconds for anything."""
        for key, _ in self.selector.select(timeout):
            key.data.read(key.fileobj)
        if self.on_turn:
            self.on_turn()

    def until(self, condition, timeout, what):
        """Turns until condition() is true; raises Timeout naming `what`."""
        end = time.monotonic() + timeout
        if self.end:
            end = min(end, self.end)
        while not condition():
            for process in self.processes:
                if process.essential and process.ended():
                    raise ProgramEnded(f"{process.name} ended, exit status {process.child.returncode}")
            rest = end - time.monotonic()
            if rest <= 0:
                raise Timeout(f"waited in vain for {what}")
            # A program that ends without a word shows itself only to those who ask.
            self.turn(min(rest, 0.05))
