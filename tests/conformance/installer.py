# SPDX-License-Identifier: Apache-2.0
"""What systemd does for fieldway-install: a process for each connection to a socket; and a handler of packages."""
import os
import selectors
import socket

from fieldway_test import build_path

# A package is text; its first word says how it fares.
HANDLER = """#!/bin/sh
[ -z "$2" ] || word=$(head -n 1 "$2")
case $1 in
check)
	case $word in
	good|fails) printf 'name=probe\\nversion=2.0\\n' ;;
	memory) exit 83 ;;
	corrupt) exit 85 ;;
	*) exit 86 ;;
	esac
	;;
install)
	[ "$word" = good ] || exit 88
	echo 'PRETTY_NAME="{version}"' >{release}
	exit 100
	;;
esac
"""
REBOOT = """#!/bin/sh
echo rebooted >>{file}
"""


class Installer:
    """Its state outlives the machine's restarts, of which boot counts."""

    def __init__(self, rig, release, version):
        self.rig, self.boot = rig, 1
        self.place = rig.path("install.sock")
        self.handlers, self.state = rig.path("install.d"), rig.path("install-state")
        os.makedirs(self.state)
        self.rebooted = rig.path("rebooted")
        rig.write("install.d/probe", HANDLER.format(version=version, release=release), 0o755)
        self.reboot = rig.write("reboot", REBOOT.format(file=self.rebooted), 0o755)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.place)
        self.listener.listen(8)
        self.listener.setblocking(False)
        rig.selector.register(self.listener, selectors.EVENT_READ, self)

    def read(self, stream):
        connection, _ = self.listener.accept()
        with connection:
            self.rig.start([build_path("fieldway-install"), "--fd", connection.fileno(), "--handlers", self.handlers,
                            "--state", self.state, "--reboot", self.reboot, "--boot-id", f"boot-{self.boot}"],
                           pass_fds=[connection.fileno()])

    def close(self):
        self.rig.selector.unregister(self.listener)
        self.listener.close()


class Files:
    """A web server with one file; with a limit it breaks off there, and nobody listens after that."""

    def __init__(self, rig, body, limit=None):
        self.rig, self.body, self.limit = rig, body, limit
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        rig.selector.register(self.listener, selectors.EVENT_READ, self)

    def uri(self, name="package"):
        return "http://127.0.0.1:%d/%s" % (self.listener.getsockname()[1], name)

    def read(self, stream):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(10)
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096) or b"\r\n\r\n"
            if not request.startswith(b"GET /package "):
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: \"1\"\r\nConnection: close\r\n\r\n"
                               % len(self.body) + self.body[:self.limit])
        if self.limit:
            self.close()

    def close(self):
        if self.listener.fileno() >= 0:
            self.rig.selector.unregister(self.listener)
            self.listener.close()
