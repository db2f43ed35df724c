# SPDX-License-Identifier: Apache-2.0
"""Leshan's servers as programs of the tests: made ready, started, asked over their REST interface, heard
over their events. Our peers (Peer.java, bootstrap/BootstrapPeer.java) over the libraries that Maven fetches;
with FIELDWAY_LESHAN_DEMO and FIELDWAY_LESHAN_BOOTSTRAP_DEMO naming folders of jars, the demos in there."""
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

PLACE = build_path("tests", "interop", "leshan", "peer")
MODELS = os.path.join(PLACE, "models")
START_S = 60        # of a JVM, on a loaded machine
ANSWER_S = 20       # more than Leshan waits for a client


class Kind:
    """One of the servers: its peer's main class, pom and Java sources, and the demo that may stand for it."""

    def __init__(self, name, main, folder, shared, demo, demo_main):
        self.name, self.main, self.demo_main = name, main, demo_main
        self.demo = os.environ.get(demo)
        self.pom = os.path.join(HERE, folder, "pom.xml")
        self.sources = sorted([*glob.glob(os.path.join(HERE, folder, "*.java")),
                               *(os.path.join(HERE, source) for source in shared)])
        self.libraries, self.classes = (os.path.join(PLACE, f"{name}-{part}") for part in ("libraries", "classes"))

    def prepare(self):
        if self.demo:
            return
        fetched.made(self.libraries, fetched.digest([self.pom]), lambda: _fetch(self.pom, self.libraries))
        fetched.made(self.classes, fetched.digest([self.pom, *self.sources]),
                     lambda: _compile(self.libraries, self.sources, self.classes))

    def command(self):
        if self.demo:
            classpath, main = os.path.join(self.demo, "*"), self.demo_main
        else:
            classpath, main = os.pathsep.join([self.classes, os.path.join(self.libraries, "*")]), self.main
        # The heap is bounded: nothing here needs much..
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath, main]


SERVER = Kind("server", "fieldway.leshan.Peer", "", (), "FIELDWAY_LESHAN_DEMO",
              "org.eclipse.leshan.demo.server.LeshanServerDemo")
BOOTSTRAP = Kind("bootstrap", "fieldway.leshan.BootstrapPeer", "bootstrap", ("Answer.java",),
                 "FIELDWAY_LESHAN_BOOTSTRAP_DEMO", "org.eclipse.leshan.demo.bsserver.LeshanBootstrapServerDemo")


# Made ready in the build folder

def _fetch(pom, folder):
    fetched.need("mvn", "maven")
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
    objects = sorted(glob.glob(source_path("objects", "*.yaml")))
    fetched.need("java", "default-jdk-headless")
    with fetched.place(PLACE):
        fetched.made(MODELS, fetched.digest([*objects, ddf.__file__]), lambda: ddf.write(source_path("objects"), MODELS))
        for kind in SERVER, BOOTSTRAP:
            kind.prepare()


def prepare_or_exit():
    fetched.prepare_or_exit("Leshan", prepare)


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


class _Program:
    """One of Leshan's servers on free ports of loopback, in a folder of its own, asked over its REST interface."""

    def __init__(self, rig, kind, options=()):
        self.rig = rig
        self._kind, self._options = kind, options
        self.folder = rig.path(f"leshan-{kind.name}")
        os.makedirs(self.folder)
        self.coap, self.coaps = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_DGRAM)
        self.web = ("127.0.0.1", _free_port(socket.SOCK_STREAM))

    def start(self, ready):
        """ready: what answers as soon as it is."""
        self.process = self.rig.start(
            [*self._kind.command(), "-lh", "127.0.0.1", "-lp", self.coap, "-slh", "127.0.0.1", "-slp", self.coaps,
             "-wh", self.web[0], "-wp", self.web[1], *self._options],
            name=f"leshan-{self._kind.name}", cwd=self.folder, stderr=subprocess.STDOUT)
        self.rig.until(lambda: self._answers(ready), START_S, "Leshan answering")
        self.process.essential = True

    def _answers(self, ready):
        if self.process.ended():
            self.process.drain()
            raise AssertionError("\n".join(["Leshan ended:", *self.process.lines]))
        try:
            socket.create_connection(self.web, 1).close()
        except OSError:
            return False
        return self.ask("GET", ready)[0] == 200

    def kill(self):
        """At once, like a server whose power fails."""
        self.process.essential = False
        self.process.child.kill()
        self.process.child.wait()
        self.process.drain()

    def uri(self, scheme="coaps"):
        return f"{scheme}://127.0.0.1:{self.coaps if scheme == 'coaps' else self.coap}"

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

    def put_key(self, endpoint, key, identity=None):
        """key: bytes"""
        details = {"identity": identity or endpoint, "key": key.hex()}
        self.expect("PUT", "security/clients", {"endpoint": endpoint, "tls": {"mode": "psk", "details": details}})

    def expect(self, method, target, body=None):
        """What has to be answered 200."""
        status, answer = self.ask(method, target, body)
        if status != 200:
            raise AssertionError(f"{method} {target} {body}: Leshan says {status} {answer}")
        return answer


class Bootstrap(_Program):
    """Its bootstrap server, which forgets all with its end."""

    def __init__(self, rig):
        super().__init__(rig, BOOTSTRAP)
        self.start()

    def start(self):
        super().start("bootstrap")

    def put_account(self, endpoint, uri, key, **settings):
        """What it is to write: one server account. key: bytes; settings: more of /1."""
        self.expect("POST", f"bootstrap/{endpoint}", {
            "autoIdForSecurityObject": True, "toDelete": ["/0", "/1"],
            "security": {0: {"uri": uri, "bootstrapServer": False, "securityMode": "PSK", "serverId": 1,
                             "publicKeyOrId": list(endpoint.encode()), "secretKey": list(key)}},
            "servers": {0: {"shortId": 1, "binding": "U", "notifIfDisabled": True, **settings}}})


class Leshan(_Program):
    """The LwM2M server; its keys outlive a restart."""

    def __init__(self, rig):
        super().__init__(rig, SERVER, ("-m", MODELS, *(("-jh", "127.0.0.1", "-th", "127.0.0.1") if SERVER.demo else ())))
        self.events = []
        self.start()

    def start(self):
        super().start("clients")
        # It leaves out what it does not take, and goes on.
        if any("Unable to load object models" in line for line in self.process.lines):
            raise AssertionError("\n".join(["Leshan refuses our object models:", *self.process.lines]))
        self.listen(self.rig, self.events.append)

    def listen(self, rig, take):
        """In the loop of that rig from now on; take: of each Event."""
        self.rig = rig
        self._events = _Events(rig, self.web, take)
        rig.until(lambda: self._events.open, ANSWER_S, "Leshan's events")

    def leave(self):
        """The rig that it was listened to in; the process goes on."""
        self._events.close()

    def kill(self):
        self.leave()
        super().kill()

    def request(self, method, endpoint, path, body=None, timeout=ANSWER_S):
        """What the endpoint answered: {"status": "CONTENT(205)", "content": ...}."""
        status, answer = self.ask(method, f"clients/{endpoint}{path}", body, timeout)
        if status != 200 or not isinstance(answer, dict):
            raise AssertionError(f"{method} {endpoint}{path}: Leshan says {status} {answer}")
        return answer

    def clients(self):
        """{endpoint: registration}"""
        return {client["endpoint"]: client for client in self.ask("GET", "clients")[1]}

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
    if kind == "root":
        children = node["objects"]
    elif kind == "obj":
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
