#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against Eclipse Leshan: who registers, how, and who is refused."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from plant import ENDPOINTS, GATEWAY, Plant, derived, endpoint, main  # noqa: E402

METER, RELAYS, DRIVE = endpoint("em-03"), endpoint("relays-2"), endpoint("drive-1")
EARLY_S = 1.5           # earlier than told an event may seem, when the one before was late


class RegistrationTest(Plant):
    def test_all_are_registered_and_secure(self):
        self.start_plant()
        clients = self.leshan.clients()
        self.assertEqual(set(clients), set(ENDPOINTS))
        for name, client in clients.items():
            with self.subTest(name):
                self.assertIs(client["secure"], True)
                # Leshan knows no 1.2: all of them came to terms with it.
                self.assertEqual(client["lwM2mVersion"], "1.1")
                self.assertEqual((client["bindingMode"], client["lifetime"], client["rootPath"]), ("U", 3600, "/"))
        links = {link["url"]: link["attributes"] for link in clients[METER]["objectLinks"]}
        self.assertEqual(links["/3305"], {"ver": "1.1"})
        self.assertLessEqual({"/1/0", "/3/0", "/3305/0", "/3305/3", "/3316/2", "/3318/0"}, set(links))
        self.assertEqual([e.word for e in self.leshan.events if e.word == "DEREGISTRATION"], [])
        self.expect_goodbye()

    def expect_goodbye(self):
        self.daemon.process.essential = False
        self.daemon.process.send_signal(signal.SIGTERM)
        self.leshan.wait_all("DEREGISTRATION", ENDPOINTS)
        self.assertEqual(self.daemon.process.wait_end(), 0)
        self.assertEqual(self.leshan.clients(), {})

    def test_update_trigger(self):
        self.start_plant()
        for name in (GATEWAY, METER):
            start = self.leshan.now()
            self.assertAnswer(self.leshan.request("POST", name, "/1/0/8"), 204)
            update = self.leshan.wait("UPDATED", name, start).data["update"]
            self.assertEqual([update.get("lifetime"), update.get("objectLinks")], [None, None])

    def test_no_security(self):
        """A server that has no keys: registered all the same, not secure."""
        self.start_leshan(())
        self.start_field()
        self.write_configuration("notify: {pmin: 1s, pmax: 5s}", security="{mode: none}")
        self.start_daemon()
        self.leshan.wait_all("REGISTRATION", ENDPOINTS)
        self.assertEqual({client["secure"] for client in self.leshan.clients().values()}, {False})
        start = self.leshan.now()
        self.assertAnswer(self.leshan.request("POST", METER, "/3316/0/5700/observe"), 205)
        self.leshan.wait("NOTIFICATION", METER, start)

    def test_a_list_larger_than_a_block(self):
        many = 150
        name = endpoint("hall")
        self.start_leshan([*ENDPOINTS, name])
        self.start_field()
        self.write_configuration()
        self.rig.write("etc/devices.d/hall.yaml", "schema: 1\nendpoints:\n  - name: hall\n    lwm2m:\n" + "".join(
            f"      3316/{i}/5700: em-03.v1\n" for i in range(many)))
        self.start_daemon()
        links = {link["url"] for link in self.leshan.wait("REGISTRATION", name).data["objectLinks"]}
        self.assertLessEqual({f"/3316/{i}" for i in range(many)}, links)
        answer = self.assertAnswer(self.leshan.request("GET", name, f"/3316/{many - 1}/5700"), 205)
        self.assertGreater(float(answer["content"]["value"]), 200)

    def test_reboot_and_disable(self):
        """Of an endpoint, not of the machine: it comes back as a new registration."""
        self.start_plant()
        start = self.leshan.now()
        self.assertAnswer(self.leshan.request("POST", METER, "/3/0/4"), 204)
        self.leshan.wait("REGISTRATION", METER, start)
        body = {"id": 5, "type": "INTEGER", "value": "2"}
        self.assertAnswer(self.leshan.request("PUT", METER, "/1/0/5", body), 204)
        start = self.leshan.now()
        self.assertAnswer(self.leshan.request("POST", METER, "/1/0/4"), 204)
        gone = self.leshan.wait("DEREGISTRATION", METER, start)
        back = self.leshan.wait("REGISTRATION", METER, start)
        self.assertGreater(back.time - gone.time, 2 - EARLY_S)
        self.assertEqual(self.leshan.heard("REGISTRATION", start=start), [back])

    def test_lifetime(self):
        self.start_plant()
        start = self.leshan.now()
        body = {"id": 1, "type": "INTEGER", "value": "1800"}
        self.assertAnswer(self.leshan.request("PUT", METER, "/1/0/1", body), 204)
        update = self.leshan.wait("UPDATED", METER, start).data
        self.assertEqual(update["registration"]["lifetime"], 1800)


class RefusalTest(Plant):
    def expect_refused(self, name, reason):
        line = self.log(f"{name}: not registered at server", 60)
        self.assertRegex(line, reason)
        self.assertIn("next attempt in ", line)

    def test_codes(self):
        self.start_plant()
        number = {"id": 0, "type": "INTEGER", "value": "7"}
        text = {"id": 0, "type": "STRING", "value": "x"}
        instance = {"id": 7, "resources": [{"id": 5900, "type": "FLOAT", "value": "1"}]}
        for method, path, body, status in (
                ("GET", "/0", None, 401), ("GET", "/21", None, 401), ("GET", "/99", None, 404),
                ("GET", "/3/5", None, 404), ("GET", "/3/0/999", None, 404), ("GET", "/3/0/4", None, 405),
                ("GET", "/3/0?format=TEXT", None, 406), ("PUT", "/3/0/0", text, 405), ("PUT", "/1/0/0", number, 405),
                ("DELETE", "/3/0", None, 405), ("DELETE", "/3308/0", None, 405), ("POST", "/3/0/0", None, 405),
                ("POST", "/3308", instance, 405), ("POST", "/3/0/5", None, 404)):
            with self.subTest(f"{method} {path}"):
                self.assertAnswer(self.leshan.request(method, DRIVE, path, body), status)

    def test_wrong_key(self):
        """Leshan says nothing to a Finished that it cannot read, nor to an identity that it does not know."""
        self.start_leshan(set(ENDPOINTS) - {RELAYS})
        self.leshan.put_key(METER, bytes(16))
        self.start_field()
        self.write_configuration()
        self.start_daemon()
        self.leshan.wait_all("REGISTRATION", set(ENDPOINTS) - {METER, RELAYS})
        self.expect_refused(METER, "key")
        self.expect_refused(RELAYS, "identity")
        self.assertEqual(set(ENDPOINTS) - set(self.leshan.clients()), {METER, RELAYS})
        self.assertNotRegex("\n".join(self.daemon.process.lines), derived(self.master, METER).hex())

    def test_keys_where_we_have_none(self):
        """4.03 where Leshan has keys."""
        self.start_leshan()
        self.start_field()
        self.write_configuration(security="{mode: none}")
        self.start_daemon()
        self.expect_refused(GATEWAY, r"4\.03")
        self.assertEqual(self.leshan.clients(), {})


if __name__ == "__main__":
    main()
