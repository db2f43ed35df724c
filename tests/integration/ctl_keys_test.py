#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldwayctl credentials: keys that the daemon finds, the server gets, and nobody sees on a screen."""
import csv
import hashlib
import hmac
import io
import json
import os
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main  # noqa: E402
from fieldway_test.bus import PATH  # noqa: E402
from ctl_json_test import JsonScenario  # noqa: E402
from fieldway_test.scenario import SECURITY  # noqa: E402

ENDPOINTS = {"host": "gw", "m1": "gw-m1", "m2": "gw-m2"}


class KeyScenario(JsonScenario):
    def setUp(self):
        super().setUp()
        self.file = self.rig.path("etc/keys/plant.psk")

    def configure_keys(self, security=SECURITY, uri="coaps://127.0.0.1:5684"):
        self.start_meters(2)
        self.configure(uri=uri)
        path = self.rig.path("etc/fieldway.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.rig.write("etc/fieldway.yaml", text.replace(SECURITY, security))

    def words(self, *arguments):
        return ("credentials", *arguments, "--config=" + self.rig.path("etc"), "--state=" + self.rig.path("state"),
                *self.folders())

    def credentials(self, *arguments):
        return self.json(*self.words(*arguments), environment={})["credentials"]

    def exported(self, *arguments):
        text = self.ctl(*self.words("export", *arguments), environment={})
        return {row["identity"]: row["key"] for row in csv.DictReader(io.StringIO(text))}

    def refused(self, text, *arguments, status=1):
        return self.fails(text, *self.words(*arguments), environment={}, status=status)

    def lines(self):
        with open(self.file, encoding="utf-8") as f:
            return f.read().splitlines()


class CreateTest(KeyScenario):
    def test_create(self):
        """For the identities that the daemon looks for: then its check has nothing to say."""
        self.configure_keys()
        self.rig.write("etc/keys/plant.psk", "# kept\ngw-m1:000102030405060708090a0b0c0d0e0f\n", 0o600)
        check = ("check", self.rig.path("etc"), "--daemon=" + build_path("fieldwayd"), *self.folders())
        self.assertIn("has no key for 2 of 3 endpoints", self.run_ctl(*check, environment={}).stderr)
        rows = self.credentials("create")
        self.has_keys(rows[0], "server", "endpoint", "identity", "fingerprint", "state")
        self.assertEqual({row["endpoint"]: (row["identity"], row["state"]) for row in rows},
                         {"host": ("gw", "new"), "m1": ("gw-m1", "kept"), "m2": ("gw-m2", "new")})
        self.assertEqual(self.lines()[:2], ["# kept", "gw-m1:000102030405060708090a0b0c0d0e0f"])
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(self.run_ctl(*check, environment={}).stderr, "")
        keys = dict(line.split(":") for line in self.lines()[1:])
        self.assertEqual({len(bytes.fromhex(key)) for key in keys.values()}, {16})
        self.assertEqual(len(set(keys.values())), 3)
        for row in rows:
            digest = hashlib.sha256(bytes.fromhex(keys[row["identity"]])).hexdigest()
            self.assertEqual(row["fingerprint"].replace(":", ""), digest[:16])
        # Nothing changes when all are there, and no screen shows a key.
        text = self.ctl(*self.words("create"), environment={})
        self.assertEqual(text.count(" kept\n"), 3)
        self.assertFalse(any(key in text for key in keys.values()))
        self.assertEqual(dict(line.split(":") for line in self.lines()[1:]), keys)

    def test_new_file(self):
        self.configure_keys()
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.credentials("create", "plant", "--length=32", "--endpoint=m*")
        os.umask(before)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o640)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.file)).st_mode) & 0o777, 0o750)
        self.assertEqual([(i, len(k)) for i, k in (line.split(":") for line in self.lines())],
                         [("gw-m1", 64), ("gw-m2", 64)])

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_group(self):
        """The daemon is another user: what root makes is its group's, whatever the group's number is."""
        self.configure_keys()
        with open("/etc/group", encoding="utf-8") as f:
            others = [line for line in f if not line.startswith("fieldway:")]
        self.rig.write("group", "".join(others) + "fieldway:x:54321:\n")
        subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', self.rig.path("group"),
                        build_path("fieldwayctl"), *self.words("create")], check=True, stdout=subprocess.DEVNULL, timeout=60)
        for path, mode in ((self.file, 0o640), (os.path.dirname(self.file), 0o2750)):
            status = os.stat(path)
            self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)), (0, 54321, mode))

    def test_bootstrap(self):
        """The server of `bootstrap:` knows endpoints by keys as well."""
        self.configure_keys()
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="utf-8") as f:
            f.write('bootstrap: {uri: "coaps://127.0.0.1:5784", endpoints: [host, m1], '
                    'security: {mode: psk, key: "psk-file:keys/boot.psk"}}\n')
        rows = self.credentials("create", "bootstrap")
        self.assertEqual([(row["server"], row["endpoint"], row["state"]) for row in rows],
                         [("bootstrap", "host", "new"), ("bootstrap", "m1", "new")])
        self.assertFalse(os.path.exists(self.file))
        self.assertEqual([row["server"] for row in self.credentials("create")], ["plant"] * 3 + ["bootstrap"] * 2)
        self.assertEqual(set(self.exported("bootstrap")), {"gw", "gw-m1"})
        self.assertEqual(len(self.exported()), 3)

    def test_master(self):
        """HKDF (RFC 5869) over a master: the server's keys can be made without this machine."""
        self.configure_keys(security='security: {mode: psk, key: "derive:keys/plant.master"}')
        self.assertEqual({row["state"] for row in self.credentials("create")}, {"new"})
        path = self.rig.path("etc/keys/plant.master")
        with open(path, "rb") as f:
            master = f.read()
        self.assertEqual((len(master), stat.S_IMODE(os.stat(path).st_mode)), (32, 0o640))
        extracted = hmac.digest(b"fieldway-psk-1", master, "sha256")
        self.assertEqual(self.exported(), {name: hmac.digest(extracted, name.encode() + b"\x01", "sha256")[:16].hex()
                                           for name in ENDPOINTS.values()})
        self.assertEqual({row["state"] for row in self.credentials("create")}, {"kept"})
        before = self.exported()
        self.refused("no --endpoint here", "rotate", "--endpoint=m1", status=2)
        self.credentials("rotate")
        self.assertEqual(self.exported(), before)
        after = self.exported("--pending")
        self.assertFalse(set(after.values()) & set(before.values()))
        self.credentials("rotate", "--switch")
        self.assertEqual(self.exported(), after)

    def test_one_key(self):
        self.configure_keys(security='security: {mode: psk, identity: plant, key: "file:keys/plant.key"}')
        self.credentials("create")
        keys = self.exported()
        self.assertEqual((set(keys), len(keys["plant"])), ({"plant"}, 32))

    def test_refused(self):
        self.refused("no server of the configuration has keys", "create", status=3)
        self.configure_keys()
        self.refused("nope: no such server", "create", "nope", status=3)
        self.refused("x*: no endpoint of this name", "create", "--endpoint=x*", status=3)
        self.refused("16 to 64 bytes", "create", "--length=8", status=2)
        self.refused("create, export, rotate or status", "make", status=2)
        self.rig.write("etc/keys/plant.psk", "gw:00\n", 0o644)
        self.refused("other users can read it", "create", status=5)
        self.assertEqual(self.lines(), ["gw:00"])
        os.chmod(self.file, 0o600)
        self.refused("2 identities have no key, the first is gw-m1", "export", status=3)
        self.rig.write("etc/fieldway.yaml", "nonesuch: true\n")
        done = self.run_ctl(*self.words("create"), environment={})
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("fieldway.yaml:1:1: ", done.stderr)


class ExportTest(KeyScenario):
    def test_leshan(self):
        self.configure_keys()
        self.credentials("create")
        keys = self.exported()
        lines = self.ctl(*self.words("export", "--template=leshan"), environment={}).splitlines()
        self.assertEqual([json.loads(line) for line in lines], [
            {"endpoint": name, "tls": {"mode": "psk", "details": {"identity": name, "key": keys[name]}}}
            for name in ENDPOINTS.values()])
        document = self.credentials("export")
        self.has_keys(document[0], "server", "uri", "endpoint", "client_name", "identity", "key", "fingerprint")
        self.assertEqual({row["identity"]: row["key"] for row in document}, keys)

    def test_template(self):
        self.configure_keys()
        self.credentials("create", "--endpoint=host")
        template = self.rig.write("t.txt", "{name}/{endpoint}/{identity:json}: {key_base64} {{x y}}\n")
        out = self.rig.path("out.txt")
        words = ("export", "--endpoint=host", "--template=" + template, "--output=" + out)
        self.assertEqual(self.ctl(*self.words(*words), environment={}), "")
        with open(out, encoding="ascii") as f:
            self.assertRegex(f.read(), r'^host/gw/"gw": [A-Za-z0-9+/]{22}== \{\{x y\}\}\n$')
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)
        self.refused("File exists", *words)
        self.rig.write("t.txt", "{keys}")
        self.refused("{keys}: not a placeholder", "export", "--endpoint=host", "--template=" + template)
        self.refused("No such file", "export", "--endpoint=host", "--template=lesham", status=3)
        self.refused("not with --output", "export", "--json", "--output=x", status=2)


class StatusTest(KeyScenario):
    def states(self, *words):
        return {(row["endpoint"], row["state"]): row["fingerprint"] for row in self.credentials("status", *words)}

    def test_status(self):
        self.configure_keys()
        self.assertEqual(self.states(), {(name, "missing"): None for name in ("host", "m1", "m2")})
        made = {row["endpoint"]: row["fingerprint"] for row in self.credentials("create", "--endpoint=m*")}
        self.assertEqual(self.states(), {("host", "missing"): None, ("m1", "in use"): made["m1"],
                                         ("m2", "in use"): made["m2"]})
        fresh, = self.credentials("rotate", "--endpoint=m1")
        self.assertNotEqual(fresh["fingerprint"], made["m1"])
        self.assertEqual(self.states("plant", "--endpoint=m1"),
                         {("m1", "in use"): made["m1"], ("m1", "pending"): fresh["fingerprint"]})
        text = self.ctl(*self.words("status"), environment={})
        self.assertRegex(text, r"(?m)^plant +host +gw +- +missing$")
        self.refused("nope: no such server", "status", "nope", status=3)

    def test_the_daemon_says_the_same(self):
        """GetCredentials is asked where the configuration runs, this where it lies."""
        self.configure_keys()
        self.credentials("create")
        self.keys = self.exported()
        self.start_server(secure=True)
        self.configure()
        self.start_daemon()
        self.registered(*ENDPOINTS.values())
        status = {row["endpoint"]: row for row in self.credentials("status")}
        for name, row in status.items():
            (server, kind, identity, fingerprint, reference, reason), = self.bus.call(
                f"{PATH}/endpoint/{name}", "Endpoint", "GetCredentials")[0]
            self.assertEqual((server, kind, identity, fingerprint, reason),
                             ("plant", "psk", row["identity"], row["fingerprint"], ""))
            self.assertTrue(reference.startswith("psk-file:"))


class RotateTest(KeyScenario):
    def test_rotate(self):
        self.configure_keys()
        self.refused("there are no keys yet", "rotate", status=3)
        self.credentials("create")
        before = self.exported()
        self.assertEqual({(row["identity"], row["state"]) for row in self.credentials("rotate", "--endpoint=m?")},
                         {("gw-m1", "pending"), ("gw-m2", "pending")})
        self.assertEqual(self.exported(), before)
        self.refused("wait there already", "rotate")
        self.refused("one of them", "rotate", "--switch", "--cancel", status=2)
        pending = dict(line.split(",")[2:] for line in self.ctl(*self.words("export", "--pending"), environment={},
                                                                stderr=None).splitlines()[1:])
        self.assertEqual(set(pending), {"gw-m1", "gw-m2"})
        self.credentials("rotate", "--switch")
        self.assertEqual(self.exported(), {**before, **pending})
        self.assertFalse(os.path.exists(self.file + ".pending"))
        self.refused("no new keys wait", "rotate", "--switch", status=3)
        self.credentials("rotate")
        self.credentials("rotate", "--cancel")
        self.assertEqual(self.exported(), {**before, **pending})

    def test_shared(self):
        """One file for a server and for the bootstrap server: each key once, whoever it is for."""
        self.configure_keys()
        with open(self.rig.path("etc/fieldway.yaml"), "a", encoding="utf-8") as f:
            f.write('bootstrap: {uri: "coaps://127.0.0.1:5784", endpoints: [m1], '
                    'security: {mode: psk, key: "psk-file:keys/plant.psk"}}\n')
        self.credentials("create")
        before = self.exported()
        rows = self.credentials("rotate")
        self.assertEqual([(row["server"], row["identity"], row["state"]) for row in rows],
                         [*(("plant", identity, "pending") for identity in ("gw", "gw-m1", "gw-m2")),
                          ("bootstrap", "gw-m1", "pending")])
        self.assertEqual(rows[1]["fingerprint"], rows[3]["fingerprint"])
        self.refused("wait there already", "rotate")
        self.assertEqual(self.exported(), before)
        self.credentials("rotate", "--switch")
        after = self.exported()
        self.assertFalse(set(after.values()) & set(before.values()))
        self.credentials("rotate")
        self.credentials("rotate", "--cancel")
        self.assertEqual(self.exported(), after)

    def test_with_a_server(self):
        """It takes what is exported, old keys first, then those that are switched to."""
        self.configure_keys()
        self.credentials("create")
        self.keys = self.exported()
        self.start_server(secure=True)
        self.configure()
        self.start_daemon()
        self.registered(*ENDPOINTS.values())
        self.credentials("rotate")
        self.keys = self.exported("--pending")
        self.credentials("rotate", "--switch")
        self.stop_daemon(self.daemon)
        self.restart_server()
        self.start_daemon()
        self.registered(*ENDPOINTS.values())


if __name__ == "__main__":
    main()
