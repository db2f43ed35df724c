# SPDX-License-Identifier: Apache-2.0
"""A system bus of the test's own, with the shipped policy or a permissive one."""
import functools
import os
import pwd
import shlex
import socket
import struct
import subprocess
import tempfile
import unittest

from .namespace import replace_files
from .programs import source_path

NAME = "org.fieldway.Agent1"
PATH = "/org/fieldway/Agent1"

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{policy}</include>
{includes}
  <policy user="{user}"><allow own="{name}"/><allow send_destination="{name}"/></policy>
{more}
</busconfig>
"""
# Answers that nobody has asked for among it.
PERMISSIVE = """  <policy context="mandatory"><allow send_destination="*"/>
    <allow send_requested_reply="false" send_type="method_return"/><allow receive_requested_reply="false"/>
  </policy>"""


GROUP, GROUP_ID = "fieldway-admin", 64200
MEMBER, STRANGER = 65534, 1     # nobody and daemon of base-passwd


@functools.lru_cache
def add_group(more=""):
    """Makes MEMBER one of GROUP, in a mount namespace of this process; raises SkipTest where that cannot be.
    more: lines of other groups, the same ones in all of a process."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root, to be somebody else")
    with open("/etc/group", encoding="ascii") as f:
        lines = [line for line in f if not line.startswith(GROUP + ":")]
    member = pwd.getpwuid(MEMBER).pw_name
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as f:
        f.write("".join(lines) + f"{GROUP}:x:{GROUP_ID}:{member}\n{more}")
        f.flush()
        os.chmod(f.name, 0o644)
        if not replace_files({"/etc/group": f.name}):
            raise unittest.SkipTest("no mount namespace for a group of the test's own")


class Bus:
    """permissive: the policy lets everything through, so that only the daemon decides. limits: of the bus, by name.
    names: more that may be owned, and called. policies: files of other services."""

    def __init__(self, rig, permissive=False, limits=(), names=(), policies=()):
        self.rig = rig
        self.socket = rig.path("bus")
        self.address = "unix:path=" + self.socket
        # Other users must get at the socket.
        os.chmod(rig.folder, 0o711)
        self.configuration = rig.write("bus.conf", CONFIGURATION.format(
            socket=self.socket, name=NAME, user=pwd.getpwuid(os.geteuid()).pw_name,
            policy=source_path("packaging/dbus/org.fieldway.Agent1.conf"),
            includes="\n".join(f"  <include>{path}</include>" for path in policies),
            more="\n".join([PERMISSIVE if permissive else "",
                            *(f'  <policy context="default"><allow own="{name}"/><allow send_destination="{name}"/></policy>'
                              for name in names),
                            *(f'  <limit name="{name}">{value}</limit>' for name, value in limits)])))
        self.start()

    def start(self):
        self.process = self.rig.start(
            ["dbus-daemon", "--nofork", "--nopidfile", "--print-address", f"--config-file={self.configuration}"],
            stderr=subprocess.PIPE)
        self.process.wait_line("unix:")

    def stop(self):
        self.process.stop()

    def environment(self):
        return {"DBUS_SYSTEM_BUS_ADDRESS": self.address}

    def run(self, command, user=None, groups=(), timeout=20):
        """(exit status, lines). user: a number, with no groups but the given."""
        if user is not None:
            rights = ["--groups=" + ",".join(map(str, groups))] if groups else ["--clear-groups"]
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", *rights, *command]
        process = self.rig.start(command, stderr=subprocess.PIPE)
        return process.wait_end(timeout), process.lines

    def busctl(self, *arguments, **options):
        """The values that busctl prints; Refused with its text."""
        status, lines = self.run(["busctl", f"--address={self.address}", *arguments], **options)
        if status != 0:
            raise Refused("\n".join(lines))
        return read_values(lines[0]) if lines else []

    def call(self, path, interface, member, *arguments, **options):
        return self.busctl("call", NAME, path, f"{NAME}.{interface}", member, *arguments, **options)

    def get(self, path, interface, name):
        return self.busctl("get-property", NAME, path, f"{NAME}.{interface}", name)[0]

    def error(self, path, member, *arguments, **options):
        """The name and text of the error, by dbus-send, which shows both."""
        status, lines = self.run(["dbus-send", f"--bus={self.address}", f"--dest={NAME}", "--print-reply=literal",
                                  path, f"{NAME}.{member}", *arguments], **options)
        name, _, text = "\n".join(lines).removeprefix("Error ").partition(": ")
        return (name, text) if status != 0 else (None, "")

    def objects(self):
        """{path: {interface: {property: value}}}"""
        return self.busctl("call", NAME, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")[0]

    def has_owner(self, name):
        return self.busctl("call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           "NameHasOwner", "s", name) == [True]

    def has_name(self):
        return self.has_owner(NAME)

    def wait_name(self, timeout=20):
        self.rig.until(self.has_name, timeout, NAME)


def marshal_text(text):
    return struct.pack("<I", len(text)) + text.encode() + b"\0"


def marshal_entry(text, letter, value):
    """A text and a variant of 4 aligned bytes, from where 8 can be divided."""
    start = marshal_text(text) + bytes([1, ord(letter), 0])
    return start + bytes(-len(start) % 4) + value


class Caller:
    """A connection that says what it likes, and reads answers only when read() is called."""

    def __init__(self, bus, user=None):
        self.rig, self.serial, self.data = bus.rig, 0, bytearray()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        own = os.geteuid()
        user = own if user is None else user
        os.seteuid(user)
        try:
            self.socket.connect(bus.socket)
        finally:
            os.seteuid(own)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(user).encode().hex().encode() + b"\r\n")
        if not self.socket.recv(100).startswith(b"OK"):
            raise Refused("no connection to the bus")
        self.socket.sendall(b"BEGIN\r\n")
        self.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "org.freedesktop.DBus")

    def close(self):
        self.socket.close()

    def send(self, kind, *fields, signature="", body=b""):
        """fields: code, type and value; kind 1 is a call, 2 an answer."""
        self.serial += 1
        header = b""
        for code, letter, value in (*fields, (8, b"g", signature)):
            header += bytes(-len(header) % 8) + struct.pack("<BB1sx", code, 1, letter)
            if letter == b"u":
                header += struct.pack("<I", value)
            elif letter == b"g":
                header += bytes([len(value)]) + value.encode() + b"\0"
            else:
                header += struct.pack("<I", len(value)) + value.encode() + b"\0"
        self.socket.sendall(struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), self.serial, len(header)) + header
                            + bytes(-len(header) % 8) + body)

    def call(self, path, interface, member, destination=NAME, **content):
        self.send(1, (1, b"o", path), (2, b"s", interface), (3, b"s", member), (6, b"s", destination), **content)

    def _take(self, size):
        while len(self.data) < size:
            data = self.socket.recv(65536)
            if not data:
                raise Refused("the bus closed the connection")
            self.data += data
        taken = bytes(self.data[:size])
        del self.data[:size]
        return taken

    def read_message(self):
        """The next one: its kind, signature, fields by code as bytes, and body. Its number is in `taken`."""
        _, kind, _, _, size, self.taken, length = struct.unpack("<cBBBIII", self._take(16))
        header = self._take(length + -length % 8)[:length]
        fields, offset = {}, 0
        while offset < length:
            code, letter = header[offset], header[offset + 2:offset + 3]
            offset += 4
            if letter == b"g":
                size_of, start = header[offset], offset + 1
            elif letter == b"u":
                size_of, start = 3, offset
            else:
                size_of, start = int.from_bytes(header[offset:offset + 4], "little"), offset + 4
            fields[code] = header[start:start + size_of]
            offset = start + size_of + 1
            offset += -offset % 8
        return kind, fields.get(8, b"").decode(), fields, self._take(size)

    def read(self):
        """The next answer: the name of its error, or None."""
        while True:
            kind, _, fields, _ = self.read_message()
            if kind in (2, 3):
                return None if kind == 2 else fields[4].decode()


class Refused(Exception):
    """What busctl says of an error."""


# busctl's text: the signature, then the values, arrays with their length. Its JSON cannot have numbers as keys.

def _complete(signature):
    """The length of the first complete type."""
    if signature[0] == "a":
        return 1 + _complete(signature[1:])
    depth = 0
    for i, letter in enumerate(signature):
        depth += (letter in "({") - (letter in ")}")
        if depth == 0:
            return i + 1
    raise ValueError(signature)


def _values(signature, words):
    values = []
    while signature:
        n = _complete(signature)
        values.append(_value(signature[:n], words))
        signature = signature[n:]
    return values


def _value(signature, words):
    kind = signature[0]
    if kind == "(":
        return tuple(_values(signature[1:-1], words))
    word = words.pop(0)
    if kind == "v":
        return _value(word, words)
    if signature.startswith("a{"):
        return dict(_values(signature[2:-1], words) for _ in range(int(word)))
    if kind == "a":
        return [_value(signature[1:], words) for _ in range(int(word))]
    if kind == "b":
        return word == "true"
    if kind == "d":
        return float(word)
    return word if kind in "sog" else int(word)


def read_values(line):
    # busctl escapes what a shell does not within these quotes.
    signature, *words = shlex.split(line.replace("\\'", "'"))
    return _values(signature, words)


def plain(value):
    """busctl's JSON without the types of variants."""
    if isinstance(value, dict) and set(value) == {"type", "data"}:
        return plain(value["data"])
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value
