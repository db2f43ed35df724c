#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server made by hand answers Register, Update, De-register and notifications as
none should, or not at all: each has an end, a line that says what came, and a way back."""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Timeout, coap, main  # noqa: E402
from fieldway_test.coap import (ACK, CON, DELETE, LOCATION_PATH, NON, OBSERVE, POST, RST, URI_PATH, code,  # noqa: E402
                                encode, uri_path, values)
from server_trouble_test import EXCHANGE_S, TroubleTest  # noqa: E402

DEADLINE_S = 10
LOCATION = [(LOCATION_PATH, b"rd"), (LOCATION_PATH, b"5")]
ACKED_S = 93 + 10           # MAX_TRANSMIT_WAIT, for the response behind an empty ACK
DEREGISTER_S = 3


class Server(coap.Server):
    """answers[word] gets each such request; without one it is answered well."""

    def __init__(self, rig, port=0):
        super().__init__(rig, port)
        self.answers = {}
        self.requests = {"register": [], "update": [], "deregister": []}

    def read(self, stream):
        data, self.client = self.socket.recvfrom(65536)
        message = coap.parse(data)
        if message.code not in (POST, DELETE) or message.type != CON:
            self.received.append(message)
            return
        path = b"/".join(values(message, URI_PATH))
        word = "register" if path == b"rd" else "deregister" if message.code == DELETE else "update"
        self.requests[word].append(message)
        (self.answers.get(word) or self.well)(message)

    def well(self, message):
        path = b"/".join(values(message, URI_PATH))
        if path == b"rd":
            self.answer(message, "2.01", LOCATION)
        else:
            self.answer(message, "2.02" if message.code == DELETE else "2.04")

    def with_code(self, text):
        return lambda message: self.answer(message, text)

    def reply(self, kind, text, message, message_id=None, token=None, options=()):
        self.raw(encode(coap.Message(kind, code(text), message.id if message_id is None else message_id,
                                     message.token if token is None else token, list(options), b"")))


class AnswersTest(TroubleTest):
    def setUp(self):
        super().setUp()
        self.peer = Server(self.rig)
        self.addCleanup(lambda: self.peer.close())     # the one of then

    def begin(self, *server):
        self.configure(server or ["lifetime: 24h"], uri="coap://" + self.peer.place)
        self.start_clock_daemon()

    def count(self, word):
        """Requests, each with its repetitions counted once."""
        return len({m.id for m in self.peer.requests[word]})

    def wait(self, word, number=1):
        self.rig.until(lambda: self.count(word) >= number, DEADLINE_S, f"{word} {number}")

    def alive(self):
        """It is registered: before that requests are dropped."""
        for _ in range(50):
            sent = self.peer.send(CON, coap.GET, b"\x77", uri_path("/3/0/16"))
            try:
                self.rig.until(lambda: any(m.id == sent for m in self.peer.received), 0.2, "an answer")
            except Timeout:
                continue
            break
        answer = [m for m in self.peer.received if m.id == sent][0]
        self.assertEqual((answer.type, answer.code, answer.payload), (ACK, code("2.05"), b"U"))

    def fails(self, most, text):
        took = self.step_until(self.failures, most, f"{text} being told")
        self.assertEqual(len(self.failures()), 1, self.failures())
        self.assertIn(f"gw: not registered at server plant: {text}", self.failures()[0])
        return took

    def returns(self):
        """Answered well the next attempt is the last."""
        before = self.count("register")
        self.peer.answers.clear()
        self.daemon.step(76)
        self.wait("register", before + 1)
        self.alive()
        self.assertEqual(self.count("register"), before + 1)


class RegisterTest(AnswersTest):
    CODES = {
        "4.00": "it answered 4.00 Bad Request", "4.01": "it answered 4.01 Unauthorized",
        "4.03": "it answered 4.03 Forbidden: does it know this endpoint", "4.04": "it answered 4.04 Not Found",
        "4.05": "it answered 4.05 Method Not Allowed", "4.15": "it answered 4.15 Unsupported Content-Format",
        "4.29": "it answered 4.29 Too Many Requests", "4.31": "it answered 4.31;",
        "5.00": "it answered 5.00 Internal Server Error", "5.01": "it answered 5.01 Not Implemented",
        "5.03": "it answered 5.03 Service Unavailable", "5.04": "it answered 5.04 Gateway Timeout",
        "2.05": "its answer makes no sense",            # without a location
    }

    def test_codes(self):
        for text, told in self.CODES.items():
            with self.subTest(text):
                self.peer.requests["register"].clear()
                self.peer.answers["register"] = self.peer.with_code(text)
                self.begin()
                self.fails(10, told)
                self.assertEqual(self.count("register"), 1)
                self.returns()
                self.stop_daemon(self.daemon)

    def test_nobody_there(self):
        """At start; found as soon as it is there."""
        place, self.peer.place = self.peer.place, None
        self.peer.close()
        self.configure(["lifetime: 24h"], uri="coap://" + place)
        self.start_clock_daemon()
        self.fails(EXCHANGE_S, "nobody listens at its port")
        self.peer = Server(self.rig, int(place.rpartition(":")[2]))
        self.returns()

    def test_reset(self):
        self.peer.answers["register"] = lambda m: self.peer.reply(RST, "0.00", m, token=b"")
        self.begin()
        self.fails(10, "it answered by RST")
        self.returns()

    def test_another_message_id(self):
        """Not this request's answer; the request is repeated, and given up."""
        self.peer.answers["register"] = lambda m: self.peer.reply(ACK, "2.01", m, m.id ^ 1, options=LOCATION)
        self.begin()
        self.assertGreaterEqual(self.fails(EXCHANGE_S, "no answer"), 45)
        self.assertEqual((self.count("register"), len(self.peer.requests["register"])), (1, 5))
        self.returns()

    def test_another_token(self):
        def answer(message):
            for token in (b"", message.token[:-1], message.token[::-1]):
                self.peer.reply(ACK, "2.01", message, token=token, options=LOCATION)

        self.peer.answers["register"] = answer
        self.begin()
        self.assertGreaterEqual(self.fails(EXCHANGE_S, "no answer"), 45)
        self.returns()

    def test_another_address(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))

            def answer(message):
                s.sendto(encode(coap.Message(ACK, code("2.01"), message.id, message.token, LOCATION, b"")),
                         self.peer.client)

            self.peer.answers["register"] = answer
            self.begin()
            self.fails(EXCHANGE_S, "no answer")
        self.returns()

    def test_half_an_answer(self):
        """Acknowledged, and then no word."""
        self.peer.answers["register"] = lambda m: self.peer.reply(ACK, "0.00", m, token=b"")
        self.begin()
        self.wait("register")
        self.assertGreaterEqual(self.fails(ACKED_S, "no answer"), 80)
        self.assertEqual(len(self.peer.requests["register"]), 1)
        self.returns()

    def test_separate_answers(self):
        """As CON and as NON, with and without the ACK before."""
        for kind in (CON, NON):
            for acked in (True, False):
                with self.subTest(f"{kind} {acked}"):
                    def answer(message):
                        if acked:
                            self.peer.reply(ACK, "0.00", message, token=b"")
                        self.peer.reply(kind, "2.01", message, 4321, options=LOCATION)

                    self.peer.requests["register"].clear()
                    self.peer.answers["register"] = answer
                    self.begin()
                    self.wait("register")
                    self.alive()
                    self.assertEqual(self.failures(), [])
                    self.stop_daemon(self.daemon)

    def test_odd_locations(self):
        for options, good in (([(LOCATION_PATH, b"a" * 100)], True), ([(LOCATION_PATH, b"a" * 100)] * 2, False),
                              ([(LOCATION_PATH, b"a\0b")], False), ([(LOCATION_PATH, b"")], True)):
            with self.subTest(options):
                self.peer.requests["register"].clear()
                self.peer.answers["register"] = lambda m: self.peer.answer(m, "2.01", options)
                self.begin()
                if good:
                    self.wait("register")
                    self.alive()
                else:
                    self.fails(10, "")
                    self.returns()
                self.stop_daemon(self.daemon)


class UpdateTest(AnswersTest):
    def begin(self, *server):
        super().begin(*server)
        self.wait("register")
        self.alive()

    def update(self):
        """One is asked for by the server."""
        before = self.count("update")
        self.peer.send(CON, POST, b"\x05", uri_path("/1/0/8"))
        self.wait("update", before + 1)

    def test_registration_lost(self):
        self.begin()
        for number, text in enumerate(("4.00", "4.03", "4.04"), 2):
            with self.subTest(text):
                self.peer.answers["update"] = self.peer.with_code(text)
                self.update()
                self.wait("register", number)
                self.alive()
                self.log(f"gw: server plant answered Update with {text}")
        self.assertEqual(self.failures(), [])

    def test_other_errors(self):
        for text in ("4.01", "4.05", "4.29", "5.00", "5.03"):
            with self.subTest(text):
                self.peer.requests["register"].clear()
                self.begin()
                self.peer.answers["update"] = self.peer.with_code(text)
                self.update()
                self.fails(10, f"it answered {text}")
                self.returns()
                self.stop_daemon(self.daemon)

    def test_silent(self):
        """Without security its new address makes it a stranger: it registers."""
        self.begin()
        self.peer.answers["update"] = lambda m: None
        self.update()
        took = self.step_until(lambda: self.count("register") == 2, EXCHANGE_S, "a Register")
        self.assertGreaterEqual(took, 45)
        self.assertIn("no answer", self.log("gw: Update did not get to server plant"))
        self.alive()
        self.assertEqual(self.failures(), [])

    def test_reset(self):
        self.begin()
        self.peer.answers["update"] = lambda m: self.peer.reply(RST, "0.00", m, token=b"")
        self.update()
        self.wait("register", 2)
        self.alive()

    def test_stays_silent(self):
        """To everything: the sequence of attempts, and none besides."""
        self.begin("lifetime: 24h", "liveness: 1m")
        self.peer.answers = {word: lambda m: None for word in ("register", "update")}
        self.step_until(self.failures, 60 + 2 * EXCHANGE_S, "an end of it")
        self.assertEqual((self.count("update"), self.count("register")), (1, 2))
        self.returns()

    def test_confirmable_notifications(self):
        """Nobody acknowledges them: an Update asks, and the value is not forgotten."""
        self.begin()
        for path, text in {"/1/0/26": b"1", "/1/0/6": b"0"}.items():
            self.peer.send(CON, coap.PUT, b"\x06", [*uri_path(path), (coap.CONTENT_FORMAT, b"")], text)
        self.alive()
        self.peer.received.clear()
        self.peer.send(CON, coap.GET, b"\x07", [(OBSERVE, b""), *uri_path("/1/0/5")])
        self.peer.send(CON, coap.PUT, b"\x06", [*uri_path("/1/0/5"), (coap.CONTENT_FORMAT, b"")], b"77")
        notifications = lambda: [m for m in self.peer.received if m.token == b"\x07" and m.type == CON]  # noqa: E731
        self.rig.until(notifications, DEADLINE_S, "a notification")
        first = notifications()[0]
        self.assertEqual(first.payload, b"77")
        before = self.count("update") + self.count("register")
        self.step_until(lambda: self.count("update") + self.count("register") > before, EXCHANGE_S, "a question")
        self.assertEqual(len([m for m in notifications() if m.id == first.id]), 5)


class DeregisterTest(AnswersTest):
    def leave(self):
        self.begin()
        self.wait("register")
        self.alive()
        self.daemon.hold()
        self.daemon.process.send_signal(signal.SIGTERM)
        self.wait("deregister")

    def test_refused(self):
        for text in ("4.00", "4.03", "4.04", "5.00", "5.03"):
            with self.subTest(text):
                for requests in self.peer.requests.values():
                    requests.clear()
                self.peer.answers["deregister"] = self.peer.with_code(text)
                self.leave()
                self.assertEqual(self.daemon.process.wait_end(), 0)
                self.assertIn(f"it answered {text}", self.log("gw: left server plant without its consent"))

    def test_silent(self):
        self.peer.answers["deregister"] = lambda m: None
        self.leave()
        self.daemon.step(DEREGISTER_S - 1)
        self.daemon.step(0)
        self.assertFalse(self.daemon.process.ended())
        self.daemon.clock.push(2)
        self.assertEqual(self.daemon.process.wait_end(), 0)

    def test_disabled(self):
        """/1/x/4 has its effect whatever the server says to the De-register."""
        for answer in (self.peer.with_code("4.03"), lambda m: None):
            for requests in self.peer.requests.values():
                requests.clear()
            self.peer.answers["deregister"] = answer
            self.begin()
            self.wait("register")
            self.alive()
            self.peer.send(CON, coap.PUT, b"\x06", [*uri_path("/1/0/5"), (coap.CONTENT_FORMAT, b"")], b"600")
            self.peer.send(CON, POST, b"\x05", uri_path("/1/0/4"))
            self.wait("deregister")
            self.daemon.step(DEREGISTER_S + 1)
            self.daemon.step(590)
            self.rig.turn(0.2)
            self.assertEqual(self.count("register"), 1)
            self.daemon.step(10)
            self.wait("register", 2)
            self.alive()
            self.stop_daemon(self.daemon)


if __name__ == "__main__":
    main()
