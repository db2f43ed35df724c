# SPDX-License-Identifier: Apache-2.0
"""The programs that tests start: the server, simulated devices, the daemon."""
import glob
import os
import sys
import urllib.parse

from .decode import decode
from .objects import Objects
from .process import ProgramEnded

HERE = os.path.dirname(os.path.abspath(__file__))


def source_path(*names):
    return os.path.join(os.environ.get("abs_top_srcdir") or os.path.join(HERE, "..", "..", ".."), *names)


def build_path(*names):
    return os.path.join(os.environ.get("abs_top_builddir") or source_path("build"), *names)


class Event:
    """A line of the server: word, plain arguments, and what has the form name=value."""

    def __init__(self, line):
        self.line = line
        self.word, *rest = line.split(" ")
        self.arguments = [urllib.parse.unquote(t) for t in rest if "=" not in t]
        self.fields = {name: urllib.parse.unquote(value)
                       for name, value in (t.split("=", 1) for t in rest if "=" in t)}

    def __getattr__(self, name):
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"{name} is not in: {self.line}") from None

    def __repr__(self):
        return self.line

    @property
    def payload(self):
        return bytes.fromhex(self.fields.get("payload", ""))

    @property
    def format(self):
        return int(self.fields.get("format", "0"))


class Heard:
    """A server's `events`, as its `process` has told them; catch_up() returns when these have been answered."""

    def _dead(self):
        if self.process.ended():
            raise ProgramEnded(f"the server ended, exit status {self.process.child.returncode}")
        return False

    def now(self):
        """For `start`: what it tells from now on. What it has told and we have not yet read came before."""
        self.process.drain()
        return len(self.events)

    def wait_event(self, fits, timeout=15, start=0):
        """The first event from number `start` on for which fits(event) holds."""
        found = []

        def look():
            found.extend(e for e in self.events[start:] if fits(e))
            return bool(found) or self._dead()

        self.rig.until(look, timeout, "an event of the server")
        self.catch_up()
        return found[0]

    def wait_registered(self, endpoint, timeout=30, start=0):
        return self.wait_event(lambda e: e.word == "registered" and e.arguments == [endpoint], timeout, start)


class Lwm2mServer(Heard):
    """tests/lib/lwm2m_server. Handlers in `listeners` get each Event."""

    def __init__(self, rig, arguments):
        self.rig = rig
        self.process = rig.start([build_path("tests/lib/lwm2m_server"), *arguments])
        self.listeners = []
        self.events = []
        self.answers = {}
        self.replies = []
        self.places = {}
        self._next = 0
        self.objects = Objects(source_path("objects"))
        self.process.listeners.append(self._take)
        self.process.wait_line("ready")

    def catch_up(self):
        """An event is told before the client has its answer."""
        if not self.process.ended():
            self.command("step 0")

    def _take(self, line):
        event = Event(line)
        if event.word in ("coap", "coaps"):
            self.places.setdefault(event.word, event.arguments[0])
        elif event.word in ("response", "failed"):
            self.answers[event.arguments[0]] = event
        elif event.word in ("ok", "error"):
            self.replies.append(event)
        self.events.append(event)
        for listener in list(self.listeners):
            listener(event)

    def uri(self, scheme):
        return f"{scheme}://{self.places[scheme]}"

    def command(self, line, timeout=10):
        """For fault, forget, reset, clients."""
        self.replies.clear()
        self.process.write(line)
        self.rig.until(lambda: self.replies or self._dead(), timeout, f"server: {line}")
        if self.replies[0].word == "error":
            raise ValueError(f"server: {line}: {self.replies[0]}")

    def send(self, word, endpoint, rest):
        """Sends request, observe or cancel; the answer will be in answers[id]."""
        self._next += 1
        name = f"q{self._next}"
        self.process.write(f"{word} {name} {endpoint} {rest}")
        return name

    def ask(self, word, endpoint, rest, timeout=15):
        name = self.send(word, endpoint, rest)
        self.rig.until(lambda: name in self.answers or self._dead(), timeout, f"server: {word} {endpoint} {rest}")
        return self.answers.pop(name)

    def request(self, endpoint, method, target, options="", timeout=15):
        return self.ask("request", endpoint, f"{method} {target} {options}", timeout)

    def observe(self, endpoint, path, options="", timeout=15):
        return self.ask("observe", endpoint, f"{path} {options}", timeout)

    def cancel(self, endpoint, path, timeout=15):
        return self.ask("cancel", endpoint, path, timeout)

    def values(self, event, path):
        """{path: value} of a response or notification."""
        return decode(event.format, event.payload, path, self.objects)


class Simulator:
    """tests/lib/modbus_simulator, or a program like it; places[INDEX] is HOST:PORT or the path of a line."""

    def __init__(self, rig, arguments, program=None, **options):
        self.rig = rig
        self.process = rig.start([*(program or [build_path("tests/lib/modbus_simulator")]), *arguments], **options)
        self.places = []
        self.replies = []
        self.traces = []
        self.process.listeners.append(self._take)
        self.process.wait_line("ready")

    def _take(self, line):
        words = line.split(" ")
        if words[0] in ("ok", "error"):
            self.replies.append(line)
        elif words[0] == "trace":
            self.traces.append(line)
        elif len(words) == 3 and words[0].isdigit():
            self.places.append(words[2])

    def port(self, index):
        return int(self.places[index].rsplit(":", 1)[1])

    def command(self, line, timeout=10):
        """What follows `ok`."""
        self.replies.clear()
        self.process.write(line)

        def answered():
            if self.process.ended():
                raise ProgramEnded("the simulator ended")
            return self.replies

        self.rig.until(answered, timeout, f"simulator: {line}")
        if not self.replies[0].startswith("ok"):
            raise ValueError(f"simulator: {line}: {self.replies[0]}")
        return self.replies[0][2:].strip()


class FakeBluez:
    """tests/lib/fake_bluez on a bus of the test's own; `calls` is what it was asked, once it traces."""

    def __init__(self, rig, bus):
        self.rig = rig
        self.replies, self.calls = [], []
        self.process = rig.start([build_path("tests/lib/fake_bluez")], env={**os.environ, **bus.environment()})
        self.process.listeners.append(self._take)
        self.process.wait_line("ready")

    def _take(self, line):
        if line.startswith("trace "):
            self.calls.append(line.removeprefix("trace "))
        elif line != "ready":
            self.replies.append(line)

    def attempt(self, line, timeout=10):
        """What it says: "ok", or "error" and why."""
        self.replies.clear()
        self.process.write(line)

        def answered():
            if self.process.ended():
                raise ProgramEnded("fake_bluez ended")
            return self.replies

        self.rig.until(answered, timeout, f"fake_bluez: {line}")
        return self.replies[0]

    def command(self, *lines):
        for line in lines:
            reply = self.attempt(line)
            if reply != "ok":
                raise ValueError(f"fake_bluez: {line}: {reply}")

    def until_taken(self, line, timeout=20):
        """Again while nobody listens."""
        self.rig.until(lambda: self.attempt(line) == "ok", timeout, f"fake_bluez: {line}")

    def wait_call(self, text, timeout=20, start=0):
        """The number of the first call from number `start` on that begins so."""
        def look():
            if self.process.ended():
                raise ProgramEnded("fake_bluez ended")
            return any(c.startswith(text) for c in self.calls[start:])

        self.rig.until(look, timeout, f"fake_bluez: call {text}")
        return next(i for i, c in enumerate(self.calls) if i >= start and c.startswith(text))


class DtlsFront:
    """tests/lib/dtls_front before a server made by hand; place is what the daemon connects to."""

    def __init__(self, rig, place, identity, key):
        self.rig = rig
        self.replies = []
        self.process = rig.start([build_path("tests/lib/dtls_front"), place, f"{identity}:{key}"])
        self.place = self.process.wait_line("coaps ").partition(" ")[2]
        self.process.wait_line("ready")
        self.process.listeners.append(self.replies.append)

    def command(self, line, timeout=10):
        self.replies.clear()
        self.process.write(line)
        self.rig.until(lambda: self.replies, timeout, f"dtls_front: {line[:40]}")
        if self.replies[0] != "ok":
            raise ValueError(f"dtls_front: {line[:40]}: {self.replies[0]}")


def preloaded(library):
    """The environment of a program that begins with a library of tests/lib."""
    # Where a sanitizer's library is preloaded too, ours may come before it.
    sanitizer = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
    return {"LD_PRELOAD": build_path("tests/lib/.libs", library), "ASAN_OPTIONS": sanitizer}


class PowerCut:
    """The power fails at a call that changes what lies below a folder (tests/lib/power_cut.c): number `at`, 0 at none.

    loses: what no fsync has confirmed, "" nothing, "data" the content of files, "names" that and what became of names.
    """

    def __init__(self, folder, at=0, loses=""):
        self.folder, self.at, self.loses = os.path.realpath(folder), at, loses
        self.path = self.folder + ".calls"
        with open(self.path, "wb") as f:
            f.write(bytes(8))

    def environment(self):
        return {**preloaded("power_cut.so"), "FIELDWAY_CUT_FOLDER": self.folder, "FIELDWAY_CUT_AT": str(self.at),
                "FIELDWAY_CUT_LOSES": self.loses, "FIELDWAY_CUT_COUNT": self.path}

    def calls(self):
        """How many there were."""
        with open(self.path, "rb") as f:
            return int.from_bytes(f.read(8), sys.byteorder)


class WallClock:
    """Steps the wall clock of a daemon that was started with its environment()."""

    def __init__(self, rig):
        self.path = rig.path("wall-clock")
        self.step(0)

    def environment(self):
        return {**preloaded("wall_clock.so"), "FIELDWAY_WALL_CLOCK": self.path}

    def step(self, seconds):
        """From the true time."""
        mode = os.O_WRONLY | os.O_CREAT
        fd = os.open(self.path, mode, 0o600)
        os.pwrite(fd, seconds.to_bytes(8, sys.byteorder, signed=True), 0)
        os.close(fd)


def plugin_folder(rig):
    """The plugins as built, in one folder as when installed."""
    folder = rig.path("plugins")
    if not os.path.isdir(folder):
        os.makedirs(folder)
        for path in glob.glob(build_path("plugins", "*", ".libs", "*.so")):
            os.symlink(path, os.path.join(folder, os.path.basename(path)))
    return folder


def check_words(rig):
    """Behind `fieldwayctl`: a check of the daemon's folders, by the programs as built."""
    return ["check", rig.path("etc"), "--daemon", build_path("fieldwayd"), "--objects", source_path("objects"), "--shared",
            rig.path("none"), "--plugins", plugin_folder(rig), "--host-program", build_path("fieldway-plugin-host"),
            "--state", rig.path("state")]


class Daemon:
    """fieldwayd as built, over a configuration folder."""

    PROGRAM = "fieldwayd"
    HOST_PROGRAM = "fieldway-plugin-host"
    # For those whose memory is looked at: a sanitizer keeps what is freed, to see who still uses it.
    MEASURED = {"ASAN_OPTIONS": ":".join(filter(None, [
        os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=0", "thread_local_quarantine_size_kb=0"]))}

    def __init__(self, rig, configuration, state=None, arguments=(), environment=None, **options):
        """environment: in addition to ours."""
        self.rig = rig
        state = state or rig.path("state")
        os.makedirs(state, exist_ok=True)
        self.process = rig.start([
            build_path(self.PROGRAM), "--config", configuration, "--state", state, *self.folders(),
            "--bus=none", *arguments],
            env={**os.environ, **(environment or {})}, **options)

    def folders(self):
        """The options that say where what it needs lies."""
        return ["--host-program", build_path(self.HOST_PROGRAM), "--plugins", plugin_folder(self.rig),
                "--shared", self.rig.path("shared"), "--objects", source_path("objects")]

    def stop(self):
        return self.process.stop()

    def hosts(self):
        """Its plugin hosts' processes, by number."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
            return sorted(int(pid) for pid in f.read().split())

    def memory(self):
        """Bytes of its heap and stacks."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:")) * 1024
