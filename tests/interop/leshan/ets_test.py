#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Against Eclipse Leshan: the cases of tests/conformance that it can drive, step by step as they are there. The agent's
clock is moved; the few cases that need Leshan's to go on, too, take their time with FIELDWAY_LESHAN_SLOW=1 only."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "conformance"), HERE, os.path.join(HERE, "..", "..", "lib")]

import additional_test  # noqa: E402
import bearer_test  # noqa: E402
import bootstrap_test  # noqa: E402
import composite_test  # noqa: E402
import connectivity_test  # noqa: E402
import firmware_test  # noqa: E402
import ets  # noqa: E402
import management_test  # noqa: E402
import objects_test  # noqa: E402
import registration_test  # noqa: E402
import reporting_test  # noqa: E402
from cases import CASES, LESHAN  # noqa: E402
from ets_peer import SLOW, EtsPeer  # noqa: E402
from fieldway_test import Rig  # noqa: E402
from leshan import Bootstrap, Leshan, prepare_or_exit  # noqa: E402

MODULES = (registration_test, management_test, composite_test, reporting_test, objects_test, connectivity_test,
           firmware_test, bootstrap_test, additional_test, bearer_test)
VERSION = "1.1"
home = shared = shared_boot = None      # Leshan's two servers are there for all tests, in a rig of their own


def setUpModule():
    global home, shared, shared_boot
    home = Rig()
    home.__enter__()
    unittest.addModuleCleanup(home.__exit__, None, None, None)
    shared, shared_boot = Leshan(home), Bootstrap(home)
    for server in shared, shared_boot:
        unittest.addModuleCleanup(server.kill)
    shared.leave()


class LeshanCase:
    """What a Case of tests/conformance does otherwise here."""
    INSTANCE_WRITES = "PUT",

    @staticmethod
    def variants(number):
        return [(version, end) for version, end in CASES[number].closed() if version == VERSION]

    def setUp(self):
        super().setUp()
        self.came_to = {}

    def run_variant(self, test, number, version, end):
        self.number, self.came_to[end] = number, "failed"
        try:
            super().run_variant(test, number, version, end)
            self.came_to[end] = "passed"
        except unittest.SkipTest as e:
            self.came_to[end] = f"not run: {e}"
            raise

    def tearDown(self):
        found = ", ".join(f"{end} {result}" for end, result in self.came_to.items())
        # The dots of unittest have no line of their own.
        print(f"\n== {self.number} {CASES[self.number].title}: {found}", file=sys.stderr)
        super().tearDown()

    def hold(self):
        """Where Leshan's time has to pass the daemon's does so, too."""
        if not SLOW:
            self.daemon.hold()

    def start_server(self, secure=False, **_):
        self.secure = secure
        self.server = EtsPeer(self.rig, shared)
        self.addCleanup(self.server.close)
        # Somebody has to read what they say by themselves.
        self.rig.on_turn = lambda: home.turn(0)
        for name, key in self.keys.items():
            shared.put_key(name, bytes.fromhex(key))
        return self.server


class LeshanBootstrapCase(LeshanCase):
    """Its bootstrap server goes through its steps without being told; the daemon's log says when it has."""

    def start_boot(self):
        self.boot, self.bootstraps = shared_boot, 0
        self.boot.rig, self.boot.events = self.rig, []
        for name, key in self.keys.items():
            self.boot.put_key(name, bytes.fromhex(key))
            self.boot.put_account(name, self.server.uri("coaps"), bytes.fromhex(key), lifetime=86400, notifIfDisabled=False)

    def has_asked(self):
        return self.logged(": bootstrap server ")

    def bootstrap(self, start=0):
        self.bootstraps += 1
        self.rig.until(lambda: len(self.logged(": bootstrapped by ")) >= self.bootstraps, 30, "the bootstrap")


def load_tests(loader, standard_tests, pattern):
    """The tests of cases in LESHAN, of the classes in tests/conformance."""
    suite = unittest.TestSuite()
    for module in MODULES:
        for cls in vars(module).values():
            if not isinstance(cls, type) or not issubclass(cls, ets.Case) or cls.__module__ != module.__name__:
                continue
            names = [name for name in loader.getTestCaseNames(cls) if getattr(cls, name).case in LESHAN]
            kind = LeshanBootstrapCase if module is bootstrap_test else LeshanCase
            here = type(cls.__name__, (kind, cls), {"__module__": __name__})
            suite.addTests(here(name) for name in names)
    return suite


if __name__ == "__main__":
    prepare_or_exit()
    ets.main()
