# SPDX-License-Identifier: Apache-2.0
"""Stands between the daemon and a server, sees every datagram and may do with
it what a bad network or a bad peer does."""
import selectors
import socket


def whole(data):
    """Every datagram as it came."""
    return [data]


def nothing(data):
    return []


class Link:
    """One socket of the daemon, and the one that the server takes for it."""

    def __init__(self, relay, client):
        self.relay, self.client = relay, client
        self.sent, self.received = [], []   # datagrams of the daemon, and of the server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(relay.server)
        relay.rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def read(self, stream):
        try:
            data = self.socket.recv(65536)
        except ConnectionRefusedError:
            return
        self.received.append(data)
        for part in self.relay.to_client(data):
            self.tell_client(part)

    def take(self, data):
        self.sent.append(data)
        for part in self.relay.to_server(data):
            self.tell_server(part)

    def tell_client(self, data):
        self.relay.socket.sendto(data, self.client)

    def tell_server(self, data):
        try:
            self.socket.send(data)
        except ConnectionRefusedError:
            pass

    def close(self):
        self.relay.rig.selector.unregister(self.socket)
        self.socket.close()


class Relay:
    """to_server and to_client get a datagram and give those that go on in its place."""

    def __init__(self, rig, place):
        host, port = place.rsplit(":", 1)
        self.rig, self.server = rig, (host, int(port))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.place = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.to_server = self.to_client = whole
        self.links = []
        rig.selector.register(self.socket, selectors.EVENT_READ, self)

    def read(self, stream):
        data, client = self.socket.recvfrom(65536)
        self.link(client).take(data)

    def link(self, client):
        for link in self.links:
            if link.client == client:
                return link
        self.links.append(Link(self, client))
        return self.links[-1]

    def close(self):
        for link in self.links:
            link.close()
        self.rig.selector.unregister(self.socket)
        self.socket.close()
