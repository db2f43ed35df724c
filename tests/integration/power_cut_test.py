#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The power fails at every call that changes what is kept: what is there afterwards is what was there before, or
what was being written, and what was promised to stay is there."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import bootstrap_kept_test  # noqa: E402
import bootstrap_test  # noqa: E402
from fieldway_test import PowerCut, ProgramEnded, build_path, main  # noqa: E402
from fieldway_test.encode import senml_json  # noqa: E402
from fieldway_test.scenario import LINKS, SENML_JSON  # noqa: E402

# Each call of the daemon, too, and not only some of them.
ALL = bool(os.environ.get("FIELDWAY_TEST_LONG"))
SOME = 16
LOSSES = ("", "data", "names")
PORTFOLIOS = {3: "three", 7: "seven"}
# What a bootstrap writes, and another one behind it: all of it or nothing is in force.
BOOTSTRAPS = [{"/1/0/1": 700, "/2/0/2/101": 1, "/2/1/1": 6, "/16/5/0/0": "five", "/16/6/0/0": "six"},
              {"/1/0/1": 900, "/2/0/2/101": 3, "/16/5/0/0": "fifth"}]
PROGRAM = "tests/integration/power_cut_program"


class ProgramTest(unittest.TestCase):
    """What all writers of the daemon and of fieldway-install come down to: records, packages, results."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fieldway-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_program(self, word, folder, environment=None):
        return subprocess.run([build_path(PROGRAM), word, folder], capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, **(environment or {})})

    def run_cut(self, at, loses):
        """The lines it has said, what is there, and whether it came to its end."""
        folder = os.path.join(self.folder, f"{loses}-{at}")
        os.makedirs(os.path.join(folder, "results"))
        cut = PowerCut(folder, at, loses)
        written = self.run_program("write", folder, cut.environment())
        if written.returncode != 0:
            self.assertEqual(written.returncode, -9, written.stderr)
        found = self.run_program("check", folder)
        self.assertEqual(found.returncode, 0, found.stderr)
        shutil.rmtree(folder)
        return written.stdout, dict(line.rsplit(" ", 1) for line in found.stdout.splitlines()), \
            written.returncode == 0

    def judge(self, said, found, where):
        begun, kept = ({name: int(version) for name, version in re.findall(rf"^{word} (\S+) (\d+)$", said, re.M)}
                       for word in ("begun", "kept"))
        for name, version in found.items():
            allowed = set()
            for number in range(kept.get(name, 0), begun.get(name, 0) + 1):
                removed = number % 3 == 0 and name not in ("package", "result")
                allowed.add(str(0 if removed else number))
            self.assertIn(version, allowed, f"{name}, {where}; it said:\n{said}")
        group = {name: version for name, version in found.items() if name.startswith("group")}
        self.assertEqual(len(set(group.values())), 1, f"{where}: {group}")

    def cut_everywhere(self, loses):
        at, ended = 0, False
        while not ended:
            at += 1
            said, found, ended = self.run_cut(at, loses)
            self.judge(said, found, f"cut at call {at} losing {loses or 'nothing'}")
        self.assertGreater(at, 100)
        print(f"\n== {at - 1} cuts losing {loses or 'nothing'}: whole", file=sys.stderr)

    def test_all_calls_done(self):
        self.cut_everywhere("")

    def test_data_lost(self):
        """What no fsync has confirmed of the content of files."""
        self.cut_everywhere("data")

    def test_names_lost(self):
        """And no fsync of their folder of what became of names."""
        self.cut_everywhere("names")


class DaemonTest(bootstrap_test.BootstrapScenario):
    """One endpoint from its bootstrap on, with what a server writes, a reload, and another bootstrap."""

    # What a server sees of each step, in the order of writing.
    STEPS = ("lifetime", "attributes", "create", "create another", "delete", "another bootstrap")

    def start_over(self, number, environment=None):
        """The daemon, over the state of that number; what has happened at the server so far.

        The server is another one, too: what the former daemon sent last may lie unread at its socket, and what it
        asked of whom was cut it has no answer of.
        """
        self.restart_server()
        start = self.now()
        self.promised = 0
        self.start_daemon(state=self.rig.path("cuts", str(number)), environment=environment or {})
        return start

    def bring_up(self, start):
        """Bootstrapped if it asks for it, and registered. Whether it asked."""
        event = self.server.wait_event(
            lambda e: e.word in ("bootstrap-request", "registered") and e.arguments == ["gw"], 15, start)
        if event.word == "registered":
            return False
        self.expect(self.server.request("gw", "DELETE", "/0"), "2.02")
        self.expect(self.server.request("gw", "DELETE", "/1"), "2.02")
        self.write("gw", "/0/1", bootstrap_test.security(1, self.server.uri("coap"), 101))
        self.write("gw", "/1/0", bootstrap_test.server(0, 101, 700))
        self.write("gw", "/2", {**bootstrap_kept_test.rights(0, "16/5", 101, s101=1),
                                **bootstrap_kept_test.rights(1, "16/6", 101, s101=1)})
        self.write("gw", "/16", {path: text for path, text in BOOTSTRAPS[0].items() if path.startswith("/16/")})
        self.deliver(start)
        return True

    def bootstrap_again(self):
        start = self.now()
        self.expect(self.post("gw", "/1/0/9"), "2.04")
        self.asked(start=start)
        self.write("gw", "/1/0", bootstrap_test.server(0, 101, 900))
        self.write("gw", "/2/0", bootstrap_kept_test.rights(0, "16/5", 101, s101=3))
        self.write("gw", "/16/5", {"/16/5/0/0": "fifth"})
        for path in "/2/1", "/16/6":
            self.expect(self.server.request("gw", "DELETE", path), "2.02")
        self.deliver(start)

    def deliver(self, start):
        """From the 2.04 on the server takes it for delivered."""
        self.finish()
        self.promised += 1
        self.ready("gw", start=start)

    def take_steps(self, start):
        self.bring_up(start)
        self.expect(self.put("gw", "/1/0/1", "800"), "2.04")
        self.expect(self.put("gw", "/3/0?pmin=5"), "2.04")
        for instance, text in PORTFOLIOS.items():
            self.expect(self.post("gw", "/16", senml_json({f"/16/{instance}/0/0": text}), SENML_JSON), "2.01")
        self.expect(self.server.request("gw", "DELETE", "/16/3"), "2.02")
        self.configure_bootstrap(more="stale: {after: 4x}")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.rig.until(lambda: self.daemon.notify.states.count("READY=1") > 1, 15, "the end of the reload")
        self.bootstrap_again()

    def bootstraps(self, where):
        """Which bootstrap is in force, whole: 1 or 2."""
        found = {**self.read("gw", "/1/0"), **self.read("gw", "/2"), **self.read("gw", "/16")}
        names = set().union(*BOOTSTRAPS)
        found = {path: found[path] for path in names if path in found}
        # Which the server may have written since.
        if found["/1/0/1"] == 800:
            found["/1/0/1"] = 700
        self.assertIn(found, BOOTSTRAPS, where)
        return BOOTSTRAPS.index(found) + 1

    def done(self, where):
        """Of STEPS, whether each is in force."""
        bootstraps = self.bootstraps(where)
        portfolio = {path: text for path, text in self.read("gw", "/16").items() if path not in BOOTSTRAPS[0]}
        created = "/16/7/0/0" in portfolio
        links = self.expect(self.server.request("gw", "GET", "/3/0", f"accept={LINKS}"), "2.05").payload.decode()
        for path, value in portfolio.items():
            self.assertEqual(value, PORTFOLIOS[int(path.split("/")[2])])
        return [self.read_one("gw", "/1/0/1") > 700, "pmin=5" in links, created or "/16/3/0/0" in portfolio, created,
                created and "/16/3/0/0" not in portfolio, bootstraps == 2]

    def run_to(self, number, at, loses):
        """One life that ends by a cut, unless all has been done. Whether it was."""
        state = self.rig.path("cuts", str(number))
        os.makedirs(state)
        self.configure_bootstrap()
        self.cut = PowerCut(state, at, loses)
        try:
            self.take_steps(self.start_over(number, self.cut.environment()))
        except ProgramEnded:
            pass
        self.daemon.process.send_signal(signal.SIGTERM)
        status = self.daemon.process.wait_end()
        self.assertIn(status, (0, -signal.SIGKILL))
        return status == 0

    def look_after(self, number, where):
        """The next life: all before some point is in force, nothing behind it, and the log has no complaint."""
        promised = self.promised
        asked = self.bring_up(self.start_over(number))
        done = self.done(where)
        self.assertGreaterEqual((not asked) + done[-1], promised, f"{where}: Finish had its 2.04")
        self.assertEqual(done, sorted(done, reverse=True), f"{where}: {dict(zip(self.STEPS, done))}")
        self.assertFalse(asked and any(done), f"{where}: an account was lost behind what it wrote")
        for word in "damaged", "are lost", "cannot keep":
            self.assertEqual(self.logged(word), [], where)
        self.assertEqual(os.listdir(self.rig.path("cuts", str(number), "quarantine")), [], where)
        self.stop_daemon(self.daemon)
        return "bootstrapped anew" if asked else sum(done)

    def test_a_life(self):
        self.start_server()
        self.assertTrue(self.run_to("uncut", 0, ""))
        calls = self.cut.calls()
        self.assertEqual(self.look_after("uncut", "uncut"), len(self.STEPS))
        cuts = [(at, loses) for loses in LOSSES for at in range(1, calls + 1)]
        if not ALL:
            cuts = [cuts[i * (len(cuts) - 1) // (SOME - 1)] for i in range(SOME)]
        found, late = {}, 0
        for number, (at, loses) in enumerate(cuts):
            late += self.run_to(number, at, loses)
            state = self.look_after(number, f"cut at call {at} of {calls} losing {loses or 'nothing'}")
            found[state] = found.get(state, 0) + 1
        self.assertIn("bootstrapped anew", found)
        # Writes that come together make fewer calls.
        self.assertLess(late, len(cuts) // 2)
        print(f"\n== {len(cuts) - late} cuts of the daemon, which makes {calls} calls: whole; steps in force: {found}",
              file=sys.stderr)


if __name__ == "__main__":
    main()
