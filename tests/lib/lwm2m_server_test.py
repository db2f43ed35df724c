#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server of the tests does what tests/lib/lwm2m_server.md says: a client
made by hand registers there and is asked."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fieldway_test import Lwm2mServer, Rig, Timeout, enter_namespace  # noqa: E402
from fieldway_test import coap  # noqa: E402
from fieldway_test.coap import ACK, CON, NON, RST, Peer  # noqa: E402


class ServerTest(unittest.TestCase):
    arguments = ["--coap", "127.0.0.1:0"]

    def setUp(self):
        self.rig = self.enterContext(Rig()) if hasattr(self, "enterContext") else self._enter(Rig())
        self.server = Lwm2mServer(self.rig, self.arguments)
        self.peer = Peer(self.rig, self.server.places["coap"])
        self.addCleanup(self.peer.close)

    def _enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def event(self, word):
        return self.server.wait_event(lambda e: e.word == word)

    def registered(self):
        answer = self.peer.register("a")
        self.assertEqual(answer.code, coap.code("2.01"))
        return [b.decode() for b in coap.values(answer, coap.LOCATION_PATH)]

    def answer(self, request, code, options=(), payload=b""):
        self.peer.send(ACK, coap.code(code), request.token, options, payload, request.id)

    def wait(self, name):
        self.rig.until(lambda: name in self.server.answers, 10, name)
        return self.server.answers[name]


class RegisteredTest(ServerTest):
    """With "a" registered, of which something is asked."""

    def setUp(self):
        super().setUp()
        self.registered()

    def ask(self, word, rest):
        name = self.server.send(word, "a", rest)
        return name, self.peer.receive()


class RegistrationTest(ServerTest):
    def test_register_update_deregister(self):
        location = self.registered()
        event = self.event("registered")
        self.assertEqual(event.arguments, ["a"])
        self.assertEqual(event.location, "/" + "/".join(location))
        self.assertEqual((event.lt, event.lwm2m, event.b, event.secure), ("60", "1.1", "U", "0"))
        self.assertEqual(event.links, "</1/0>,</3/0>")
        place = "{}:{}".format(*self.peer.socket.getsockname())
        self.assertEqual(event.fields["from"], place)
        answer = self.peer.request(coap.POST, "/".join(location), ["lt=20"])
        self.assertEqual(answer.code, coap.code("2.04"))
        self.assertEqual(self.event("updated").fields,
                         {"location": event.location, "secure": "0", "from": place, "lt": "20"})
        answer = self.peer.request(coap.DELETE, "/".join(location))
        self.assertEqual(answer.code, coap.code("2.02"))
        self.assertEqual(self.event("deregistered").arguments, ["a"])
        answer = self.peer.request(coap.POST, "/".join(location))
        self.assertEqual(answer.code, coap.code("4.04"))

    def test_second_registration_replaces_the_first(self):
        first, second = self.registered(), self.registered()
        self.assertNotEqual(first, second)
        self.assertEqual(self.peer.request(coap.POST, "/".join(first)).code, coap.code("4.04"))
        self.assertEqual(self.peer.request(coap.POST, "/".join(second)).code, coap.code("2.04"))

    def test_lifetime_ends(self):
        self.peer.register("a", query=("lt=1",))
        self.assertEqual(self.event("expired").arguments, ["a"])

    def test_profiles(self):
        def register(pid, links=b""):
            return self.peer.register("a", links, ("lwm2m=1.2", f"pid={pid}")).code

        self.server.command("profile 6:27354b9a </1/0>,</3/0>")
        self.assertEqual(register("6:27354b9a"), coap.code("2.01"))
        event = self.event("registered")
        self.assertEqual((event.pid, event.profiled, "links" in event.fields), ("6:27354b9a", "</1/0>,</3/0>", False))
        start = self.server.now()
        self.assertEqual(register("6:27354b9a", b"</4/0>"), coap.code("2.01"))
        event = self.server.wait_event(lambda e: e.word == "registered", start=start)
        self.assertEqual((event.profiled, event.links), ("</1/0>,</3/0>", "</4/0>"))
        self.assertEqual(register("6:00000000"), coap.code("4.09"))
        # Learnt from the list beside it.
        self.assertEqual(register("6:00000000", b"</5/0>"), coap.code("2.01"))
        start = self.server.now()
        self.assertEqual(register('"6:00000000,6:27354b9a"'), coap.code("2.01"))
        event = self.server.wait_event(lambda e: e.word == "registered", start=start)
        self.assertEqual(event.profiled, "</5/0>,</1/0>,</3/0>")

    def test_time_is_moved(self):
        self.registered()
        self.server.command("step 59")
        self.server.command("clients")
        self.assertEqual(self.event("client").arguments, ["a"])
        self.server.command("step 2")
        self.assertEqual(self.event("expired").arguments, ["a"])

    def test_refusals(self):
        for expected, options in {
                "4.00": {"links": b""}, "4.12": {"query": ("lwm2m=7.0",)}, "4.15": {"content_format": 0},
        }.items():
            self.assertEqual(self.peer.register("a", **options).code, coap.code(expected))
        self.assertEqual(self.peer.request(coap.POST, "/rd").code, coap.code("4.00"))

    def test_register_in_blocks(self):
        links = b",".join(b"</3303/%d>" % i for i in range(20))
        parts = [links[i:i + 64] for i in range(0, len(links), 64)]
        for i, part in enumerate(parts):
            more = i + 1 < len(parts)
            answer = self.peer.request(
                coap.POST, "/rd", ["ep=a", "lwm2m=1.1"],
                [(coap.CONTENT_FORMAT, coap.number(40)), (coap.BLOCK1, coap.number(i << 4 | more << 3 | 2)),
                 (coap.SIZE1, coap.number(len(links)))], part)
            self.assertEqual(answer.code, coap.code("2.31" if more else "2.01"))
        self.assertEqual(self.event("registered").links, links.decode())

    def test_faults(self):
        self.server.command("fault register 4.12-on-1.2")
        self.assertEqual(self.peer.register("a", query=("lwm2m=1.2",)).code, coap.code("4.12"))
        self.assertEqual(self.peer.register("a").code, coap.code("2.01"))
        self.server.command("fault register 4.03")
        self.assertEqual(self.peer.register("a").code, coap.code("4.03"))
        self.server.command("fault register silent")
        with self.assertRaises(Timeout):
            self.rig.until(lambda: self.peer.received, 0.3,
                           self.peer.send(CON, coap.POST, b"", [
                               (coap.URI_PATH, b"rd"), (coap.URI_QUERY, b"ep=a"), (coap.CONTENT_FORMAT, b"\x28"),
                           ], b"</1/0>"))
        self.server.command("fault register none")
        location = "/".join(self.registered())
        self.server.command("fault update 4.04")
        self.assertEqual(self.peer.request(coap.POST, location).code, coap.code("4.04"))

    def test_forgotten(self):
        location = "/".join(self.registered())
        self.server.command("forget a")
        self.assertEqual(self.peer.request(coap.POST, location).code, coap.code("4.04"))

    def test_bad_commands(self):
        for line in ("forget a", "fault register 9", "fault nothing silent", "nothing", "reset a 00", "step x", "pack 112 0", "pack x 00", "pack"):
            with self.assertRaises(ValueError):
                self.server.command(line)


class RequestTest(RegisteredTest):
    def observe(self):
        name, request = self.ask("observe", "/3303/0/5700 accept=112")
        self.assertEqual(coap.values(request, coap.OBSERVE), [b""])
        self.answer(request, "2.05", [(coap.OBSERVE, b"\x05"), (coap.CONTENT_FORMAT, b"")], b"21")
        event = self.wait(name)
        self.assertEqual((event.observe, event.payload), ("5", b"21"))
        self.assertEqual(event.token, request.token.hex())
        return request.token

    def test_read(self):
        name, request = self.ask("request", "GET /3/0/0?depth=1 accept=11542")
        self.assertEqual((request.type, request.code), (CON, coap.GET))
        self.assertEqual(coap.values(request, coap.URI_PATH), [b"3", b"0", b"0"])
        self.assertEqual(coap.values(request, coap.URI_QUERY), [b"depth=1"])
        self.assertEqual(coap.values(request, coap.ACCEPT), [coap.number(11542)])
        self.answer(request, "2.05", [(coap.CONTENT_FORMAT, coap.number(11542))], b"\xc1\x00x")
        event = self.wait(name)
        self.assertEqual((event.code, event.format, event.payload), ("2.05", 11542, b"\xc1\x00x"))
        self.assertEqual(self.server.values(event, "/3/0/0"), {"/3/0/0": "x"})

    def test_write_and_execute(self):
        name, request = self.ask("request", "PUT /1/0/1 format=0 payload=3630")
        self.assertEqual((request.code, request.payload), (coap.PUT, b"60"))
        self.assertEqual(coap.values(request, coap.CONTENT_FORMAT), [b""])
        self.answer(request, "4.05", [], b"no")
        self.assertEqual((self.wait(name).code, self.wait(name).payload), ("4.05", b"no"))
        name, request = self.ask("request", "POST /1/0/8 non")
        self.assertEqual((request.type, request.code), (NON, coap.POST))
        self.peer.send(NON, coap.code("2.04"), request.token)
        self.assertEqual(self.wait(name).code, "2.04")

    def test_root(self):
        name, request = self.ask("request", "GET /")
        self.assertEqual(coap.values(request, coap.URI_PATH), [])
        self.answer(request, "4.05")
        self.assertEqual(self.wait(name).code, "4.05")

    def test_created_location(self):
        name, request = self.ask("request", "POST /3303 format=11542 payload=c00001")
        self.answer(request, "2.01", [(coap.LOCATION_PATH, b"3303"), (coap.LOCATION_PATH, b"7")])
        self.assertEqual(self.wait(name).location, "/3303/7")

    def test_separate_response(self):
        name, request = self.ask("request", "GET /3/0/0")
        self.peer.send(ACK, 0, message_id=request.id)
        sent = self.peer.send(CON, coap.code("5.03"), request.token, [], b"late")
        self.assertEqual(self.peer.receive()[:3], (ACK, 0, sent))
        self.assertEqual((self.wait(name).code, self.wait(name).payload), ("5.03", b"late"))

    def test_response_in_blocks(self):
        name, request = self.ask("request", "GET /3")
        body = bytes(range(150))
        for i in range(3):
            more = i < 2
            self.answer(request, "2.05", [(coap.CONTENT_FORMAT, coap.number(42)),
                                          (coap.BLOCK2, coap.number(i << 4 | more << 3 | 2))],
                        body[i * 64:i * 64 + 64])
            if more:
                request = self.peer.receive()
                self.assertEqual(int.from_bytes(coap.values(request, coap.BLOCK2)[0], "big") >> 4, i + 1)
        self.assertEqual(self.wait(name).payload, body)

    def test_request_in_blocks(self):
        body = bytes(range(256)) * 10
        name, request = self.ask("request", f"PUT /5/0/0 format=42 payload={body.hex()}")
        got = b""
        while True:
            got += request.payload
            block = int.from_bytes(coap.values(request, coap.BLOCK1)[0], "big")
            option = [(coap.BLOCK1, coap.number(block))]
            if not block & 8:
                break
            self.answer(request, "2.31", option)
            request = self.peer.receive()
        self.answer(request, "2.04", option)
        self.assertEqual(self.wait(name).code, "2.04")
        self.assertEqual(got, body)

    def test_failures(self):
        name, request = self.ask("request", "GET /3/0/0")
        self.peer.send(RST, 0, message_id=request.id)
        self.assertEqual(self.wait(name).arguments[1], "reset")
        name, request = self.ask("request", "GET /3/0/0 timeout=0")
        self.assertEqual(self.wait(name).arguments[1], "timeout")
        self.assertEqual(self.server.request("b", "GET", "/3").arguments[1], "not-registered")
        self.assertEqual(self.server.cancel("a", "/3").arguments[1], "not-observed")
        self.assertEqual(self.server.request("a", "TAKE", "/3").word, "failed")
        self.assertEqual(self.server.request("a", "GET", "/3", "payload=0").word, "failed")
        name, request = self.ask("request", "GET /3/0/0")
        self.server.command("forget a")
        self.assertEqual(self.wait(name).arguments[1], "gone")

    def test_notifications(self):
        token = self.observe()
        sent = self.peer.send(CON, coap.code("2.05"), token, [(coap.OBSERVE, b"\x06")], b"22")
        self.assertEqual(self.peer.receive()[:3], (ACK, 0, sent))
        event = self.server.wait_event(lambda e: e.word == "notify")
        self.assertEqual(event.arguments, ["a", token.hex()])
        self.assertEqual((event.con, event.observe, event.path, event.payload), ("1", "6", "/3303/0/5700", b"22"))
        n = self.server.now()
        self.peer.send(NON, coap.code("2.05"), token, [(coap.OBSERVE, b"\x07")], b"23")
        event = self.server.wait_event(lambda e: e.word == "notify", start=n)
        self.assertEqual((event.con, event.payload), ("0", b"23"))

    def test_cancel_by_request(self):
        token = self.observe()
        name, request = self.ask("cancel", "/3303/0/5700")
        self.assertEqual(request.token, token)
        self.assertEqual(coap.values(request, coap.OBSERVE), [b"\x01"])
        self.assertEqual(coap.values(request, coap.ACCEPT), [coap.number(112)])
        self.answer(request, "2.05", [], b"24")
        self.assertEqual((self.wait(name).code, self.wait(name).payload), ("2.05", b"24"))
        sent = self.peer.send(CON, coap.code("2.05"), token, [(coap.OBSERVE, b"\x08")], b"25")
        self.assertEqual(self.peer.receive()[:3], (RST, 0, sent))

    def test_cancel_by_reset(self):
        token = self.observe()
        self.server.command(f"reset a {token.hex()}")
        sent = self.peer.send(NON, coap.code("2.05"), token, [(coap.OBSERVE, b"\x06")], b"22")
        self.assertEqual(self.peer.receive()[:3], (RST, 0, sent))

    def test_silence_to_notifications(self):
        token = self.observe()
        self.server.command("fault notify silent")
        self.peer.send(CON, coap.code("2.05"), token, [(coap.OBSERVE, b"\x06")], b"22")
        with self.assertRaises(Timeout):
            self.rig.until(lambda: self.peer.received, 0.3, "an acknowledgement")
        self.server.command("fault notify none")
        sent = self.peer.send(CON, coap.code("2.05"), token, [(coap.OBSERVE, b"\x07")], b"23")
        self.assertEqual(self.peer.receive()[:3], (ACK, 0, sent))


class BootstrapTest(ServerTest):
    """POST /bs and GET /bspack, and requests to who is in between."""

    def bootstrap(self, *query):
        answer = self.peer.request(coap.POST, "/bs", ["ep=a", *query])
        self.assertEqual(answer.code, coap.code("2.04"))

    def ask(self, rest):
        name = self.server.send("request", "a", rest)
        return name, self.peer.receive()

    def test_from_request_to_finish(self):
        self.bootstrap("pct=112")
        event = self.event("bootstrap-request")
        self.assertEqual((event.arguments, event.secure, event.pct), (["a"], "0", "112"))
        name, request = self.ask("PUT /1 format=112 payload=80")
        self.assertEqual((request.code, request.payload), (coap.PUT, b"\x80"))
        self.answer(request, "2.04")
        self.assertEqual(self.wait(name).code, "2.04")
        name, request = self.ask("GET / accept=40")
        self.answer(request, "2.05", [(coap.CONTENT_FORMAT, coap.number(40))], b"</>;lwm2m=1.2")
        self.assertEqual(self.wait(name).payload, b"</>;lwm2m=1.2")
        for code, then in (("4.06", "response"), ("2.04", "failed")):
            name, request = self.ask("POST /bs")
            self.assertEqual(coap.values(request, coap.URI_PATH), [b"bs"])
            self.answer(request, code)
            self.assertEqual(self.wait(name).code, code)
            name = self.server.send("request", "a", "DELETE /")
            if then == "response":
                self.answer(self.peer.receive(), "2.02")
            self.assertEqual(self.wait(name).word, then)

    def test_beside_a_registration(self):
        """It is asked where it asked last."""
        self.registered()
        other = Peer(self.rig, self.server.places["coap"])
        self.addCleanup(other.close)
        other.request(coap.POST, "/bs", ["ep=a"])
        self.server.send("request", "a", "DELETE /1")
        self.assertEqual(other.receive().code, coap.DELETE)
        self.server.command("forget a")
        self.registered()
        self.bootstrap()
        self.registered()
        self.server.send("request", "a", "GET /3")
        self.assertEqual(self.peer.receive().code, coap.GET)
        self.assertEqual(other.received, [])

    def test_refused(self):
        self.assertEqual(self.peer.request(coap.POST, "/bs").code, coap.code("4.00"))
        self.server.command("fault bootstrap 4.15")
        self.assertEqual(self.peer.request(coap.POST, "/bs", ["ep=a"]).code, coap.code("4.15"))
        self.assertEqual([(e.arguments, e.code) for e in self.server.events if e.word == "refused"],
                         [(["bootstrap", "-"], "4.00"), (["bootstrap", "a"], "4.15")])
        self.assertEqual(self.server.request("a", "GET", "/1").arguments[1], "not-registered")
        self.server.command("fault bootstrap none")
        self.bootstrap()

    def get_pack(self, accept):
        return self.peer.request(coap.GET, "/bspack", ["ep=a", "acc=</0/1>,</21/0>"],
                                 [(coap.ACCEPT, coap.number(accept))])

    def test_pack(self):
        self.assertEqual(self.get_pack(112).code, coap.code("4.04"))
        event = self.event("pack-request")
        self.assertEqual((event.arguments, event.acc, event.accept), (["a"], "</0/1>,</21/0>", "112"))
        self.server.command("pack 112 81a0")
        answer = self.get_pack(112)
        self.assertEqual((answer.code, answer.payload), (coap.code("2.05"), b"\x81\xa0"))
        self.assertEqual(coap.values(answer, coap.CONTENT_FORMAT), [coap.number(112)])
        self.assertEqual(self.get_pack(110).code, coap.code("4.06"))
        self.server.command("pack none")
        self.assertEqual(self.get_pack(112).code, coap.code("4.04"))
        self.server.command("fault pack 4.05")
        self.assertEqual(self.get_pack(112).code, coap.code("4.05"))

    def test_large_pack(self):
        pack = bytes(range(256)) * 10
        self.server.command(f"pack 112 {pack.hex()}")
        got, n = b"", 0
        while True:
            answer = self.peer.request(coap.GET, "/bspack", ["ep=a"], [
                (coap.ACCEPT, coap.number(112)), (coap.BLOCK2, coap.number(n << 4 | 5))])
            got += answer.payload
            if not int.from_bytes(coap.values(answer, coap.BLOCK2)[0], "big") & 8:
                break
            n += 1
        self.assertEqual(got, pack)


class CompositeTest(RegisteredTest):
    """FETCH and iPATCH with bodies, and Observe with them."""

    def test_fetch_and_ipatch(self):
        for method, number in ("FETCH", 5), ("IPATCH", 7):
            name, request = self.ask("request", f"{method} / format=112 accept=112 payload=81a1006131")
            self.assertEqual((request.code, request.payload), (number, bytes.fromhex("81a1006131")))
            self.answer(request, "2.05", [(coap.CONTENT_FORMAT, coap.number(112))], b"\x80")
            self.assertEqual(self.wait(name).payload, b"\x80")

    def test_observe_and_cancel(self):
        """The cancellation has the token and the list of paths."""
        name, request = self.ask("observe", "/ format=112 accept=112 payload=81a1006131")
        self.answer(request, "2.05", [(coap.OBSERVE, b"\x05"), (coap.CONTENT_FORMAT, coap.number(112))], b"\x80")
        self.assertEqual(self.wait(name).token, request.token.hex())
        name, again = self.ask("cancel", "/")
        self.assertEqual((again.code, again.token, again.payload), (5, request.token, request.payload))
        self.assertEqual(coap.values(again, coap.OBSERVE), [b"\x01"])

    def test_parameters_of_an_observe(self):
        name, request = self.ask("observe", "/3/0/7?pmin=5&pmax=15 accept=112")
        self.assertEqual(coap.values(request, coap.URI_QUERY), [b"pmin=5", b"pmax=15"])
        self.answer(request, "2.05", [(coap.OBSERVE, b"\x05"), (coap.CONTENT_FORMAT, coap.number(112))], b"\x80")
        self.assertEqual(self.wait(name).observe, "5")


class SecurityTest(ServerTest):
    arguments = ["--coap", "127.0.0.1:0", "--coaps", "127.0.0.1:0", "--psk", "a:00112233"]

    def test_plain_registration_is_refused(self):
        self.assertEqual(self.peer.register("a").code, coap.code("4.03"))
        self.assertEqual(self.event("refused").code, "4.03")

    def test_plain_bootstrap_is_refused(self):
        for method, path in (coap.POST, "/bs"), (coap.GET, "/bspack"):
            self.assertEqual(self.peer.request(method, path, ["ep=a"]).code, coap.code("4.03"))


if __name__ == "__main__":
    enter_namespace()
    unittest.main()
