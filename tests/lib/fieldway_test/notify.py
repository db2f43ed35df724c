# SPDX-License-Identifier: Apache-2.0
"""What a service tells its manager: sd_notify(3)."""
import os
import selectors
import socket


class Notify:
    """states: the assignments of all messages in the order they came, such as "READY=1"."""

    def __init__(self, rig):
        self.rig = rig
        self.path = rig.path(f"notify{len(os.listdir(rig.folder))}")
        self.states = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def environment(self):
        return {"NOTIFY_SOCKET": self.path}

    def read(self, stream):
        self.states += self.socket.recv(4096).decode().splitlines()

    def wait(self, text, timeout=15):
        """The first state that begins so."""
        found = []

        def look():
            found.extend(s for s in self.states if s.startswith(text))
            return found

        self.rig.until(look, timeout, f"the daemon saying {text}")
        return found[0]

    def status(self):
        """The last one."""
        return next((s[len("STATUS="):] for s in reversed(self.states) if s.startswith("STATUS=")), None)

    def close(self):
        self.rig.selector.unregister(self.socket)
        self.socket.close()
