# SPDX-License-Identifier: Apache-2.0
"""Leshan as a program of the tests: made ready, started, asked over its REST interface, heard over
its events. Our peer (Peer.java) over the libraries that Maven fetches; with FIELDWAY_LESHAN_DEMO
naming a folder of jars, the demo server in there."""
import glob
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "lib")]

import ddf  # noqa: E402
import fetched  # noqa: E402
from fieldway_test import build_path, source_path  # noqa: E402

DEMO = os.environ.get("FIELDWAY_LESHAN_DEMO")
DEMO_MAIN = "org.eclipse.leshan.demo.server.LeshanServerDemo"
PEER_MAIN = "fieldway.leshan.Peer"
START_S = 60        # of a JVM, on a loaded machine
ANSWER_S = 20       # more than Leshan waits for a client


# Made ready in the build folder

def _fetch(folder):
    fetched.need("mvn", "maven")
    pom = os.path.join(HERE, "pom.xml")
    # A copy: Maven may write beside it, and the sources may be read-only.
    shutil.copy(pom, folder)
    problem = fetched.run(["mvn", "-B", "-q", "-f", os.path.join(folder, "pom.xml"), "dependency:copy-dependencies",
                    "-DincludeScope=runtime", f"-DoutputDirectory={folder}"])
    if problem:
        raise fetched.Unavailable(problem)


def _compile(libraries, sources, folder):
    fetched.need("javac", "default-jdk-headless")
    problem = fetched.run(["javac", "-d", folder, "-cp", os.path.join(libraries, "*"), *sources])
    if problem:
        sys.exit(f"the peer does not compile: {problem}")


def prepare():
    """Fetches, compiles, and writes the models. To be called before the network is left."""
    place = build_path("tests", "interop", "leshan", "peer")
    libraries, classes, models = (os.path.join(place, name) for name in ("libraries", "classes", "models"))
    sources = sorted(glob.glob(os.path.join(HERE, "*.java")))
    objects = sorted(glob.glob(source_path("objects", "*.yaml")))
    fetched.need("java", "default-jdk-headless")
    with fetched.place(place):
        fetched.made(models, fetched.digest([*objects, ddf.__file__]),
                     lambda: ddf.write(source_path("objects"), models))
        if DEMO:
            return
        fetched.made(libraries, fetched.digest([os.path.join(HERE, "pom.xml")]), lambda: _fetch(libraries))
        fetched.made(classes, fetched.digest(sources), lambda: _compile(libraries, sources, classes))


def prepare_or_exit():
    fetched.prepare_or_exit("Leshan", prepare)


def command():
    place = build_path("tests", "interop", "leshan", "peer")
    if DEMO:
        classpath, main = os.path.join(DEMO, "*"), DEMO_MAIN
    else:
        parts = [os.path.join(place, "classes"), os.path.join(place, "libraries", "*")]
        classpath, main = os.pathsep.join(parts), PEER_MAIN
    # The heap is bounded: nothing here needs much.
    return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", classpath, main, "-m", os.path.join(place, "models")]


class _Call:
    """A request of HTTP/1.0 (its answer ends with the connection), read by the rig's loop."""

    def __init__(self, rig, place, method, target, body=None, content_type="application/json"):
        self.rig = rig
        self.done = False
        self.status = None
        self._data = b""
        body = b"" if body is None else body.encode()
        head = f"{method} {target} HTTP/1.0\r\nHost: {place[0]}\r\n"
        if body or method in ("PUT", "POST"):
            head += f"Content-Type: {content_type}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        self.socket = socket.create_connection(place, ANSWER_S)
        self.socket.sendall(head.encode() + b"\r\n" + body)
        self.socket.setblocking(False)
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def read(self, stream):
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            self.take(data)
        else:
            self.close()

    def take(self, data):
        self._data += data

    def close(self):
        if not self.done:
            self.done = True
            self.rig.selector.unregister(self.socket)
            self.socket.close()

    def result(self):
        """(status, body)"""
        head, _, body = self._data.partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        if len(words) < 3:
            raise AssertionError("Leshan closed the connection without an answer")
        return int(words[1]), body.decode()


class Event:
    """word: REGISTRATION, UPDATED, DEREGISTRATION, NOTIFICATION, SEND; data: its JSON; time: of its arrival."""

    def __init__(self, word, data):
        self.word = word
        self.data = data
        self.time = time.monotonic()
        registration = data.get("registration", data)
        self.endpoint = data.get("ep") or registration.get("endpoint")

    def __repr__(self):
        return f"{self.word} {json.dumps(self.data)}"


class _Events(_Call):
    """GET event: what follows the head, line by line, until a blank one."""

    def __init__(self, rig, place, listener):
        self.open = False
        self._listener = listener
        self._word = ""
        super().__init__(rig, place, "GET", "/api/event")

    def take(self, data):
        *lines, self._data = (self._data + data).split(b"\n")
        for line in lines:
            self._line(line.decode().rstrip("\r"))

    def _line(self, line):
        if not self.open:
            self.open = not line
        elif line.startswith("event:"):
            self._word = line[len("event:"):].strip()
        elif line.startswith("data:") and self._word in (
                "REGISTRATION", "UPDATED", "DEREGISTRATION", "NOTIFICATION", "SEND"):
            self._listener(Event(self._word, json.loads(line[len("data:"):])))


def _free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Leshan:
    """A server in a folder of its own, which its keys outlive a restart in."""

    def __init__(self, rig):
        self.rig = rig
        self.folder = rig.path("leshan")
        os.makedirs(self.folder)
        self.coap, self.coaps = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_DGRAM)
        self.web = ("127.0.0.1", _free_port(socket.SOCK_STREAM))
        self.events = []
        self.start()

    def start(self):
        self.process = self.rig.start(
            [*command(), "-lh", "127.0.0.1", "-lp", self.coap, "-slh", "127.0.0.1", "-slp", self.coaps,
             "-wh", self.web[0], "-wp", self.web[1], *(("-jh", "127.0.0.1", "-th", "127.0.0.1") if DEMO else ())],
            name="leshan", cwd=self.folder, stderr=subprocess.STDOUT)
        self.rig.until(self._answers, START_S, "Leshan answering")
        self.process.essential = True
        # It leaves out what it does not take, and goes on.
        if any("Unable to load object models" in line for line in self.process.lines):
            raise AssertionError("\n".join(["Leshan refuses our object models:", *self.process.lines]))
        self._events = _Events(self.rig, self.web, self.events.append)
        self.rig.until(lambda: self._events.open, ANSWER_S, "Leshan's events")

    def _answers(self):
        if self.process.ended():
            self.process.drain()
            raise AssertionError("\n".join(["Leshan ended:", *self.process.lines]))
        try:
            socket.create_connection(self.web, 1).close()
        except OSError:
            return False
        return self.ask("GET", "clients")[0] == 200

    def kill(self):
        """At once, like a server whose power fails."""
        self.process.essential = False
        self._events.close()
        self.process.child.kill()
        self.process.child.wait()
        self.process.drain()

    # REST

    def send(self, method, target, body=None, content_type="application/json"):
        """Without waiting: what it returns goes to answer()."""
        return _Call(self.rig, self.web, method, "/api/" + urllib.parse.quote(target, "/:?=&"), body, content_type)

    def answer(self, call, timeout=ANSWER_S):
        """(status, body); the body of JSON is read."""
        self.rig.until(lambda: call.done, timeout, "Leshan's answer")
        status, body = call.result()
        return status, json.loads(body) if body.startswith(("{", "[")) else body

    def ask(self, method, target, body=None, timeout=ANSWER_S):
        body = None if body is None else json.dumps(body)
        return self.answer(self.send(method, target, body), timeout)

    def request(self, method, endpoint, path, body=None, timeout=ANSWER_S):
        """What the endpoint answered: {"status": "CONTENT(205)", "content": ...}."""
        status, answer = self.ask(method, f"clients/{endpoint}{path}", body, timeout)
        if status != 200 or not isinstance(answer, dict):
            raise AssertionError(f"{method} {endpoint}{path}: Leshan says {status} {answer}")
        return answer

    def clients(self):
        """{endpoint: registration}"""
        return {client["endpoint"]: client for client in self.ask("GET", "clients")[1]}

    def put_key(self, endpoint, key, identity=None):
        """key: bytes"""
        details = {"identity": identity or endpoint, "key": key.hex()}
        status, answer = self.ask("PUT", "security/clients", {
            "endpoint": endpoint, "tls": {"mode": "psk", "details": details}})
        if status != 200:
            raise AssertionError(f"a key for {endpoint}: Leshan says {status} {answer}")

    # Events

    def now(self):
        """For `start`: what comes from now on."""
        return len(self.events)

    def heard(self, word, endpoint=None, start=0, path=None):
        return [e for e in self.events[start:] if e.word == word and endpoint in (None, e.endpoint)
                and path in (None, e.data.get("res"))]

    def wait(self, word, endpoint, start=0, count=1, path=None, timeout=30):
        """The count-th event of that kind."""
        self.rig.until(lambda: len(self.heard(word, endpoint, start, path)) >= count, timeout,
                       f"{word} of {endpoint}, number {count}")
        return self.heard(word, endpoint, start, path)[count - 1]

    def wait_all(self, word, endpoints, start=0, timeout=60):
        missing = set(endpoints)

        def look():
            missing.difference_update(e.endpoint for e in self.heard(word, start=start))
            return not missing

        try:
            self.rig.until(look, timeout, f"{word} of all")
        except AssertionError as e:
            raise AssertionError(f"{e}; missing: {sorted(missing)}") from None


def values(node, path):
    """{path: (type, value)} of an answer's content."""
    path = path.rstrip("/")
    kind = node["kind"]
    if kind == "obj":
        children = node["instances"]
    elif kind == "instance":
        children = node["resources"]
    elif kind == "multiResource":
        return {f"{path}/{number}": (node["type"], value) for number, value in node["values"].items()}
    else:
        return {path: (node["type"], node["value"])}
    found = {}
    for child in children:
        found.update(values(child, f"{path}/{child['id']}"))
    return found
