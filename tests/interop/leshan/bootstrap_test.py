#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against Eclipse Leshan: its bootstrap server tells the machine and ten meters where to register, and its LwM2M server
takes them."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from leshan import Bootstrap  # noqa: E402
from plant import GATEWAY, NAMES, Plant, derived, endpoint, main  # noqa: E402

METERS = [endpoint(name) for name in NAMES[:10]]
ENDPOINTS = [GATEWAY, *METERS]
CONFIGURATION = """schema: 1
gateway:
  name: gw7
  endpoint: "urn:dev:os:32473-{{gateway}}"
  endpoint_template: "urn:dev:ops:32473-{{gateway}}-{{name}}"
bootstrap:
  uri: {uri}
  security: {{mode: psk, identity: "{{endpoint}}", key: "derive:keys/master"}}
  endpoints: [host, "em-0*", em-10]
"""
VOLTS = "/3316/0/5700"


class BootstrapTest(Plant):
    def put_accounts(self, lifetime):
        """What the bootstrap server has to know: who may ask, and what it tells; with fresh keys at both servers."""
        for name in ENDPOINTS:
            key = os.urandom(16)
            self.boot.put_key(name, derived(self.master, name))
            self.leshan.put_key(name, key)
            self.boot.put_account(name, self.leshan.uri(), key, lifetime=lifetime)

    def expect_registered(self, start, lifetime):
        self.leshan.wait_all("REGISTRATION", ENDPOINTS, start)
        clients = self.leshan.clients()
        self.assertEqual(set(clients), set(ENDPOINTS))
        self.assertEqual({(client["secure"], client["lifetime"]) for client in clients.values()}, {(True, lifetime)})

    def expect_values(self):
        answer = self.assertAnswer(self.leshan.request("GET", GATEWAY, "/3/0/17"), 205)
        self.assertEqual(answer["content"]["value"], "gateway")
        for name in METERS:
            answer = self.assertAnswer(self.leshan.request("GET", name, VOLTS), 205)
            self.assertGreater(float(answer["content"]["value"]), 200)

    def test_twice_and_a_restart_between(self):
        self.start_leshan(())
        self.boot = Bootstrap(self.rig)
        self.addCleanup(lambda: self.boot.kill())
        self.start_field()
        self.write_master()
        self.rig.write("etc/fieldway.yaml", CONFIGURATION.format(uri=self.boot.uri()))
        self.put_accounts(lifetime=3600)
        began = time.monotonic()
        self.start_daemon()
        self.expect_registered(0, 3600)
        first = time.monotonic() - began
        # By itself: there is nobody who could bootstrap.
        self.boot.kill()
        self.stop_daemon(self.daemon)
        start = self.leshan.now()
        self.start_daemon()
        self.expect_registered(start, 3600)
        # With the keys of before nobody comes in any more.
        self.boot.start()
        self.put_accounts(lifetime=7200)
        start = self.leshan.now()
        began = time.monotonic()
        for name in ENDPOINTS:
            self.assertAnswer(self.leshan.request("POST", name, "/1/0/9"), 204)
        self.expect_registered(start, 7200)
        print(f"== Leshan bootstrapped {len(ENDPOINTS)} endpoints, which it had registered after {first:.1f} s, and again "
              f"after {time.monotonic() - began:.1f} s", file=sys.stderr)
        self.expect_values()


if __name__ == "__main__":
    main()
